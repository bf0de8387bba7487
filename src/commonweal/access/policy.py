"""The policy: all permissions of all services, asked one question at a time."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from commonweal.access import scope
from commonweal.access.agent import SYSTEM, Agent
from commonweal.access.decision import YES, Decision, decide
from commonweal.access.permission import Permission
from commonweal.access.reach import EVERYTHING, Reach
from commonweal.access.reaching import reach_of
from commonweal.access.roles import ROLES, Role
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.search.parameters import Registry, official

WRITES = ("create", "update", "delete")


class Policy:
    """Answers who may do what; deny by default. The role `system` is the platform itself and may do all; one that
    is not among `roles` may do what permissions give it, and sees no record."""

    def __init__(
        self,
        permissions: Iterable[Permission] = (),
        registry: Registry | None = None,
        roles: Mapping[str, Role] = ROLES,
    ) -> None:
        self.permissions = {permission.name: permission for permission in permissions}
        self.roles = roles
        self._registry = registry or official()
        self._roles_allowed = lru_cache(maxsize=8192)(self._find_roles)
        self._reach_of = lru_cache(maxsize=4096)(self._find_reach)
        self._types = lru_cache(maxsize=256)(self._find_types)

    def may(self, agent: Agent, interaction: str) -> Decision:
        """May this agent do "Type.read", "Type.create", "Type/$operation" …?"""
        if SYSTEM in agent.roles:
            return YES
        return decide(
            (
                agent.roles & self._roles_allowed(interaction),
                f"no role of {agent.name or agent.id} may do {interaction}",
            ),
            (
                agent.scopes is None or scope.covers(agent.scopes, interaction),
                f"the app {agent.client} was not allowed {interaction}",
            ),
        )

    def has(self, agent: Agent, permission: str) -> Decision:
        """Has this agent the permission of that name (a page's or an action's own)?"""
        asked = self.permissions[permission]
        if SYSTEM in agent.roles:
            return YES
        return decide(
            (
                agent.roles.intersection(asked.roles),
                f"{agent.name or agent.id} may not: {asked.sentence} ({permission})",
            ),
            (
                agent.scopes is None or scope.holds(agent.scopes, asked.app),
                f"the app {agent.client} was not allowed: {asked.sentence} ({permission})",
            ),
        )

    def reach(self, agent: Agent, interaction: str = "read") -> Reach:
        """Which rows this agent may see ("read", "search", "history") or write ("write"); it holds for every type
        that a search or a write touches."""
        return EVERYTHING if SYSTEM in agent.roles else self._reach_of(agent, interaction)

    def _find_reach(self, agent: Agent, interaction: str) -> Reach:
        acting = (self.roles[name] for name in sorted(agent.roles) if name in self.roles)
        by_role = {role: self._types(role.name, interaction) for role in acting}
        return reach_of(agent, by_role, interaction, self._registry)

    def _find_types(self, role: str, interaction: str) -> frozenset[str]:
        """The types with which a role may do this."""
        asked = WRITES if interaction == "write" else (interaction,)
        return frozenset(
            type
            for type in RESOURCE_TYPES
            if any(role in self._roles_allowed(f"{type}.{each}") for each in asked)
        )

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
