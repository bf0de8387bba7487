"""Values of FHIR's data types as text, with a hint and, of references, a link: https://hl7.org/fhir/R4/datatypes.html."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from commonweal.fhir import reference
from commonweal.web import said
from commonweal.web.language import gettext as _
from commonweal.web.record.words import code_name, type_name

Json = dict[str, Any]
LONGEST = 4000
"""Characters of one text that are shown; the whole is in the JSON."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is read, what stands behind it (a code with its system, an exact time), and where it leads."""

    text: str
    hint: str = ""
    href: str = ""


def shown(value: Any, type: str) -> Shown | None:
    """A value of a type; None when the type is better shown by its own elements."""
    if type in FORMATS:
        return FORMATS[type](value)
    return None if isinstance(value, dict) else plain(value)


def plain(value: Any) -> Shown:
    """A primitive that needs no more than itself."""
    if isinstance(value, bool):
        return Shown(_("Yes") if value else _("No"))
    text = said.number(value) if isinstance(value, Decimal) else str(value)
    return Shown(text if len(text) <= LONGEST else text[:LONGEST] + " …")


def name(value: Json) -> str:
    """A person's name, as it was written where it was, family name first in Chinese."""
    if value.get("text"):
        return str(value["text"])
    family, given = str(value.get("family", "")), value.get("given", ())
    if family and not family.isascii() and _is_chinese(family):
        return family + "".join(given)
    return " ".join([*value.get("prefix", ()), *given, family, *value.get("suffix", ())]).strip()


def _is_chinese(text: str) -> bool:
    return all("\u3400" <= character <= "\u9fff" or character > "\U00020000" for character in text)


def concept(value: Json | None) -> str:
    """A CodeableConcept: what was written, else the first display, else the code."""
    if not value:
        return ""
    if value.get("text"):
        return str(value["text"])
    codings = value.get("coding", ())
    display = next((c["display"] for c in codings if c.get("display")), "")
    return display or next((code_name(c["code"]) for c in codings if c.get("code")), "")


def quantity(value: Json) -> str:
    """68.5 kg; the comparator first, the unit as it was written."""
    if "value" not in value:
        return str(value.get("unit") or value.get("code") or "")
    unit = unit_of(value)
    return (
        f"{value.get('comparator', '')}{said.short(value['value'])}{'' if unit == '%' else ' '}{unit}".strip()
    )


UNITS = {"mm[Hg]": "mmHg", "Cel": "°C", "[degF]": "°F", "[lb_av]": "lb", "[in_i]": "in", "10*3/uL": "10³/µL",
         "10*6/uL": "10⁶/µL", "10*9/L": "10⁹/L", "10*12/L": "10¹²/L"}  # fmt: skip
"""UCUM codes that stand where a unit should be written for reading."""
ANNOTATION = re.compile(r"\{([^{}]*)\}")


def unit_of(value: Json) -> str:
    """The unit as people write it; annotations of UCUM without their braces."""
    unit = str(value.get("unit") or value.get("code") or "")
    return UNITS.get(unit) or ANNOTATION.sub(lambda found: found[1].replace("_", " "), unit)


def period(value: Json) -> str:
    """From – to; an open end is said."""
    start, end = value.get("start"), value.get("end")
    if start and end and start[:10] == end[:10]:
        return f"{said.moment(start)}–{said.time(end)}" if said.time(end) else said.day(start)
    if start and end:
        return f"{said.moment(start)} – {said.moment(end)}"
    if start:
        return _("since %(day)s") % {"day": said.moment(start)}
    return _("until %(day)s") % {"day": said.moment(end)} if end else ""


def _codings(value: Json) -> str:
    return " · ".join(_coded(each) for each in value.get("coding", ()))


def _coded(value: Json) -> str:
    return " ".join(filter(None, (str(value.get("system", "")), str(value.get("code", "")))))


def _coding(value: Json) -> Shown:
    return Shown(str(value.get("display") or code_name(value.get("code", ""))), _coded(value))


