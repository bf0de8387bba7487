"""How single things are read: changes, values, flags, ages, names, units; without a browser."""

from decimal import Decimal
from typing import Any

import pytest

from commonweal.fhir import codec
from commonweal.web import said
from commonweal.web.language import ENGLISH, Languages, speaking
from commonweal.web.record import measured, values
from commonweal.web.record.changes import Change, changes
from commonweal.web.record.line import line
from commonweal.web.record.person import summary
from commonweal.web.record.rows import rows

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [Change("changed", "a", "1", "2")]),
        ({}, {"a": "x"}, [Change("added", "a", "", "x")]),
        ({"a": "x"}, {}, [Change("removed", "a", "x")]),
        ({"meta": {"versionId": "1"}}, {"meta": {"versionId": "2"}}, []),
        ({"v": Decimal("1.0")}, {"v": Decimal("1.00")}, [Change("changed", "v", "1.0", "1.00")]),
        ({"v": True}, {"v": 1}, [Change("changed", "v", "true", "1")]),
        ({"n": ["a", "b"]}, {"n": ["b"]}, [Change("removed", "n[0]", "a")]),
        ({"n": ["a"]}, {"n": ["b"]}, [Change("changed", "n[0]", "a", "b")]),
        (
            {"t": [{"system": "phone", "value": "1"}, {"system": "email", "value": "e"}]},
            {"t": [{"system": "email", "value": "e"}, {"system": "phone", "value": "2"}]},
            [Change("changed", "t[1].value", "1", "2")],
        ),
        ({"t": [{"use": "a"}]}, {"t": [{"use": "a"}, {"b": 1}]}, [Change("added", "t[1]", "", '{"b":1}')]),
    ],
)  # fmt: skip
def test_what_changed_is_told_by_path(before: Json, after: Json, told: list[Change]) -> None:
    assert changes(before, after) == told


@pytest.mark.parametrize(
    ("born", "on", "age"),
    [
        ("2026-11-20", "2026-11-25", "5 days"),
        ("2026-11-24", "2026-11-25", "1 day"),
        ("2026-10-01", "2026-11-25", "7 weeks"),
        ("2025-11-26", "2026-11-25", "11 months"),
        ("2000-02-29", "2026-02-28", "25 years"),
        ("2000-02-29", "2026-03-01", "26 years"),
        ("1951", "2026-11-25", "about 75 years"),
        ("2027-01-01", "2026-11-25", ""),
        ("unknown", "2026-11-25", ""),
    ],
)
def test_an_age_is_said_as_people_say_it(born: str, on: str, age: str) -> None:
    assert said.age(born, on) == age


@pytest.mark.parametrize(
    ("text", "english", "chinese"),
    [
        ("2018-10-15T13:03:49+08:00", "15 Oct 2018 13:03", "2018年10月15日 13:03"),
        ("2018-10", "Oct 2018", "2018年10月"),
        ("2018", "2018", "2018"),
        ("2018-02-31", "2018-02-31", "2018-02-31"),
        ("soon", "soon", "soon"),
    ],
)
def test_a_date_keeps_its_precision_and_its_zone(text: str, english: str, chinese: str) -> None:
    assert said.moment(text) == english
    with speaking(Languages([]).all[1]):
        assert said.moment(text) == chinese


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"value": Decimal("5.4"), "unit": "%"}, "5.4%"),
        ({"value": Decimal("120"), "unit": "mm[Hg]"}, "120 mmHg"),
        ({"value": Decimal("18.507797"), "unit": "kg/m2"}, "18.51 kg/m2"),
        ({"value": Decimal("0.00401234"), "unit": "mg"}, "0.00401 mg"),
        ({"value": Decimal("180.000"), "unit": "cm"}, "180 cm"),
        ({"value": Decimal("1234567.50"), "code": "{score}"}, "1,234,567.50 score"),
        ({"comparator": "<", "value": 3, "unit": "mmol/L"}, "<3 mmol/L"),
        ({"unit": "mg"}, "mg"),
    ],
)
def test_a_quantity_is_written_for_reading(value: Json, text: str) -> None:
    assert values.quantity(value) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ({"family": "欧阳", "given": ["秀英"]}, "欧阳秀英"),
        ({"family": "Li", "given": ["Gui", "Lan"], "prefix": ["Dr"]}, "Dr Gui Lan Li"),
        ({"text": "as written", "family": "Li"}, "as written"),
        ({}, ""),
    ],
)
def test_a_name_is_put_together_as_its_language_does(name: Json, text: str) -> None:
    assert values.name(name) == text


