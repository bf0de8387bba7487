"""Scopes: https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from commonweal.access import Policy
from commonweal.access.agent import Agent
from commonweal.access.permission import Permission
from commonweal.access.scope import Scope, common, narrowed, parsed, printed
from commonweal.identity.oauth import scopes
from tests.conformance.smart.smart_world import World, told_in


@pytest.mark.parametrize(
    ("text", "version_2"),
    [
        ("patient/Observation.rs", "patient/Observation.rs"),
        ("patient/*.cruds", "patient/*.cruds"),
        ("user/Appointment.c", "user/Appointment.c"),
        ("system/Patient.read", "system/Patient.rs"),
        ("patient/Observation.write", "patient/Observation.cud"),
        ("user/*.*", "user/*.cruds"),
        (
            "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
            "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory",
        ),
    ],
)
def test_both_versions_are_understood(text: str, version_2: str) -> None:
    scope = parsed(text)
    assert scope is not None
    assert printed(scope) == version_2
    assert parsed(version_2) == scope


@pytest.mark.parametrize(
    "text",
    [
        "patient/Observation.sr", "patient/Observation.", "patient/Observation", "patient/Nonsense.rs", "patient/.rs",
        "Patient/Observation.rs", "patient/Observation.rrs", "patient/Observation.x", "group/Observation.rs",
        "patient/Observation.read?category=laboratory", "patient/Observation.rs?", "patient/Observation.rs?a b", "",
        "patient/Observation.rs\n", "patient/patient.rs", "patient/**.rs", "patient/Observation.rs?a?b", "openid",
        "patient/Observation.rs?" + "x" * 600,
    ],
)  # fmt: skip
def test_what_is_no_scope(text: str) -> None:
    assert parsed(text) is None


TEXTS = some.builds(
    "{}/{}.{}{}".format,
    some.sampled_from(["patient", "user", "system"]),
    some.sampled_from(["*", "Patient", "Observation"]),
    some.sampled_from(["r", "rs", "cruds", "u", "cd"]),
    some.sampled_from(["", "?status=final", "?category=laboratory"]),
)


@given(some.lists(TEXTS, max_size=4), some.lists(TEXTS, max_size=4))
def test_never_more_than_asked_and_never_more_than_allowed(asked: list[str], allowed: list[str]) -> None:
    for text in scopes.intersection(asked, allowed):
        scope = parsed(text)
        assert scope is not None
        for limits in (asked, allowed):
            assert any(_within(scope, limit) for limit in scopes.resources(limits))


@given(some.lists(TEXTS, max_size=4))
def test_all_is_given_where_all_is_allowed(asked: list[str]) -> None:
    everything = ("patient/*.cruds", "user/*.cruds", "system/*.cruds")
    assert scopes.intersection(asked, everything) == tuple(dict.fromkeys(asked))


def _within(scope: Scope, limit: Scope) -> bool:
    return (
        scope.context == limit.context
        and limit.type in ("*", scope.type)
        and scope.letters <= limit.letters
        and set(filter(None, limit.constraint.split("&"))) <= set(scope.constraint.split("&"))
    )


def test_constraints_add_up() -> None:
    one, other = parsed("patient/Observation.rs?category=laboratory"), parsed("patient/*.r?status=final")
    assert one is not None and other is not None
    both = common(one, other)
    assert both is not None
    assert printed(both) == "patient/Observation.r?category=laboratory&status=final"
    assert narrowed((one,), ()) == ()


def test_named_scopes_are_given_where_they_are_allowed() -> None:
    assert scopes.intersection(["openid", "launch", "offline_access"], ["openid", "offline_access"]) == (
        "openid", "offline_access",
    )  # fmt: skip


def test_nobody_gives_more_than_they_have() -> None:
    policy = Policy(
        [
            Permission(
                "some",
                "Read patients",
                ("clinician",),
                ("Patient.read", "Patient.search", "Observation.read"),
            )
        ]
    )
    agent = Agent("Practitioner/d", frozenset({"clinician"}))
    asked = ["patient/Patient.cruds", "user/Observation.rs", "user/*.read", "user/Encounter.rs", "openid"]
    assert scopes.permitted(asked, agent, policy.may) == (
        "patient/Patient.rs", "user/Observation.r", "user/*.read", "openid",
    )  # fmt: skip
    assert scopes.permitted(asked, Agent("x", frozenset({"other"})), policy.may) == ("openid",)


async def test_the_person_gives_no_more_than_they_have(world: World) -> None:
    policy = Policy([Permission("some", "Read patients", ("clinician",), ("Patient.read", "Patient.search"))])
    from commonweal.identity.oauth import deciding

    _, session = await world.doctor()
    client, _ = await world.client()
    handle = await world.handle(client, scope="user/*.cruds user/Observation.rs")
    question = await deciding.question(world.identity, handle, session, policy.may)
    assert [each.text for each in question.scopes] == ["user/*.rs"]


async def test_an_app_gets_what_was_asked_allowed_and_ticked(world: World) -> None:
    _, session = await world.doctor()
    client, _ = await world.client(scope="user/Patient.rs user/Observation.rs offline_access")
    handle = await world.handle(client, scope="user/Patient.cruds user/*.r openid offline_access")
    ticked = ["user/Patient.rs", "user/Condition.cruds", "system/*.cruds", "offline_access"]
    code = (await world.answered(handle, session, ticked))["code"]
    told = (await world.redeem(client, code)).json()
    assert told["scope"] == "user/Patient.rs offline_access"


async def test_an_update_that_creates_is_an_update() -> None:
    """The update scope covers it: no letter `c` is asked of a PUT."""
    from commonweal.access.scope import covers

    scope = parsed("user/Patient.u")
    assert scope is not None
    assert covers((scope,), "Patient.update")
    assert not covers((scope,), "Patient.create")


def test_scopes_are_told_in_parts() -> None:
    whole = scopes.told(["launch/patient", "patient/Observation.srd", "user/Patient.read?x", "user/*.*"])
    assert whole[0] == scopes.Told("launch/patient", name="launch/patient")
    assert whole[-1] == scopes.Told("user/*.*", "", "user", "*", "cruds")
    lab = scopes.told(["patient/Observation.rs?category=laboratory"])[0]
    assert (lab.type, lab.letters, lab.constraint) == ("Observation", "rs", "category=laboratory")


async def test_nobody_who_signs_in_gives_what_a_system_has(world: World) -> None:
    """Also where the same client may act as a system by itself."""
    _, session = await world.doctor()
    client, _ = await world.client(scope="system/*.cruds user/*.rs")
    alone = await world.authorize(client, scope="system/Patient.rs")
    assert told_in(alone.headers["location"])["error"] == "invalid_scope"
    assert (await world.tokens(client, session, scope="system/*.rs user/*.rs"))["scope"] == "user/*.rs"
