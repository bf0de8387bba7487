"""What a unit of work says of itself in the audit: whom a resource names, and what was asked."""

import re
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from commonweal.fhir.reference import parse as located
from commonweal.fhir.reference import references
from commonweal.fhir.search.query import Query, to_pairs
from commonweal.platform.journal import Asked
from commonweal.platform.ports import Stored

Json = dict[str, Any]
MENTIONED = re.compile(rb'"reference":"(Patient/[A-Za-z0-9.-]{1,64})[/"]')
"""A reference to a patient here, as bodies are written; cheaper than reading them."""
ABOUT = frozenset({"subject", "patient", "beneficiary"})


def mentioned(resource: Json) -> Iterable[str]:
    """The patients named in what is being written; whom a resource is about the store finds itself."""
    if resource["resourceType"] == "Patient" or not ABOUT.isdisjoint(resource):
        return ()
    named = (located(each["reference"]) for each in references(resource))
    return [each.target for each in named if each.kind == "local" and each.type == "Patient"]


def several(stored: Stored) -> Iterable[str]:
    """Those named in what was read and is about several of them, such as a Group, or about none."""
    return (found[1].decode() for found in MENTIONED.finditer(stored.body))


def asked_of_journal(asked: Asked) -> str:
    """What was asked of the journal, for people to read in it."""
    given = ((f.name, getattr(asked, f.name), f.default) for f in fields(asked) if f.name != "cursor")
    return "AuditEvent?" + "&".join(f"{name}={value}" for name, value, default in given if value != default)


def condition(query: Query) -> str:
    """The name of the lock that holds a condition: the query as it was understood."""
    return "condition:" + text(query)


def text(query: Query) -> str:
    """The query as it was understood, for people to read in the audit."""
    place = "/".join((*query.compartment, query.type or "*")) if query.compartment else query.type or ""
    return f"{place}?{'&'.join(f'{name}={value}' for name, value in to_pairs(query))}"
