"""Sessions: they end when they should, everywhere within five seconds, and are told to those they are of."""

from dataclasses import replace

import pytest

from commonweal.fhir.outcome import Problem
from commonweal.identity import accounts, agents, provisional, sessions
from commonweal.identity.finishing import From
from commonweal.identity.remembering import Remembered
from tests.store.identity.conftest import House
from tests.store.identity.people import HERE, MANAGER, doctor, resident, signed_in

MINUTE, DAY = 60, 86400


async def test_a_session_ends_when_it_is_not_used(either: House) -> None:
    signed = await signed_in(either, await doctor(either))
    for _ in range(5):
        either.clock.wait(29 * MINUTE)
        assert await agents.of_session(either.identity, signed.value)
    either.clock.wait(30 * MINUTE + 1)
    assert await sessions.session(either.identity, signed.value) is None
    with pytest.raises(Problem) as caught:
        await agents.of_session(either.identity, signed.value)
    assert caught.value.status == 401


async def test_a_session_ends_in_any_case(either: House) -> None:
    signed = await signed_in(either, await doctor(either))
    for _ in range(35):
        either.clock.wait(20 * MINUTE)
        assert await sessions.session(either.identity, signed.value)
    either.clock.wait(20 * MINUTE)
    assert await sessions.session(either.identity, signed.value) is None


async def test_a_resident_stays_signed_in_for_a_month(either: House) -> None:
    signed = await resident(either)
    either.clock.wait(29 * DAY)
    assert await sessions.session(either.identity, signed.value)
    either.clock.wait(31 * DAY)
    assert await sessions.session(either.identity, signed.value) is None


async def test_what_is_ended_here_is_ended_at_once_and_elsewhere_within_five_seconds(either: House) -> None:
    account = await doctor(either)
    elsewhere = replace(either.identity, remembered=Remembered())
    ends = (
        lambda value: sessions.end(either.identity, value),
        lambda value: sessions.end_all(either.identity, account.id),
        lambda value: accounts.disable(either.identity, MANAGER, account.id),
    )
    for end in ends:
        signed = await signed_in(either, account)
        assert await agents.of_session(elsewhere, signed.value)
        assert await agents.of_session(either.identity, signed.value)
        await end(signed.value)
        with pytest.raises(Problem):
            await agents.of_session(either.identity, signed.value)
        either.clock.wait(5)
        with pytest.raises(Problem):
            await agents.of_session(elsewhere, signed.value)


async def test_one_sees_ones_sessions_and_ends_one_or_all_others(either: House) -> None:
    account, other = await doctor(either), await doctor(either, "wang")
    mine = [await signed_in(either, account, From(f"192.0.{n}.9", HERE.device)) for n in range(3)]
    theirs = await signed_in(either, other)
    listed = await sessions.list(either.identity, account.id)
    first = next(each for each in listed if each.address == "192.0.0.0/24")
    assert {each.device for each in listed} == {"Firefox, Windows"}
    assert not await sessions.end_one(either.identity, other.id, first.id)
    assert await sessions.end_one(either.identity, account.id, first.id)
    assert not await sessions.end_one(either.identity, account.id, first.id)
    assert await sessions.session(either.identity, mine[0].value) is None
    ended = await sessions.end_all(either.identity, account.id, but=mine[2].value)
    assert ended == len(listed) - 2
    assert [each.id for each in await sessions.list(either.identity, account.id)] == [
        (await agents.of_session(either.identity, mine[2].value)).session
    ]
    assert await sessions.session(either.identity, theirs.value)


async def test_a_value_that_is_none_opens_nothing(either: House) -> None:
    signed = await signed_in(either, await doctor(either))
    id = (await agents.of_session(either.identity, signed.value)).session
    for value in ("", "x", id, signed.value[:-1], signed.value + "x", "\0", "\ud800"):
        assert await sessions.session(either.identity, value) is None


async def test_one_chooses_among_ones_own_assignments_only(house: House) -> None:
    account, other = await doctor(house), await doctor(house, "wang")
    signed = await signed_in(house, account)
    assert not await sessions.choose(house.identity, signed.value, other.assignments[0].id)
    assert not await sessions.choose(house.identity, "nothing", account.assignments[0].id)
    assert await sessions.choose(house.identity, signed.value, account.assignments[0].id)


async def test_somebody_unknown_is_handed_over_once_at_sign_in(either: House) -> None:
    value = await provisional.open(either.identity, device=HERE.device, address=HERE.address)
    agent = await agents.of_session(either.identity, value)
    assert agent.id.startswith("Patient/") and agent.roles == {"anonymous"} and agent.session
    signed = await resident(either, at=From(HERE.address, HERE.device, value))
    account = await accounts.get(either.identity, signed.account.id)
    assert account.provisional == (agent.id,)
    assert signed.value != value and await sessions.session(either.identity, value) is None
    assert await provisional.claim(either.identity, value, account.id) is None
    assert await provisional.claim(either.identity, signed.value, account.id) is None


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_an_address_is_told_roughly(address: str, told: str) -> None:
    assert sessions.coarse(address) == told


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit Chrome/140.0 Safari/537.36", "Chrome, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18 like Mac OS X) Version/18 Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140 MicroMessenger/8.0", "WeChat, Android"),
        ("curl/8", ""),
        ("<script>", ""),
    ],
)
def test_a_device_is_told_in_two_words(agent: str, told: str) -> None:
    assert sessions.described(agent) == told


async def test_a_session_opened_while_the_account_was_closed_is_of_no_use(house: House) -> None:
    account = await doctor(house)
    await accounts.disable(house.identity, MANAGER, account.id)
    value = await sessions.open(house.identity, account)
    with pytest.raises(Problem):
        await agents.of_session(house.identity, value)
