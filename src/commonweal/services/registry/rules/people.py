"""Who a person is: their numbers, a name that is still to come, and two records found to be one person."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from commonweal.access.decision import YES
from commonweal.platform import Decision, decide
from commonweal.services.registry.rules import numbers

Json = dict[str, Any]
Number = tuple[str, str]
"""(system, value) of an identifier."""

ROLES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
ONE_PERSON = ("replaced-by", "replaces")
"""Types of Patient.link by which two records are one person: https://hl7.org/fhir/R4/valueset-link-type.html."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the record knows: the version before this one, and which of the new numbers somebody else has."""

    before: Json | None = None
    taken: frozenset[Number] = frozenset()


def may_be_identified(person: Json, known: Known) -> Decision:
    """May the numbers that are new stand on this record? Those that stood there before are not judged again."""
    decision = YES
    for identifier in new_identifiers(person, known.before):
        decision = decision & numbers.may_identify(identifier) & _fits_birth(person, identifier)
    free = not known.taken
    return decision & decide(
        (
            free,
            "this person cannot be registered in this way; ask Patient/$register, which tells the match review",
        )
    )


def new_identifiers(person: Json, before: Json | None) -> list[Json]:
    """The identifiers that this version brings; all of them when the birth date changes."""
    same = before is not None and before.get("birthDate") == person.get("birthDate")
    stood = before.get("identifier", []) if before is not None and same else []
    return [each for each in person.get("identifier", []) if each not in stood]


def keys(person: Json) -> frozenset[Number]:
    """The numbers by which there is one record only: those in force of the systems that are checked here."""
    return frozenset(
        (each["system"], each["value"])
        for each in person.get("identifier", [])
        if each.get("use") != "old" and "value" in each and numbers.check_of(each.get("system", ""))
    )


def _fits_birth(person: Json, identifier: Json) -> Decision:
    """Is a resident number's birth date the person's, as far as that is known?"""
    if identifier.get("system") != numbers.RESIDENT or "birthDate" not in person:
        return YES
    born = numbers.born(identifier.get("value", ""))
    fits = born is None or born.startswith(person["birthDate"])
    return decide((fits, "the birth date is not the one inside the resident number"))


def may_be_unnamed(person: Json, _: object = None) -> Decision:
    """May a person whose only names are temporary be recorded? A newborn of a known mother; or under a
    temporary number until it is found who it is."""
    if not is_unnamed(person) or _has_temporary_number(person):
        return YES
    order = "multipleBirthInteger" in person or person.get("multipleBirthBoolean") is False
    return decide(
        (_names_mother(person), "a newborn without a name needs its mother as a contact"),
        (order, "a newborn without a name needs its birth order, or that it is a single child"),
        ("gender" in person, "a newborn without a name needs its sex"),
        ("birthDate" in person, "a newborn without a name needs its birth date"),
    )


def is_unnamed(person: Json) -> bool:
    """Are all of its names temporary?"""
    names = person.get("name", [])
    return bool(names) and all(each.get("use") == "temp" for each in names)


def _has_temporary_number(person: Json) -> bool:
    return any(each.get("use") == "temp" and "value" in each for each in person.get("identifier", []))


def _names_mother(person: Json) -> bool:
    relations = (r for contact in person.get("contact", []) for r in contact.get("relationship", []))
    return any(numbers.is_typed({"type": each}, ROLES, "MTH") for each in relations)


def may_be_registered(person: Json) -> Decision:
    """Does a registration at a desk say enough? A name, the sex and the birth date, as far as they are known."""
    return decide(
        (person.get("name"), "a name is needed, a temporary one where there is none yet"),
        ("gender" in person, "the sex is needed, unknown where it is not known"),
        (
            "birthDate" in person or _has_temporary_number(person),
            "the birth date is needed, the year at least",
        ),
    )


LIVES_IN = "urn:commonweal:extension:lives-in"
"""Extension of a Patient: the area in which somebody lives (access/relationship.py)."""


def living_in(person: Json) -> str | None:
    """ "Location/x" of the area in which a person lives, as far as it is recorded."""
    found = (each for each in person.get("extension", []) if each.get("url") == LIVES_IN)
    return next((each.get("valueReference", {}).get("reference") for each in found), None)


def lives_in(area: Json) -> Json:
    """That somebody lives in this area (a Location)."""
    named = {"display": area["name"]} if "name" in area else {}
    return {"url": LIVES_IN, "valueReference": {"reference": f"Location/{area['id']}"} | named}


def provisional(person: Json, others: Iterable[str]) -> Json:
    """What was said of somebody whose number others ("Patient/x") have: a record that is nobody's to see until it is
    found whether they are one person."""
    said = {
        key: value
        for key, value in person.items()
        if key not in ("managingOrganization", "generalPractitioner")
    }
    kept = [each | {"use": "old"} for each in person.get("identifier", [])]
    links = [{"other": {"reference": each}, "type": "seealso"} for each in others]
    return said | {"meta": {"profile": [PROVISIONAL]}, "active": False, "identifier": kept, "link": links}


PROVISIONAL = "urn:commonweal:profile:provisional"


def may_be_provisional(person: Json, _: object = None) -> Decision:
    """May this record wait to be compared? It is in use nowhere, and says with whom it is to be compared."""
    numbered = any(each.get("use") != "old" for each in person.get("identifier", []))
    return decide(
        (not numbered, "a provisional record claims no number"),
        (linked(person, "seealso"), "a provisional record says with whom it is to be compared"),
    )


def may_merge(source: Json, target: Json) -> Decision:
    """May the source be found to be the same person as the target, whose record goes on?"""
    return decide(
        (source["id"] != target["id"], "a record cannot be merged with itself"),
        (not linked(source, "replaced-by"), "the first record was merged into another already"),
        (not linked(target, "replaced-by"), "the second record was merged into another; merge with that one"),
        (not _differ(source, target), "two verified numbers of one kind differ; correct the wrong one first"),
    )


def may_split(source: Json, target: Json) -> Decision:
    """May a merge be undone? Only one that was made."""
    there = f"Patient/{target['id']}" in linked(source, "replaced-by")
    return decide((there, "the first record was not merged into the second"))


def linked(patient: Json, type: str) -> list[str]:
    """What its links of a type refer to."""
    return [each["other"].get("reference", "") for each in patient.get("link", []) if each["type"] == type]


def may_be_linked(patient: Json, _: object = None) -> Decision:
    """Do its links lead to other records?"""
    own = f"Patient/{patient['id']}"
    elsewhere = all(own not in linked(patient, type) for type in ONE_PERSON)
    return decide((elsewhere, "a record cannot be replaced by itself"))


def _differ(source: Json, target: Json) -> bool:
    ours, theirs = _by_system(keys(source)), _by_system(keys(target))
    return any(not ours[system] & theirs[system] for system in ours.keys() & theirs.keys())


def _by_system(found: Iterable[Number]) -> Mapping[str, set[str]]:
    grouped: dict[str, set[str]] = {}
    for system, value in found:
        grouped.setdefault(system, set()).add(value)
    return grouped
