"""Who is one person: records of which one replaces the other, https://hl7.org/fhir/R4/patient.html#linking.

Nothing but Patient.link says so. Links of other types (refer, seealso) leave two records apart.
"""

from collections.abc import Mapping
from typing import Any

from commonweal.fhir import reference

Json = dict[str, Any]
Groups = list[frozenset[str]]
TYPES = ("replaced-by", "replaces")


def partners(patient: Json, bases: tuple[str, ...]) -> frozenset[str]:
    """The records ("Patient/x") that a patient's links make one with it."""
    links = (each for each in patient.get("link", ()) if each.get("type") in TYPES)
    found = (reference.parse(each["other"].get("reference", ""), bases) for each in links)
    return frozenset(each.target for each in found if each.kind == "local" and each.type == "Patient")


def groups(linked: Mapping[str, frozenset[str]]) -> Groups:
    """Everybody who is named, in groups of one person each: who is linked with whom, directly or by others."""
    ways: dict[str, set[str]] = {}
    for one, others in linked.items():
        for other in (one, *others):
            ways.setdefault(one, set()).add(other)
            ways.setdefault(other, set()).add(one)
    found: Groups = []
    left = dict(ways)
    while left:
        group, fresh = set[str](), {next(iter(left))}
        while fresh:
            group |= fresh
            fresh = set().union(*(left.pop(each) for each in fresh)) - group
        found.append(frozenset(group))
    return found
