"""Which form the caller sends and wants: https://hl7.org/fhir/R4/http.html#general."""

from functools import lru_cache
from typing import NamedTuple

from commonweal.fhir.outcome import Problem

JSON = frozenset({"application/fhir+json", "application/json", "application/json+fhir", "text/json", "json"})
ANY = frozenset({"*/*", "application/*", "text/*"})
PATCH = "application/json-patch+json"
FORM = "application/x-www-form-urlencoded"
OURS = ("4.0", "4.0.1")


class Preference(NamedTuple):
    """The Prefer header: https://hl7.org/fhir/R4/http.html#ops and #lenient."""

    returns: str = ""
    strict: bool = False
    asynchronous: bool = False


@lru_cache(maxsize=256)
def preference(header: bytes) -> Preference:
    """What is preferred; an unknown preference is ignored, as RFC 7240 has it."""
    wishes = dict(_assignment(part) for part in header.decode("latin-1").replace(";", ",").split(","))
    return Preference(wishes.get("return", ""), wishes.get("handling") == "strict", "respond-async" in wishes)


@lru_cache(maxsize=256)
def check_accept(accept: bytes) -> None:
    """Problem 406 unless JSON is among what the caller takes."""
    if accept and not any(_takes_json(part) for part in accept.decode("latin-1").split(",")):
        raise Problem.of("cw-not-acceptable", why=f"asked for {accept.decode('latin-1')[:200]}")


def check_format(wanted: str) -> None:
    """Problem 406 unless `_format` names JSON (a plus sign in a URL may have been read as a space)."""
    name, _ = _media(wanted.replace(" ", "+", 1) if "/" in wanted else wanted)
    if name not in JSON:
        raise Problem.of("cw-not-acceptable", why=f"asked for {wanted[:200]}")


@lru_cache(maxsize=256)
def media_type(header: bytes) -> str:
    """The media type of a body, JSON's names as one; Problem 415 for another character set or FHIR version."""
    name, parameters = _media(header.decode("latin-1"))
    if parameters.get("charset", "utf-8") not in ("utf-8", "us-ascii", "utf8") or not _is_ours(parameters):
        raise Problem.of("cw-unsupported-media-type", got=header.decode("latin-1")[:200])
    return "application/fhir+json" if name in JSON else name


def check_media(header: bytes, *allowed: str) -> str:
    """The media type of a body; Problem 415 unless it is among those allowed (none named: FHIR's JSON)."""
    name = media_type(header)
    if name not in (allowed or ("application/fhir+json",)):
        raise Problem.of("cw-unsupported-media-type", got=name[:200] or "a body of no stated type")
    return name


def _takes_json(part: str) -> bool:
    name, parameters = _media(part)
    return (name in JSON or name in ANY) and parameters.get("q") not in _ZERO and _is_ours(parameters)


_ZERO = ("0", "0.0", "0.00", "0.000")


def _is_ours(parameters: dict[str, str]) -> bool:
    return parameters.get("fhirversion", "4.0") in OURS


def _media(text: str) -> tuple[str, dict[str, str]]:
    name, *rest = text.split(";")
    return name.strip().lower(), dict(_assignment(part) for part in rest)


def _assignment(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name.strip().lower(), value.strip().strip('"').lower()
