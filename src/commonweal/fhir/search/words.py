"""Words of narratives and of whole contents, for _text and _content: https://hl7.org/fhir/R4/search.html#content.

What is asked for is found when all its words are there, in any order, each as a whole word, without case and accents.
Of Chinese, Japanese and Korean, where nothing parts words, every two neighbours count as one (and single letters too).
Content is the narrative and all text that a person reads: no addresses, ids, references or binary data.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from typing import Any

from commonweal.fhir.search.entries import Indexed
from commonweal.fhir.search.strings import normalise

Json = dict[str, Any]
NUMEROUS = frozenset(
    {
        "AuditEvent", "Binary", "Bundle", "ChargeItem", "Claim", "ClaimResponse", "Encounter",
        "ExplanationOfBenefit", "Immunization", "MedicationAdministration", "MedicationDispense",
        "MedicationRequest", "Observation", "Parameters", "Provenance", "SupplyDelivery",
    }
)  # fmt: skip
"""Types without _content: written by the million and mostly coded, they would pay for some twenty words each. Their
narratives have words all the same, and what their codes are called is found by :text."""
UNREAD = frozenset({"data", "div", "hash", "id", "lastUpdated", "reference", "resourceType", "versionId"})
"""Elements whose strings are no text."""

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_TAG = re.compile(r"<[^<>]*>")
_WORD = re.compile(
    r"(?:[^\W_]|[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0dff\u0e31-\u0e4e\u0f71-\u0fbc\u1000-\u109f\u1780-\u17dd])+"
)
_PLAIN = re.compile(r"[a-z0-9]+")
_UNPARTED = re.compile(r"([\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+)")


def words(text: str) -> set[str]:
    """What is kept of a text."""
    folded = normalise(text)
    if folded.isascii():
        return set(_PLAIN.findall(folded))
    return {part for word in _WORD.findall(folded) for part in _parts(word, singles=True)}


def asked(text: str) -> tuple[str, ...]:
    """What a text must have kept to be found by this one."""
    return tuple(
        dict.fromkeys(part for word in _WORD.findall(normalise(text)) for part in _parts(word, singles=False))
    )


def _parts(word: str, singles: bool) -> Iterator[str]:
    if word.isascii():
        yield word
        return
    for number, part in enumerate(_UNPARTED.split(word)):
        if number % 2 == 0:
            yield from filter(None, (part,))
            continue
        yield from (part[at : at + 2] for at in range(len(part) - 1))
        if singles or len(part) == 1:
            yield from part


def told(narrative: Json) -> str:
    """A narrative without its markup."""
    return html.unescape(_TAG.sub(" ", narrative.get("div", "")))


def _read(node: Json, out: list[str]) -> None:
    """Adds all text in an element, a resource or one contained."""
    for name, value in node.items():
        if name in UNREAD:
            continue
        for each in value if value.__class__ is list else (value,):
            kind = each.__class__
            if kind is str and not (":" in each and _ADDRESS.fullmatch(each)):
                out.append(each)
            elif kind is dict:
                out.append(told(each)) if "div" in each else _read(each, out)


def _text(narrative: Any, out: Indexed) -> None:
    out.present.add("_text")
    out.words += [("_text", word) for word in words(told(narrative))]


def _content(resource: Any, out: Indexed) -> None:
    read: list[str] = []
    _read(resource, read)
    out.present.add("_content")
    out.words += [("_content", word) for word in words(" ".join(read))]


Visit = Callable[[Any, Indexed], None]
VISITS: dict[str, tuple[str, Visit]] = {"_text": ("text", _text), "_content": ("", _content)}
"""By parameter: the top element that is looked at, "" for the whole resource, and what puts it into the index."""


def have_words(name: str, type: str) -> bool:
    """Is this a parameter of words, and one that the type has?"""
    return name in VISITS and not (name == "_content" and (type in NUMEROUS or type == "Resource"))
