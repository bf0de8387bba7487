"""The interactions of one request: https://hl7.org/fhir/R4/http.html."""
