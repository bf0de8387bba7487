"""The policy: all permissions of all services, asked one question at a time."""

from collections.abc import Iterable
from functools import lru_cache

from commonweal.access.agent import SYSTEM, Agent
from commonweal.access.decision import YES, Decision
from commonweal.access.permission import Permission
from commonweal.access.reach import EVERYTHING, NOTHING, Reach


class Policy:
    """Answers who may do what; deny by default. The role `system` is the platform itself and may do all."""

    def __init__(self, permissions: Iterable[Permission] = ()) -> None:
        self.permissions = {permission.name: permission for permission in permissions}
        self._roles_allowed = lru_cache(maxsize=4096)(self._find_roles)

    def may(self, agent: Agent, interaction: str) -> Decision:
        """May this agent do "Type.read", "Type.create", "Type/$operation" …?"""
        if SYSTEM in agent.roles or agent.roles & self._roles_allowed(interaction):
            return YES
        return Decision((f"no role of {agent.name or agent.id} may do {interaction}",))

    def has(self, agent: Agent, permission: str) -> Decision:
        """Has this agent the permission of that name (a page's or an action's own)?"""
        roles = self.permissions[permission].roles
        if SYSTEM in agent.roles or agent.roles.intersection(roles):
            return YES
        sentence = self.permissions[permission].sentence
        return Decision((f"{agent.name or agent.id} may not: {sentence} ({permission})",))

    def reach(self, agent: Agent, type: str, interaction: str = "read") -> Reach:
        """Which rows of a type this agent may see; the whole type, or nothing, until relationships exist."""
        return EVERYTHING if self.may(agent, f"{type}.{interaction}") else NOTHING

    def _find_roles(self, interaction: str) -> frozenset[str]:
        return frozenset(
            role
            for permission in self.permissions.values()
            if any(_covers(pattern, interaction) for pattern in permission.allows)
            for role in permission.roles
        )


def _covers(pattern: str, interaction: str) -> bool:
    """Does "*.read", "Patient.*" or "*/$validate" cover an interaction such as "Patient.read"?"""
    separator = "/" if "/" in interaction else "."
    if pattern == "*":
        return True
    wanted, given = pattern.split(separator, 1), interaction.split(separator, 1)
    return len(wanted) == len(given) and all(w in ("*", g) for w, g in zip(wanted, given, strict=True))
