"""Six digits sent to a phone: short-lived, five tries whoever guesses, the same answers for every phone.

A code goes to any phone that asks, known or not: an account is made only when the code comes back.
"""

import hmac
import secrets
from typing import Literal

from commonweal.access.agent import Agent
from commonweal.fhir.outcome import Problem
from commonweal.identity import limits
from commonweal.identity.house import SECOND, Identity, Message, fresh
from commonweal.identity.ids import ALPHABET
from commonweal.identity.kept import Kept, Secret
from commonweal.identity.phones import normalised

Channel = Literal["sms", "voice"]
TEXTS = {
    ("sms", "en"): "Your Commonweal code is {code}. It is valid for {minutes} minutes. Tell it to nobody.",
    ("sms", "zh"): "您的验证码是 {code}，{minutes} 分钟内有效。请勿告诉任何人。",
    ("voice", "en"): "Your Commonweal code is: {code}. Once more: {code}.",
    ("voice", "zh"): "您的验证码是：{code}。再说一遍：{code}。",
}
DOCUMENTS = ("identity-card", "passport", "residence-permit", "known-in-person")
"""What a help desk may have looked at before it gives a code by hand."""


class Code(Secret, frozen=True):
    """A code that was sent: to which phone, and its keyed hash."""

    phone: str
    code: str
    language: str


class InPerson(Secret, frozen=True):
    """A code given by hand: its keyed hash, and the patient as whom the person was recognised ("": as none)."""

    code: str
    patient: str
    by: str


CODES = Kept("code", Code)
"""By keyed hash of the handle."""
IN_PERSON = Kept("in-person", InPerson)
"""By keyed hash of the phone."""
TRIES = "code-tries"


async def ask(identity: Identity, phone: str, address: str, *, language: str = "en") -> str:
    """Send a code by SMS; a handle that belongs into a cookie or a hidden field. Problem 400 for what is no number,
    429 when this phone or this address asked too often."""
    number = normalised(phone, identity.parameters.calling_code)
    if number is None:
        raise Problem.invalid("this is not a phone number")
    handle = fresh()
    await _allowed(identity, number, address)
    await _send(identity, handle, number, "sms", language, version=0)
    return handle


async def again(identity: Identity, handle: str, address: str, channel: Channel = "voice") -> None:
    """A new code to the same phone, read out or by SMS, a minute after the one before; tries are not given back."""
    kept = await CODES.get(identity.drawers, _place(identity, handle))
    if kept is None:
        raise refused()
    await _allowed(identity, kept.phone, address)
    await _send(identity, handle, kept.phone, channel, kept.language)


async def prove(identity: Identity, handle: str, code: str, address: str) -> str:
    """The phone whose code this is: once. Problem 401 for a wrong code, one too old and the sixth try alike."""
    await limits.spend(identity, identity.parameters.proofs_address, limits.network(address))
    place = _place(identity, handle)
    kept = await CODES.get(identity.drawers, place)
    if kept is None or not await _may_try(identity, place) or not _is(identity, place, kept.code, code):
        raise refused()
    if await CODES.take(identity.drawers, place) is None:
        raise refused()
    return kept.phone


async def give(
    identity: Identity, by: Agent, phone: str, *, checked: str, because: str, patient: str = ""
) -> str:
    """A code given by hand at a help desk, shown this once: who comes there was recognised by a document. It signs in
    with this phone, and is bound to `patient` ("Patient/x") where one is named."""
    number = normalised(phone, identity.parameters.calling_code)
    if number is None:
        raise Problem.invalid("this is not a phone number")
    if checked not in DOCUMENTS or not because.strip():
        raise Problem.invalid(f"say what was checked ({', '.join(DOCUMENTS)}) and why")
    if by.id == patient:
        raise Problem.forbidden(["nobody binds themselves"])
    code = "".join(secrets.choice(ALPHABET) for _ in range(10))
    place = _desk(identity, number)
    until = identity.now() + identity.parameters.in_person_seconds * SECOND
    kept = InPerson(_hashed(identity, place, code), patient, by.id)
    await IN_PERSON.put(identity.drawers, place, kept, until=until)
    await identity.drawers.remove(TRIES, place)
    await identity.note(
        by, "code-in-person", *filter(None, (patient,)), because=f"{checked}: {because.strip()}"
    )
    return f"{code[:5]}-{code[5:]}"


async def prove_in_person(identity: Identity, phone: str, code: str, address: str) -> tuple[str, InPerson]:
    """The phone, and what the help desk found out; Problem 401 as `prove`."""
    await limits.spend(identity, identity.parameters.proofs_address, limits.network(address))
    number = normalised(phone, identity.parameters.calling_code) or ""
    place, plain = _desk(identity, number), "".join(filter(str.isalnum, code.lower()))
    kept = await IN_PERSON.get(identity.drawers, place)
    may_try = await _may_try(identity, place)
    if kept is None or not may_try or not _is(identity, place, kept.code, plain):
        raise refused()
    if await IN_PERSON.take(identity.drawers, place) is None:
        raise refused()
    return number, kept


async def _allowed(identity: Identity, number: str, address: str) -> None:
    parameters = identity.parameters
    await limits.spend(identity, parameters.codes_address, limits.network(address))
    for limit in (parameters.code_pause, *parameters.codes_phone):
        await limits.spend(identity, limit, number)


async def _send(
    identity: Identity, handle: str, number: str, channel: Channel, language: str, version: int | None = None
) -> None:
    seconds, place = identity.parameters.code_seconds, _place(identity, handle)
    code = f"{secrets.randbelow(10**6):06}"
    kept = Code(number, _hashed(identity, place, code), language)
    until = identity.now() + seconds * SECOND
    await CODES.put(identity.drawers, place, kept, until=until, version=version)
    spoken = ", ".join(code) if channel == "voice" else code
    text = TEXTS[channel, language if (channel, language) in TEXTS else "en"]
    message = Message(channel, number, text.format(code=spoken, minutes=seconds // 60), "sign-in")
    await identity.send(message)


async def _may_try(identity: Identity, place: str) -> bool:
    """Counted before anything is compared: of all who guess at once, five are let through."""
    until = identity.now() + identity.parameters.failures_seconds * SECOND
    return await identity.drawers.count(TRIES, place, until) <= identity.parameters.code_tries


def _is(identity: Identity, place: str, kept: str, code: str) -> bool:
    return hmac.compare_digest(kept, _hashed(identity, place, "".join(code.split())))


def _hashed(identity: Identity, place: str, code: str) -> str:
    return identity.hashed("code", f"{place} {code}")


def _place(identity: Identity, handle: str) -> str:
    return identity.hashed("code-handle", handle)


def _desk(identity: Identity, number: str) -> str:
    return identity.hashed("in-person", number)


def refused() -> Problem:
    """The one answer to whatever is wrong with a code."""
    return Problem.of("cw-not-proved", why="The code is not right or too old; ask for a new one.")
