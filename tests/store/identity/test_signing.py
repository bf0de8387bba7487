"""Signing in as staff: every step, every refusal, and what those who guess or replay get."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from commonweal.fhir.outcome import Problem
from commonweal.identity import accounts, agents, onetime, own, sessions, signing
from commonweal.identity.finishing import From, Signed
from commonweal.identity.oauth import grants
from commonweal.identity.oauth.grants import Grant
from commonweal.identity.signing import Step
from tests.store.identity.conftest import House
from tests.store.identity.people import (
    HERE,
    MANAGER,
    PASSWORD,
    code_for,
    code_of,
    doctor,
    signed_in,
)


async def refused(tried: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        await tried
    return caught.value


async def test_the_first_sign_in_adds_a_second_factor_before_anything_else(either: House) -> None:
    identity = either.identity
    account, first = await accounts.invite(identity, MANAGER, login="Lin ", name="Dr Lin")
    await accounts.assign(identity, MANAGER, account.id, "clinician", organization="Organization/h")
    step = await signing.begin(identity, "LIN", first, HERE)
    assert (step.need, step.ways) == ("enrol", ())
    assert (await refused(signing.second(identity, step.value, HERE, code="000000"))).status == 401
    assert (await refused(signing.renew(identity, step.value, PASSWORD, HERE))).status == 401
    enrolment = await signing.enrol(identity, step.value)
    assert (await signing.enrol(identity, step.value)) == enrolment
    assert enrolment.svg.startswith("<svg") and "Commonweal:lin" in enrolment.uri
    wrong = await refused(signing.enrolled(identity, step.value, HERE, code="000000"))
    assert wrong.status == 401
    code = code_of(either, enrolment.secret)
    renewing, recovery = await signing.enrolled(identity, step.value, HERE, code=code)
    assert isinstance(renewing, Step) and renewing.need == "renew" and len(recovery) == 10
    assert renewing.value != step.value
    assert (await refused(signing.enrolled(identity, step.value, HERE, code=code))).status == 401
    for password in ("short", first, "Lin is a good doctor", "password12345"):
        assert (await refused(signing.renew(identity, renewing.value, password, HERE))).status == 422
    signed = await signing.renew(identity, renewing.value, PASSWORD, HERE)
    agent = await agents.of_session(identity, signed.value)
    assert (agent.roles, agent.organization, agent.purpose) == ({"clinician"}, "Organization/h", "TREAT")
    assert (await refused(signing.renew(identity, renewing.value, PASSWORD, HERE))).status == 401
    assert [row.interaction for row in either.audited if row.outcome == 200][-1] == "sign-in"


async def test_password_and_app_open_a_session(either: House) -> None:
    account = await doctor(either)
    signed = await signed_in(either, account)
    session = await sessions.session(either.identity, signed.value)
    assert session and session.ways == ("password", "totp")
    assert (session.device, session.address) == ("Firefox, Windows", "192.0.2.0/24")


async def test_a_refusal_says_the_same_whatever_is_wrong(either: House) -> None:
    account = await doctor(either)
    other = await doctor(either, "wang")
    await accounts.disable(either.identity, MANAGER, other.id)
    tries = (
        ("lin", "wrong password"),
        ("nobody", PASSWORD),
        ("wang", PASSWORD),
        ("", ""),
        ("\ud800", "\ud800"),
    )
    said = {str(await refused(signing.begin(either.identity, *each, HERE))) for each in tries}
    assert said == {signing.WRONG}
    rows = [row for row in either.audited if row.outcome == 401]
    assert len(rows) == 5 and {row.address for row in rows} == {"192.0.2.7"}
    assert [row.entities for row in rows] == [(account.party,), (), (other.party,), (), ()]


async def test_delays_grow_and_end_for_known_and_unknown_alike(either: House) -> None:
    await doctor(either)
    for login in ("lin", "nobody"):
        for _ in range(5):
            assert (await refused(signing.begin(either.identity, login, "wrong", HERE))).status == 401
        waits = []
        for _ in range(4):
            throttled = await refused(signing.begin(either.identity, login, PASSWORD, HERE))
            assert throttled.status == 429 and throttled.retry_after
            waits.append(throttled.retry_after)
            either.clock.wait(throttled.retry_after)
            assert (await refused(signing.begin(either.identity, login, "wrong", HERE))).status == 401
        assert waits == [30, 60, 120, 300]
    either.clock.wait(900)
    assert await signing.begin(either.identity, "lin", PASSWORD, HERE)


async def test_signing_in_takes_the_delays_away_and_a_password_alone_does_not(house: House) -> None:
    account = await doctor(house)
    for _ in range(4):
        await refused(signing.begin(house.identity, "lin", "wrong", HERE))
    await signed_in(house, account)
    for _ in range(4):
        await refused(signing.begin(house.identity, "lin", "wrong", HERE))
    await signing.begin(house.identity, "lin", PASSWORD, HERE)
    assert (await refused(signing.begin(house.identity, "lin", PASSWORD, HERE))).status == 429


async def test_thirty_two_who_guess_at_once_have_five_tries(either: House) -> None:
    await doctor(either)
    guesses = [signing.begin(either.identity, "lin", f"guess {n}", From(f"192.0.2.{n}")) for n in range(32)]
    answers = await asyncio.gather(*guesses, return_exceptions=True)
    statuses = [each.status for each in answers if isinstance(each, Problem)]
    assert sorted(statuses) == [401] * 5 + [429] * 27


async def test_an_address_has_so_many_tries_whatever_logins_it_uses(house: House) -> None:
    most = house.identity.parameters.sign_ins_address.most
    for number in range(most):
        assert (await refused(signing.begin(house.identity, f"n{number}", "x", HERE))).status == 401
    assert (await refused(signing.begin(house.identity, "another", "x", HERE))).status == 429
    assert (await refused(signing.begin(house.identity, "another", "x", From("198.51.100.1")))).status == 401


async def test_a_code_is_taken_once(either: House) -> None:
    account = await doctor(either)
    code = code_for(either, account)
    steps = [await signing.begin(either.identity, "lin", PASSWORD, HERE) for _ in range(2)]
    assert isinstance(await signing.second(either.identity, steps[0].value, HERE, code=code), Signed)
    replayed = await refused(signing.second(either.identity, steps[1].value, HERE, code=code))
    assert str(replayed) == signing.WRONG_SECOND


async def test_of_sixteen_with_the_same_code_one_gets_in(either: House) -> None:
    account = await doctor(either)
    steps = [await signing.begin(either.identity, "lin", PASSWORD, HERE) for _ in range(4)]
    code = code_for(either, account)
    tries = [signing.second(either.identity, step.value, HERE, code=code) for step in steps for _ in range(4)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, Signed) for each in answers) == 1


async def test_guessing_codes_in_parallel_ends_with_the_step(either: House) -> None:
    account = await doctor(either)
    step = await signing.begin(either.identity, "lin", PASSWORD, HERE)
    right = code_for(either, account)
    wrong = [f"{n:06}" for n in range(40) if f"{n:06}" != right][:32]
    guesses = (signing.second(either.identity, step.value, HERE, code=each) for each in wrong)
    said = [str(each) for each in await asyncio.gather(*guesses, return_exceptions=True)]
    assert (said.count(signing.WRONG_SECOND), said.count(signing.TOO_OLD)) == (5, 27)
    assert (
        str(await refused(signing.second(either.identity, step.value, HERE, code=right))) == signing.TOO_OLD
    )


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_clocks_may_differ_by_one_step(house: House, steps: int, taken: bool) -> None:
    account = await doctor(house)
    assert account.totp
    house.clock.wait(120)
    code = code_of(house, account.totp.secret, steps)
    assert await onetime.prove(house.identity, account.id, code) is taken


async def test_a_recovery_code_is_spent(either: House) -> None:
    account = await doctor(either)
    recovery = await onetime.renew_recovery(either.identity, account.id)
    for code, gets_in in (
        (recovery[3].upper().replace("-", " "), True),
        (recovery[3], False),
        (recovery[4], True),
    ):
        step = await signing.begin(either.identity, "lin", PASSWORD, HERE)
        if gets_in:
            assert isinstance(await signing.second(either.identity, step.value, HERE, recovery=code), Signed)
        else:
            await refused(signing.second(either.identity, step.value, HERE, recovery=code))


async def test_a_step_ends_after_ten_minutes(house: House) -> None:
    account = await doctor(house)
    step = await signing.begin(house.identity, "lin", PASSWORD, HERE)
    assert await signing.step(house.identity, step.value) == step
    house.clock.wait(601)
    code = code_for(house, account)
    assert (await refused(signing.second(house.identity, step.value, HERE, code=code))).status == 401
    assert (await refused(signing.step(house.identity, step.value))).status == 401


async def test_who_is_disabled_between_two_steps_gets_no_further(house: House) -> None:
    account = await doctor(house)
    step = await signing.begin(house.identity, "lin", PASSWORD, HERE)
    await accounts.disable(house.identity, MANAGER, account.id)
    code = code_for(house, account)
    assert (await refused(signing.second(house.identity, step.value, HERE, code=code))).status == 401


async def test_every_sign_in_gives_a_new_session_and_ends_the_one_before(house: House) -> None:
    account = await doctor(house)
    first = await signed_in(house, account)
    second = await signed_in(house, account, From(HERE.address, HERE.device, first.value))
    assert first.value != second.value
    assert await sessions.session(house.identity, first.value) is None
    planted = "a value that somebody put into the browser"
    third = await signed_in(house, account, From(before=planted))
    assert third.value != planted and await sessions.session(house.identity, planted) is None


async def test_without_a_role_that_holds_nobody_gets_in(house: House) -> None:
    account = await doctor(house)
    await accounts.unassign(house.identity, MANAGER, account.id, account.assignments[0].id)
    step = await signing.begin(house.identity, "lin", PASSWORD, HERE)
    answer = await refused(signing.second(house.identity, step.value, HERE, code=code_for(house, account)))
    assert answer.status == 403


async def test_a_new_password_ends_all_other_sessions(house: House) -> None:
    account = await doctor(house)
    here, there = await signed_in(house, account), await signed_in(house, account)
    agent = await agents.of_session(house.identity, here.value)
    session = await sessions.session(house.identity, here.value)
    assert session
    fresh = "another walk by the sea"
    change = own.change_password
    wrong = await refused(change(house.identity, agent, session, "wrong", fresh, here.value))
    assert wrong.status == 401
    bad = await refused(change(house.identity, agent, session, PASSWORD, "123456789012", here.value))
    assert bad.status == 422
    await change(house.identity, agent, session, PASSWORD, fresh, here.value)
    assert await sessions.session(house.identity, here.value)
    assert await sessions.session(house.identity, there.value) is None
    assert await signed_in(house, account, password=fresh)


async def test_a_reset_takes_password_and_factors_away(house: House) -> None:
    account = await doctor(house)
    signed = await signed_in(house, account)
    assert (await refused(accounts.reset(house.identity, MANAGER, account.id, " "))).status == 400
    password = await accounts.reset(house.identity, MANAGER, account.id, "lost phone, seen", factors=True)
    assert await sessions.session(house.identity, signed.value) is None
    await refused(signing.begin(house.identity, "lin", PASSWORD, HERE))
    assert (await signing.begin(house.identity, "lin", password, HERE)).need == "enrol"


async def test_parameters_that_changed_hash_the_password_anew(house: House) -> None:
    account = await doctor(house)
    stronger = replace(
        house.identity,
        parameters=replace(
            house.identity.parameters, argon2=replace(house.identity.parameters.argon2, passes=2)
        ),
    )
    await signing.begin(stronger, "lin", PASSWORD, HERE)
    later = await accounts.get(house.identity, account.id)
    assert later.password != account.password and "t=2" in later.password
    assert await signing.begin(stronger, "lin", PASSWORD, HERE)


async def test_a_sign_in_under_way_ends_with_a_reset(house: House) -> None:
    account, first = await accounts.invite(house.identity, MANAGER, login="wang")
    step = await signing.begin(house.identity, "wang", first, HERE)
    enrolment = await signing.enrol(house.identity, step.value)
    await accounts.reset(house.identity, MANAGER, account.id, "the letter with the password was lost")
    code = code_of(house, enrolment.secret)
    assert (await refused(signing.enrolled(house.identity, step.value, HERE, code=code))).status == 401
    assert not (await accounts.get(house.identity, account.id)).has_second


async def test_who_comes_from_a_provider_has_a_second_factor_there_or_here(house: House) -> None:
    account = await doctor(house)
    assert isinstance(await signing.arrived(house.identity, account, 2, HERE), Signed)
    step = await signing.arrived(house.identity, account, 1, HERE)
    assert isinstance(step, Step) and step.need == "second"
    signed = await signing.second(house.identity, step.value, HERE, code=code_for(house, account))
    assert isinstance(signed, Signed)
    account = await accounts.disable(house.identity, MANAGER, account.id)
    assert (await refused(signing.arrived(house.identity, account, 2, HERE))).status == 401


async def test_a_closed_or_reset_account_takes_its_apps_along(house: House) -> None:
    account = await doctor(house)
    for close in (
        accounts.reset(house.identity, MANAGER, account.id, "lost, seen in person"),
        accounts.disable(house.identity, MANAGER, account.id),
    ):
        given = await grants.open(house.identity, Grant(id="", client="app", account=account.id, until=2**62))
        assert await grants.find(house.identity, given.id)
        await close
        assert await grants.find(house.identity, given.id) is None
