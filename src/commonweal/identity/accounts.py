"""Accounts and assignments: made and changed by whoever manages access, never by those they are of.

Whether an agent may manage access at all is asked by the caller (permission `access.manage`); what is refused here is
refused to everybody. All changes are audited.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence

import msgspec

from commonweal.access.agent import Agent
from commonweal.access.decision import decide
from commonweal.access.roles import ANONYMOUS, OPERATOR, RESIDENT, ROLES, SYSTEM
from commonweal.fhir.outcome import Problem
from commonweal.identity import passwords, sessions
from commonweal.identity.account import (
    ACCOUNTS,
    LOGINS,
    REFERENCES,
    STAFF,
    Account,
    Assignment,
    Kind,
    Pointer,
)
from commonweal.identity.account import RESIDENT as OF_RESIDENT
from commonweal.identity.drawers import FOREVER, Taken
from commonweal.identity.house import Identity
from commonweal.identity.ids import new_id
from commonweal.identity.oauth import grants

LOGINS_OF = {
    STAFF: (
        re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}"),
        "a login is 2 to 64 of a-z, 0-9 and ._@-, beginning with a letter or digit",
    ),
    OF_RESIDENT: (re.compile(r"\+[1-9][0-9]{6,14}"), "a resident signs in with a phone, written +86138…"),
}
REFERENCE = re.compile(r"(Practitioner|Patient|Organization|Location)/[A-Za-z0-9\-.]{1,64}")
UNASSIGNED = frozenset((SYSTEM, ANONYMOUS, RESIDENT))
"""Roles that nobody is assigned: who acts in them follows from something else."""


async def create(
    identity: Identity,
    by: Agent,
    *,
    kind: Kind = STAFF,
    login: str,
    name: str = "",
    reference: str = "",
    language: str = "en",
    password: str = "",
    renew: bool = False,
) -> Account:
    """A new account; `password` is already hashed (passwords.hashed). Problem 409 when the login or the person has
    one."""
    login = login_of(login)
    shape, told = LOGINS_OF[kind]
    if not shape.fullmatch(login):
        raise Problem.invalid(told)
    id = new_id(identity.now())
    account = Account(
        id, kind, login, name, "", language, password=password, renew=renew, made=identity.now()
    )
    await ACCOUNTS.put(identity.drawers, id, account, version=0)
    try:
        await _claim(LOGINS.kind, identity, login, id, "There is an account of this login already.")
    except Problem:
        await identity.drawers.remove(ACCOUNTS.kind, id)
        raise
    if reference:
        account = await _named(identity, account, reference)
    await identity.note(by, "account-create", account.party)
    return account


async def get(identity: Identity, id: str) -> Account:
    """Problem 404 when there is none."""
    account = await ACCOUNTS.get(identity.drawers, id)
    if account is None:
        raise Problem.of("cw-nothing", what="account")
    return account


async def by_login(identity: Identity, login: str) -> Account | None:
    """Takes as long for an unknown login as for a known one."""
    pointer = await LOGINS.get(identity.drawers, identity.hashed("login", login_of(login)))
    return await ACCOUNTS.get(identity.drawers, pointer.account if pointer else "nobody")


async def by_reference(identity: Identity, reference: str) -> Account | None:
    """The account of a Practitioner or a Patient."""
    pointer = await REFERENCES.get(identity.drawers, identity.hashed("reference", reference))
    return await ACCOUNTS.get(identity.drawers, pointer.account) if pointer else None


async def page(identity: Identity, after: str = "", limit: int = 100) -> Sequence[Account]:
    """In the order in which they were made."""
    return [account for _, account in await ACCOUNTS.page(identity.drawers, after, limit)]


async def change(
    identity: Identity,
    by: Agent,
    id: str,
    *,
    name: str | None = None,
    language: str | None = None,
    reference: str | None = None,
    because: str = "",
) -> Account:
    """What is known of the person. Whose record or practice it is, nobody says of themselves."""
    account = await get(identity, id)
    was, interaction = account.reference, "account-change"
    if reference is not None and reference != was:
        _check_manages(account, by)
        account, interaction = await _named(identity, account, reference), "account-bind"
    given = {key: text for key, text in (("name", name), ("language", language)) if text is not None}
    if given:
        account = await _changed(identity, id, lambda now: msgspec.structs.replace(now, **given))
    about = dict.fromkeys(filter(None, (account.party, was)))
    await identity.note(by, interaction, *about, because=because)
    return account


async def disable(identity: Identity, by: Agent, id: str, because: str = "") -> Account:
    """Nobody can sign in with it any more; all its sessions end, and what it let apps do."""
    _check_manages(await get(identity, id), by)
    account = await _changed(identity, id, lambda now: msgspec.structs.replace(now, disabled=True))
    await end_all(identity, id)
    await identity.note(by, "account-disable", account.party, because=because)
    return account


async def enable(identity: Identity, by: Agent, id: str, because: str = "") -> Account:
    """It can be used again."""
    _check_manages(await get(identity, id), by)
    account = await _changed(identity, id, lambda now: msgspec.structs.replace(now, disabled=False))
    await identity.note(by, "account-enable", account.party, because=because)
    return account


async def invite(
    identity: Identity, by: Agent, *, login: str, name: str = "", reference: str = "", language: str = "en"
) -> tuple[Account, str]:
    """An account of staff with a password to hand over, shown this once; its first sign-in changes it and adds a second
    factor."""
    password = passwords.made()
    hashed = await passwords.hashed(identity, password)
    account = await create(
        identity,
        by,
        login=login,
        name=name,
        reference=reference,
        language=language,
        password=hashed,
        renew=True,
    )
    return account, password


async def reset(identity: Identity, by: Agent, id: str, because: str, *, factors: bool = False) -> str:
    """A new password to hand over, shown this once; `factors`: the second factors were lost and are taken away, too.
    All sessions end, and what it let apps do."""
    _check_manages(await get(identity, id), by)
    if not because.strip():
        raise Problem.invalid("say why, and how the person was recognised")
    password = passwords.made()
    hashed = await passwords.hashed(identity, password)

    def anew(now: Account) -> Account:
        if now.kind != STAFF:
            raise Problem.invalid("a resident has no password; give a code at a help desk instead")
        changed = msgspec.structs.replace(now, password=hashed, renew=True)
        none = {"totp": None, "passkeys": (), "recovery": ()}
        return msgspec.structs.replace(changed, **none) if factors else changed

    account = await _changed(identity, id, anew)
    await end_all(identity, id)
    await identity.note(by, "account-reset", account.party, because=because)
    return password


async def assign(
    identity: Identity,
    by: Agent,
    id: str,
    role: str,
    *,
    organization: str = "",
    areas: Sequence[str] = (),
    since: int = 0,
    until: int = FOREVER,
    clearances: Sequence[str] = (),
    because: str = "",
) -> Assignment:
    """One more role in which this person may act; Problem 403 for one's own account, 422 for what makes no sense."""
    account = await get(identity, id)
    _check_manages(account, by, role)
    made = Assignment(
        new_id(identity.now()), role, organization, tuple(areas), since, until, tuple(clearances), because
    )
    _check_sense(account, made)
    account = await _changed(
        identity, id, lambda now: msgspec.structs.replace(now, assignments=(*now.assignments, made))
    )
    await identity.note(
        by, "account-assign", account.party, because=f"{role}: {because}" if because else role
    )
    return made


