"""Residents sign in with their phone: a code by SMS or voice, or one that a help desk gave by hand.

The phone says which account; whose record that opens is for binding.py to find out.
"""

from collections.abc import Coroutine
from typing import Any, TypeVar

from commonweal.access.agent import Agent
from commonweal.fhir.outcome import Problem
from commonweal.identity import accounts, binding, codes
from commonweal.identity.account import RESIDENT, Account
from commonweal.identity.finishing import ITSELF, From, Signed, failed, finished
from commonweal.identity.house import DAY, Identity

Proof = TypeVar("Proof")


async def by_phone(identity: Identity, handle: str, code: str, at: From, *, language: str = "en") -> Signed:
    """`handle` is that of codes.ask. Problem 401 in the same words whatever is wrong."""
    phone = await _proving(identity, at, "code", codes.prove(identity, handle, code, at.address))
    account = await _still_theirs(identity, await _account(identity, phone, at, language))
    return await finished(identity, account, ("code",), at)


async def in_person(identity: Identity, phone: str, code: str, at: From, *, language: str = "en") -> Signed:
    """With the code of a help desk (codes.give); bound to the patient who was recognised there."""
    proof = codes.prove_in_person(identity, phone, code, at.address)
    number, given = await _proving(identity, at, "in-person", proof)
    account = await _account(identity, number, at, language)
    if given.patient:
        desk = Agent(given.by, purpose="HOPERAT")
        account = await binding.bound(
            identity, desk, account.id, given.patient, because="recognised at a help desk"
        )
    return await finished(identity, account, ("in-person",), at)


async def _account(identity: Identity, phone: str, at: From, language: str) -> Account:
    """The account of this phone, made when there is none; Problem 401 for one that is disabled."""
    account = await accounts.by_login(identity, phone)
    if account is None:
        try:
            account = await accounts.create(identity, ITSELF, kind=RESIDENT, login=phone, language=language)
        except Problem:  # a second code of the same phone came back at the same moment
            account = await accounts.by_login(identity, phone)
    if account is None or account.disabled:
        await failed(identity, account, at, "disabled")
        raise codes.refused()
    return account


async def _still_theirs(identity: Identity, account: Account) -> Account:
    """A number may have been given to somebody else meanwhile: after long silence it opens no record by itself."""
    trusted = account.signed + identity.parameters.phone_trusted_days * DAY
    if not account.reference or identity.now() < trusted:
        return account
    because = "the phone did not sign in for long"
    return await accounts.change(identity, ITSELF, account.id, reference="", because=because)


async def _proving(identity: Identity, at: From, way: str, proof: Coroutine[Any, Any, Proof]) -> Proof:
    try:
        return await proof
    except Problem as problem:
        if problem.status == 401:
            await failed(identity, None, at, way)
        raise
