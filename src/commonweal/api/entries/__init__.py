"""Many requests in one Bundle: batch and transaction, https://hl7.org/fhir/R4/http.html#transaction."""

from commonweal.api.entries.entrance import bundle

__all__ = ["bundle"]