def _reference(value: Json) -> Shown:
    text = value.get("reference", "")
    label = value.get("display") or concept(value.get("identifier", {}).get("type"))
    found = reference.parse(text) if text else None
    if found and found.kind == "local":
        version = f"/versions/{found.version}" if found.version else ""
        label = label or f"{type_name(found.type or '')} {found.id}"
        return Shown(label, text, f"/record/{found.type}/{found.id}{version}")
    if found and found.kind == "contained":
        return Shown(label or text, text, f"#contained-{found.id}")
    identifier = value.get("identifier", {})
    return Shown(str(label or text or identifier.get("value", "")), str(identifier.get("system", "")))


def _identifier(value: Json) -> Shown:
    kind = concept(value.get("type"))
    text = str(value.get("value", ""))
    return Shown(f"{text} ({kind})" if kind else text, str(value.get("system", "")))


def _contact(value: Json) -> Shown:
    kind = ", ".join(code_name(value[key]) for key in ("system", "use") if value.get(key))
    return Shown(str(value.get("value", "")), kind)


def _address(value: Json) -> Shown:
    keys = ("district", "city", "state", "postalCode", "country")
    parts = [*value.get("line", ()), *(value[key] for key in keys if value.get(key))]
    return Shown(str(value.get("text") or ", ".join(parts)), code_name(value.get("use", "")))


def _range(value: Json) -> Shown:
    low, high = value.get("low"), value.get("high")
    if low and high and "value" in low and unit_of(low) == unit_of(high):
        return Shown(f"{said.short(low['value'])}–{quantity(high)}")
    if low and high:
        return Shown(f"{quantity(low)} – {quantity(high)}")
    return Shown(f"≥ {quantity(low)}" if low else f"≤ {quantity(high)}" if high else "")


def _ratio(value: Json) -> Shown:
    return Shown(f"{quantity(value.get('numerator', {}))} : {quantity(value.get('denominator', {}))}")


def _annotation(value: Json) -> Shown:
    author = value.get("authorString") or _reference(value.get("authorReference", {})).text
    return Shown(
        str(value.get("text", "")), " ".join(filter(None, (author, said.moment(value.get("time", "")))))
    )


def _attachment(value: Json) -> Shown:
    text = value.get("title") or value.get("url") or _("Attachment")
    size = said.size(value["size"]) if value.get("size") else ""
    return Shown(str(text), " ".join(filter(None, (value.get("contentType", ""), size))))


def _money(value: Json) -> Shown:
    return Shown(
        f"{said.number(value['value'])} {value.get('currency', '')}".strip() if "value" in value else ""
    )


def _when(value: str) -> Shown:
    return Shown(said.moment(value), value)


def _narrative(value: Json) -> Shown:
    return Shown(_("written for reading; see the JSON"), code_name(value.get("status", "")))


def names(values: list[Json]) -> Iterator[Json]:
    """The names in use, the official one first."""
    rank = {"official": 0, "usual": 1, "": 2}
    in_use = [each for each in values if each.get("use") != "old"]
    yield from sorted(in_use or values, key=lambda each: rank.get(each.get("use", ""), 3))


FORMATS: dict[str, Callable[[Any], Shown]] = {
    "HumanName": lambda v: Shown(name(v), code_name(v.get("use", ""))),
    "CodeableConcept": lambda v: Shown(concept(v), _codings(v)),
    "Coding": _coding,
    "Identifier": _identifier,
    "Reference": _reference,
    "ContactPoint": _contact,
    "Address": _address,
    **dict.fromkeys(
        ("Quantity", "SimpleQuantity", "Age", "Count", "Distance", "Duration", "MoneyQuantity"),
        lambda v: Shown(quantity(v), _coded(v)),
    ),
    "Money": _money,
    "Period": lambda v: Shown(period(v), " – ".join(v[k] for k in ("start", "end") if k in v)),
    "Range": _range,
    "Ratio": _ratio,
    "Annotation": _annotation,
    "Attachment": _attachment,
    "Narrative": _narrative,
    "date": _when,
    "dateTime": _when,
    "instant": _when,
    "code": lambda v: Shown(code_name(v), v),
}
"""By type; what is not here and has elements is shown by them."""
