"""How far each role sees, as a table; and how the app between narrows it."""

from typing import Any

import pytest

from commonweal.access import EVERYTHING, NOTHING, Agent, Permission, Policy
from commonweal.access.directory import DIRECTORY
from commonweal.access.reach import Grant
from commonweal.access.roles import ROLES, Within
from commonweal.access.scope import Scope
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.search.clauses import Criterion

ALL = tuple(ROLES)
POLICY = Policy(
    [
        Permission("all.read", "Read", ALL, ("*.read", "*.search")),
        Permission("patient.write", "Write", ALL, ("Patient.update",)),
        Permission("thing.do", "Do a thing", ("clinician",)),
        Permission("thing.export", "Export", ("clinician",), app="r"),
    ]
)
DOCTOR, CLINIC, COUNTY = "Practitioner/d", "Organization/c", "Location/county"


def agent(role: str, id: str = DOCTOR, **more: Any) -> Agent:
    return Agent(id, frozenset((role,)), organization=CLINIC, areas=frozenset((COUNTY,)), **more)


def about(reach_of: Agent) -> list[Grant]:
    """The grants of what is about people."""
    return [grant for grant in POLICY.reach(reach_of).grants if grant.types != DIRECTORY]


PEOPLE = RESOURCE_TYPES - DIRECTORY
ME, CARE = frozenset((DOCTOR,)), frozenset(("care",))
TABLE = {
    "clinician": [
        Grant(PEOPLE, parties=ME, ties=CARE),
        Grant(PEOPLE, parties=ME, ties=frozenset(("emergency",)), unhindered=True),
    ],
    "registrar": [
        Grant(PEOPLE, organizations=frozenset((CLINIC,))),
        Grant(PEOPLE, parties=frozenset((CLINIC,)), ties=CARE),
    ],
    "officer": [Grant(PEOPLE, areas=frozenset((COUNTY,)))],
    "resident": [
        Grant(PEOPLE, patients=ME, unhindered=True),
        Grant(PEOPLE, parties=ME, ties=frozenset(("proxy",))),
    ],
    "auditor": [],
    "anonymous": [],
}


@pytest.mark.parametrize("role", TABLE)
def test_each_role_sees_so_far(role: str) -> None:
    assert about(agent(role)) == TABLE[role]


@pytest.mark.parametrize(
    "role", [name for name, role in ROLES.items() if role.within is not Within.EVERYWHERE]
)
def test_whoever_sees_not_everything_is_held_to_labels_and_consents(role: str) -> None:
    reach = POLICY.reach(agent(role))
    assert not reach.is_everything
    assert reach.sensitive and reach.parties == {DOCTOR, CLINIC} and reach.purpose == "TREAT"


def test_the_operator_and_the_platform_see_everything() -> None:
    assert POLICY.reach(agent("operator")) == POLICY.reach(agent("system")) == EVERYTHING


def test_a_role_nobody_declared_sees_nothing() -> None:
    assert POLICY.reach(agent("clerk")).is_nothing and NOTHING.is_nothing


def test_without_an_area_or_an_organization_there_is_nothing_to_see() -> None:
    for role in ("officer", "registrar"):
        assert not [g for g in POLICY.reach(Agent(DOCTOR, frozenset((role,)))).grants if g.types != DIRECTORY]


def test_a_clearance_opens_its_label_alone() -> None:
    closed = POLICY.reach(agent("clinician")).sensitive
    psychiatry = "http://terminology.hl7.org/CodeSystem/v3-ActCode|PSY"
    assert POLICY.reach(agent("clinician", clearances=frozenset((psychiatry,)))).sensitive == closed - {
        psychiatry
    }


def test_who_the_agent_is_called_and_where_it_sits_makes_no_other_reach() -> None:
    one, other = agent("clinician", name="Li", session="a"), agent("clinician", name="Wang", session="b")
    assert POLICY.reach(one) is POLICY.reach(other)


def scoped(role: str, *scopes: tuple[str, str, str, str], patient: str | None = None) -> Agent:
    given = tuple(Scope(context, type, frozenset(letters), query) for context, type, letters, query in scopes)
    return agent(role, scopes=given, client="app", patient=patient)


@pytest.mark.parametrize(
    "scope, interaction, may",
    [
        (("user", "Observation", "r", ""), "Observation.read", True),
        (("user", "Observation", "r", ""), "Observation.search", False),
        (("user", "Observation", "rs", ""), "Patient.read", False),
        (("user", "*", "rs", ""), "Patient.search", True),
        (("user", "*", "cruds", ""), "Patient.delete", False),  # the role may not
        (("user", "Patient", "u", ""), "Patient.update", True),
        (("user", "Patient", "s", ""), "Patient.history", False),
    ],
)
def test_an_app_does_what_its_scopes_and_the_role_allow(
    scope: tuple[str, str, str, str], interaction: str, may: bool
) -> None:
    assert bool(POLICY.may(scoped("clinician", scope), interaction)) is may


def test_a_permission_by_name_is_had_through_an_app_only_where_it_says_so() -> None:
    app = scoped("clinician", ("user", "Patient", "rs", ""))
    assert POLICY.has(app, "thing.export") and not POLICY.has(app, "thing.do")
    assert POLICY.has(agent("clinician"), "thing.do")
    assert not POLICY.has(scoped("clinician", ("user", "Patient", "s", "")), "thing.export")


def test_scopes_narrow_and_never_widen() -> None:
    reach = POLICY.reach(scoped("clinician", ("user", "Observation", "rs", "")))
    assert [g for g in reach.grants if g.types != DIRECTORY] == TABLE["clinician"]
    assert reach.within == ((Grant(frozenset(("Observation",))),),)


def test_the_operators_app_is_held_to_its_scopes_as_well() -> None:
    reach = POLICY.reach(scoped("operator", ("system", "Observation", "rs", "")))
    assert reach.grants == EVERYTHING.grants and reach.within and not reach.is_everything


def test_scopes_of_the_launch_leave_its_patient_and_the_directories() -> None:
    (group,) = POLICY.reach(scoped("clinician", ("patient", "*", "rs", ""), patient="Patient/p")).within
    assert group == (Grant(PEOPLE, patients=frozenset(("Patient/p",))), Grant(DIRECTORY))
    (nobody,) = POLICY.reach(scoped("clinician", ("patient", "Observation", "rs", ""))).within
    assert nobody == () and POLICY.reach(scoped("clinician", ("patient", "Observation", "rs", ""))).is_nothing


def test_a_constraint_is_asked_of_the_row() -> None:
    (group,) = POLICY.reach(scoped("clinician", ("user", "Observation", "rs", "category=laboratory"))).within
    (grant,) = group
    assert grant.types == frozenset(("Observation",)) and [
        c.parameter.name for c in grant.criteria if isinstance(c, Criterion)
    ] == ["category"]


@pytest.mark.parametrize(
    "constraint", ["nonsense=1", "subject:Patient.name=x", "_has:Observation:patient:code=x"]
)
def test_a_constraint_that_a_row_cannot_answer_leaves_nothing(constraint: str) -> None:
    assert POLICY.reach(scoped("clinician", ("user", "Encounter", "rs", constraint))).is_nothing


def test_writing_is_bounded_by_the_types_one_may_write() -> None:
    grants = [g for g in POLICY.reach(agent("registrar"), "write").grants]
    assert {g.types for g in grants} == {frozenset(("Patient",))}
