"""What stands beside the records: outbox and readers, timers, leases, the ledger and blobs."""
