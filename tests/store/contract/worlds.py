"""Small worlds of resources with nasty values, drawn so that searches often meet something."""

from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from hypothesis import strategies as st

Json = dict[str, Any]

TEXTS = [
    "Anna", "anna", "ANNA-Maria", "Änne", "Anne Marie", "An", "nna", "李", "李小龙", "小", "Ｗｉｄｅ", "O'Brien",
    "Straße", "STRASSE", "ﬁne", "İstanbul", "x%", "_x", "back\\slash", "comma, here", "a|b", "a$b", "", " ",
    "日本", "é", "e\u0301", "𝕏", "1", "Muller", "Müller",
]  # fmt: skip
SYSTEMS = ["http://loinc.org", "http://snomed.info/sct", "urn:oid:1.2.3", "", None]
CODES = ["8480-6", "8462-4", "A", "a", "a b", "é", "x|y", "true"]
DATES = [
    "2020", "2020-02", "2020-02-29", "2020-03-01", "1999-12-31", "2020-02-29T23:59:59Z", "2020-02-29T23:59:59.999Z",
    "2020-02-29T22:00:00-05:00", "2020-03-01T00:00:00+14:00", "2020-02-29T12:00:00.5+05:30",
    "0001-01-01", "9999-12-31", "2020-12-31T23:59:59-12:00", "2021",
]  # fmt: skip
DAYS = [date for date in DATES if "T" not in date]
INSTANTS = [date for date in DATES if "T" in date]
NUMBERS = [
    Decimal(text) for text in ("0", "1", "1.0", "1.05", "100", "99.5", "-5", "0.001", "1e3", "100.00", "5")
]
UCUM = "http://unitsofmeasure.org"
UNITS = [
    (UCUM, "mg", "mg"), (UCUM, "g", "g"), (UCUM, "kg", "kilo"), (UCUM, "mm[Hg]", "mmHg"), (UCUM, "kPa", "kPa"),
    (UCUM, "not-a-unit", "x"), ("urn:other", "mg", "mg"), (None, None, "mg"), (None, None, None),
]  # fmt: skip
URIS = [
    "http://a.org/x",
    "http://a.org/x/y",
    "http://a.org/xy",
    "urn:uuid:0c3151bd",
    "http://a.org/x|1.0",
    "http://A.org/x",
]

texts, dates, days = st.sampled_from(TEXTS), st.sampled_from(DATES), st.sampled_from(DAYS)
NAMES = "abcd"
OWN = "OWN-"
"""Stands for the beginning of a world's ids: what is drawn must not depend on what ran before."""


