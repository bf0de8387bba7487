"""Dates as ranges of microseconds, by their precision: https://hl7.org/fhir/R4/search.html#date."""

from __future__ import annotations

BEFORE = -(1 << 62)
AFTER = 1 << 62
"""Open ends of periods: before and after every time that can be written; exact as floats too."""
