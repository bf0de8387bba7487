"""For machines: the FHIR REST interface and what belongs to it."""