def some(**elements: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """An object with any of the elements."""
    return st.fixed_dictionaries({}, optional=elements)


def few(each: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[list[Any]]:
    return st.lists(each, min_size=1, max_size=most)


def _without_nothing(drawn: Json) -> Json:
    return {name: value for name, value in drawn.items() if value is not None}


codings = st.fixed_dictionaries(
    {"system": st.sampled_from(SYSTEMS), "code": st.sampled_from(CODES), "display": st.none() | texts}
).map(_without_nothing)
concepts = some(coding=few(codings, 2), text=texts)
identifiers = st.fixed_dictionaries(
    {"system": st.sampled_from(SYSTEMS), "value": st.sampled_from(CODES), "type": st.none() | concepts}
).map(_without_nothing)


def _period(ends: list[str], open: str) -> Json:
    """From the one that begins earlier: a period that ends before it starts is no FHIR (per-1)."""
    period = {"start": ends[0], "end": ends[-1]}
    return {name: value for name, value in period.items() if name != open}


BEGINNING = [
    "0001-01-01", "1999-12-31", "2020", "2020-02", "2020-02-29", "2020-02-29T12:00:00.5+05:30",
    "2020-02-29T23:59:59Z", "2020-03-01", "2020-12-31T23:59:59-12:00", "9999-12-31",
]  # fmt: skip
"""In order of their first moment."""
periods = st.builds(
    _period,
    st.lists(st.sampled_from(BEGINNING), min_size=1, max_size=2).map(
        lambda ends: sorted(ends, key=BEGINNING.index)
    ),
    st.sampled_from(["", "", "start", "end"]),
)
quantities = st.builds(
    lambda value, unit, comparator: _without_nothing(
        {"value": value, "system": unit[0], "code": unit[1], "unit": unit[2], "comparator": comparator}
    ),
    st.sampled_from(NUMBERS),
    st.sampled_from(UNITS),
    st.sampled_from([None, None, None, "<", ">", "<=", ">="]),
)
ranges = some(low=quantities, high=quantities)


def references(*types: str) -> st.SearchStrategy[Json]:
    """To somebody of this world (who may not exist), by every spelling, or by identifier only."""
    own = st.builds("{}/{}{}".format, st.sampled_from(types), st.just(OWN), st.sampled_from(NAMES))
    versioned = own.map(lambda reference: reference + "/_history/1")
    odd = st.sampled_from(
        ["http://elsewhere.org/fhir/Patient/1", "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"]
    )
    spelled = some(display=texts).flatmap(
        lambda shown: st.one_of(own, own, own, versioned, odd).map(lambda text: {"reference": text, **shown})
    )
    return st.one_of(spelled, spelled, st.builds(lambda one: {"identifier": one}, identifiers))


human_names = some(family=texts, given=few(texts, 2), text=texts, prefix=few(texts, 1))
addresses = some(
    city=texts, country=texts, line=few(texts, 2), postalCode=texts, use=st.sampled_from(["home", "work"])
)
contacts = some(
    system=st.sampled_from(["phone", "email"]), value=texts, use=st.sampled_from(["home", "work"])
)


def patients() -> st.SearchStrategy[Json]:
    return some(
        identifier=few(identifiers),
        active=st.booleans(),
        name=few(human_names, 2),
        telecom=few(contacts, 2),
        gender=st.sampled_from(["male", "female", "unknown"]),
        birthDate=days,
        deceasedBoolean=st.booleans(),
        address=few(addresses, 2),
        communication=few(concepts.map(lambda language: {"language": language}), 2),
        generalPractitioner=few(references("Organization"), 2),
        managingOrganization=references("Organization"),
        link=few(references("Patient").map(lambda other: {"other": other, "type": "seealso"}), 1),
    )


values = st.one_of(
    quantities.map(lambda value: {"valueQuantity": value}),
    concepts.map(lambda value: {"valueCodeableConcept": value}),
    texts.map(lambda value: {"valueString": value}),
    dates.map(lambda value: {"valueDateTime": value}),
    periods.map(lambda value: {"valuePeriod": value}),
    st.just({}),
)
times = st.one_of(
    dates.map(lambda value: {"effectiveDateTime": value}),
    periods.map(lambda value: {"effectivePeriod": value}),
    st.sampled_from(INSTANTS).map(lambda value: {"effectiveInstant": value}),
    few(dates).map(lambda value: {"effectiveTiming": {"event": value}}),
    st.just({}),
)
components = st.builds(lambda code, value: {"code": code, **value}, concepts, values)


def observations() -> st.SearchStrategy[Json]:
    plain = some(
        identifier=few(identifiers),
        status=st.sampled_from(["final", "amended", "preliminary"]),
        category=few(concepts, 2),
        code=concepts,
        subject=references("Patient", "Group"),
        encounter=references("Encounter"),
        performer=few(references("Organization", "Patient"), 2),
        component=few(components),
        derivedFrom=few(references("Observation"), 2),
        hasMember=few(references("Observation"), 2),
        method=concepts,
    )
    return st.builds(lambda one, value, when: one | value | when, plain, values, times)


def encounters() -> st.SearchStrategy[Json]:
    return some(
        identifier=few(identifiers),
        status=st.sampled_from(["finished", "planned"]),
        type=few(concepts, 2),
        subject=references("Patient", "Group"),
        period=periods,
        length=quantities,
        partOf=references("Encounter"),
        serviceProvider=references("Organization"),
    ) | st.builds(lambda klass: {"class": klass}, codings)


def groups() -> st.SearchStrategy[Json]:
    traits = st.one_of(
        concepts.map(lambda value: {"valueCodeableConcept": value}),
        quantities.map(lambda value: {"valueQuantity": value}),
        ranges.map(lambda value: {"valueRange": value}),
        st.booleans().map(lambda value: {"valueBoolean": value}),
    )
    return some(
        identifier=few(identifiers),
        type=st.sampled_from(["person", "animal"]),
        actual=st.booleans(),
        code=concepts,
        managingEntity=references("Organization"),
        characteristic=few(
            st.builds(
                lambda code, value, exclude: {"code": code, "exclude": exclude, **value},
                concepts,
                traits,
                st.booleans(),
            )
        ),
        member=few(references("Patient", "Group").map(lambda entity: {"entity": entity})),
    )


def organizations() -> st.SearchStrategy[Json]:
    return some(
        identifier=few(identifiers),
        active=st.booleans(),
        type=few(concepts, 2),
        name=texts,
        alias=few(texts, 2),
        address=few(addresses, 2),
        partOf=references("Organization"),
    )


def risks() -> st.SearchStrategy[Json]:
    odds = st.one_of(
        st.sampled_from(NUMBERS).map(lambda value: {"probabilityDecimal": value}),
        ranges.map(lambda value: {"probabilityRange": value}),
    )
    return some(
        status=st.just("final"),
        subject=references("Patient"),
        occurrenceDateTime=dates,
        method=concepts,
        prediction=few(odds, 2),
    )


def value_sets() -> st.SearchStrategy[Json]:
    return some(
        url=st.sampled_from(URIS),
        version=texts,
        name=texts,
        title=texts,
        status=st.sampled_from(["draft", "active"]),
        date=dates,
        jurisdiction=few(concepts, 2),
    )


def lists() -> st.SearchStrategy[Json]:
    return some(
        status=st.just("current"),
        mode=st.just("working"),
        code=concepts,
        title=texts,
        subject=references("Patient"),
        entry=few(references("Patient", "Observation").map(lambda item: {"item": item})),
    )


KINDS = {
    "Encounter": encounters,
    "Group": groups,
    "List": lists,
    "Observation": observations,
    "Organization": organizations,
    "Patient": patients,
    "RiskAssessment": risks,
    "ValueSet": value_sets,
}
metas = some(
    tag=few(codings, 2),
    security=few(codings, 1),
    profile=few(st.sampled_from(URIS), 2),
    source=st.sampled_from(URIS),
)


told = st.lists(texts, max_size=2).map(
    lambda said: (
        {"text": {"status": "generated", "div": f"<div>{'<br/>'.join(map(escape, said))}</div>"}}
        if said
        else {}
    )
)


@st.composite
def worlds(draw: st.DrawFn) -> list[Json]:
    """Up to four of each kind, in order of type and id, all tagged so that a search can be held to this world."""
    world: list[Json] = []
    for type, kind in KINDS.items():
        for name in NAMES[: draw(st.integers(0, 4))]:
            meta = draw(metas)
            meta["tag"] = [*meta.get("tag", []), {"system": OWN, "code": "w"}]
            world.append({"resourceType": type, "id": OWN + name, "meta": meta, **draw(told), **draw(kind())})
    return world
