"""Search parameters that services ship work like R4's own, on either store: https://hl7.org/fhir/R4/searchparameter.html."""

from typing import Any

import pytest

from commonweal.access.reach import EVERYTHING
from commonweal.fhir.search.index import extract
from commonweal.fhir.search.parameters import Registry
from commonweal.fhir.search.query import parse
from commonweal.platform.catalogue import Catalogue, Definitions
from commonweal.platform.ports import Change
from commonweal.platform.service import Service
from tests.store.contract.speaking import audited

Json = dict[str, Any]
URL = "http://example.org/SearchParameter/"
WARD, DOSE = "http://example.org/ward", "http://example.org/dose"


def parameter(code: str, type: str, base: str, expression: str, **words: Any) -> Json:
    head = {"resourceType": "SearchParameter", "id": code, "url": URL + code, "status": "active"}
    return head | {"code": code, "type": type, "base": [base], "expression": expression, **words}


NICKNAME = "name.where(use = 'nickname' and given.exists()).given.first()"
PARTS = [
    {"definition": URL + "dose", "expression": "value"},
    {"definition": URL + "ward", "expression": "value"},
]
OWN = [
    parameter("nickname", "string", "Patient", f"Patient.{NICKNAME}"),
    parameter("names", "number", "Patient", "Patient.name.count()"),
    parameter("is-named", "token", "Patient", "Patient.name.exists()"),
    parameter("known-since", "date", "Patient", "Patient.contact.period"),
    parameter(
        "ward", "reference", "Patient", f"Patient.extension.where(url = '{WARD}').value", target=["Location"]
    ),
    parameter(
        "dose", "quantity", "Patient", f"Patient.extension.where(url = '{DOSE}').value.ofType(Quantity)"
    ),
    parameter("speaks", "token", "Patient", "Patient.communication.where(preferred = true).language"),
    parameter(
        "speaks-preferred",
        "composite",
        "Patient",
        "Patient.communication",
        component=[
            {"definition": "http://hl7.org/fhir/SearchParameter/Patient-language", "expression": "language"},
            {"definition": URL + "speaks", "expression": "language"},
        ],
    ),
]
CATALOGUE = Catalogue([Service("dummy", "Dummy")], {"dummy": Definitions(OWN)})


@pytest.fixture(scope="session")
def registry() -> Registry:
    """That of the PostgreSQL store in this module."""
    return CATALOGUE.registry


def patient(id: str) -> Json:
    spoken = {"coding": [{"system": "urn:ietf:bcp:47", "code": "zh"}]}
    quantity = {"value": 2, "unit": "g", "system": "http://unitsofmeasure.org", "code": "g"}
    return {
        "resourceType": "Patient",
        "id": id,
        "name": [
            {"use": "nickname", "given": ["Little Wang", "Xiao"]},
            {"use": "official", "given": ["Other"]},
        ],
        "contact": [{"name": {"text": "x"}, "period": {"start": "2020-01-01", "end": "2020-12-31"}}],
        "communication": [{"language": spoken, "preferred": True}],
        "extension": [
            {"url": WARD, "valueReference": {"reference": "Location/w"}},
            {"url": DOSE, "valueQuantity": quantity},
        ],
    }


@pytest.mark.parametrize(
    "asked, found",
    [
        ("nickname=little", True),
        ("nickname:contains=wang", True),
        ("nickname=xiao", False),
        ("nickname=other", False),
        ("nickname:missing=true", False),
        ("names=2", True),
        ("names=gt2", False),
        ("is-named=true", True),
        ("is-named=false", False),
        ("known-since=2020", True),
        ("known-since=lt2020-01-01", False),
        ("ward=Location/w", True),
        ("ward=w", True),
        ("ward=Location/v", False),
        ("dose=2000|http://unitsofmeasure.org|mg", True),
        ("dose=3||g", False),
        ("speaks=urn:ietf:bcp:47|zh", True),
        ("speaks:not=zh", False),
        ("speaks-preferred=zh$zh", True),
        ("speaks-preferred=zh$en", False),
    ],
)
async def test_they_are_found(store: Any, fresh: str, asked: str, found: bool) -> None:
    resource = patient(f"{fresh}p")
    change = Change("create", "Patient", resource["id"], resource, extract(resource, CATALOGUE.registry))
    await store.write([change], audited())
    name, _, value = asked.partition("=")
    pairs = [("_id", resource["id"]), (name, value), ("_sort", "-names,nickname")]
    query = parse("Patient", pairs, CATALOGUE.registry, lenient=False)
    page = await store.search(query, EVERYTHING)
    assert [each.id for each in page.matches] == ([resource["id"]] if found else [])
