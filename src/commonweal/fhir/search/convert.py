"""From an element to index entries, by parameter type and FHIR type: https://hl7.org/fhir/R4/search.html#ptypes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import lru_cache
from typing import Any

from commonweal.fhir import reference
from commonweal.fhir.elements import is_resource_type
from commonweal.fhir.search import dates, numbers
from commonweal.fhir.search.entries import Indexed
from commonweal.fhir.search.strings import normalise

Emit = Callable[[Any, Indexed], None]
Maker = Callable[[str], Emit]

PARTS = {
    "HumanName": ("text", "family", "given", "prefix", "suffix"),
    "Address": ("text", "line", "city", "district", "state", "postalCode", "country"),
}
"""What a string parameter on a complex type looks at."""


def emitter(name: str, kind: str, type: str, targets: tuple[str, ...], bases: tuple[str, ...]) -> Emit:
    """What puts one element of a FHIR `type` into the index for parameter `name` of a `kind`."""
    if kind == "reference" and type == "Reference":
        return _reference(name, targets, bases)
    makers = MAKERS.get(kind, {})
    return makers.get(type, makers.get("", _present))(name)


def _present(name: str) -> Emit:
    def emit(node: Any, out: Indexed) -> None:
        out.present.add(name)

    return emit


def _code(name: str) -> Emit:
    def emit(node: Any, out: Indexed) -> None:
        out.present.add(name)
        out.tokens.append((name, "", node if node.__class__ is str else _written(node)))

    return emit


def _written(node: Any) -> str:
    return str(node).lower() if isinstance(node, bool) else str(node)


def _coding(name: str) -> Emit:
    text = f"{name}:text"

    def emit(node: Any, out: Indexed) -> None:
        out.present.add(name)
        code, system = node.get("code", ""), node.get("system", "")
        if code or system:
            out.tokens.append((name, system, code))
        if display := node.get("display"):
            out.strings.append((text, normalise(display), display))

    return emit


def _concept(name: str) -> Emit:
    text, coding = f"{name}:text", _coding(name)

    def emit(node: Any, out: Indexed) -> None:
        out.present.add(name)
        for each in node.get("coding", ()):
            coding(each, out)
        if written := node.get("text"):
            out.strings.append((text, normalise(written), written))

    return emit


def _identifier(name: str) -> Emit:
    of_type, text = f"{name}:of-type", f"{name}:text"

    def emit(node: Any, out: Indexed) -> None:
        out.present.add(name)
        value, system, type = node.get("value", ""), node.get("system", ""), node.get("type", {})
        if value or system:
            out.tokens.append((name, system, value))
        for each in type.get("coding", ()):
            out.tokens.append((of_type, each.get("system", ""), f"{each.get('code', '')}|{value}"))
        if written := type.get("text"):
            out.strings.append((text, normalise(written), written))

    return emit


def _contact(name: str) -> Emit:
    def emit(node: Any, out: Indexed) -> None:
        out.present.add(name)
        if value := node.get("value"):
            out.tokens.append((name, node.get("system", ""), value))

    return emit


def _string(name: str) -> Emit:
    def emit(node: Any, out: Indexed) -> None:
        out.present.add(name)
        out.strings.append((name, normalise(node), node))

    return emit


def _parts(names: tuple[str, ...]) -> Maker:
    def maker(name: str) -> Emit:
        def emit(node: Any, out: Indexed) -> None:
            out.present.add(name)
            for part in names:
                found = node.get(part)
                for each in found if found.__class__ is list else (found,):
                    if each is not None:
                        out.strings.append((name, normalise(each), each))

        return emit

    return maker


def _reference(name: str, targets: tuple[str, ...], bases: tuple[str, ...]) -> Emit:
    identifier, text = f"{name}:identifier", f"{name}:text"

    def emit(node: Any, out: Indexed) -> None:
        target, type, place = _located(node.get("reference"), bases)
        if targets and (type or node.get("type")) not in targets:
            return
        out.present.add(name)
        if place:
            out.references.append((name, target))
        if (found := node.get("identifier")) and found.get("value"):
            out.tokens.append((identifier, found.get("system", ""), found["value"]))
        if display := node.get("display"):
            out.strings.append((text, normalise(display), display))

    return emit


@lru_cache(maxsize=1 << 15)
def _located(text: str | None, bases: tuple[str, ...]) -> tuple[str, str | None, bool]:
    """(spelling, type, whether anything outside the resource can be meant)."""
    type, _, id = (text or "#").partition("/")
    if text and is_resource_type(type) and reference.ID.fullmatch(id):
        return text, type, True
    found = reference.parse(text or "#", bases)
    return found.target, found.type, found.kind != "contained"


def _canonical(name: str) -> Emit:
    def emit(node: Any, out: Indexed) -> None:
        out.present.add(name)
        out.references.extend((name, each) for each in _versions(node))

    return emit


def _resource(name: str) -> Emit:
    def emit(node: Any, out: Indexed) -> None:
        out.present.add(name)
        if isinstance(node, dict) and "id" in node and "resourceType" in node:
            out.references.append((name, f"{node['resourceType']}/{node['id']}"))

    return emit


def _uri(name: str) -> Emit:
    def emit(node: Any, out: Indexed) -> None:
        out.present.add(name)
        out.uris.append((name, node))

    return emit


def _canonical_uri(name: str) -> Emit:
    def emit(node: Any, out: Indexed) -> None:
        out.present.add(name)
        out.uris.extend((name, each) for each in _versions(node))

    return emit


def _versions(canonical: str) -> tuple[str, ...]:
    plain, mark, _ = canonical.partition("|")
    return (canonical, plain) if mark else (canonical,)


def _date(name: str) -> Emit:
    def emit(node: Any, out: Indexed) -> None:
        out.present.add(name)
        with suppress(ValueError):
            out.dates.append((name, *dates.span(node)))

    return emit


def _period(name: str) -> Emit:
    def emit(node: Any, out: Indexed) -> None:
        out.present.add(name)
        if "start" in node or "end" in node:
            with suppress(ValueError):
                out.dates.append((name, *dates.between(node.get("start"), node.get("end"))))

    return emit


def _timing(name: str) -> Emit:
    """Only the outer limits of a schedule count."""
    event, bounds = _date(name), _period(name)

    def emit(node: Any, out: Indexed) -> None:
        out.present.add(name)
        inner = Indexed()
        for each in node.get("event", ()):
            if each is not None:
                event(each, inner)
        bounds(node.get("repeat", {}).get("boundsPeriod", {}), inner)
        if inner.dates:
            out.dates.append((name, min(lo for _, lo, _ in inner.dates), max(hi for _, _, hi in inner.dates)))

    return emit


def _number(name: str) -> Emit:
    def emit(node: Any, out: Indexed) -> None:
        out.present.add(name)
        out.ranges.append((name, float(node), float(node), "", ""))

    return emit


def _quantity(name: str) -> Emit:
    def emit(node: Any, out: Indexed) -> None:
        out.present.add(name)
        if (value := node.get("value")) is not None:
            _measured(name, value, node, out)

    return emit


def _measured(name: str, value: Decimal | int, node: Mapping[str, Any], out: Indexed) -> None:
    comparator, unit, code = node.get("comparator"), node.get("unit", ""), node.get("code", "")
    lo, hi = numbers.compared(float(value), comparator)
    out.ranges.append((name, lo, hi, "", code or unit))
    if code and unit and unit != code:
        out.ranges.append((name, lo, hi, "", unit))
    if code and (system := node.get("system")):
        number, identity = numbers.united(value, system, code)
        out.ranges.append((name, *numbers.compared(number, comparator), identity, ""))


def _money(name: str) -> Emit:
    def emit(node: Any, out: Indexed) -> None:
        out.present.add(name)
        if (value := node.get("value")) is not None:
            code = node.get("currency", "")
            _measured(name, value, {"code": code, "system": numbers.CURRENCY if code else None}, out)

    return emit


def _range(name: str) -> Emit:
    """A Range as one entry from its low to its high end, in the units of the end that is stated."""

    def emit(node: Any, out: Indexed) -> None:
        out.present.add(name)
        found = {"<": Indexed(), ">": Indexed()}
        for mark, end in (("<", "high"), (">", "low")):
            if "value" in node.get(end, {}):
                _measured(name, node[end]["value"], node[end] | {"comparator": f"{mark}="}, found[mark])
        high = {entry[3:]: entry[2] for entry in found["<"].ranges}
        low = {entry[3:]: entry[1] for entry in found[">"].ranges}
        for unit, code in {**high, **low}:
            lo, hi = low.get((unit, code), float("-inf")), high.get((unit, code), float("inf"))
            out.ranges.append((name, lo, hi, unit, code))

    return emit


def _near(name: str) -> Emit:
    def emit(node: Any, out: Indexed) -> None:
        out.present.add(name)
        if "latitude" in node and "longitude" in node:
            out.ranges.append((name, float(node["latitude"]), float(node["longitude"]), "", ""))

    return emit


PRIMITIVES = ("string", "markdown", "code", "uri", "url", "id", "oid", "uuid", "canonical")
AMOUNTS = ("Quantity", "SimpleQuantity", "Age", "Count", "Distance", "Duration")
WHOLE = ("integer", "positiveInt", "unsignedInt", "decimal")

MAKERS: dict[str, dict[str, Maker]] = {
    "token": {
        "CodeableConcept": _concept,
        "Coding": _coding,
        "Identifier": _identifier,
        "ContactPoint": _contact,
        **dict.fromkeys((*PRIMITIVES, *WHOLE, "boolean", "date", "dateTime", "instant"), _code),
    },
    "string": {
        **dict.fromkeys(PRIMITIVES, _string),
        **{type: _parts(names) for type, names in PARTS.items()},
    },
    "reference": {"canonical": _canonical, "uri": _canonical, "url": _canonical, "": _resource},
    "uri": {
        "canonical": _canonical_uri,
        **dict.fromkeys(("uri", "url", "oid", "uuid", "string", "id"), _uri),
    },
    "date": {**dict.fromkeys(("date", "dateTime", "instant"), _date), "Period": _period, "Timing": _timing},
    "number": {**dict.fromkeys(WHOLE, _number), "Range": _range},
    "quantity": {**dict.fromkeys(AMOUNTS, _quantity), "Money": _money, "Range": _range},
    "special": {"Location.position": _near, "BackboneElement": _near},
}
"""By kind of parameter and FHIR type; "" is any other type; what is in neither only counts as present."""
