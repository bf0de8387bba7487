"""Death in the middle of everything."""
