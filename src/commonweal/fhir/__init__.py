"""The language: FHIR R4 types, parsing, search, FHIRPath, terminology and outcomes."""
