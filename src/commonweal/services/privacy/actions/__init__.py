"""What is done about privacy: one verb, one permission, one transaction."""
