"""Commonweal: one open record on which a whole region's health services work together."""
