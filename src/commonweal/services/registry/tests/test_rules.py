"""The cases of the rules, as the manual prints them."""

import base64
import json
from typing import Any

from commonweal.platform import Decision
from commonweal.services.registry.rules import consents, households, numbers, people, places
from commonweal.services.registry.rules.people import Known
from commonweal.services.registry.rules.places import Surroundings

Json = dict[str, Any]
Row = dict[str, str]
SYSTEMS = {
    "resident": numbers.RESIDENT,
    "abha": numbers.ABHA,
    "aadhaar": numbers.AADHAAR,
    "credit": numbers.CREDIT,
    "division": numbers.DIVISION,
}
TYPES = {"PPN": numbers.IDENTIFIER_TYPES, "MR": numbers.IDENTIFIER_TYPES, "ADN": numbers.INDIAN_TYPES}


def told(decision: Decision) -> str:
    """As the tables write a decision."""
    return "; ".join(decision.reasons or ("yes",))


def coded(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def test_is_resident_number(row: Row) -> None:
    assert told(numbers.is_resident_number(row["number"])) == row["answer"]


def test_may_identify(row: Row) -> None:
    identifier: Json = {"value": row["value"]}
    if row["system"]:
        identifier["system"] = SYSTEMS.get(row["system"], row["system"])
    if row["type"]:
        identifier["type"] = coded(TYPES[row["type"]], row["type"])
    assert told(numbers.may_identify(identifier)) == row["answer"]


def test_no_reason_repeats_the_number() -> None:
    for system in (*numbers.CHECKS, numbers.PASSPORT + "CHN"):
        decision = numbers.may_identify({"system": system, "value": "secret-7"})
        assert decision.reasons and "secret-7" not in told(decision)


def _person(number: str, born: str) -> Json:
    identifier = [{"system": numbers.RESIDENT, "value": number}]
    return {"resourceType": "Patient", "identifier": identifier} | ({"birthDate": born} if born else {})


def test_may_be_identified(row: Row) -> None:
    before = _person(*row["before"].split()) if row["before"] else None
    taken = frozenset({(numbers.RESIDENT, row["number"])} if row["taken"] == "yes" else ())
    person = _person(row["number"], row["birth date"])
    assert told(people.may_be_identified(person, Known(before, taken))) == row["answer"]


def test_may_be_unnamed(row: Row) -> None:
    person: Json = {"name": [{"use": row["name use"], "text": "somebody"}]}
    person |= {"contact": [{"relationship": [coded(people.ROLES, "MTH")]}]} if row["mother"] == "yes" else {}
    person |= {"gender": row["sex"]} if row["sex"] else {}
    person |= {"birthDate": row["born"]} if row["born"] else {}
    if row["order"] == "false":
        person["multipleBirthBoolean"] = False
    elif row["order"]:
        person["multipleBirthInteger"] = int(row["order"])
    if row["temporary number"] == "yes":
        person["identifier"] = [{"use": "temp", "value": "unknown man 3"}]
    assert told(people.may_be_unnamed(person)) == row["answer"]


def test_may_be_provisional(row: Row) -> None:
    person: Json = {"id": "x", "link": []}
    if row["number's use"]:
        person["identifier"] = [{"system": numbers.RESIDENT, "value": "1", "use": row["number's use"]}]
    if row["with"]:
        person["link"] = [{"other": {"reference": row["with"]}, "type": "seealso"}]
    assert told(people.may_be_provisional(person)) == row["answer"]


def test_may_merge(row: Row) -> None:
    values = {"A": "330106198803150026", "B": "11010519491231002X"}

    def record(id: str, number: str) -> Json:
        person: Json = {"id": id} | (_person(values[number], "") if number else {})
        link = {"other": {"reference": "Patient/else"}, "type": "replaced-by"}
        return person | ({"link": [link]} if id == "gone" else {})

    source, target = record(row["first"], row["its own"]), record(row["second"], row["also"])
    assert told(people.may_merge(source, target)) == row["answer"]


def test_may_be_household(row: Row) -> None:
    def reference(letter: str) -> Json:
        return {"reference": f"{'Organization' if letter == 'O' else 'Patient'}/{letter}"}

    def said(code: str, what: Json) -> Json:
        return {"code": coded(households.HOUSEHOLD, code), "valueReference": what, "exclude": False}

    members = [
        {"entity": reference(each[-1])} | ({"inactive": True} if each[0] == "-" else {})
        for each in row["members"].split()
    ]
    heads = [said("head", reference(each)) for each in row["heads"].split()]
    at = [said("place", {"reference": "Location/here"})] * int(row["places"])
    group = {"resourceType": "Group", "member": members, "characteristic": [*heads, *at]}
    assert told(households.may_be_household(group)) == row["answer"]


def test_may_lie_there(row: Row) -> None:
    found = Surroundings(tuple(row["around"].split()), row["missing"] == "yes", levels_most=3)
    assert told(places.may_lie_there({"id": "x"}, found)) == row["answer"]


def test_is_boundary(row: Row) -> None:
    data = base64.b64encode(row["shape"].encode()).decode()
    assert told(places.is_boundary(data, 200, 6)) == row["answer"]


def test_a_boundary_that_is_too_large_is_not_even_read() -> None:
    assert told(places.is_boundary("A" * 1000, 200, 6)) == "a boundary has at most 200 bytes"


def test_a_boundary_nested_without_end_is_refused() -> None:
    data = base64.b64encode(('{"type":"Polygon","coordinates":' + "[" * 5000).encode()).decode()
    assert not places.is_boundary(data, 100_000, 6)


def test_a_place_has_one_boundary() -> None:
    square = {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [0, 0]]]}
    data = base64.b64encode(json.dumps(square).encode()).decode()
    extension = {
        "url": places.BOUNDARY,
        "valueAttachment": {"contentType": "application/geo+json", "data": data},
    }
    assert places.may_reach({"extension": [extension]}, Surroundings())
    assert (
        told(places.may_reach({"extension": [extension] * 2}, Surroundings())) == "a place has one boundary"
    )


def test_may_stand(row: Row) -> None:
    consent: Json = {"scope": {"text": "x"}} if row["scope"] == "yes" else {}
    consent |= {"category": [{"text": "x"}]} if row["category"] == "yes" else {}
    consent |= {"patient": {"reference": "Patient/x"}} if row["patient"] == "yes" else {}
    period = {"period": {"end": row["until"]}} if row["until"] else {}
    consent["provision"] = {"type": row["type"]} | period
    consent |= {"organization": [{"reference": "Organization/x"}]} if row["reviewer"] == "yes" else {}
    assert told(consents.may_stand(consent)) == row["answer"]
