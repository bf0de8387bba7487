"""The person's answer to an app: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#response-4."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from commonweal.fhir.outcome import Problem
from commonweal.identity.house import Identity
from commonweal.identity.oauth import asking, clients, codes, launches, places, scopes, whose
from commonweal.identity.oauth.asking import Asked
from commonweal.identity.oauth.clients import Client
from commonweal.identity.oauth.grants import Grant
from commonweal.identity.oauth.launches import Launch
from commonweal.identity.oauth.refused import Refused
from commonweal.identity.oauth.scopes import May, Told
from commonweal.identity.sessions import Session

ALWAYS = frozenset({"launch", "launch/patient", "launch/encounter"})
"""Scopes that give nothing by themselves: they say what else the app wants to know."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the page asks: which app, for what, and on whom. `patient` is the id of the launch's ("" when one must be
    chosen and `needs_patient`); `origin` is where the answer goes, for the page's form-action."""

    client: Client
    scopes: list[Told]
    needs_patient: bool
    patient: str
    encounter: str
    origin: str


async def question(identity: Identity, handle: str, session: Session, may: May | None = None) -> Question:
    """What is to be answered. Problem 404 when the request is over or not this person's."""
    asked = await asking.find(identity, handle)
    if asked is None:
        raise _over()
    launch = await _launch(identity, asked, session)
    found = await _within(identity, asked, session, may)
    client = await clients.find(identity, asked.client)
    if client is None:
        raise _over()
    return Question(
        client=client,
        scopes=scopes.told(found),
        needs_patient=_needs_patient(found) and not launch.patient,
        patient=launch.patient,
        encounter=launch.encounter,
        origin=places.origin(asked.redirect) or asked.redirect.partition(":")[0] + ":",
    )


async def decide(
    identity: Identity,
    handle: str,
    session: Session,
    allowed: Iterable[str] | None,
    patient: str = "",
    may: May | None = None,
) -> str:
    """Where the browser goes with the answer: with a code for the `allowed` scopes (texts as the question told them;
    None: refused), on that patient (an id, where one had to be chosen).

    Problem 404 when the request is over, was answered before or is not this person's; 400 when a patient must be
    chosen and is not. The app hears nothing of either.
    """
    found = await question(identity, handle, session, may)
    given = _given(found, allowed)
    wanted = _needs_patient(given)
    chosen = found.patient or patient
    if wanted and not chosen:
        raise Problem.invalid("choose the person whose data the app may see")
    asked = await asking.take(identity, handle)
    if asked is None:
        raise _over()
    account, agent = await whose.of_session(identity, session)
    if not given:
        refusal = Refused("access_denied", "the person did not allow it")
        await identity.note(agent, "app-refused", f"client-{asked.client}")
        return asking.failed(identity, asked.redirect, asked.state, refusal)
    launch = await launches.use(identity, asked.launch) if asked.launch else None
    grant = _grant(asked, launch, given, chosen if wanted else "")
    grant = msgspec.structs.replace(
        grant,
        account=account.id,
        assignment=whose.acting(account, session, identity.now()),
        session=session.id,
        user=account.reference,
        name=account.name,
    )
    code = await codes.give(identity, asked, grant)
    about = (f"Patient/{chosen}",) if wanted else ()
    await identity.note(agent, "app-allowed", f"client-{asked.client}", *about, because=" ".join(given))
    return asking.answered(identity, asked.redirect, asked.state, {"code": code})


async def _within(identity: Identity, asked: Asked, session: Session, may: May | None) -> tuple[str, ...]:
    """What of the request this person can give at all."""
    account, agent = await whose.of_session(identity, session)
    found = asked.scopes if may is None else scopes.permitted(asked.scopes, agent, may)
    return tuple(each for each in found if each != "fhirUser" or account.reference)


async def _launch(identity: Identity, asked: Asked, session: Session) -> Launch:
    """What was open where the app was opened from; it stays with who opened it."""
    if not asked.launch:
        return Launch(client=asked.client, account=session.account)
    launch = await launches.find(identity, asked.launch)
    if launch is None or launch.account != session.account:
        raise _over()
    return launch


def _given(question: Question, allowed: Iterable[str] | None) -> tuple[str, ...]:
    """Of what was asked what was allowed; nothing when no more than words would be left."""
    chosen = frozenset(allowed) if allowed is not None else frozenset()
    given = tuple(each.text for each in question.scopes if each.text in chosen or each.text in ALWAYS)
    return given if chosen.intersection(given) else ()


def _needs_patient(texts: Iterable[str]) -> bool:
    """Scopes on one person's data, and the wish to know who it is, need one."""
    texts = tuple(texts)
    return "launch/patient" in texts or scopes.has_context(texts, "patient")


def _grant(asked: Asked, launch: Launch | None, given: tuple[str, ...], patient: str) -> Grant:
    """What was given, without whom by."""
    launch = launch or Launch(client=asked.client, account="")
    return Grant(
        id="",
        client=asked.client,
        scopes=given,
        patient=patient or launch.patient,
        encounter=launch.encounter,
        intent=launch.intent,
        banner=launch.banner,
        nonce=asked.nonce,
    )


def _over() -> Problem:
    return Problem.of("cw-unknown-address", address="this request of an app")
