"""Bad input, a row each: what is sent, and the status, code and place of every issue that is told."""

import json
from decimal import Decimal
from typing import Any

import pytest

from commonweal.fhir import codec
from commonweal.fhir.limits import LIMITS
from commonweal.fhir.outcome import CATALOGUE, Problem, outcome

OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
}


def problem_of(body: bytes) -> Problem:
    with pytest.raises(Problem) as caught:
        codec.check(body)
    return caught.value


def patient(**elements: Any) -> bytes:
    return json.dumps({"resourceType": "Patient"} | elements).encode()


def observation(**elements: Any) -> bytes:
    return json.dumps(OBSERVATION | elements).encode()


def extended(**value: Any) -> bytes:
    return patient(extension=[{"url": "http://example.org/x"} | value])


UNREADABLE = [
    (b"", "cw-not-json"),
    (b"  ", "cw-not-json"),
    (b"{", "cw-not-json"),
    (b'{"resourceType":"Patient"}x', "cw-not-json"),
    (b'{"resourceType":"Patient","active":True}', "cw-not-json"),
    (b'{"resourceType":"Patient","multipleBirthInteger":01}', "cw-not-json"),
    (b'{"resourceType":"Observation","valueQuantity":{"value":NaN}}', "cw-not-json"),
    (b'{"resourceType":"Patient","id":"\x01"}', "cw-not-json"),
    (b'\xef\xbb\xbf{"resourceType":"Patient"}', "cw-not-json"),
    (b'{"resourceType":"Patient","id":"\xff"}', "cw-not-utf8"),
    (b'{"resourceType":"Patient","id":"\xed\xa0\x80"}', "cw-not-utf8"),
    (b'{"resourceType":"Patient","id":"\\ud800"}', "cw-not-json"),
    (b'{"resourceType":"Patient","multipleBirthInteger":' + b"1" * 5000 + b"}", "cw-number-too-large"),
    (b'{"resourceType":"Patient","multipleBirthInteger":1e99999999999999999999}', "cw-number-too-large"),
    (b"[" * 10_000 + b"]" * 10_000, "cw-too-deep"),
    (b"[" * 2_000_000, "cw-too-deep"),
    (b'{"a":' * 65 + b"1" + b"}" * 65, "cw-too-deep"),
    (b"[]", "cw-not-a-resource"),
    (b"1", "cw-not-a-resource"),
    (b"null", "cw-not-a-resource"),
    (b"{}", "cw-not-a-resource"),
    (b'{"resourceType":"Person"', "cw-not-json"),
    (b'{"resourceType":"Nobody"}', "cw-not-a-resource"),
    (b'{"resourceType":["Patient"]}', "cw-not-a-resource"),
    (b'{"resourceType":"Resource"}', "cw-not-a-resource"),
    (b'{"resourceType":"HumanName"}', "cw-not-a-resource"),
]


@pytest.mark.parametrize(("body", "code"), UNREADABLE)
def test_what_cannot_be_read_is_refused_with_400(body: bytes, code: str) -> None:
    problem = problem_of(body)
    assert (problem.status, [issue.details for issue in problem.issues]) == (400, [code])


TWICE = [
    (b'{"resourceType":"Patient","active":true,"active":true}', ["Patient"]),
    (b'{"resourceType":"Patient" , "active" :true,"active":true}', ["Patient"]),
    (b'{"resourceType":"Patient","id":"\\u0022:","active":true,"active":true}', ["Patient"]),
    (b'{"resourceType":"Patient","active":true,"\\u0061ctive":true}', ["Patient"]),
    (b'{"resourceType":"Patient","resourceType":"Patient"}', ["Patient"]),
    (b'{"resourceType":"Patient","name":[{"family":"a"},{"family":"a","family":"b"}]}', ["Patient.name[1]"]),
    (b'{"resourceType":"Patient","id":"a","id":{"b":1,"b":2}}', ["Patient", "Patient.id"]),
    (b'{"resourceType":"Nobody","a":1,"a":1}', ["$this"]),
]


@pytest.mark.parametrize(("body", "places"), TWICE)
def test_a_key_that_comes_twice_is_refused_where_it_does(body: bytes, places: list[str]) -> None:
    problem = problem_of(body)
    assert problem.status == 400
    assert {issue.details for issue in problem.issues} == {"cw-duplicate-key"}
    assert [issue.expression for issue in problem.issues] == places


