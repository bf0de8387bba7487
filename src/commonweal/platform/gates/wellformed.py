"""Gate 2: is it a FHIR resource? https://hl7.org/fhir/R4/validation.html"""

from typing import Any

from commonweal.fhir import codec


def wellformed(resource: Any, type: str | None = None) -> dict[str, Any]:
    """Checked JSON of a resource given as text, JSON or a typed struct; Problem 400 or 422 with each place."""
    body = resource if isinstance(resource, bytes) else codec.encode(resource)
    return codec.check(body, type)
