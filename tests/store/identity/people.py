"""Words of the tests of identity: people who sign in, their apps and their phones."""

import re

import pyotp

from commonweal.access.agent import Agent
from commonweal.access.roles import ACCESS_MANAGER, CLINICIAN, OPERATOR
from commonweal.identity import accounts, codes, onetime, residents, signing
from commonweal.identity.account import Account
from commonweal.identity.finishing import From, Signed
from commonweal.identity.signing import Step
from tests.store.identity.conftest import House

MANAGER = Agent("Practitioner/manager", frozenset({ACCESS_MANAGER}), "HSYSADMIN", name="Manager")
RUNNER = Agent("operator", frozenset({OPERATOR}), "HSYSADMIN", name="Operator")
HERE = From("192.0.2.7", "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0")
PASSWORD = "a long walk by the river"
PHONE = "+8613800138000"


async def doctor(house: House, login: str = "lin", role: str = CLINICIAN, **given: str) -> Account:
    """Somebody of staff with a password of their own and one role."""
    account, first = await accounts.invite(house.identity, MANAGER, login=login, name="Dr Lin", **given)
    await accounts.assign(house.identity, RUNNER, account.id, role, because="employed")
    step = await signing.begin(house.identity, login, first, HERE)
    enrolment = await signing.enrol(house.identity, step.value)
    renewing, _ = await signing.enrolled(
        house.identity, step.value, HERE, code=code_of(house, enrolment.secret)
    )
    assert isinstance(renewing, Step) and renewing.need == "renew"
    await signing.renew(house.identity, renewing.value, PASSWORD, HERE)
    house.clock.wait(30)
    return await accounts.get(house.identity, account.id)


def code_of(house: House, secret: str, steps: int = 0) -> str:
    """What the authenticator app shows now (or so many steps later)."""
    return pyotp.TOTP(secret).generate_otp(house.clock() // 1_000_000 // onetime.STEP + steps)


def code_for(house: House, account: Account) -> str:
    assert account.totp
    return code_of(house, account.totp.secret)


async def signed_in(house: House, account: Account, at: From = HERE, password: str = PASSWORD) -> Signed:
    """By password and app."""
    step = await signing.begin(house.identity, account.login, password, at)
    signed = await signing.second(house.identity, step.value, at, code=code_for(house, account))
    assert isinstance(signed, Signed)
    house.clock.wait(30)
    return signed


async def resident(house: House, phone: str = PHONE, at: From = HERE) -> Signed:
    """Somebody with a phone."""
    handle = await codes.ask(house.identity, phone, at.address)
    return await residents.by_phone(house.identity, handle, code_sent(house), at)


def code_sent(house: House) -> str:
    """The six digits of the message sent last."""
    found = re.search(r"\d{6}|\d(?:, \d){5}", house.sent[-1].text)
    assert found
    return found[0].replace(", ", "")
