"""The audit: who did what to whose data and why; written, sealed, and told to those who may ask."""

from commonweal.store.audit.journal import PostgresJournal
from commonweal.store.audit.rows import Auditor

__all__ = ["Auditor", "PostgresJournal"]
