"""Which records are sensitive by their codes, as a table; none of them needs anybody to label it."""

from typing import Any

import pytest

from commonweal.access.sensitivity import CODED, SENSITIVE, following, table

ICD, LOINC, ATC = "http://hl7.org/fhir/sid/icd-10", "http://loinc.org", "http://www.whocc.no/atc"
TABLE = [
    (ICD, "F32.1", {"PSY"}),  # depressive episode
    (ICD, "F10.2", {"PSY", "ETH"}),  # alcohol dependence
    (ICD, "B20.0", {"HIV"}),
    (ICD, "Z21", {"HIV"}),
    (ICD, "A51.0", {"STD"}),  # primary genital syphilis
    (ICD, "O04", {"SEX"}),  # medical abortion
    (ICD, "Z30.1", {"SEX"}),
    (ICD, "I10", set()),
    (ICD, "B02", set()),  # zoster
    (LOINC, "7918-6", {"HIV"}),
    (LOINC, "2106-3", {"SEX"}),
    (LOINC, "8480-6", set()),  # systolic pressure
    (ATC, "J05AR10", {"HIV"}),
    (ATC, "N06AB03", {"PSY"}),
    (ATC, "J05AH02", set()),  # oseltamivir
    ("http://example.org", "F32.1", set()),
]


def labelled(resource: dict[str, Any]) -> set[str]:
    return {label.partition("|")[2] for label in following(resource)}


@pytest.mark.parametrize("system, code, labels", TABLE)
def test_a_code_makes_its_labels(system: str, code: str, labels: set[str]) -> None:
    concept = {"coding": [{"system": "http://example.org", "code": "x"}, {"system": system, "code": code}]}
    assert labelled({"resourceType": "Condition", "code": concept}) == labels


@pytest.mark.parametrize("element", CODED)
def test_wherever_it_says_what_it_is_about(element: str) -> None:
    concept = {"coding": [{"system": ICD, "code": "B24"}]}
    assert labelled({element: concept}) == labelled({element: [concept]}) == {"HIV"}
    assert labelled({"component": [{element: concept}]}) == {"HIV"}


def test_what_says_nothing_or_something_else_is_not_sensitive() -> None:
    for odd in ({}, {"code": {"text": "HIV"}}, {"type": "F32"}, {"code": {"coding": [{"code": "F32"}]}}):
        assert following(odd) == frozenset()


def test_every_label_of_the_table_is_sensitive() -> None:
    assert {label for each in table().values() for _, label in each} == SENSITIVE
