"""Whoever is asking: a person, a system acting by itself, or nobody we know yet."""

from dataclasses import dataclass

OPERATOR = "operator"
"""Role of the person who runs the installation."""
SYSTEM = "system"
"""Role of the platform acting by itself: handlers, timers, import."""
ANONYMOUS = "anonymous"
"""Role of a person before any sign-in."""


@dataclass(frozen=True, slots=True)
class Agent:
    """Who asks, in which roles, for which purpose of use.

    `id` is a FHIR reference ("Practitioner/x") or a name of our own ("system", "operator");
    `purpose` is a code of http://terminology.hl7.org/CodeSystem/v3-ActReason such as TREAT or HOPERAT.
    """

    id: str
    roles: frozenset[str] = frozenset()
    purpose: str = "TREAT"
    organization: str | None = None
    areas: frozenset[str] = frozenset()
    name: str = ""

    def has(self, role: str) -> bool:
        """Does this agent act in that role?"""
        return role in self.roles
