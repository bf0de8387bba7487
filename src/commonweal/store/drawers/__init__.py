"""The drawers of identity, encrypted: on PostgreSQL, and in memory as the plain reference."""

from commonweal.store.drawers.memory import MemoryDrawers
from commonweal.store.drawers.rows import PostgresDrawers
from commonweal.store.drawers.sealing import Key, Keys, Sealer, SingleKey

__all__ = ["Key", "Keys", "MemoryDrawers", "PostgresDrawers", "Sealer", "SingleKey"]
