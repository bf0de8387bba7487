"""The services: one folder each, found by discovery, never importing each other."""
