"""Scopes of SMART App Launch 2.2: https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html."""

from dataclasses import dataclass

INTERACTIONS = {
    "c": ("create",),
    "r": ("read", "vread", "history"),
    "u": ("update", "patch"),
    "d": ("delete",),
    "s": ("search",),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """`context` is "patient", "user" or "system"; `type` a resource type or "*"; `letters` of "cruds";
    `constraint` what may follow the question mark ("category=laboratory")."""

    context: str
    type: str
    letters: frozenset[str]
    constraint: str = ""