@pytest.mark.parametrize(
    "body",
    [
        b'{"resourceType":"Patient","id":"a"}',
        b'{ "resourceType" : "Patient" ,\r\n\t"id" : "a" }',
        b'{"resourceType":"Patient","name":[{"text":"\\":\\": ,"}]}',
        b'{"resourceType":"Patient","name":[{"text":"\\u738b\\/:\\u0022:"}]}',
        '{"resourceType":"Patient","name":[{"text":"王 小明: null {} []"}]}'.encode(),
        b'{"resourceType":"Patient","name":[{"given":["a"]},{"given":["a"]}]}',
    ],
)
def test_keys_that_only_look_alike_are_accepted(body: bytes) -> None:
    assert codec.check(body) == json.loads(body)


MALFORMED = [
    (patient(foo=1), "cw-unknown-element", "Patient.foo"),
    (patient(**{"not a name": 1}), "cw-unknown-element", "Patient"),
    (patient(_name=[{}]), "cw-unknown-element", "Patient._name"),
    (patient(_id={"id": "a"}), "cw-unknown-element", "Patient._id"),
    (patient(contact=[{"name": {"familie": "a"}}]), "cw-unknown-element", "Patient.contact[0].name.familie"),
    (patient(name=[{"resourceType": "HumanName"}]), "cw-unknown-element", "Patient.name[0].resourceType"),
    (patient(contact=[{"name": {"family": 5}}]), "cw-wrong-type", "Patient.contact[0].name.family"),
    (patient(active="true"), "cw-wrong-type", "Patient.active"),
    (patient(active=1), "cw-wrong-type", "Patient.active"),
    (patient(name={"family": "a"}), "cw-wrong-type", "Patient.name"),
    (patient(name=["a"]), "cw-wrong-type", "Patient.name[0]"),
    (patient(gender=["male"]), "cw-wrong-type", "Patient.gender"),
    (patient(multipleBirthInteger=1.0), "cw-wrong-type", "Patient.multipleBirth.ofType(integer)"),
    (patient(multipleBirthInteger=True), "cw-wrong-type", "Patient.multipleBirth.ofType(integer)"),
    (patient(_birthDate="a"), "cw-wrong-type", "Patient.birthDate"),
    (patient(contained=["a"]), "cw-wrong-type", "Patient.contained[0]"),
    (patient(contained=[None]), "cw-wrong-type", "Patient.contained[0]"),
    (
        observation(valueQuantity={"value": "1.0"}),
        "cw-wrong-type",
        "Observation.value.ofType(Quantity).value",
    ),
    (observation(valueInteger=2**31), "cw-bad-value", "Observation.value.ofType(integer)"),
    (observation(valueInteger=2**70), "cw-bad-value", "Observation.value.ofType(integer)"),
    (patient(active=None), "cw-null", "Patient.active"),
    (patient(name=[None]), "cw-null", "Patient.name[0]"),
    (patient(name=[{"given": ["a", None]}]), "cw-null", "Patient.name[0].given[1]"),
    (patient(name=[{"given": [None], "_given": [{"id": "a"}, None]}]), "cw-null", "Patient.name[0].given[1]"),
    (patient(name=[]), "cw-empty", "Patient.name"),
    (patient(name=[{}]), "cw-empty", "Patient.name[0]"),
    (patient(_birthDate={}), "cw-empty", "Patient.birthDate"),
    (patient(id=""), "cw-bad-value", "Patient.id"),
    (patient(id="a" * 65), "cw-bad-value", "Patient.id"),
    (patient(id="a_b"), "cw-bad-value", "Patient.id"),
    (patient(id="a\n"), "cw-bad-value", "Patient.id"),
    (patient(name=[{"family": ""}]), "cw-bad-value", "Patient.name[0].family"),
    (patient(name=[{"family": " \n"}]), "cw-bad-value", "Patient.name[0].family"),
    (patient(name=[{"family": "a\u0000"}]), "cw-bad-value", "Patient.name[0].family"),
    (patient(name=[{"family": "a\u001f"}]), "cw-bad-value", "Patient.name[0].family"),
    (patient(name=[{"family": "a" * (1024 * 1024 + 1)}]), "cw-bad-value", "Patient.name[0].family"),
    (patient(birthDate="2023-02-30"), "cw-bad-value", "Patient.birthDate"),
    (patient(birthDate="2023-02-29"), "cw-bad-value", "Patient.birthDate"),
    (patient(birthDate="1900-02-29"), "cw-bad-value", "Patient.birthDate"),
    (patient(birthDate="0000-01-01"), "cw-bad-value", "Patient.birthDate"),
    (patient(birthDate="2023-13"), "cw-bad-value", "Patient.birthDate"),
    (patient(birthDate="2023-1-1"), "cw-bad-value", "Patient.birthDate"),
    (patient(birthDate="\uff12\uff10\uff12\uff13-01-01"), "cw-bad-value", "Patient.birthDate"),
    (patient(birthDate="2023-01-01T00:00:00Z"), "cw-bad-value", "Patient.birthDate"),
    (patient(deceasedDateTime="2023-01-01T00:00:00"), "cw-bad-value", "Patient.deceased.ofType(dateTime)"),
    (patient(deceasedDateTime="2023-01-01T24:00:00Z"), "cw-bad-value", "Patient.deceased.ofType(dateTime)"),
    (patient(deceasedDateTime="2023-01-01T00:00Z"), "cw-bad-value", "Patient.deceased.ofType(dateTime)"),
    (
        patient(deceasedDateTime="2023-01-01T00:00:00+14:01"),
        "cw-bad-value",
        "Patient.deceased.ofType(dateTime)",
    ),
    (patient(meta={"lastUpdated": "2023-01-01"}), "cw-bad-value", "Patient.meta.lastUpdated"),
    (patient(implicitRules="a b"), "cw-bad-value", "Patient.implicitRules"),
    (patient(language="en  GB"), "cw-bad-value", "Patient.language"),
    (patient(photo=[{"data": "QUJD="}]), "cw-bad-value", "Patient.photo[0].data"),
    (patient(photo=[{"data": "QU*D"}]), "cw-bad-value", "Patient.photo[0].data"),
    (patient(photo=[{"data": "QUJD " * 30 + "*"}]), "cw-bad-value", "Patient.photo[0].data"),
    (observation(valueTime="24:00:00"), "cw-bad-value", "Observation.value.ofType(time)"),
    (extended(valueUuid="urn:uuid:x"), "cw-bad-value", "Patient.extension[0].value.ofType(uuid)"),
    (extended(valueOid="urn:oid:1.02"), "cw-bad-value", "Patient.extension[0].value.ofType(oid)"),
    (extended(valuePositiveInt=0), "cw-bad-value", "Patient.extension[0].value.ofType(positiveInt)"),
    (extended(valueUnsignedInt=-1), "cw-bad-value", "Patient.extension[0].value.ofType(unsignedInt)"),
    (extended(valueString="a", _valueCode={"id": "a"}), "cw-too-many-choices", "Patient.extension[0].value"),
    (patient(extension=[{"valueString": "a"}]), "cw-missing-element", "Patient.extension[0].url"),
    (patient(deceasedBoolean=True, deceasedDateTime="2020"), "cw-too-many-choices", "Patient.deceased"),
    (patient(gender="m"), "cw-unknown-code", "Patient.gender"),
    (observation(status=None), "cw-null", "Observation.status"),
    (b'{"resourceType":"Observation","code":{"text":"a"}}', "cw-missing-element", "Observation.status"),
    (b'{"resourceType":"Observation","status":"final"}', "cw-missing-element", "Observation.code"),
    (b'{"resourceType":"Bundle"}', "cw-missing-element", "Bundle.type"),
    (patient(contained=[{"resourceType": "X"}]), "cw-not-a-resource", "Patient.contained[0]"),
    (patient(contained=[{"resourceType": ["X"]}]), "cw-not-a-resource", "Patient.contained[0]"),
    (patient(contained=[{"id": "a"}]), "cw-not-a-resource", "Patient.contained[0]"),
    (
        patient(contained=[{"resourceType": "Patient", "id": "-", "x": 1}]),
        "cw-unknown-element",
        "Patient.contained[0].x",
    ),
    (patient(text={"div": "<div>a</div>"}), "cw-missing-element", "Patient.text.status"),
]


