"""References between resources: https://hl7.org/fhir/R4/references.html."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.fhir.reference import parse, references, rewrite

BASES = ("https://here.example/fhir/", "http://old.example/fhir/")

TABLE = """
Patient/1                                         local        Patient/1
Patient/1/_history/2                              local        Patient/1
https://here.example/fhir/Patient/1               local        Patient/1
http://old.example/fhir/Patient/1/_history/3      local        Patient/1
https://there.example/fhir/Patient/1              absolute     https://there.example/fhir/Patient/1
https://there.example/fhir/Patient/1/_history/2   absolute     https://there.example/fhir/Patient/1
http://hl7.org/fhir/ValueSet/x|4.0.1              absolute     http://hl7.org/fhir/ValueSet/x|4.0.1
urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0     urn          urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0
#p1                                               contained    #p1
Patient?identifier=a|b                            conditional  Patient?identifier=a|b
Cat/1                                             other        Cat/1
Patient/1/2                                       other        Patient/1/2
Patient/a_b                                       other        Patient/a_b
a/Patient/1                                       other        a/Patient/1
Patient/                                          other        Patient/
1                                                 other        1
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]


@pytest.mark.parametrize(("text", "kind", "target"), ROWS)
def test_references_are_read(text: str, kind: str, target: str) -> None:
    found = parse(text, BASES)
    assert (found.kind, found.target) == (kind, target)


@given(st.text(max_size=40))
def test_any_text_is_some_reference(text: str) -> None:
    assert parse(text, BASES).kind in {"local", "absolute", "urn", "contained", "conditional", "other"}


URN = "urn:uuid:1"
MAPPING = {URN: "Patient/9", "Patient?identifier=x": "Patient/8"}
REWRITTEN: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"subject": {"reference": URN}}, {"subject": {"reference": "Patient/9"}}),
    ({"subject": {"reference": "Patient?identifier=x"}}, {"subject": {"reference": "Patient/8"}}),
    ({"a": [{"b": {"reference": URN}}, 1]}, {"a": [{"b": {"reference": "Patient/9"}}, 1]}),
    ({"instantiatesUri": [URN, "x"]}, {"instantiatesUri": ["Patient/9", "x"]}),
    ({"extension": [{"valueUri": URN}]}, {"extension": [{"valueUri": "Patient/9"}]}),
    ({"identifier": [{"system": "urn:ietf:rfc:3986", "value": URN}]}, {}),
    ({"extension": [{"valueString": URN}], "text": {"status": URN}}, {}),
    ({"subject": {"reference": URN + "0", "display": URN}}, {}),
    (
        {"text": {"div": f"<div>{URN} <a href=\"{URN}\">x</a><img src='{URN}'/><a href='{URN}0'/></div>"}},
        {
            "text": {
                "div": f"<div>{URN} <a href=\"Patient/9\">x</a><img src='Patient/9'/><a href='{URN}0'/></div>"
            }
        },
    ),
]


@pytest.mark.parametrize(("before", "after"), REWRITTEN)
def test_references_uris_and_links_are_rewritten_and_nothing_else(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    kept = repr(before)
    assert rewrite(before, MAPPING) == (after or before)
    assert repr(before) == kept


def test_what_does_not_change_is_shared() -> None:
    resource = {
        "subject": {"reference": "Patient/1"},
        "code": {"text": "x"},
        "performer": [{"reference": URN}],
    }
    changed = rewrite(resource, MAPPING)
    assert changed["subject"] is resource["subject"] and changed["code"] is resource["code"]
    assert rewrite({"a": [1]}, MAPPING) == {"a": [1]}
    assert rewrite(resource, {}) is resource


def test_every_reference_of_a_resource_is_found() -> None:
    resource = {
        "a": {"reference": "x"},
        "b": [{"c": {"reference": "y"}}],
        "reference": 3,
        "d": {"identifier": {}},
    }
    assert [each["reference"] for each in references(resource)] == ["x", "y"]