def observation(**more: Any) -> Json:
    return codec.parse(
        codec.encode({"resourceType": "Observation", "id": "1", "code": {"text": "K"}, **more})
    )


BETWEEN = [{"low": {"value": 3.5, "unit": "mmol/L"}, "high": {"value": 5.1, "unit": "mmol/L"}}]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"valueQuantity": {"value": 4, "unit": "mmol/L"}, "referenceRange": BETWEEN}, []),
        ({"valueQuantity": {"value": 6, "unit": "mmol/L"}, "referenceRange": BETWEEN}, ["Above range"]),
        ({"valueQuantity": {"value": 3, "unit": "mmol/L"}, "referenceRange": BETWEEN}, ["Below range"]),
        ({"valueQuantity": {"value": 6, "unit": "mg/dL"}, "referenceRange": BETWEEN}, []),
        ({"valueQuantity": {"value": 6, "unit": "mmol/L"}, "referenceRange": BETWEEN * 2}, []),
        ({"interpretation": [{"coding": [{"code": "HH"}]}], "valueString": "x"}, ["Critically high"]),
        ({"interpretation": [{"coding": [{"code": "zz"}], "text": "odd"}], "valueString": "x"}, ["odd"]),
        ({"interpretation": [{"text": "odd"}], "valueBoolean": True}, ["odd"]),
    ],
)
def test_a_flag_is_the_laboratorys_or_follows_from_the_one_range(more: Json, words: list[str]) -> None:
    assert [flag.word for flag in line(observation(**more)).flags] == words


def test_a_value_of_any_type_is_said() -> None:
    for more, text in (
        ({"valueCodeableConcept": {"text": "Negative"}}, "Negative"),
        ({"valueInteger": 3}, "3"),
        ({"valueRange": {"low": {"value": 1, "unit": "g"}}}, "≥ 1 g"),
        ({"valueSampledData": {"origin": {"value": 0}, "period": 1, "dimensions": 1}}, "…"),
        ({"dataAbsentReason": {"text": "Not done"}}, "Not done"),
    ):
        assert measured.one_line(measured.measured(observation(**more))) == text


def test_no_known_allergy_is_not_the_same_as_nothing_recorded() -> None:
    code = {"coding": [{"system": "http://snomed.info/sct", "code": "716186003"}]}
    known = summary([{"resourceType": "AllergyIntolerance", "code": code}])
    assert known.none_known and not known.allergies
    assert not summary([]).none_known


def test_what_was_refuted_or_has_ended_is_not_current() -> None:
    refuted = {"coding": [{"code": "refuted"}]}
    conditions: list[Json] = [
        {"resourceType": "Condition", "code": {"text": "a"}, "verificationStatus": refuted},
        {"resourceType": "Condition", "code": {"text": "b"}, "abatementDateTime": "2020"},
        {
            "resourceType": "Condition",
            "code": {"text": "c"},
            "clinicalStatus": {"coding": [{"code": "resolved"}]},
        },
        {"resourceType": "Condition", "code": {"text": "d"}},
    ]
    assert [each.line.title for each in summary(conditions).problems] == ["d"]


def test_a_resource_is_shown_to_the_last_element() -> None:
    resource = {
        "resourceType": "Patient",
        "_birthDate": {
            "extension": [{"url": "http://example.org/time", "valueDateTime": "1951-03-08T10:00:00Z"}]
        },
        "contact": [{"name": {"text": "Son"}, "telecom": [{"value": "1"}] * 60}],
        "extension": [
            {"url": "http://example.org/place", "extension": [{"url": "city", "valueString": "Qinghe"}]}
        ],
    }
    shown = {row.name: row for row in rows(resource, "Patient")}
    contact = {row.name: row for row in shown["contact"].groups[0]}
    assert contact["name"].values[0].text == "Son" and contact["telecom"].more == 10
    assert shown["http://example.org/place"].groups[0][0].values[0].text == "Qinghe"
    assert shown["http://example.org/time"].label == "Birth date: Time"


def test_the_language_is_the_first_we_have() -> None:
    languages = Languages([])
    for header, tag in (
        ("zh-CN,zh;q=0.9", "zh-Hans"), ("fr, zh-Hans;q=0.5, en;q=0.4", "zh-Hans"), ("fr", "en"), ("", "en"),
        ("en;q=0, zh", "zh-Hans"), ("zh-TW", "zh-Hans"), ("*", "en"), ("en-GB", "en"), (";;;,q=", "en"),
    ):  # fmt: skip
        assert languages.accepted(header).tag == tag
    assert Languages([], "zh").accepted("fr").tag == "zh-Hans"
    assert languages.named("") is None and languages.named("en") is ENGLISH
