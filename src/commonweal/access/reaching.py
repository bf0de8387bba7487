"""From an agent to its reach: its roles, its area and organization, the people it cares for, the app between."""

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

from commonweal.access.agent import Agent
from commonweal.access.directory import DIRECTORY
from commonweal.access.reach import EVERYTHING, Grant, Reach
from commonweal.access.relationship import CARE, EMERGENCY, PROXY
from commonweal.access.roles import Role, Within
from commonweal.access.scope import LETTERS, Scope
from commonweal.access.sensitivity import SENSITIVE
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.clauses import Criterion
from commonweal.fhir.search.parameters import Registry
from commonweal.fhir.search.query import parse

Types = frozenset[str]


def reach_of(agent: Agent, by_role: Mapping[Role, Types], interaction: str, registry: Registry) -> Reach:
    """`by_role`: the agent's roles, and with which types each may do this."""
    if any(role.within is Within.EVERYWHERE and types == RESOURCE_TYPES for role, types in by_role.items()):
        reach = EVERYTHING
    else:
        cleared = agent.clearances.union(*(role.clearances for role in by_role))
        reach = Reach(
            grants=tuple(grant for role, types in by_role.items() for grant in _grants(agent, role, types)),
            sensitive=SENSITIVE - cleared,
            parties=agent.parties,
            purpose=agent.purpose,
            masked=frozenset(mask for role in by_role for mask in role.masks),
        )
    if agent.scopes is None:
        return reach
    return reach.narrowed(tuple(_allowed(agent, agent.scopes, interaction, registry)))


def _grants(agent: Agent, role: Role, types: Types) -> Iterator[Grant]:
    """What one role gives: the directories it may read, and of what is about people that within its bounds."""
    about = types - DIRECTORY
    if role.within is Within.EVERYWHERE:
        yield Grant(types=types)
        return
    if types & DIRECTORY:
        yield Grant(types=types & DIRECTORY)
    if not about:
        return
    me = frozenset((agent.id,))
    if role.within is Within.AREA and agent.areas:
        yield Grant(types=about, areas=agent.areas)
    if role.within is Within.ORGANIZATION and agent.organization:
        mine = frozenset((agent.organization,))
        yield Grant(types=about, organizations=mine)
        yield Grant(types=about, parties=mine, ties=frozenset((CARE,)))
    if role.within is Within.RELATIONSHIP:
        yield Grant(types=about, parties=me, ties=frozenset((CARE,)))
        yield Grant(types=about, parties=me, ties=frozenset((EMERGENCY,)), unhindered=True)
    if role.within is Within.OWN:
        yield Grant(types=about, patients=me, unhindered=True)
        yield Grant(types=about, parties=me, ties=frozenset((PROXY,)))


def _allowed(
    agent: Agent, scopes: tuple[Scope, ...], interaction: str, registry: Registry
) -> Iterator[Grant]:
    """What the scopes of an app leave; those of the launch's patient leave that person and the directories."""
    letters = frozenset("cud") if interaction == "write" else frozenset(LETTERS[interaction])
    for scope in scopes:
        if not letters & scope.letters:
            continue
        types = RESOURCE_TYPES if scope.type == "*" else frozenset((scope.type,))
        for grant in _constrained(scope, types, registry):
            yield from _of_context(agent, scope, grant)


def _constrained(scope: Scope, types: Types, registry: Registry) -> Iterator[Grant]:
    if not scope.constraint:
        yield Grant(types=types)
        return
    pairs = parse_qsl(scope.constraint, keep_blank_values=True)
    for type in sorted(types):
        try:
            query = parse(type, pairs, registry, lenient=False)
        except Problem:
            continue  # what this type cannot be asked leaves nothing of it
        if all(isinstance(clause, Criterion) for clause in query.where):  # what a row alone can answer
            yield Grant(types=frozenset((type,)), criteria=query.where)


def _of_context(agent: Agent, scope: Scope, grant: Grant) -> Iterator[Grant]:
    assert grant.types is not None
    if scope.context != "patient":
        yield grant
        return
    if agent.patient:
        yield Grant(
            types=grant.types - DIRECTORY, patients=frozenset((agent.patient,)), criteria=grant.criteria
        )
    if grant.types & DIRECTORY:
        yield Grant(types=grant.types & DIRECTORY, criteria=grant.criteria)
