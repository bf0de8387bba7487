"""Passkeys, with an authenticator in software: what is taken, and what is refused."""

import asyncio
import json
from dataclasses import replace

import pytest

from commonweal.fhir.outcome import Problem
from commonweal.identity import accounts, own, passkeys, sessions, signing
from commonweal.identity.account import Account
from commonweal.identity.finishing import Signed
from commonweal.identity.signing import Step
from tests.store.identity.authenticator import Authenticator
from tests.store.identity.conftest import House
from tests.store.identity.people import HERE, MANAGER, PASSWORD, RUNNER, doctor, signed_in


async def registered(house: House, account: Account, device: Authenticator) -> Account:
    handle, options = await passkeys.begin_registration(house.identity, account)
    await passkeys.register(house.identity, account.id, handle, device.create(options), "phone")
    return await accounts.get(house.identity, account.id)


async def asserted(house: House, device: Authenticator) -> Account | None:
    handle, options = await passkeys.begin_assertion(house.identity)
    return await passkeys.prove(house.identity, handle, device.get(options))


async def test_a_passkey_alone_signs_in(either: House) -> None:
    device = Authenticator()
    account = await registered(either, await doctor(either), device)
    handle, options = await signing.ask_passkey(either.identity)
    asked = json.loads(options)
    assert asked["rpId"] == "commonweal.example" and asked["userVerification"] == "required"
    assert not asked.get("allowCredentials")
    answer = device.get(options)
    signed = await signing.by_passkey(either.identity, handle, answer, HERE)
    assert isinstance(signed, Signed) and signed.account.id == account.id
    session = await sessions.session(either.identity, signed.value)
    assert session and session.ways == ("passkey",)
    with pytest.raises(Problem):
        await signing.by_passkey(either.identity, handle, answer, HERE)


async def test_a_passkey_is_a_second_factor_of_its_own_account_only(either: House) -> None:
    device, others = Authenticator(), Authenticator()
    account = await registered(either, await doctor(either), device)
    await registered(either, await doctor(either, "wang"), others)
    for answering, gets_in in ((others, False), (device, True)):
        step = await signing.begin(either.identity, account.login, PASSWORD, HERE)
        assert step.ways == ("totp", "passkey", "recovery")
        handle, options = await signing.ask_passkey(either.identity, step.value)
        assert len(json.loads(options)["allowCredentials"]) == 1
        proving = signing.second(
            either.identity, step.value, HERE, handle=handle, assertion=answering.get(options)
        )
        if gets_in:
            assert isinstance(await proving, Signed)
        else:
            with pytest.raises(Problem, match="does not prove"):
                await proving


async def test_the_first_sign_in_may_add_a_passkey(either: House) -> None:
    account, first = await accounts.invite(either.identity, MANAGER, login="lin")
    await accounts.assign(either.identity, RUNNER, account.id, "clinician")
    step = await signing.begin(either.identity, "lin", first, HERE)
    device = Authenticator()
    handle, options = await signing.enrol_passkey(either.identity, step.value)
    made = device.create(options)
    following, recovery = await signing.enrolled(
        either.identity, step.value, HERE, handle=handle, credential=made, name="key"
    )
    assert isinstance(following, Step) and following.need == "renew" and len(recovery) == 10
    assert await asserted(either, device)


@pytest.mark.parametrize(
    "faults",
    [
        {"origin": "https://commonweal.example.evil.example"},
        {"origin": "http://commonweal.example"},
        {"verifies": False},
        {"party": "evil.example"},
    ],
)
async def test_another_site_or_an_unverified_person_is_refused(
    house: House, faults: dict[str, object]
) -> None:
    account = await doctor(house)
    good, bad = Authenticator(), Authenticator()
    account = await registered(house, account, good)
    for name, value in faults.items():
        setattr(bad, name, value)
        setattr(good, name, value)
    handle, options = await passkeys.begin_registration(house.identity, account)
    with pytest.raises(Problem, match="not accepted"):
        await passkeys.register(house.identity, account.id, handle, bad.create(options))
    assert await asserted(house, good) is None


