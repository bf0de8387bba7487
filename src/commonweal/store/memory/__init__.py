"""The record in memory: the plain reference that says what the record in PostgreSQL must do."""

from commonweal.store.memory.feed import MemoryFeed
from commonweal.store.memory.journal import MemoryJournal
from commonweal.store.memory.store import MemoryStore

__all__ = ["MemoryFeed", "MemoryJournal", "MemoryStore"]
