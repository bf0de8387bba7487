"""FHIR's names as people read them: types, elements and codes, translated where the catalogue `fhir.po` has them."""

import re
from functools import cache

from commonweal.web.language import current, pgettext

WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[-_]")
ACRONYMS = {"id", "url", "uri", "udi", "doi", "ndc", "bmi"}


def type_name(type: str) -> str:
    """ "MedicationRequest" → "Medication request"."""
    return _found("type", type) or _spaced(type)


def element_name(name: str) -> str:
    """ "birthDate" → "Birth date"; "valueQuantity" is "Value"."""
    return _found("element", name) or _spaced(name)


def code_name(code: str) -> str:
    """ "entered-in-error" → "entered in error"; for codes of FHIR's own, which come without a display."""
    return _found("code", code) or _lower(code)


def _found(context: str, name: str) -> str | None:
    found = pgettext(context, name)
    return found if found != name else None


@cache
def _spaced(name: str) -> str:
    words = [_cased(word) for word in WORDS.split(name) if word]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


@cache
def _lower(code: str) -> str:
    return (
        code if code.isupper() or not code.isascii() else " ".join(_cased(w) for w in WORDS.split(code) if w)
    )


def _cased(word: str) -> str:
    if word.lower() in ACRONYMS:
        return word.upper()
    return word if word.isupper() and len(word) > 1 else word.lower()


def speaks_english() -> bool:
    """Whether FHIR's names need no hint beside them."""
    return current().tag == "en"
