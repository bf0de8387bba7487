"""Whose record a resident's account opens: by a help desk, or by number, birth date and name that fit one person.

A phone alone opens none: phones are shared, lent and given on.
"""

from collections.abc import Awaitable, Callable, Sequence

from commonweal.access.agent import Agent
from commonweal.fhir.outcome import Problem
from commonweal.identity import accounts, limits
from commonweal.identity.account import RESIDENT, Account
from commonweal.identity.finishing import ITSELF
from commonweal.identity.house import Identity, Message

MOVED = {
    "en": "Commonweal: another phone opens your health record now, no longer this one. Was it not you? Call us.",
    "zh": "您的健康档案已改由另一部手机打开，本机不能再打开。如非本人办理，请立即与我们联系。",
}
Find = Callable[[str, str, str], Awaitable[Sequence[str]]]
"""Of an identity number, a birth date ("1990-01-31") and a name: the patients ("Patient/x") whom all three fit."""


async def bind(identity: Identity, id: str, number: str, born: str, name: str, find: Find) -> bool:
    """Bind an account to the one person whom all three fit and who has no account yet.

    The answer is the same no, whether nobody fits, several do, or somebody has that record already. Problem 429 after
    five tries a day, of this account or about this number.
    """
    account = await accounts.get(identity, id)
    if account.kind != RESIDENT or account.reference:
        raise Problem.conflict("This account is bound already; a help desk can change that.")
    number, name = "".join(number.split()).upper(), " ".join(name.split())
    await limits.spend(identity, identity.parameters.bindings, id)
    await limits.spend(identity, identity.parameters.bindings, f"number {number}")
    found = tuple(await find(number, born.strip(), name))
    patient = found[0] if len(found) == 1 else ""
    if not patient or not await _bound(identity, account, patient):
        about = filter(None, (account.party, patient))
        await identity.note(ITSELF, "account-bind", *about, outcome=403)
        return False
    return True


async def bound(identity: Identity, by: Agent, id: str, patient: str, *, because: str) -> Account:
    """A help desk knows who it is. An account that had this record before loses it, its sessions end, and its phone is
    told: somebody may have talked the help desk into it."""
    if not because.strip():
        raise Problem.invalid("say how the person was recognised")
    account = await accounts.get(identity, id)
    if account.kind != RESIDENT:
        raise Problem.invalid("only a resident's account is bound to a patient")
    holder = await accounts.by_reference(identity, patient)
    if holder is not None and holder.id != id:
        await accounts.change(identity, by, holder.id, reference="", because=because)
        await accounts.end_all(identity, holder.id)
        text = MOVED["zh" if holder.language.startswith("zh") else "en"]
        await identity.send(Message("sms", holder.login, text, "notice"))
    return await accounts.change(identity, by, id, reference=patient, because=because)


async def _bound(identity: Identity, account: Account, patient: str) -> bool:
    """False when somebody else is bound to that patient already."""
    try:
        await accounts.change(
            identity, ITSELF, account.id, reference=patient, because="number, birth date, name"
        )
    except Problem as problem:
        if problem.status != 409:
            raise
        return False
    return True
