"""Sensitivity labels: what is seen only with the person's own consent, a clearance, or in an emergency.

A resource carries them in meta.security, or they follow from its codes (sensitive.yaml). Labels are codes of
https://terminology.hl7.org/CodeSystem-v3-ActCode.html (information sensitivity policy).
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml

Json = dict[str, Any]
_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CODED = ("code", "medicationCodeableConcept", "reasonCode", "valueCodeableConcept", "vaccineCode", "type")
"""Elements that say what a resource is about."""


@cache
def table() -> Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]:
    """By system: what codes begin with, and the label ("system|code") that makes them."""
    text = (resources.files("commonweal.access") / "sensitive.yaml").read_text("utf-8")
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for label, systems in yaml.safe_load(text).items():
        for system, codes in systems.items():
            found.setdefault(system, []).append((tuple(codes), f"{_ACT}|{label}"))
    return {system: tuple(each) for system, each in found.items()}


SENSITIVE = frozenset(label for each in table().values() for _, label in each)
"""As "system|code"."""


def following(resource: Json) -> frozenset[str]:
    """The labels that follow from the codes of a resource; nearly always none."""
    return frozenset(_labels(resource))


def _labels(resource: Json) -> Iterator[str]:
    known = table()
    for coding in _codings(resource):
        for begins, label in known.get(coding.get("system", ""), ()):
            if coding.get("code", "").startswith(begins):
                yield label


def _codings(resource: Json) -> Iterator[Json]:
    for name in CODED:
        value = resource.get(name)
        if value is None:
            continue
        for concept in value if isinstance(value, list) else (value,):
            if isinstance(concept, dict):
                yield from concept.get("coding", ())
    for component in resource.get("component", ()):
        yield from _codings(component)
