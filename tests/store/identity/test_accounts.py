"""Accounts and assignments: what is refused, and that all of it is audited."""

import asyncio
from typing import Any

import pytest

from commonweal.access.agent import Agent
from commonweal.fhir.outcome import Problem
from commonweal.identity import accounts, agents, first, sessions, signing
from tests.store.identity.conftest import House
from tests.store.identity.people import HERE, MANAGER, RUNNER, doctor, resident, signed_in


async def test_an_account_is_found_by_id_login_and_reference(either: House) -> None:
    identity = either.identity
    made, password = await accounts.invite(
        identity, MANAGER, login=" Ｌin", name="Dr Lin", reference="Practitioner/lin"
    )
    assert len(password) == 23
    assert await accounts.get(identity, made.id) == made
    assert await accounts.by_login(identity, "LIN") == made
    assert await accounts.by_reference(identity, "Practitioner/lin") == made
    assert await accounts.by_login(identity, "other") is None
    assert await accounts.by_reference(identity, "Practitioner/other") is None
    others = []
    for number in range(3):
        either.clock.wait(1)
        others.append(await accounts.create(identity, MANAGER, login=f"other{number}"))
    assert await accounts.page(identity, made.id, 2) == others[:2]
    with pytest.raises(Problem, match="no such account"):
        await accounts.get(identity, "nobody")


async def test_a_login_and_a_person_have_one_account(either: House) -> None:
    identity = either.identity
    tries = (accounts.create(identity, MANAGER, login="lin") for _ in range(8))
    made = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, Problem) and each.status == 409 for each in made) == 7
    assert len(await accounts.page(identity)) == 1
    await accounts.create(identity, MANAGER, login="a1", reference="Practitioner/x")
    other = await accounts.create(identity, MANAGER, login="a2")
    with pytest.raises(Problem, match="has an account already"):
        await accounts.change(identity, MANAGER, other.id, reference="Practitioner/x")
    assert (await accounts.get(identity, other.id)).reference == ""


async def test_who_it_is_can_be_changed_and_given_on(either: House) -> None:
    identity = either.identity
    one = await accounts.create(identity, MANAGER, login="a1", reference="Practitioner/x")
    one = await accounts.change(
        identity, MANAGER, one.id, name="Li", language="zh", reference="Practitioner/y"
    )
    assert (one.name, one.language, one.reference) == ("Li", "zh", "Practitioner/y")
    assert await accounts.by_reference(identity, "Practitioner/x") is None
    two = await accounts.create(identity, MANAGER, login="a2", reference="Practitioner/x")
    assert await accounts.by_reference(identity, "Practitioner/x") == two


@pytest.mark.parametrize(
    "login", ["", "a", "a b", "-lin", "lin\n2", "x" * 65, "林医生", "lin/../x", "<b>", "+8613800138000"]
)
async def test_what_is_no_login_is_refused(house: House, login: str) -> None:
    with pytest.raises(Problem, match="a login is"):
        await accounts.create(house.identity, MANAGER, login=login)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"role": "resident"}, "nobody can be assigned"),
        ({"role": "system"}, "nobody can be assigned"),
        ({"role": "anonymous"}, "nobody can be assigned"),
        ({"role": "god"}, "nobody can be assigned"),
        ({"role": "officer", "areas": ["Organization/x"]}, "an area is written"),
        ({"role": "officer", "areas": ["Location/"]}, "has an id"),
        ({"role": "clinician", "organization": "Location/x"}, "an organization is written"),
        ({"role": "clinician", "since": 2, "until": 2}, "ends before it begins"),
        ({"role": "clinician", "clearances": ["s|HIV"]}, "names the statute"),
    ],
)
async def test_an_assignment_must_make_sense(house: House, given: dict[str, Any], why: str) -> None:
    account = await accounts.create(house.identity, MANAGER, login="lin")
    role = str(given.pop("role"))
    with pytest.raises(Problem, match=f"(?i){why}"):
        await accounts.assign(house.identity, MANAGER, account.id, role, **given)
    assert not (await accounts.get(house.identity, account.id)).assignments


async def test_a_resident_is_assigned_nothing(house: House) -> None:
    account = (await resident(house)).account
    with pytest.raises(Problem, match=r"(?i)only an account of staff"):
        await accounts.assign(house.identity, MANAGER, account.id, "clinician")


async def test_nobody_assigns_disables_or_names_themselves(house: House) -> None:
    account = await doctor(house, "mei", role="access-manager", reference="Practitioner/mei")
    nameless = await doctor(house, "bo", role="access-manager")
    identity = house.identity
    for each in (account, nameless):
        me = await agents.of_session(identity, (await signed_in(house, each)).value)
        tries = (
            accounts.assign(identity, me, each.id, "clinician"),
            accounts.unassign(identity, me, each.id, each.assignments[0].id),
            accounts.disable(identity, me, each.id),
            accounts.enable(identity, me, each.id),
            accounts.change(identity, me, each.id, reference="Practitioner/other"),
            accounts.reset(identity, me, each.id, "why not"),
        )
        for tried in tries:
            with pytest.raises(Problem, match="nobody changes their own") as caught:
                await tried
            assert caught.value.status == 403
        assert (await accounts.change(identity, me, each.id, name="Mei")).name == "Mei"