@pytest.mark.parametrize(("body", "code", "place"), MALFORMED)
def test_what_breaks_the_structure_is_refused_with_its_place(body: bytes, code: str, place: str) -> None:
    problem = problem_of(body)
    assert problem.status == 422
    assert [(issue.details, issue.expression) for issue in problem.issues] == [(code, place)]
    assert CATALOGUE[code].code == problem.issues[0].code


def test_places_inside_bundles_and_parameters_are_told() -> None:
    inner = {"resourceType": "Patient", "birthDate": "x"}
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"resource": inner}, {"response": {"status": "400"}}],
    }
    bundle["entry"][1]["response"]["outcome"] = {"resourceType": "OperationOutcome"}
    parameters = {
        "resourceType": "Parameters",
        "parameter": [{"name": "a", "part": [{"name": "b", "resource": inner}]}],
    }
    assert [issue.expression for issue in problem_of(json.dumps(bundle).encode()).issues] == [
        "Bundle.entry[0].resource.birthDate",
        "Bundle.entry[1].response.outcome.issue",
    ]
    assert [issue.expression for issue in problem_of(json.dumps(parameters).encode()).issues] == [
        "Parameters.parameter[0].part[0].resource.birthDate"
    ]


def test_every_fault_is_told_up_to_the_limit() -> None:
    problem = problem_of(patient(birthDate="x", gender="m", name=[{"family": 5}, {"use": "x"}], active="no"))
    assert len(problem.issues) == 5
    assert len(problem_of(patient(name=[{"family": 5}] * 5000)).issues) == LIMITS.issues


