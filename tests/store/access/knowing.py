"""What either store keeps of ties, rules and places, told alike: asked by tests alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic

from commonweal.access.consent import Name, Rule
from commonweal.store.memory.granting import Kept
from commonweal.store.memory.state import State

Connection = Any
FACTS = """
select patient, kind, party, null::bool as deny, null::int8[] as parties, null::int8[] as but,
    null::text[] as purposes, null::text[] as types, null::int8[] as labels
from access.tie where patient = any($1::int8[]) and since <= record.now() and until > record.now()
union all
select patient, null, null, deny, parties, but, purposes, types, labels
from access.rule where patient = any($1) and since <= record.now() and until > record.now()"""
BELOW = "select distinct area from access.place where within = any($1::int8[])"


@dataclass(frozen=True, slots=True)
class Facts(Generic[Name]):
    """Ties in force, as (kind, party), and rules in force; names as text, or hashed in the store."""

    ties: frozenset[tuple[str, Name]] = frozenset()
    rules: tuple[Rule[Name], ...] = ()


async def facts(connection: Connection, patients: Iterable[int]) -> dict[int, Facts[int]]:
    """By the hash of the patient, of each about whom anything is in force; one statement for all."""
    tied: dict[int, set[tuple[str, int]]] = {}
    ruled: dict[int, list[Rule[int]]] = {}
    for row in await connection.fetch(FACTS, list(set(patients))):
        if row["kind"] is not None:
            tied.setdefault(row["patient"], set()).add((row["kind"], row["party"]))
        else:
            ruled.setdefault(row["patient"], []).append(_rule(row))
    return {
        patient: Facts(frozenset(tied.get(patient, ())), tuple(ruled.get(patient, ())))
        for patient in tied.keys() | ruled.keys()
    }


def _rule(row: Mapping[str, Any]) -> Rule[int]:
    parties, purposes, types, labels = (
        None if row[name] is None else frozenset(row[name])
        for name in ("parties", "purposes", "types", "labels")
    )
    return Rule(row["patient"], row["deny"], parties, frozenset(row["but"]), purposes, types, labels)


async def below(connection: Connection, areas: Iterable[int]) -> frozenset[int]:
    """These areas and every place within one of them."""
    wanted = frozenset(areas)
    return wanted.union(row["area"] for row in await connection.fetch(BELOW, list(wanted)))


def facts_of(state: State, now: int) -> dict[str, Facts[str]]:
    """What is in force about each patient about whom anything is."""
    tied: dict[str, set[tuple[str, str]]] = {}
    ruled: dict[str, list[Rule[str]]] = {}
    for tie in _in_force(state.ties, now):
        tied.setdefault(tie.patient, set()).add((tie.kind, tie.party))
    for rule in _in_force(state.rules, now):
        ruled.setdefault(rule.patient, []).append(rule)
    return {
        patient: Facts(frozenset(tied.get(patient, ())), tuple(ruled.get(patient, ())))
        for patient in tied.keys() | ruled.keys()
    }


def _in_force(kept: dict[str, tuple[Kept, ...]], now: int) -> list[Kept]:
    return [each for made in kept.values() for each in made if each.since <= now < each.until]


def below_of(state: State, areas: frozenset[str]) -> frozenset[str]:
    """These areas and every place within one of them."""
    inside = (place for place, within in state.places.items() if not areas.isdisjoint(within))
    return areas.union(inside)
