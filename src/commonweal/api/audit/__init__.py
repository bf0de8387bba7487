"""The audit by REST: AuditEvent and Provenance, answered from the journal."""
