"""Small worlds of people, who has to do with them and what they consent to; with reaches and questions for them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from commonweal.access.reach import EVERYTHING, Grant, Reach
from commonweal.access.relationship import EMERGENCY_TASK, KINDS, LIVES_IN
from tests.store.contract.speaking import asked
from tests.store.contract.worlds import OWN, Json

ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
LABELS = ("PSY", "HIV", "R")
PURPOSES = ("TREAT", "HRESCH", "PUBHLTH")
TYPES = ("Consent", "Encounter", "List", "Observation", "Patient", "Task")
LETTERS = "abcd"
DAYS = (-400, -100, -45, -10, -1, 1, 10, 100)
"""From now; none of them is where anything begins or ends to hold."""


def named(*types: str, letters: str = LETTERS) -> st.SearchStrategy[str]:
    """ "Patient/…a": somebody or something of this world, who may not be there."""
    return st.builds("{}/{}{}".format, st.sampled_from(types), st.just(OWN), st.sampled_from(letters))


def referring(*types: str) -> st.SearchStrategy[Json]:
    return named(*types).map(lambda target: {"reference": target})


def some(**elements: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({}, optional=elements)


def day(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%d")


def _period(days: list[int], ends: str) -> Json:
    whole = {"start": day(min(days)), "end": day(max(days))}
    return {name: value for name, value in whole.items() if name in ends}


periods = st.builds(
    _period,
    st.lists(st.sampled_from(DAYS), min_size=2, max_size=2, unique=True),
    st.sampled_from(["start end", "start", "end", "start end"]),
)


def coded(system: str, *codes: str) -> st.SearchStrategy[Json]:
    return st.sampled_from(codes).map(lambda code: {"system": system, "code": code})


def concept(coding: Json) -> Json:
    return {"coding": [coding]}


def subjects() -> st.SearchStrategy[Json]:
    return referring("Patient")


def locations(letter: str) -> st.SearchStrategy[Json]:
    """Each may be part of one that comes before it in the alphabet."""
    before = LETTERS[: LETTERS.index(letter)]
    if not before:
        return st.just({})
    return some(partOf=named("Location", letters=before).map(lambda target: {"reference": target}))


def patients(linked: bool) -> st.SearchStrategy[Json]:
    lives = referring("Location").map(lambda place: [{"url": LIVES_IN, "valueReference": place}])
    elements: dict[str, st.SearchStrategy[Any]] = {
        "extension": lives,
        "gender": st.sampled_from(["male", "female"]),
        "generalPractitioner": st.lists(referring("Practitioner", "Organization"), min_size=1, max_size=2),
        "managingOrganization": referring("Organization"),
    }
    if linked:
        elements["link"] = referring("Patient").map(lambda other: [{"other": other, "type": "replaced-by"}])
    return some(**elements)


def encounters() -> st.SearchStrategy[Json]:
    return st.builds(
        dict.__or__,
        st.fixed_dictionaries(
            {
                "status": st.sampled_from(["planned", "in-progress", "finished", "cancelled"]),
                "class": coded("urn:class", "AMB"),
                "subject": subjects(),
                "participant": st.lists(
                    referring("Practitioner").map(lambda one: {"individual": one}), min_size=1, max_size=2
                ),
            }
        ),
        some(period=periods, serviceProvider=referring("Organization")),
    )


PROVISION = {
    "type": st.sampled_from(["deny", "permit"]),
    "period": periods,
    "purpose": st.lists(
        coded("http://terminology.hl7.org/CodeSystem/v3-ActReason", *PURPOSES), min_size=1, max_size=2
    ),
    "class": st.lists(coded("http://hl7.org/fhir/resource-types", *TYPES), min_size=1, max_size=2),
    "securityLabel": st.lists(coded(ACT, *LABELS), min_size=1, max_size=2),
    "actor": st.lists(
        st.builds(
            lambda who, role: {"reference": who, "role": concept(role)},
            referring("Practitioner", "Organization", "Patient"),
            coded("http://terminology.hl7.org/CodeSystem/v3-RoleCode", "GUARD", "PRN", "OTHER"),
        ),
        min_size=1,
        max_size=2,
    ),
}


def consents() -> st.SearchStrategy[Json]:
    inner = st.lists(some(**PROVISION), max_size=1)
    provision = st.builds(
        lambda one, nested: one | {"provision": nested} if nested else one, some(**PROVISION), inner
    )
    return st.fixed_dictionaries(
        {
            "status": st.sampled_from(["active", "active", "active", "inactive"]),
            "scope": coded("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy").map(
                concept
            ),
            "category": st.just([concept({"code": "x"})]),
            "patient": subjects(),
            "provision": provision,
        }
    )


def tasks() -> st.SearchStrategy[Json]:
    system, code = EMERGENCY_TASK
    return st.fixed_dictionaries(
        {
            "status": st.sampled_from(["in-progress", "completed", "cancelled"]),
            "intent": st.just("order"),
            "code": st.just(concept({"system": system, "code": code})),
            "for": subjects(),
            "requester": referring("Practitioner"),
            "restriction": periods.map(lambda period: {"period": period}),
        }
    )


def observations() -> st.SearchStrategy[Json]:
    return st.builds(
        dict.__or__,
        st.fixed_dictionaries(
            {
                "status": st.sampled_from(["final", "preliminary"]),
                "code": coded("http://loinc.org", "1", "2").map(concept),
            }
        ),
        some(
            subject=subjects(),
            effectiveDateTime=st.sampled_from(["2020", "2020-02-29", "2021-03-01"]),
            performer=st.lists(referring("Practitioner", "Patient", "Organization"), min_size=1, max_size=2),
            derivedFrom=st.lists(referring("Observation"), min_size=1, max_size=2),
        ),
    )


def lists() -> st.SearchStrategy[Json]:
    items = st.lists(
        referring("Patient", "Observation").map(lambda item: {"item": item}), min_size=1, max_size=3
    )
    return st.builds(
        dict.__or__,
        st.fixed_dictionaries({"status": st.just("current"), "mode": st.just("working"), "entry": items}),
        some(subject=subjects()),
    )


def services() -> st.SearchStrategy[Json]:
    return some(
        location=st.lists(referring("Location"), min_size=1, max_size=1), providedBy=referring("Organization")
    )


metas = st.one_of(
    st.just([]),
    st.just([]),
    st.lists(coded(ACT, *LABELS), min_size=1, max_size=2, unique_by=lambda one: one["code"]),
)


@st.composite
def worlds(draw: st.DrawFn, linked: bool = True) -> list[tuple[str, Json]]:
    """What is written one after the other, as (method, resource): versions of few resources, some moved to
    another person, some deleted at the end."""
    kinds = {
        "Location": locations,
        "Organization": lambda _: st.just({}),
        "Patient": lambda _: patients(linked),
        "Encounter": lambda _: encounters(),
        "Consent": lambda _: consents(),
        "Task": lambda _: tasks(),
        "Observation": lambda _: observations(),
        "List": lambda _: lists(),
        "HealthcareService": lambda _: services(),
    }
    written: list[tuple[str, Json]] = []
    for type, kind in kinds.items():
        for letter in LETTERS[: draw(st.integers(0 if type != "Patient" else 2, 4))]:
            for _ in range(draw(st.sampled_from([1, 1, 1, 2]))):
                meta = {"security": draw(metas), "tag": [{"system": OWN, "code": "w"}]}
                body = {"resourceType": type, "id": OWN + letter, "meta": meta, **draw(kind(letter))}
                written.append(("update", body))
            if draw(st.sampled_from([False] * 7 + [True])):
                written.append(("delete", {"resourceType": type, "id": OWN + letter}))
    return written


CRITERIA = (
    "Observation?status=final",
    "Observation?status:not=final",
    "Observation?code=http://loinc.org|1",
    f"Observation?subject=Patient/{OWN}a",
    "Observation?date=ge2021",
    "Observation?performer:missing=true",
    "Patient?gender=male",
    "Encounter?status=finished,planned",
    "Observation?subject:Patient.gender=male",
)
"""The last is nothing that a row can answer by itself."""


def sets(each: st.SearchStrategy[str], most: int = 3) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(each, min_size=1, max_size=most)


def _grant(**fields: Any) -> Grant:
    text = fields.pop("criteria", None)
    return Grant(**fields, criteria=asked(text).where if text else ())


every_type = (*TYPES, "Location", "Organization", "HealthcareService")
parties = named("Practitioner", "Organization", "Patient")
grants = st.one_of(
    st.builds(_grant, types=sets(st.sampled_from(every_type))),
    st.builds(_grant, parties=sets(parties), ties=st.none() | sets(st.sampled_from(KINDS))),
    st.builds(_grant, areas=sets(named("Location"), 1)),
    st.fixed_dictionaries(
        {},
        optional={
            "types": sets(st.sampled_from(every_type), 6),
            "areas": sets(named("Location")),
            "organizations": sets(named("Organization")),
            "patients": sets(named("Patient")),
            "parties": sets(parties),
            "ties": sets(st.sampled_from(KINDS)),
            "criteria": st.sampled_from(CRITERIA),
            "unhindered": st.booleans(),
        },
    ).map(lambda fields: _grant(**fields)),
)
labels = sets(st.sampled_from([f"{ACT}|{each}" for each in LABELS]))
nothing: st.SearchStrategy[frozenset[str]] = st.just(frozenset())
reaches = st.builds(
    Reach,
    grants=st.lists(grants, min_size=1, max_size=3).map(tuple),
    within=st.lists(st.lists(grants, min_size=1, max_size=2).map(tuple), max_size=1).map(tuple),
    denied_labels=nothing | nothing | labels,
    denied_patients=nothing | nothing | sets(named("Patient"), 2),
    sensitive=nothing | labels,
    parties=nothing | sets(parties),
    purpose=st.sampled_from(PURPOSES),
)
any_reach = st.one_of(st.just(EVERYTHING), *[reaches] * 7)

QUESTIONS = (
    "Patient?",
    "Patient?gender=male",
    "Patient?_has:Observation:subject:status=final",
    "Patient?_has:Observation:performer:code=1",
    "Patient?_has:Encounter:patient:_id=OWN-a,OWN-b",
    "Patient?_revinclude=Observation:subject",
    "Patient?_revinclude=Observation:subject&_include:iterate=Observation:performer",
    "Patient?_list=OWN-a",
    "Patient?_sort=gender,-_id",
    "Observation?patient=Patient/OWN-a",
    "Observation?subject=Patient/OWN-a,Patient/OWN-b",
    "Observation?performer=Patient/OWN-a",
    "Observation?subject:Patient.gender=male",
    "Observation?subject:Patient.organization._id=OWN-a,OWN-b",
    "Observation?performer:Patient._has:Observation:subject:status=final",
    "Observation?_include=Observation:subject&_include=Observation:performer",
    "Observation?_include=Observation:derived-from&_include:iterate=Observation:derived-from",
    "Observation?_include=*",
    "Observation?_list=OWN-b",
    "Observation?status:not=final&_sort=-date",
    "Observation?_sort=status,code",
    "Encounter?patient=Patient/OWN-b&_include=Encounter:subject",
    "Encounter?subject:Patient.gender=female",
    "List?item:Observation.status=final",
    "Consent?patient:Patient.gender=male",
    "Location?_revinclude=HealthcareService:location",
    "Location?_has:HealthcareService:location:_id=OWN-a",
    "?_type=Patient,Observation&_sort=_id",
    "Patient/OWN-a Observation?",
    "Patient/OWN-b Encounter?",
    "Encounter/OWN-a Observation?",
)
"""A compartment stands before the search."""
questions = st.builds(
    lambda text, more: text + ("" if text.endswith("?") else "&") + f"_tag={OWN}|w" + more,
    st.sampled_from(QUESTIONS),
    st.sampled_from(["", "&_count=1", "&_count=2", "&_total=accurate", "&_total=estimate"]),
)


def own(reach: Reach, fresh: str) -> Reach:
    """The reach with the ids of its world."""

    def settled(names: frozenset[str] | None) -> Any:
        return None if names is None else frozenset(each.replace(OWN, fresh) for each in names)

    def granted(group: tuple[Grant, ...]) -> tuple[Grant, ...]:
        return tuple(
            replace(
                each,
                areas=settled(each.areas),
                organizations=settled(each.organizations),
                patients=settled(each.patients),
                parties=settled(each.parties),
            )
            for each in group
        )

    return replace(
        reach,
        grants=granted(reach.grants),
        within=tuple(map(granted, reach.within)),
        denied_patients=settled(reach.denied_patients),
        parties=settled(reach.parties),
    )
