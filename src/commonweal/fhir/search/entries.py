"""The form in which a resource's search values are kept: https://hl7.org/fhir/R4/search.html#ptypes."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Indexed:
    """Everything a resource can be found by; the first field of each entry is the parameter's name.

    tokens: (name, system, code); system "" is "none stated". Also under "name:of-type" (system = the type's
        system, code = "type code|value") for Identifiers with a type, and under "name:identifier" for the
        identifier in a Reference.
    uris: (name, uri); a canonical with a version stands there both with and without "|version".
    references: (name, target): "Type/id" (no version), an absolute url, "urn:uuid:…", "#contained", or a
        canonical (with and without "|version").
    strings: (name, normalised, exact); HumanName and Address yield each of their parts. Under "name:text"
        the CodeableConcept.text, Coding.display and Identifier.type.text of tokens, and Reference.display.
    words: (name, word), see words.py: of narratives under "_text", of whole contents under "_content".
    dates: (name, lo, hi): microseconds since the epoch, UTC, both ends INCLUSIVE (the last microsecond of
        a day, of a year …); dates.BEFORE and dates.AFTER stand for open ends.
    ranges: (name, lo, hi, unit, code), both ends inclusive.
        number:   (name, value, value, "", "").
        quantity: as given: (name, lo, hi, "", code), once for its code and once for its printed unit if that
                  differs (code "" when it has neither), for queries without a system;
                  and with unit "system|code": for UCUM the numbers and the code of the canonical unit
                  ("http://unitsofmeasure.org|g.m-3"), for other systems as given; code is "".
        special near: (name, latitude, longitude, "", "").
    composites: (name, parts) for composites that are not `root`: one entry for each element of the context that
        has all components; parts[i] is an Indexed whose entries are named like components[i].
    present: names of the parameters (without `_id` and `_lastUpdated`) whose expression yields anything.

    `_id` and `_lastUpdated` are not in here: the store keeps them as columns.
    """

    tokens: list[tuple[str, str, str]] = field(default_factory=list)
    uris: list[tuple[str, str]] = field(default_factory=list)
    references: list[tuple[str, str]] = field(default_factory=list)
    strings: list[tuple[str, str, str]] = field(default_factory=list)
    words: list[tuple[str, str]] = field(default_factory=list)
    dates: list[tuple[str, int, int]] = field(default_factory=list)
    ranges: list[tuple[str, float, float, str, str]] = field(default_factory=list)
    composites: list[tuple[str, tuple[Indexed, ...]]] = field(default_factory=list)
    present: set[str] = field(default_factory=set)
