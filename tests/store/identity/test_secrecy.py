"""Nothing secret shows: not in what is printed of an object, not in a traceback, not in a log, not in the table."""

import logging
import traceback
from typing import Any

import asyncpg
import pytest

from commonweal.fhir.outcome import Problem
from commonweal.identity import accounts, codes, limits, onetime, passkeys, residents, sessions, signing
from commonweal.identity.finishing import From
from tests.store.identity.conftest import Clock, House, housed
from tests.store.identity.people import HERE, MANAGER, PASSWORD, PHONE, code_sent, doctor, signed_in


async def test_nothing_secret_is_printed(house: House) -> None:
    account, first = await accounts.invite(house.identity, MANAGER, login="wang")
    step = await signing.begin(house.identity, "wang", first, HERE)
    enrolment = await signing.enrol(house.identity, step.value)
    doctors = await doctor(house)
    signed = await signed_in(house, doctors)
    session = await sessions.session(house.identity, signed.value)
    handle = await codes.ask(house.identity, PHONE, HERE.address)
    kept = [thing for _, thing in await onetime.PENDING.page(house.identity.drawers)]
    kept += [thing for _, thing in await codes.CODES.page(house.identity.drawers)]
    await passkeys.begin_assertion(house.identity)
    kept += [thing for _, thing in await passkeys.CHALLENGES.page(house.identity.drawers)]
    entry = await house.identity.drawers.get("account", account.id)
    things = [
        account,
        step,
        enrolment,
        doctors,
        doctors.totp,
        signed,
        session,
        entry,
        From(before=signed.value),
        kept,
    ]
    shown = "\n".join(map(repr, [*things, house.sent, house.identity, house.audited]))
    assert doctors.totp and session
    secrets = [
        first,
        account.password,
        doctors.password,
        doctors.totp.secret,
        *doctors.recovery,
        step.value,
        enrolment.secret,
        signed.value,
        handle,
        code_sent(house),
        PHONE,
        "the key of these tests",
    ]
    assert [secret for secret in secrets if secret in shown] == []


async def test_a_failing_sign_in_leaves_no_password_in_trace_or_log(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await doctor(house)
    caplog.set_level(logging.DEBUG)
    wrong = "a password with a slip"
    with pytest.raises(Problem) as caught:
        await signing.begin(house.identity, "lin", wrong, HERE)
    told = "".join(traceback.TracebackException.from_exception(caught.value).format())
    assert wrong not in told + caplog.text + repr(house.audited)
    with pytest.raises(Problem):
        await signing.begin(house.identity, wrong, PASSWORD, HERE)
    assert wrong not in caplog.text + repr(house.audited)


async def test_the_table_tells_neither_phones_nor_logins_nor_values(
    postgres_drawers: Any, clock: Clock, database: str
) -> None:
    house = housed(postgres_drawers, clock)
    account = await doctor(house)
    signed = await signed_in(house, account)
    handle = await codes.ask(house.identity, PHONE, HERE.address)
    resident = await residents.by_phone(house.identity, handle, code_sent(house), HERE)
    connection = await asyncpg.connect(database)
    try:
        rows = "\n".join(map(str, await connection.fetch("select * from identity.drawer")))
    finally:
        await connection.close()
    assert account.totp
    for secret in (
        "lin",
        PHONE,
        signed.value,
        resident.value,
        handle,
        account.totp.secret,
        "argon2",
        HERE.address,
    ):
        assert secret not in rows


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1:2:3", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix", "unix"),
    ],
)
def test_an_address_is_limited_by_what_one_customer_is_given(address: str, network: str) -> None:
    assert limits.network(address) == network