@pytest.mark.parametrize(
    "body",
    [
        patient(birthDate="2024-02-29", deceasedDateTime="2016-12-31T23:59:60Z"),
        patient(birthDate="2000-02-29", deceasedDateTime="9999-12-31T23:59:59.123456789-14:00"),
        patient(_birthDate={"extension": [{"url": "http://example.org/x", "valueCode": "unknown"}]}),
        patient(name=[{"given": ["a", None], "_given": [None, {"id": "x"}]}]),
        patient(name=[{"given": [None], "_given": [{"id": "x"}]}]),
        patient(name=[{"family": "王\u3000", "text": "a\tb\r\nc"}]),
        patient(photo=[{"data": "QUJD\nQUI="}]),
        patient(deceasedBoolean=False, _deceasedBoolean={"id": "x"}),
        observation(status="final", _status={"id": "x"}),
        json.dumps({"resourceType": "Observation", "_status": {"id": "x"}, "code": {"text": "a"}}).encode(),
        json.dumps({"resourceType": "Parameters"}).encode(),
    ],
)
def test_unusual_but_right_is_accepted_and_has_a_typed_view(body: bytes) -> None:
    resource = codec.check(body)
    assert codec.parse(codec.encode(codec.decode(resource["resourceType"], body))) == resource


@pytest.mark.parametrize(
    "digits", ["1.00", "0.10", "72.5", "-0.0", "1e2", "1.50e2", "1E-7", "1", "9" * 40 + ".5", "1e308"]
)
def test_decimals_keep_value_and_precision(digits: str) -> None:
    body = observation(valueQuantity={"value": 0}).replace(b'"value": 0', b'"value": ' + digits.encode())
    back = codec.parse(codec.encode(codec.check(body)))["valueQuantity"]["value"]
    typed = codec.parse(codec.encode(codec.decode("Observation", body)))["valueQuantity"]["value"]
    assert Decimal(back).as_tuple() == Decimal(typed).as_tuple() == Decimal(digits).as_tuple()


@pytest.mark.parametrize("digits", ["1e309", "1e-309", "1e400000000", "-1e-400000000", "9" * 400])
def test_decimals_beyond_a_double_are_refused(digits: str) -> None:
    body = observation(valueQuantity={"value": 0}).replace(b'"value": 0', b'"value": ' + digits.encode())
    assert [issue.details for issue in problem_of(body).issues] == ["cw-bad-value"]


def test_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LIMITS, "resource_bytes", 100)
    monkeypatch.setattr(LIMITS, "bundle_bytes", 1000)
    monkeypatch.setattr(LIMITS, "entries", 2)
    monkeypatch.setattr(LIMITS, "values", 20)
    assert problem_of(patient(language="a" * 100)).status == 413
    assert problem_of(b" " * 1001).status == 413
    assert [(issue.details, issue.expression) for issue in problem_of(b"[{}" + b",{}" * 10).issues] == [
        ("cw-too-many", None)
    ]
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"resource": json.loads(patient())}] * 3,
    }
    assert codec.check(json.dumps(bundle | {"entry": bundle["entry"][:2]}).encode())
    assert [issue.details for issue in problem_of(json.dumps(bundle).encode()).issues] == ["cw-too-many"]


def test_another_type_than_asked_for_is_refused() -> None:
    with pytest.raises(Problem) as caught:
        codec.check(patient(), "Observation")
    assert (caught.value.status, caught.value.issues[0].details) == (400, "cw-type-mismatch")


def test_a_problem_reads_as_one_sentence_and_its_outcome_is_a_valid_resource() -> None:
    problem = problem_of(patient(birthDate="x", gender="m"))
    assert str(problem).startswith("'x' is not a valid date:") and "(and 1 more)" in str(problem)
    for issues in (problem.issues, ()):
        assert codec.check(codec.encode(outcome(issues)), "OperationOutcome")
