"""Keeps access.tie and access.rule as the resources say, in the transaction that writes these."""

from collections.abc import Sequence
from typing import Any

from commonweal.store.access.granted import Granted, columns
from commonweal.store.named import statement

Connection = Any


async def keep(connection: Connection, made: Sequence[tuple[int, Granted]]) -> None:
    """After the resources were written and are held: what each of them makes now, instead of what it made.

    It is a statement of its own, since one that had waited for another writer would not see what that one made.
    """
    keeping = statement("access", "keep")
    values = columns(made) | {"sources": [source for source, _ in made]}
    await connection.execute(keeping.text, *keeping.arguments(values))
