"""Bulk in and out: $import of our own, and Bulk Data Export, https://hl7.org/fhir/uv/bulkdata/STU2/export.html."""
