"""Residents: a phone and a code; limits that hold against many at once, the help desk, and whose record it opens."""

import asyncio
from dataclasses import fields
from typing import Any

import pytest

from commonweal.access.agent import Agent
from commonweal.fhir.outcome import Problem
from commonweal.identity import accounts, agents, binding, codes, phones, residents, sessions
from commonweal.identity.finishing import From
from commonweal.identity.house import Identity
from tests.store.identity.conftest import House
from tests.store.identity.people import HERE, MANAGER, PHONE, code_sent, resident

DESK = Agent("Practitioner/desk", frozenset({"registrar"}), "HOPERAT")
OTHER = "+8613900139000"


async def refused(tried: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        await tried
    return caught.value


async def test_a_phone_and_its_code_make_an_account_and_find_it_again(either: House) -> None:
    first = await resident(either, "138 0013 8000")
    assert (first.account.login, first.account.kind) == (PHONE, "resident")
    agent = await agents.of_session(either.identity, first.value)
    assert (agent.id, agent.roles, agent.purpose) == (f"account-{first.account.id}", {"resident"}, "PATRQT")
    either.clock.wait(60)
    assert (await resident(either)).account.id == first.account.id
    assert {message.to for message in either.sent} == {PHONE}


async def test_a_code_is_worth_something_once_and_for_five_minutes(either: House) -> None:
    handle = await codes.ask(either.identity, PHONE, HERE.address)
    code = code_sent(either)
    assert (await refused(residents.by_phone(either.identity, "another handle", code, HERE))).status == 401
    assert await residents.by_phone(either.identity, handle, code, HERE)
    assert (await refused(residents.by_phone(either.identity, handle, code, HERE))).status == 401
    either.clock.wait(60)
    handle = await codes.ask(either.identity, PHONE, HERE.address)
    either.clock.wait(300)
    assert (await refused(residents.by_phone(either.identity, handle, code_sent(either), HERE))).status == 401


class Comparing(Identity):
    """An identity that counts how many codes were compared."""

    compared = 0

    def hashed(self, purpose: str, text: str) -> str:
        Comparing.compared += purpose == "code"
        return Identity.hashed(self, purpose, text)


async def test_of_thirty_two_who_guess_at_once_five_are_compared(either: House) -> None:
    identity = Comparing(**{each.name: getattr(either.identity, each.name) for each in fields(Identity)})
    for _ in range(3):
        handle = await codes.ask(identity, PHONE, HERE.address)
        right = code_sent(either)
        guesses = [f"{n:06}" for n in range(40) if f"{n:06}" != right][:32]
        Comparing.compared = 0
        tries = (codes.prove(identity, handle, each, f"192.0.2.{n}") for n, each in enumerate(guesses))
        answers = await asyncio.gather(*tries, return_exceptions=True)
        assert Comparing.compared == 5
        assert len({str(each) for each in answers}) == 1
        assert (await refused(codes.prove(identity, handle, right, HERE.address))).status == 401
        either.clock.wait(60)


async def test_the_fifth_try_counts_and_the_sixth_does_not(either: House) -> None:
    for wrong, gets_in in ((4, True), (5, False)):
        handle = await codes.ask(either.identity, PHONE, HERE.address)
        for _ in range(wrong):
            await refused(codes.prove(either.identity, handle, "nothing", HERE.address))
        proving = codes.prove(either.identity, handle, code_sent(either), HERE.address)
        if gets_in:
            assert await proving == PHONE
        else:
            await refused(proving)
        either.clock.wait(60)


async def test_of_sixteen_with_the_right_code_one_gets_in(either: House) -> None:
    handle = await codes.ask(either.identity, PHONE, HERE.address)
    tries = (codes.prove(either.identity, handle, code_sent(either), HERE.address) for _ in range(16))
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert [each for each in answers if not isinstance(each, Problem)] == [PHONE]


async def test_a_phone_is_asked_once_a_minute_five_times_an_hour(either: House) -> None:
    async def asked() -> int:
        try:
            await codes.ask(either.identity, PHONE, "198.51.100.7")
        except Problem as problem:
            assert problem.retry_after
            return problem.retry_after
        return 0

    many = await asyncio.gather(*(asked() for _ in range(16)))
    assert sorted(many) == [0] + [60] * 15
    either.clock.wait(59)
    assert await asked() == 1
    either.clock.wait(1)
    for _ in range(4):
        assert await asked() == 0
        either.clock.wait(60)
    assert await asked() == 3600 - 5 * 60
    assert len(either.sent) == 5


async def test_an_address_asks_for_so_many_phones_only(house: House) -> None:
    for number in range(house.identity.parameters.codes_address.most):
        await codes.ask(house.identity, f"1380013{number:04}", "2001:db8::1")
    again = codes.ask(house.identity, "13900000000", "2001:db8::ffff")
    assert (await refused(again)).status == 429
    assert await codes.ask(house.identity, "13900000000", "2001:db8:1::1")


async def test_known_and_unknown_phones_get_the_same_answers(house: House) -> None:
    signed = await resident(house)
    await accounts.disable(house.identity, MANAGER, signed.account.id)
    house.clock.wait(60)
    sent = len(house.sent)
    said = []
    for phone in (PHONE, OTHER):
        handle = await codes.ask(house.identity, phone, HERE.address)
        said.append((len(handle), str(await refused(residents.by_phone(house.identity, handle, "x", HERE)))))
    assert said[0] == said[1] and len(house.sent) == sent + 2
    house.clock.wait(60)
    handle = await codes.ask(house.identity, PHONE, HERE.address)
    disabled = await refused(residents.by_phone(house.identity, handle, code_sent(house), HERE))
    assert str(disabled) == said[0][1]


async def test_a_voice_reads_another_code_after_a_minute(house: House) -> None:
    handle = await codes.ask(house.identity, PHONE, HERE.address, language="zh")
    first = code_sent(house)
    assert "验证码" in house.sent[-1].text
    assert (await refused(codes.again(house.identity, handle, HERE.address))).status == 429
    house.clock.wait(60)
    await codes.again(house.identity, handle, HERE.address)
    assert house.sent[-1].channel == "voice" and "再说一遍" in house.sent[-1].text
    if first != code_sent(house):
        await refused(codes.prove(house.identity, handle, first, HERE.address))
    assert await codes.prove(house.identity, handle, code_sent(house), HERE.address) == PHONE
    assert (await refused(codes.again(house.identity, "nothing", HERE.address))).status == 401


async def test_the_help_desk_gives_a_code_by_hand_that_binds(either: House) -> None:
    give = codes.give
    for checked, because in (("a nice face", "lost phone"), ("passport", " "), ("", "")):
        tried = give(either.identity, DESK, PHONE, checked=checked, because=because)
        assert (await refused(tried)).status == 400
    assert (await refused(give(either.identity, DESK, "no", checked="passport", because="x"))).status == 400
    code = await give(
        either.identity, DESK, PHONE, checked="passport", because="lost phone", patient="Patient/p"
    )
    row = either.audited[-1]
    assert (row.agent, row.interaction, row.entities, row.because) == (
        "Practitioner/desk",
        "code-in-person",
        ("Patient/p",),
        "passport: lost phone",
    )
    assert (await refused(residents.in_person(either.identity, OTHER, code, HERE))).status == 401
    signed = await residents.in_person(either.identity, "138-0013-8000", code.upper(), HERE)
    assert signed.account.reference == "Patient/p"
    assert (await agents.of_session(either.identity, signed.value)).id == "Patient/p"
    assert (await refused(residents.in_person(either.identity, PHONE, code, HERE))).status == 401


async def test_a_code_by_hand_has_five_tries_and_half_an_hour(either: House) -> None:
    code = await codes.give(either.identity, DESK, PHONE, checked="passport", because="lost phone")
    guesses = (codes.prove_in_person(either.identity, PHONE, f"{n}", HERE.address) for n in range(32))
    answers = await asyncio.gather(*guesses, return_exceptions=True)
    assert {each.status for each in answers if isinstance(each, Problem)} == {401}
    assert (await refused(codes.prove_in_person(either.identity, PHONE, code, HERE.address))).status == 401
    code = await codes.give(either.identity, DESK, PHONE, checked="passport", because="again")
    either.clock.wait(1800)
    assert (await refused(codes.prove_in_person(either.identity, PHONE, code, HERE.address))).status == 401


async def test_nobody_at_the_help_desk_binds_themselves(house: House) -> None:
    me = Agent("Patient/p", frozenset({"registrar"}))
    tried = codes.give(house.identity, me, PHONE, checked="passport", because="me", patient="Patient/p")
    assert (await refused(tried)).status == 403


PEOPLE = {
    ("110101199003070011", "1990-03-07", "Li Na"): ["Patient/li"],
    ("X", "2000-01-01", "Twin"): ["Patient/1", "Patient/2"],
}


async def find(number: str, born: str, name: str) -> list[str]:
    return PEOPLE.get((number, born, name), [])


async def test_number_birth_date_and_name_bind_once(either: House) -> None:
    signed = await resident(either)
    bind = binding.bind
    assert await bind(
        either.identity, signed.account.id, "11010119900307 0011", "1990-03-07", " Li  Na", find
    )
    agent = await agents.of_session(either.identity, signed.value)
    assert agent.id == "Patient/li"
    again = bind(either.identity, signed.account.id, "110101199003070011", "1990-03-07", "Li Na", find)
    assert (await refused(again)).status == 409
    assert [row.people for row in either.audited if row.interaction == "account-bind"] == [("Patient/li",)]
    other = await resident(either, OTHER)
    no = await bind(either.identity, other.account.id, "110101199003070011", "1990-03-07", "Li Na", find)
    assert no is False
    assert (either.audited[-1].people, either.audited[-1].outcome) == (("Patient/li",), 403)
    assert (await agents.of_session(either.identity, other.value)).id == f"account-{other.account.id}"


async def test_binding_says_no_in_one_way_and_five_times_a_day(either: House) -> None:
    signed = await resident(either)
    wrong = (
        ("110101199003070011", "1990-03-08", "Li Na"),
        ("110101199003070011", "1990-03-07", "Li Ma"),
        ("X", "2000-01-01", "Twin"),
        ("", "", ""),
        ("nobody", "1990-03-07", "Li Na"),
    )
    id = signed.account.id
    assert [await binding.bind(either.identity, id, *each, find) for each in wrong] == [False] * 5
    right = ("110101199003070011", "1990-03-07", "Li Na")
    assert (await refused(binding.bind(either.identity, id, *right, find))).status == 429
    assert [row.outcome for row in either.audited if row.interaction == "account-bind"] == [403] * 5
    either.clock.wait(86400)
    assert await binding.bind(either.identity, id, *right, find)


async def test_one_number_is_tried_five_times_a_day_from_whatever_account(house: House) -> None:
    for number in range(5):
        signed = await resident(house, f"1380013800{number}")
        assert not await binding.bind(house.identity, signed.account.id, "1101", "1990-01-01", "x", find)
    signed = await resident(house, OTHER)
    tried = binding.bind(house.identity, signed.account.id, "11 01", "1990-01-01", "x", find)
    assert (await refused(tried)).status == 429


async def test_of_eight_accounts_one_is_bound_to_a_person(either: House) -> None:
    signed = [await resident(either, f"1380013800{n}") for n in range(5)]
    right = ("110101199003070011", "1990-03-07", "Li Na")
    tries = (binding.bind(either.identity, each.account.id, *right, find) for each in signed)
    assert sorted(await asyncio.gather(*tries)) == [False] * 4 + [True]


async def test_the_help_desk_gives_a_record_to_a_new_phone(either: House) -> None:
    old, new = await resident(either), await resident(either, OTHER)
    bound = binding.bound
    assert (
        await refused(bound(either.identity, DESK, old.account.id, "Patient/p", because=""))
    ).status == 400
    await bound(either.identity, DESK, old.account.id, "Patient/p", because="passport seen")
    await bound(either.identity, DESK, new.account.id, "Patient/p", because="new phone, passport seen")
    assert await sessions.session(either.identity, old.value) is None
    assert either.sent[-1].to == PHONE and "another" in either.sent[-1].text
    assert (await accounts.get(either.identity, old.account.id)).reference == ""
    assert (await agents.of_session(either.identity, new.value)).id == "Patient/p"


async def test_phone_proofs_are_limited_by_address(house: House) -> None:
    here = From("203.0.113.9")
    for _ in range(house.identity.parameters.proofs_address.most):
        assert (await refused(residents.by_phone(house.identity, "x", "y", here))).status == 401
    assert (await refused(residents.by_phone(house.identity, "x", "y", here))).status == 429


@pytest.mark.parametrize(
    ("typed", "country", "number"),
    [
        ("138 0013 8000", "86", "+8613800138000"),
        ("+86 138-0013-8000", "91", "+8613800138000"),
        ("0086 (138) 0013.8000", "86", "+8613800138000"),
        ("１３８００１３８０００", "86", "+8613800138000"),
        ("098765 43210", "91", "+919876543210"),
        ("07911 123456", "44", "+447911123456"),
        ("06 1234 5678", "39", "+390612345678"),
        ("", "86", None),
        ("12", "86", None),
        ("+0123456789", "86", None),
        ("+861380013800012345", "86", None),
        ("13800138000; drop", "86", None),
        ("1380013800O", "86", None),
    ],
)
def test_a_phone_has_one_form(typed: str, country: str, number: str | None) -> None:
    assert phones.normalised(typed, country) == number


def test_a_phone_is_shown_hidden() -> None:
    assert phones.hidden(PHONE) == "+86 … 8000"


async def test_a_phone_that_was_silent_for_long_opens_no_record(either: House) -> None:
    signed = await resident(either)
    await binding.bound(either.identity, DESK, signed.account.id, "Patient/p", because="passport seen")
    for days, reference in ((89, "Patient/p"), (91, "")):
        either.clock.wait(days * 86400)
        assert (await resident(either)).account.reference == reference
    assert either.audited[-2].because == "the phone did not sign in for long"