async def unassign(identity: Identity, by: Agent, id: str, assignment: str, because: str = "") -> Account:
    """End an assignment; sessions that act in it end with it."""
    _check_manages(await get(identity, id), by)

    def without(now: Account) -> Account:
        if not any(each.id == assignment for each in now.assignments):
            raise Problem.of("cw-nothing", what="assignment")
        left = tuple(each for each in now.assignments if each.id != assignment)
        return msgspec.structs.replace(now, assignments=left)

    account = await _changed(identity, id, without)
    await sessions.end_all(identity, id, acting=assignment)
    await identity.note(by, "account-unassign", account.party, because=because)
    return account


async def end_all(identity: Identity, id: str) -> None:
    """Its sessions, and all that it let apps do."""
    await sessions.end_all(identity, id)
    await grants.end_all(identity, id)


def login_of(text: str) -> str:
    """A login as it is compared: no spaces around, one form of each letter, none of them large."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def _check_manages(account: Account, by: Agent, role: str = "") -> None:
    """Nobody changes what they themselves may do; operators are made and changed by operators only."""
    of_operators = role == OPERATOR or any(each.role == OPERATOR for each in account.assignments)
    allowed = decide(
        (not account.is_of(by), "nobody changes their own assignments or account"),
        (not of_operators or by.roles & {OPERATOR, SYSTEM}, "only an operator makes or changes an operator"),
    )
    if not allowed:
        raise Problem.forbidden(allowed.reasons)


def _check_sense(account: Account, made: Assignment) -> None:
    places = [*filter(None, (made.organization,)), *made.areas]
    sensible = decide(
        (account.kind == STAFF, "only an account of staff is assigned roles"),
        (
            made.role in ROLES and made.role not in UNASSIGNED,
            f"nobody can be assigned the role '{made.role}'",
        ),
        (made.since < made.until, "the period ends before it begins"),
        (
            not made.organization or made.organization.startswith("Organization/"),
            "an organization is written as Organization/id",
        ),
        (all(area.startswith("Location/") for area in made.areas), "an area is written as Location/id"),
        (all(map(REFERENCE.fullmatch, places)), "an organization or area has an id"),
        (
            not made.clearances or made.because,
            "a clearance for sensitive data names the statute that justifies it",
        ),
    )
    if not sensible:
        raise Problem.of("cw-business-rule", why="; ".join(sensible.reasons).capitalize() + ".")


async def _changed(identity: Identity, id: str, change: Callable[[Account], Account]) -> Account:
    account = await ACCOUNTS.change(identity.drawers, id, change)
    identity.remembered.forget()
    return account


async def _named(identity: Identity, account: Account, reference: str) -> Account:
    """Say who this is ("": nobody knows); one person has one account."""
    wanted = "Practitioner/" if account.kind == STAFF else "Patient/"
    if reference:
        if not (reference.startswith(wanted) and REFERENCE.fullmatch(reference)):
            raise Problem.invalid(f"a {account.kind} account is of a {wanted}id")
        await _claim(REFERENCES.kind, identity, reference, account.id, "This person has an account already.")
    named = await _changed(
        identity, account.id, lambda now: msgspec.structs.replace(now, reference=reference)
    )
    if account.reference:
        await identity.drawers.remove(REFERENCES.kind, identity.hashed(REFERENCES.kind, account.reference))
    return named


async def _claim(kind: str, identity: Identity, text: str, account: str, refusal: str) -> None:
    """This login or person is that account's from now on; done again by the same account it changes nothing."""
    id, pointer = identity.hashed(kind, text), msgspec.json.encode(Pointer(account))
    try:
        await identity.drawers.put(kind, id, pointer, owner=account, version=0)
    except Taken:
        there = await identity.drawers.get(kind, id)
        if there is None or there.owner != account:
            raise Problem.conflict(refusal) from None
