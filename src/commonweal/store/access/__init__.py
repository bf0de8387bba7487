"""Ties, rules and places in the database: derived from resources, kept with them, read when rows are judged."""
