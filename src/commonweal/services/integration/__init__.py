"""Integration: what other systems sent and could not be taken waits here with its reason; nothing is lost."""
