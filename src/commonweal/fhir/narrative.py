"""Whether a narrative is the safe, simple XHTML that FHIR allows: https://hl7.org/fhir/R4/narrative.html#xhtml."""

from __future__ import annotations

import re
from html.entities import name2codepoint
from typing import NoReturn
from xml.parsers import expat

XHTML = "http://www.w3.org/1999/xhtml"
MOST_DEPTH = 100

# Chapters 7-11 (without 9.4) and 15 of HTML 4.0, links and images.
_ELEMENTS = """
    a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd dfn div dl dt em
    h1 h2 h3 h4 h5 h6 hr i img kbd li map ol p pre q samp small span strong sub sup table tbody td tfoot th
    thead tr tt ul var
"""
_ATTRIBUTES = """
    abbr accesskey align alt axis border cellpadding cellspacing char charoff cite class colspan coords dir
    frame headers height href hreflang id lang longdesc name noshade nowrap rel rev rowspan rules scope shape
    size span src start style summary tabindex title type usemap valign value width xml:lang xmlns
"""
_ALLOWED_ELEMENTS = frozenset(_ELEMENTS.split())
_ALLOWED_ATTRIBUTES = frozenset(_ATTRIBUTES.split())
_ADDRESSES = frozenset({"href", "src", "cite", "longdesc", "usemap"})
_SAFE_ADDRESS = re.compile(
    r"(?:https?:|ftp:|mailto:|tel:|urn:|data:image/(?:png|gif|jpeg);|[^:]*\Z|[^:]*[/?#])", re.IGNORECASE
)
_IMAGE = r"""\s*['"]?(?!//)(?:data:\s*image/(?:png|gif|jpeg);|[\w./-]*['"]?\s*\))"""
_UNSAFE_STYLE = re.compile(
    rf"url\s*\((?!{_IMAGE})|expression\s*\(|@import|javascript:|behaviou?r\s*:|-moz-binding|\\", re.IGNORECASE
)


class _Unsafe(Exception):
    """Ends the parse at the first fault."""


def narrative_fault(div: str, *, may_be_empty: bool = False) -> str:
    """What is wrong with the content of Narrative.div, in words; "" when nothing is.

    An empty one breaks invariant txt-2 but harms nobody, so whoever asks only for safety may let it pass.
    """
    if not div.startswith("<div"):
        return "it does not start with <div"
    try:
        return _Reader().read(div, may_be_empty)
    except _Unsafe as fault:
        return str(fault)
    except expat.ExpatError as fault:
        return f"it is not well-formed: {fault}"


class _Reader:
    """One pass of expat; entities are never defined, so nothing can expand."""

    def __init__(self) -> None:
        self.depth = 0
        self.content = False
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.ProcessingInstructionHandler = self._instruction
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.SkippedEntityHandler = self._entity
        self.parser.UseForeignDTD(True)  # so that &nbsp; is skipped, not an error

    def read(self, div: str, may_be_empty: bool) -> str:
        self.parser.Parse(div.encode(), True)
        return "" if self.content or may_be_empty else "it says nothing"

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise _Unsafe(f"it is nested deeper than {MOST_DEPTH} levels")
        if name not in _ALLOWED_ELEMENTS:
            raise _Unsafe(f"the element '{name}' is not allowed")
        if self.depth == 1 and attributes.get("xmlns", XHTML) != XHTML:
            raise _Unsafe("its namespace is not XHTML")
        self.content = self.content or name == "img"
        for key, value in attributes.items():
            _check_attribute(key, value)

    def _end(self, name: str) -> None:
        self.depth -= 1

    def _text(self, text: str) -> None:
        self.content = self.content or not text.isspace()

    def _entity(self, name: str, is_parameter: bool) -> None:
        if is_parameter or name not in name2codepoint:
            raise _Unsafe(f"there is no entity '{name}'")
        self.content = True

    def _instruction(self, target: str, data: str) -> NoReturn:
        raise _Unsafe("processing instructions are not allowed")

    def _doctype(self, *_: object) -> NoReturn:
        raise _Unsafe("a document type is not allowed")


def _check_attribute(name: str, value: str) -> None:
    if name not in _ALLOWED_ATTRIBUTES:
        raise _Unsafe(f"the attribute '{name}' is not allowed")
    # browsers drop control characters and spaces before they look for a scheme
    if name in _ADDRESSES and not _SAFE_ADDRESS.match("".join(value.split())):
        raise _Unsafe(f"the address in '{name}' is not allowed")
    if name == "style" and _UNSAFE_STYLE.search(value):
        raise _Unsafe("the style is not allowed")
