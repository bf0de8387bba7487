"""What is in force about patients, for rows that are judged one by one."""

from collections.abc import Iterable, Mapping
from typing import Any

from commonweal.access.consent import Rule
from commonweal.access.facts import Facts

Connection = Any
FACTS = """
select patient, kind, party, null::bool as deny, null::int8[] as parties, null::int8[] as but,
    null::text[] as purposes, null::text[] as types, null::int8[] as labels
from access.tie where patient = any($1::int8[]) and since <= record.now() and until > record.now()
union all
select patient, null, null, deny, parties, but, purposes, types, labels
from access.rule where patient = any($1) and since <= record.now() and until > record.now()"""


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
