"""For machines: the FHIR REST interface and what belongs to it."""

from commonweal.api.app import app
from commonweal.api.limits import Limits

__all__ = ["Limits", "app"]