async def test_a_challenge_is_answered_once_in_time_and_for_what_it_was_given(either: House) -> None:
    device = Authenticator()
    account = await registered(either, await doctor(either), device)
    handle, options = await passkeys.begin_assertion(either.identity)
    answers = [device.get(options) for _ in range(8)]
    proved = await asyncio.gather(*(passkeys.prove(either.identity, handle, each) for each in answers))
    assert sum(each is not None for each in proved) == 1
    handle, options = await passkeys.begin_assertion(either.identity)
    other, _ = await passkeys.begin_assertion(either.identity)
    assert await passkeys.prove(either.identity, other, device.get(options)) is None
    for asked_of, taken_for in ((account, ""), (None, account.id)):
        mine, options = await passkeys.begin_assertion(either.identity, asked_of)
        assert await passkeys.prove(either.identity, mine, device.get(options), taken_for) is None
    either.clock.wait(601)
    assert await passkeys.prove(either.identity, handle, device.get(options)) is None
    handle, options = await passkeys.begin_registration(either.identity, account)
    asked = json.dumps({**json.loads(options), "rpId": "commonweal.example"})
    assert await passkeys.prove(either.identity, handle, device.get(asked)) is None


async def test_a_copied_passkey_shows_by_its_count(house: House) -> None:
    device = Authenticator()
    await registered(house, await doctor(house), device)
    copy = replace(device)
    assert await asserted(house, device)
    assert await asserted(house, device)
    assert await asserted(house, copy) is None
    assert await asserted(house, device)


async def test_a_passkey_belongs_to_one_account(either: House) -> None:
    device = Authenticator()
    await registered(either, await doctor(either), device)
    other = await doctor(either, "wang")
    with pytest.raises(Problem, match="not accepted"):
        await registered(either, other, device)
    handle, options = await passkeys.begin_registration(either.identity, other)
    first = await accounts.by_login(either.identity, "lin")
    assert first
    with pytest.raises(Problem, match="not accepted"):
        await passkeys.register(either.identity, first.id, handle, Authenticator().create(options))


@pytest.mark.parametrize(
    "answer", ["", "{}", "[]", "null", "no json", '{"id": 5}', '{"id": "x", "rawId": "é"}', "\ud800"]
)
async def test_nonsense_proves_nothing(house: House, answer: str) -> None:
    account = await doctor(house)
    handle, _ = await passkeys.begin_assertion(house.identity)
    assert await passkeys.prove(house.identity, handle, answer) is None
    handle, _ = await passkeys.begin_registration(house.identity, account)
    with pytest.raises(Problem, match="not accepted"):
        await passkeys.register(house.identity, account.id, handle, answer)


async def test_the_last_second_factor_stays(house: House) -> None:
    account = await doctor(house)
    signed = await signed_in(house, account)
    session = await sessions.session(house.identity, signed.value)
    assert session
    device = Authenticator()
    handle, options = await own.begin_passkey(house.identity, session, PASSWORD)
    made = await own.add_passkey(house.identity, RUNNER, session, handle, device.create(options), "key")
    with pytest.raises(Problem, match="not right"):
        await own.remove_passkey(house.identity, RUNNER, session, "wrong", made.id)
    await own.remove_passkey(house.identity, RUNNER, session, PASSWORD, made.id)
    assert await asserted(house, device) is None
    account, first = await accounts.invite(house.identity, MANAGER, login="wang")
    account = await registered(house, account, device)
    with pytest.raises(Problem, match="last second factor"):
        await passkeys.remove(house.identity, account.id, made.id)
    with pytest.raises(Problem, match="no such passkey"):
        await passkeys.remove(house.identity, account.id, "another")
    assert first


@pytest.mark.parametrize(
    ("address", "origin", "party"),
    [
        ("https://Commonweal.example", "https://commonweal.example", "commonweal.example"),
        ("https://commonweal.example:443/", "https://commonweal.example", "commonweal.example"),
        ("http://localhost:8080", "http://localhost:8080", "localhost"),
    ],
)
def test_the_origin_is_that_of_a_browser(house: House, address: str, origin: str, party: str) -> None:
    identity = replace(house.identity, base_url=address)
    assert (passkeys.origin(identity), passkeys.relying_party(identity)) == (origin, party)


async def test_without_an_address_there_are_no_passkeys(house: House) -> None:
    nowhere = replace(house.identity, base_url="")
    with pytest.raises(Problem, match="base_url"):
        await passkeys.begin_assertion(nowhere)


async def test_who_is_disabled_gets_nowhere_with_a_passkey(house: House) -> None:
    device = Authenticator()
    account = await registered(house, await doctor(house), device)
    await accounts.disable(house.identity, MANAGER, account.id)
    handle, options = await signing.ask_passkey(house.identity)
    with pytest.raises(Problem) as caught:
        await signing.by_passkey(house.identity, handle, device.get(options), HERE)
    assert caught.value.status == 401
