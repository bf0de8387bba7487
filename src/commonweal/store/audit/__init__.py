"""The audit: who did what to whose data and why; written, sealed, and told as FHIR."""

from commonweal.store.audit.event import audit_event, provenance
from commonweal.store.audit.rows import Auditor, Entry, read

__all__ = ["Auditor", "Entry", "audit_event", "provenance", "read"]
