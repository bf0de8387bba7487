"""Whoever is asking: a person, a system acting by itself, or nobody we know yet."""

from dataclasses import dataclass, field

from commonweal.access.roles import ANONYMOUS, OPERATOR, SYSTEM
from commonweal.access.scope import Scope

__all__ = ["ANONYMOUS", "OPERATOR", "SYSTEM", "Agent"]


@dataclass(frozen=True, slots=True)
class Agent:
    """Who asks, in which roles, for which purpose of use.

    `id` is a FHIR reference ("Practitioner/x", "Patient/y", "Device/z") or a name of our own ("system", "operator");
    `purpose` is a code of http://terminology.hl7.org/CodeSystem/v3-ActReason such as TREAT or HOPERAT.
    `organization` and `areas` ("Organization/x", "Location/y") are those for which it acts now.
    `clearances`: the sensitivity labels it may see without the person's own consent (access/sensitivity.py).
    `scopes`: what the app through which it asks was allowed (None: no app stands between); `client` names the app,
    `patient` is that of the app's launch ("Patient/x"). `name`, `session` (its sign-in) and `address` (where it asks
    from) change nothing about what it may do, and so do not tell two agents apart.
    """

    id: str
    roles: frozenset[str] = frozenset()
    purpose: str = "TREAT"
    organization: str | None = None
    areas: frozenset[str] = frozenset()
    name: str = field(default="", compare=False)
    clearances: frozenset[str] = frozenset()
    scopes: tuple[Scope, ...] | None = None
    client: str = ""
    patient: str | None = None
    session: str = field(default="", compare=False)
    address: str = field(default="", compare=False)

    def has(self, role: str) -> bool:
        """Does this agent act in that role?"""
        return role in self.roles

    @property
    def parties(self) -> frozenset[str]:
        """The names by which a relationship or a consent can mean this agent."""
        return frozenset(filter(None, (self.id, self.organization)))
