"""Changing part of a resource: https://hl7.org/fhir/R4/http.html#patch."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.fhir.outcome import Problem
from commonweal.fhir.patch import fhirpath_patch, json_patch

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p",
    "active": True,
    "name": [
        {"use": "official", "family": "Li", "given": ["Wei", "An"], "_given": [None, {"id": "g"}]},
        {"use": "usual", "text": "Xiao Li"},
    ],
    "contact": [{"gender": "male"}],
    "deceasedBoolean": False,
    "extension": [{"url": "http://x/e", "valueDecimal": Decimal("1.50")}],
}

JSON_PATCHES = """
[{"op":"add","path":"/gender","value":"male"}]                  | gender = "male"
[{"op":"add","path":"/name/0/given/-","value":"Bo"}]            | name.0.given = ["Wei","An","Bo"]
[{"op":"add","path":"/name/0/given/0","value":"Bo"}]            | name.0.given = ["Bo","Wei","An"]
[{"op":"replace","path":"/name/0/family","value":"Wu"}]         | name.0.family = "Wu"
[{"op":"remove","path":"/name/0"}]                              | name = [{"use":"usual","text":"Xiao Li"}]
[{"op":"remove","path":"/contact/0/gender"}]                    | contact = null
[{"op":"move","from":"/name/1","path":"/name/0"}]               | name.0.text = "Xiao Li"
[{"op":"move","from":"/name/0/family","path":"/name/1/family"}] | name.1.family = "Li"
[{"op":"copy","from":"/name/1","path":"/name/-"}]               | name.2.text = "Xiao Li"
[{"op":"test","path":"/active","value":true}]                   | active = true
[{"op":"test","path":"/name/1","value":{"text":"Xiao Li","use":"usual"}}] | active = true
[{"op":"add","path":"/a~1b~0c","value":1}]                      | a/b~c = 1
[{"op":"replace","path":"/active","value":false},{"op":"test","path":"/active","value":false}] | active = false
"""

BAD_JSON_PATCHES = """
422 | [{"op":"remove","path":"/gender"}]
422 | [{"op":"replace","path":"/gender","value":"male"}]
422 | [{"op":"add","path":"/name/3","value":{}}]
422 | [{"op":"add","path":"/name/01","value":{}}]
422 | [{"op":"add","path":"/active/x","value":1}]
422 | [{"op":"add","path":"/none/x","value":1}]
422 | [{"op":"test","path":"/active","value":1}]
422 | [{"op":"test","path":"/active","value":"true"}]
422 | [{"op":"test","path":"/name/0/given","value":["An","Wei"]}]
422 | [{"op":"move","from":"/name","path":"/name/0"}]
422 | [{"op":"remove","path":""}]
422 | [{"op":"replace","path":"","value":3}]
422 | [{"op":"remove","path":"/name/-"}]
400 | [{"op":"jump","path":"/active"}]
400 | [{"op":["add"],"path":"/active"}]
400 | [{"path":"/active"}]
400 | [{"op":"add","path":"/active"}]
400 | [{"op":"add","path":"active","value":1}]
400 | [{"op":"add","path":"/a~2","value":1}]
400 | [{"op":"move","path":"/active"}]
400 | [3]
"""


HARMLESS = [{"op": "add", "path": "/gender", "value": "male"}, {"op": "remove", "path": "/gender"}]


def rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split(" | ")] for line in table.strip().splitlines()]


def at(value: Any, path: str) -> Any:
    for token in path.split("."):
        value = value[int(token)] if isinstance(value, list) else value.get(token)
    return value


@pytest.mark.parametrize(("steps", "wanted"), rows(JSON_PATCHES))
def test_json_patch_does_what_it_says(steps: str, wanted: str) -> None:
    path, _, value = wanted.partition(" = ")
    before = json.dumps(PATIENT, default=str)
    assert at(json_patch(PATIENT, json.loads(steps)), path) == json.loads(value)
    assert json.dumps(PATIENT, default=str) == before


@pytest.mark.parametrize(("status", "steps"), rows(BAD_JSON_PATCHES))
def test_json_patch_says_which_step_fails(status: str, steps: str) -> None:
    with pytest.raises(Problem) as caught:
        json_patch(PATIENT, [*HARMLESS, *json.loads(steps)])
    assert (caught.value.status, caught.value.issues[0].expression) == (int(status), "[2]")


def test_numbers_are_compared_by_value_and_kept_as_they_were_written() -> None:
    steps = [{"op": "test", "path": "/extension/0/valueDecimal", "value": Decimal("1.5")}]
    assert str(json_patch(PATIENT, steps)["extension"][0]["valueDecimal"]) == "1.50"


def test_copies_that_double_again_and_again_are_stopped() -> None:
    doubling = [{"op": "copy", "from": "/contact", "path": f"/contact/0/c{n}"} for n in range(60)]
    with pytest.raises(Problem, match=r"deeper|too large"):
        json_patch(PATIENT, doubling)
    wide = [{"op": "copy", "from": "/name", "path": "/name/-"}] * 60
    with pytest.raises(Problem, match=r"deeper|too large"):
        json_patch(PATIENT, wide)


def test_a_patch_has_a_limited_number_of_steps() -> None:
    with pytest.raises(Problem, match="more than 1000 steps"):
        json_patch(PATIENT, [{"op": "test", "path": "/active", "value": True}] * 1001)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"x": value}
    return value


def test_values_and_pointers_of_great_depth_are_refused() -> None:
    for step in (
        {"op": "add", "path": "/x", "value": nested(500)},
        {"op": "add", "path": "/x" * 500, "value": 1},
    ):
        with pytest.raises(Problem):
            json_patch(PATIENT, [step])


documents = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab/~"), inner, max_size=3),
    max_leaves=10,
)
pointers = st.lists(st.sampled_from(["a", "b", "~1", "~0", "0", "1", "-"]), max_size=3).map(
    lambda parts: "".join("/" + part for part in parts)
)


@given(st.dictionaries(st.sampled_from("ab/~"), documents, max_size=3), pointers, documents)
def test_what_was_added_is_there_and_can_be_taken_away(document: Any, pointer: str, value: Any) -> None:
    add = {"op": "add", "path": pointer, "value": value}
    try:
        json_patch(document, [add])
    except Problem:
        return
    if "-" not in pointer and pointer:
        json_patch(
            document,
            [add, {"op": "test", "path": pointer, "value": value}, {"op": "remove", "path": pointer}],
        )


GIVEN = "Patient.name[0].given"


def operation(type: str, path: str, **parts: Any) -> dict[str, Any]:
    """One operation of a Parameters resource; `value` may be {"valueX": …} or {"part": […]}."""
    named = [{"name": "type", "valueCode": type}, {"name": "path", "valueString": path}]
    for name, value in parts.items():
        if isinstance(value, dict):
            named.append({"name": name, **value})
        else:
            named.append({"name": name, "valueInteger" if isinstance(value, int) else "valueString": value})
    return {"name": "operation", "part": named}


def patched(*operations: dict[str, Any]) -> dict[str, Any]:
    return fhirpath_patch(PATIENT, {"resourceType": "Parameters", "parameter": list(operations)})


X = {"text": "X"}
ADD_GIVEN = operation("add", "Patient.name[0]", name="given", value={"valueString": "Bo"})
REPLACE_EXTENSION = operation("replace", "Patient.extension('http://x/e').value", value={"valueString": "s"})
CONTACT = {
    "part": [{"name": "name", "valueHumanName": {"text": "X"}}, {"name": "gender", "valueCode": "female"}]
}
LINK = {
    "part": [
        {"name": "other", "valueReference": {"reference": "Patient/2"}},
        {"name": "type", "valueCode": "refer"},
    ]
}

PATH_PATCHES = [
    (operation("add", "Patient", name="gender", value={"valueCode": "male"}), "gender", "male"),
    (operation("add", "Patient", name="birthDate", value={"valueDate": "1970-01-01"}), "birthDate", "1970-01-01"),
    (operation("add", "Patient", name="name", value={"valueHumanName": {"text": "Y"}}), "name.2", {"text": "Y"}),
    (ADD_GIVEN, "name.0.given", ["Wei", "An", "Bo"]),
    (ADD_GIVEN, "name.0._given", [None, {"id": "g"}, None]),
    (operation("add", "Patient", name="contact", value=CONTACT), "contact.1", {"name": X, "gender": "female"}),
    (operation("add", "Patient", name="link", value=LINK), "link.0.other.reference", "Patient/2"),
    (operation("add", "Patient", name="multipleBirth", value={"valueInteger": 2}), "multipleBirthInteger", 2),
    (operation("insert", "Patient.name", index=0, value={"valueHumanName": {"text": "Y"}}), "name.0", {"text": "Y"}),
    (operation("insert", GIVEN, index=2, value={"valueString": "B"}), "name.0.given", ["Wei", "An", "B"]),
    (operation("delete", "Patient.active"), "active", None),
    (operation("delete", "Patient.gender"), "gender", None),
    (operation("delete", GIVEN + "[0]"), "name.0._given", [{"id": "g"}]),
    (operation("delete", "Patient.contact[0].gender"), "contact", None),
    (operation("delete", "Patient.name.where(use = 'official')"), "name", [{"use": "usual", "text": "Xiao Li"}]),
    (operation("delete", GIVEN + ".where($this = 'Wei')"), "name.0.given", ["An"]),
    (operation("replace", "Patient.name.last().text", value={"valueString": "L"}), "name.1.text", "L"),
    (operation("replace", "Patient.name.first().given[1]", value={"valueString": "B"}), "name.0.given", ["Wei", "B"]),
    (operation("replace", "Patient.deceased", value={"valueDateTime": "2020"}), "deceasedDateTime", "2020"),
    (operation("replace", "Patient.deceased", value={"valueDateTime": "2020"}), "deceasedBoolean", None),
    (REPLACE_EXTENSION, "extension.0.valueString", "s"),
    (operation("move", "Patient.name", source=1, destination=0), "name.0.use", "usual"),
    (operation("move", GIVEN, source=1, destination=0), "name.0._given", [{"id": "g"}, None]),
]  # fmt: skip

BAD_PATH_PATCHES = [
    (422, operation("add", "Patient", name="active", value={"valueBoolean": True})),
    (422, operation("add", "Patient", name="deceased", value={"valueBoolean": True})),
    (422, operation("add", "Patient", name="multipleBirth", value={"valueString": "x"})),
    (422, operation("add", "Patient", name="nothing", value={"valueBoolean": True})),
    (422, operation("add", "Patient.name", name="text", value={"valueString": "x"})),
    (422, operation("add", "Patient.active", name="text", value={"valueString": "x"})),
    (422, operation("delete", "Patient.name")),
    (422, operation("delete", "Patient")),
    (422, operation("replace", "Patient.gender", value={"valueCode": "male"})),
    (422, operation("replace", "Patient", value={"valueCode": "male"})),
    (422, operation("insert", "Patient.name", index=3, value={"valueHumanName": {}})),
    (422, operation("insert", "Patient.active", index=0, value={"valueBoolean": True})),
    (422, operation("move", "Patient.name", source=0, destination=2)),
    (400, operation("move", "Patient.name", source=0)),
    (400, operation("move", "Patient.name", source=-1, destination=0)),
    (400, operation("jump", "Patient.name")),
    (400, operation("add", "Patient", name="gender")),
    (400, operation("add", "Patient", name="gender", value={"valueCode": "male", "_valueCode": {"id": "x"}})),
    (400, operation("delete", "Patient.name[")),
    (400, operation("delete", "Patient.name.select(given)")),
    (400, operation("delete", "Patient.name.where()")),
    (400, operation("delete", "Patient.name.where(1 + )")),
    (400, operation("delete", "Patient.name.where(1" + " + 1" * 3000 + " = 1)")),
    (400, {"name": "step"}),
    (400, {"name": "operation"}),
]


@pytest.mark.parametrize(("step", "path", "wanted"), PATH_PATCHES)
def test_fhirpath_patch_does_what_it_says(step: dict[str, Any], path: str, wanted: Any) -> None:
    before = json.dumps(PATIENT, default=str)
    assert at(patched(step), path) == wanted
    assert json.dumps(PATIENT, default=str) == before


@pytest.mark.parametrize(("status", "step"), BAD_PATH_PATCHES)
def test_fhirpath_patch_says_which_operation_fails(status: int, step: dict[str, Any]) -> None:
    with pytest.raises(Problem) as caught:
        patched(operation("delete", "Patient.gender"), step)
    assert (caught.value.status, caught.value.issues[0].expression) == (status, "Parameters.parameter[1]")
