"""How much one request may ask of the server; boot may hand in others."""

from dataclasses import dataclass

from commonweal.fhir.limits import LIMITS


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes, counts and seconds; whatever is beyond them is refused while it is still cheap to do so."""

    body_bytes: int = LIMITS.bundle_bytes
    body_seconds: float = 60.0
    url_bytes: int = 16_384
    header_bytes: int = 32_768
    parameters: int = 200
    form_bytes: int = 1_000_000
    entries: int = LIMITS.entries
    answer_bytes: int = 50_000_000
    page: int = 1_000
    gzip_from: int = 8_192
    threaded_from: int = 262_144
