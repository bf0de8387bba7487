"""The top of a person's record: who it is, and what must be known before anything else is read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from commonweal.web import said
from commonweal.web.language import gettext as _
from commonweal.web.record.line import ENDED, Line, line, state_of
from commonweal.web.record.values import FORMATS, Json, Shown, name, names
from commonweal.web.record.words import code_name

HEEDED = ("AllergyIntolerance", "Condition", "MedicationRequest", "MedicationStatement")
"""What the summary is made of; it is fetched by itself, so that it is whole however long the record is."""
CURRENT_MEDICINE = frozenset({"active", "on-hold", "intended"})
CURRENT_PROBLEM = frozenset({"active", "recurrence", "relapse", ""})


@dataclass(frozen=True, slots=True)
class Person:
    """Who it is. `names` are the further ones; `born` and `died` as they were written."""

    id: str
    name: str
    names: tuple[str, ...]
    sex: str
    born: str
    age: str
    died: str
    is_dead: bool
    identifiers: tuple[Shown, ...]
    phones: tuple[str, ...]
    address: str
    active: bool


@dataclass(frozen=True, slots=True)
class Noted:
    """One line of the summary, with how often it stands in the record."""

    line: Line
    count: int
    alarming: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """`none_known`: somebody wrote down that there is no known allergy, which is not the same as nothing."""

    allergies: tuple[Noted, ...]
    problems: tuple[Noted, ...]
    medicines: tuple[Noted, ...]
    none_known: bool


def person(patient: Json, today: str) -> Person:
    """From a Patient; `today` is the civil day on which the age is said."""
    called = [name(each) for each in names(patient.get("name", []))]
    born, died = patient.get("birthDate", ""), patient.get("deceasedDateTime", "")
    return Person(
        patient.get("id", ""),
        called[0] if called else _("No name recorded"),
        tuple(dict.fromkeys(each for each in called[1:] if each != called[0])),
        code_name(patient["gender"]) if "gender" in patient else _("sex not recorded"),
        born,
        said.age(born, died or today) if born else "",
        died,
        bool(died or patient.get("deceasedBoolean")),
        tuple(FORMATS["Identifier"](each) for each in patient.get("identifier", ()) if each.get("value")),
        tuple(each["value"] for each in patient.get("telecom", ()) if each.get("value")),
        next((FORMATS["Address"](each).text for each in patient.get("address", ())), ""),
        patient.get("active", True) is not False,
    )


def summary(resources: Iterable[Json]) -> Summary:
    """What is current among the heeded resources."""
    found: dict[str, list[Json]] = {type: [] for type in HEEDED}
    for each in resources:
        if each["resourceType"] in found:
            found[each["resourceType"]].append(each)
    allergies = [each for each in found["AllergyIntolerance"] if state_of(each) not in ENDED]
    none_known = any(_says_none(each) for each in allergies)
    medicines = [
        each
        for type in ("MedicationRequest", "MedicationStatement")
        for each in found[type]
        if each.get("status") in CURRENT_MEDICINE
    ]
    return Summary(
        tuple(_noted(each for each in allergies if not _says_none(each))),
        tuple(_noted(each for each in found["Condition"] if _is_current(each))),
        tuple(_noted(medicines)),
        none_known,
    )


def _is_current(condition: Json) -> bool:
    verified = _first_code(condition.get("verificationStatus"))
    ended = any(key.startswith("abatement") for key in condition)
    return (
        _first_code(condition.get("clinicalStatus")) in CURRENT_PROBLEM
        and not ended
        and verified not in ENDED
    )


def _first_code(value: Any) -> str:
    return next((c.get("code", "") for c in (value or {}).get("coding", ())), "")


NONE_KNOWN = frozenset({"716186003", "409137002", "428607008", "no-known-allergies", "429625007"})
"""SNOMED CT: no known allergy, of drugs, environment, food."""


def _says_none(allergy: Json) -> bool:
    return any(c.get("code") in NONE_KNOWN for c in allergy.get("code", {}).get("coding", ()))


def _noted(resources: Iterable[Json]) -> Iterator[Noted]:
    """By title, newest first, the alarming before the others."""
    groups: dict[str, list[tuple[Line, Json]]] = {}
    for each in resources:
        one = line(each)
        groups.setdefault(one.title.casefold(), []).append((one, each))
    found = []
    for group in groups.values():
        newest = max(group, key=lambda pair: pair[0].at)
        found.append(Noted(newest[0], len(group), any(r.get("criticality") == "high" for _, r in group)))
    yield from sorted(found, key=lambda each: (not each.alarming, -each.line.at))
