"""Whatever is sent, only a Problem comes back; the quick way past the walk lets nothing pass that the walk refuses."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from commonweal.fhir import codec
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.fhirpath import compile
from commonweal.fhir.outcome import Json, Problem
from commonweal.fhir.structure import inside, is_plain
from commonweal.fhir.walk import shape, walk

EXTENSION = {"url": "http://example.org/x", "valueDecimal": 1.5}
NARRATIVE = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>a</p></div>'}
CODE = {
    "coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}],
    "text": "pulse",
}
PATIENT: Json = {
    "resourceType": "Patient",
    "id": "p-1",
    "meta": {"lastUpdated": "2026-03-01T10:11:12.5+08:00", "profile": ["http://example.org/p"]},
    "text": NARRATIVE,
    "extension": [EXTENSION, {"url": "http://example.org/y", "extension": [EXTENSION]}],
    "name": [{"use": "official", "family": "Wang", "given": ["Xiao", None], "_given": [None, {"id": "g"}]}],
    "gender": "female",
    "birthDate": "1984-02-29",
    "_birthDate": {"extension": [EXTENSION]},
    "multipleBirthInteger": 2,
    "contact": [{"name": {"family": "Li"}, "period": {"start": "2020"}}],
    "photo": [{"data": "QUJD", "size": 3}],
    "link": [{"other": {"reference": "Patient/2"}, "type": "seealso"}],
}
OBSERVATION: Json = {
    "resourceType": "Observation",
    "contained": [PATIENT, {"resourceType": "Device", "id": "d"}],
    "status": "final",
    "code": CODE,
    "effectiveDateTime": "2026-03-01T10:11:12+08:00",
    "valueQuantity": {"value": 72.50, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
    "component": [
        {"code": CODE, "valueSampledData": {"origin": {"value": 0}, "period": 10, "dimensions": 1}}
    ],
    "note": [{"authorString": "a", "time": "2026", "text": "b"}],
}
QUESTIONNAIRE: Json = {
    "resourceType": "Questionnaire",
    "status": "draft",
    "subjectType": ["Patient"],
    "item": [
        {
            "linkId": "1",
            "type": "group",
            "item": [{"linkId": "2", "type": "choice", "answerOption": [{"valueCoding": {"code": "a"}}]}],
        }
    ],
}
PARAMETER: Json = {
    "resourceType": "SearchParameter",
    "url": "http://example.org/s",
    "name": "s",
    "status": "active",
    "description": "a",
    "code": "s",
    "base": ["Patient"],
    "type": "token",
}
PARAMETERS: Json = {
    "resourceType": "Parameters",
    "parameter": [
        {
            "name": "a",
            "part": [
                {"name": "b", "resource": PARAMETER},
                {"name": "c", "valueInstant": "2026-03-01T00:00:00Z"},
            ],
        }
    ],
}
BUNDLE: Json = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        {"fullUrl": "urn:uuid:1", "resource": PATIENT, "request": {"method": "POST", "url": "Patient"}},
        {
            "resource": PARAMETERS,
            "response": {
                "status": "200",
                "outcome": {
                    "resourceType": "OperationOutcome",
                    "issue": [{"severity": "error", "code": "value"}],
                },
            },
        },
    ],
}
SEEDS = [PATIENT, OBSERVATION, QUESTIONNAIRE, PARAMETERS, BUNDLE]
ODD: list[Any] = [
    *(
        None,
        {},
        [],
        [None],
        [{}],
        [[]],
        "",
        " ",
        "\n",
        "a",
        "a b",
        "a  b",
        "\u0000",
        "\u3000",
        True,
        False,
        0,
        -1,
        1,
        2**31,
    ),
    *(
        2**70,
        1.0,
        1.5,
        1e300,
        "1",
        "2023-02-30",
        "2024-02-29",
        "2024",
        "12:00:00",
        "urn:oid:1.2",
        "QUJD",
        "QUJ",
        "male",
    ),
    *(
        "final",
        "#a",
        "http://example.org",
        {"id": "a"},
        {"a": 1},
        ["a"],
        ["a", None],
        [None, {"id": "a"}],
        {"resourceType": "Patient"},
    ),
    *(
        {"resourceType": "Nobody"},
        [{"resourceType": "Patient"}],
        {"value": "1"},
        {"value": 1},
        NARRATIVE,
        CODE,
        EXTENSION,
    ),
    *(
        {"status": "generated", "div": "<div><script/></div>"},
        {"url": "a"},
        [EXTENSION],
        {"extension": [EXTENSION]},
    ),
]
NAMES = sorted(
    {
        name
        for seed in ("Patient", "Observation", "Extension", "HumanName", "Quantity")
        for name in shape(seed).forms
    }
)
FUZZ = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def containers(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from containers(item)


@st.composite
def mutants(draw: st.DrawFn) -> Json:
    """A well-formed resource with one to three things in it put wrong, or put otherwise."""
    resource = copy.deepcopy(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(list(containers(resource))))
        odd = copy.deepcopy(draw(st.sampled_from(ODD)))
        if isinstance(place, list):
            place.insert(draw(st.integers(0, len(place))), odd)
        elif draw(st.booleans()) and place:
            del place[draw(st.sampled_from(sorted(place)))]
        else:
            place[draw(st.sampled_from(sorted({*place, *NAMES})))] = odd
    return resource


def told(body: bytes) -> Problem | None:
    try:
        codec.check(body)
    except Problem as problem:
        return problem
    return None


def resources(value: Any) -> Iterator[Json]:
    if isinstance(value, dict) and isinstance(value.get("resourceType"), str):
        yield value
        for inner, _ in inside(value, ""):
            yield from resources(inner)


def agree(resource: Json) -> None:
    kind = resource["resourceType"]
    if kind not in RESOURCE_TYPES:
        return
    text = codec.encode(resource)
    issues = walk(resource, kind)
    if is_plain(resource, text):
        assert not issues
    if not issues:
        assert codec.parse(codec.encode(codec.decode(kind, text))) == resource


@FUZZ
@given(mutants())
def test_the_quick_way_the_walk_and_the_typed_view_agree(resource: Json) -> None:
    for each in resources(codec.parse(json.dumps(resource))):
        agree(each)


@FUZZ
@given(mutants())
def test_every_place_that_is_told_is_a_path(resource: Json) -> None:
    problem = told(json.dumps(resource).encode())
    for issue in problem.issues if problem else ():
        assert issue.expression
        compile(issue.expression)


def test_the_seeds_are_well_formed() -> None:
    for seed in SEEDS:
        assert told(json.dumps(seed).encode()) is None


@FUZZ
@given(st.binary(max_size=300))
@example(b"\x00")
@example(b'{"resourceType":"Patient","a":"' + b"\\" * 99)
def test_arbitrary_bytes_raise_nothing_but_a_problem(body: bytes) -> None:
    told(body)  # hypothesis borrows literals of the code, so this may even be a well-formed resource


@FUZZ
@given(st.sampled_from(SEEDS), st.data())
def test_damaged_text_raises_nothing_but_a_problem(seed: Json, data: st.DataObject) -> None:
    body = json.dumps(seed).encode()
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(len(body), start + 40)))
    patch = data.draw(
        st.one_of(st.binary(max_size=4), st.sampled_from([b'"', b"{", b"]", b"null", b"\\u0000", body[:60]]))
    )
    told(body[:start] + patch + body[end:])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=4)
    ),
    max_leaves=20,
)


@FUZZ
@given(
    st.dictionaries(st.sampled_from(NAMES) | st.text(), JSON, max_size=6),
    st.sampled_from(sorted(RESOURCE_TYPES)),
)
def test_arbitrary_json_raises_nothing_but_a_problem(body: Json, kind: str) -> None:
    text = json.dumps(body | {"resourceType": kind}).encode()
    told(text)
    agree(codec.parse(text))


@FUZZ
@given(
    st.lists(st.sampled_from(["a", "b", "\\u0061", "\\u0022", ":"]), min_size=1, max_size=5), st.booleans()
)
def test_keys_are_twice_exactly_when_python_says_so(keys: list[str], spaced: bool) -> None:
    members = [f'"{key}"{" " * spaced}:"\\":{key}"' for key in keys]
    body = ('{"resourceType":"Patient",' + ",".join(members) + "}").encode()
    twice = len({json.loads(f'"{key}"') for key in keys}) < len(keys)
    problem = told(body)
    assert problem
    assert (problem.issues[0].details == "cw-duplicate-key") == twice