async def test_operators_are_made_and_changed_by_operators(house: House) -> None:
    account = await accounts.create(house.identity, MANAGER, login="root")
    with pytest.raises(Problem, match="only an operator"):
        await accounts.assign(house.identity, MANAGER, account.id, "operator")
    await accounts.assign(house.identity, RUNNER, account.id, "operator")
    for tried in (
        accounts.reset(house.identity, MANAGER, account.id, "take it over"),
        accounts.disable(house.identity, MANAGER, account.id),
        accounts.assign(house.identity, MANAGER, account.id, "clinician"),
    ):
        with pytest.raises(Problem, match="only an operator"):
            await tried


async def test_an_agent_is_what_its_assignment_says(either: House) -> None:
    account = await doctor(either, role="clinician", reference="Practitioner/lin")
    later = either.clock() + 3600 * 1_000_000
    second = await accounts.assign(
        either.identity,
        MANAGER,
        account.id,
        "officer",
        areas=["Location/county"],
        since=later,
        until=later + 1_000_000_000,
        clearances=["http://terminology.hl7.org/CodeSystem/v3-ActCode|HIV"],
        because="Law on the prevention of infectious diseases, article 7",
    )
    signed = await signed_in(either, account)
    assert [each.role for each in signed.assignments] == ["clinician"]
    assert not await sessions.choose(either.identity, signed.value, second.id)
    either.clock.wait(3600)
    signed = await signed_in(either, account)
    assert [each.role for each in signed.assignments] == ["clinician", "officer"]
    assert await sessions.choose(either.identity, signed.value, second.id)
    agent = await agents.of_session(either.identity, signed.value)
    session = await sessions.session(either.identity, signed.value)
    assert session and agent == Agent(
        "Practitioner/lin",
        frozenset({"officer"}),
        "PUBHLTH",
        None,
        frozenset({"Location/county"}),
        "Dr Lin",
        frozenset({"http://terminology.hl7.org/CodeSystem/v3-ActCode|HIV"}),
        session=session.id,
    )
    either.clock.wait(1000)
    with pytest.raises(Problem, match="no role in which you may act"):
        await agents.of_session(either.identity, signed.value)


async def test_an_assignment_taken_away_ends_its_sessions(either: House) -> None:
    account = await doctor(either)
    second = await accounts.assign(either.identity, MANAGER, account.id, "officer", areas=["Location/c"])
    kept, ended = await signed_in(either, account), await signed_in(either, account)
    assert await sessions.choose(either.identity, ended.value, second.id)
    await accounts.unassign(either.identity, MANAGER, account.id, second.id, "moved away")
    assert await sessions.session(either.identity, kept.value)
    assert await sessions.session(either.identity, ended.value) is None
    with pytest.raises(Problem):
        await agents.of_session(either.identity, ended.value)
    with pytest.raises(Problem, match="no such assignment"):
        await accounts.unassign(either.identity, MANAGER, account.id, second.id)


async def test_every_change_is_audited_with_who_and_why(house: House) -> None:
    account = await accounts.create(house.identity, MANAGER, login="lin", reference="Practitioner/lin")
    made = await accounts.assign(house.identity, MANAGER, account.id, "clinician", because="employed")
    await accounts.unassign(house.identity, MANAGER, account.id, made.id, "left")
    await accounts.disable(house.identity, MANAGER, account.id, "left")
    await accounts.enable(house.identity, MANAGER, account.id, "came back")
    await accounts.reset(house.identity, MANAGER, account.id, "forgot it")
    await accounts.change(house.identity, MANAGER, account.id, name="Lin", because="married")
    told = [(row.interaction, row.because) for row in house.audited]
    assert told == [
        ("account-create", ""),
        ("account-assign", "clinician: employed"),
        ("account-unassign", "left"),
        ("account-disable", "left"),
        ("account-enable", "came back"),
        ("account-reset", "forgot it"),
        ("account-change", "married"),
    ]
    assert {(row.agent, row.entities, row.role) for row in house.audited} == {
        ("Practitioner/manager", ("Practitioner/lin",), "access-manager")
    }


async def test_changes_at_the_same_time_are_all_kept(either: House) -> None:
    account = await accounts.create(either.identity, MANAGER, login="lin")
    many = (
        accounts.assign(either.identity, MANAGER, account.id, "clinician", because=str(n)) for n in range(8)
    )
    await asyncio.gather(*many)
    assert len((await accounts.get(either.identity, account.id)).assignments) == 8


async def test_the_first_run_makes_one_operator_and_says_so_once(either: House) -> None:
    made = await asyncio.gather(*(first.first_operator(either.identity) for _ in range(8)))
    (login, password), *more = [each for each in made if each]
    assert login == "operator" and not more
    assert await first.first_operator(either.identity) is None
    assert (await signing.begin(either.identity, login, password, HERE)).need == "enrol"
    (account,) = await accounts.page(either.identity)
    assert [each.role for each in account.assignments] == ["operator"]


async def test_with_any_account_there_is_no_first_run(house: House) -> None:
    await accounts.create(house.identity, MANAGER, login="lin")
    assert await first.first_operator(house.identity) is None
