"""Keeps access.place, which place lies in which, in the transaction that writes the places."""

from collections.abc import Sequence
from typing import Any

from commonweal.access.places import CIRCLE, part_of
from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Change
from commonweal.store.named import statement
from commonweal.store.tokens import Tokens

Connection = Any
LOCK = "select pg_advisory_xact_lock(1886151011)"  # "plac": one change of the map at a time


async def keep(
    connection: Connection,
    tokens: Tokens,
    bases: tuple[str, ...],
    places: Sequence[Change],
    refusing: bool = True,
) -> None:
    """After places were written: where they and all within them lie. Problem 422 when one would lie within itself;
    not `refusing`, the circle is gone round once."""
    await connection.execute(LOCK)
    there = [place for place in places if place.method != "delete"]
    parents = [part_of(place.resource, bases) for place in there]
    values = {
        "area": [tokens.self(f"Location/{place.id}") for place in there],
        "parent": [tokens.self(parent) if parent else None for parent in parents],
        "gone": [tokens.self(f"Location/{place.id}") for place in places if place.method == "delete"],
    }
    placing = statement("access", "place")
    circles = await connection.fetch(placing.text, *placing.arguments(values))
    if circles and refusing:
        raise Problem.of("cw-business-rule", why=CIRCLE)
