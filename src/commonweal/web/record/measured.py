"""Observations as values: with unit, reference range and a flag that is a word: https://hl7.org/fhir/R4/observation.html."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from commonweal.web import said
from commonweal.web.language import gettext as _
from commonweal.web.record.values import FORMATS, Json, concept, plain, quantity, unit_of
from commonweal.web.record.words import code_name

BLOOD_PRESSURE = ("8480-6", "8462-4")
"""LOINC of systolic and diastolic pressure."""


@dataclass(frozen=True, slots=True)
class Flag:
    """`level`: "high", "low", "critical", "abnormal" or "normal"; the word is what is read."""

    level: str
    mark: str
    word: str


@dataclass(frozen=True, slots=True)
class Measured:
    """One value: what was measured, its text, and its number where it has one."""

    name: str
    code: str
    text: str
    number: Decimal | None = None
    unit: str = ""
    range: str = ""
    flag: Flag | None = None


def measured(observation: Json) -> list[Measured]:
    """The value of an observation and those of its components, in their order."""
    own = _one(observation)
    return ([own] if own.text else []) + [_one(each) for each in observation.get("component", ())]


def one_line(values: Sequence[Measured]) -> str:
    """All values in one line; a blood pressure as 120/80 mmHg."""
    pressures = {each.code.rpartition("|")[2]: each for each in values}
    if all(code in pressures and pressures[code].number is not None for code in BLOOD_PRESSURE):
        high, low = (pressures[code] for code in BLOOD_PRESSURE)
        return f"{said.short(high.number or 0)}/{said.short(low.number or 0)} {high.unit}"
    if len(values) == 1:
        return values[0].text
    return "; ".join(f"{each.name} {each.text}" for each in values)


def flags(values: Sequence[Measured]) -> tuple[Flag, ...]:
    """What to heed: every flag but "normal", each once; "normal" when it is all that is said."""
    found = tuple(dict.fromkeys(each.flag for each in values if each.flag))
    return tuple(each for each in found if each.level != "normal") or found


def _one(node: Json) -> Measured:
    text, number, unit = _value(node)
    return Measured(
        concept(node.get("code")), code_of(node), text, number, unit, _range(node), _flag(node, number)
    )


def code_of(node: Json) -> str:
    """ "system|code" of the first coding, else its text: what makes two measurements comparable."""
    concept_ = node.get("code", {})
    coding = next((c for c in concept_.get("coding", ()) if c.get("code")), None)
    return f"{coding.get('system', '')}|{coding['code']}" if coding else str(concept_.get("text", ""))


def _value(node: Json) -> tuple[str, Decimal | None, str]:
    key = next((k for k in node if k.startswith("value") and k != "value"), None)
    if key is None:
        return (concept(node["dataAbsentReason"]) if "dataAbsentReason" in node else ""), None, ""
    value, type = node[key], key.removeprefix("value")
    if type == "Quantity":
        number = Decimal(str(value["value"])) if "value" in value else None
        return quantity(value), number, unit_of(value)
    if type == "Integer":
        return plain(value).text, Decimal(value), ""
    show = FORMATS.get(type) or FORMATS.get(type[0].lower() + type[1:])
    return (show(value) if show else plain(value)).text if not _is_deep(value, show) else "…", None, ""


def _is_deep(value: Any, show: Any) -> bool:
    return isinstance(value, dict) and show is None


def _range(node: Json) -> str:
    return "; ".join(filter(None, (_one_range(each) for each in node.get("referenceRange", ()))))


def _one_range(each: Json) -> str:
    if each.get("text"):
        return str(each["text"])
    return FORMATS["Range"]({key: each[key] for key in ("low", "high") if key in each}).text


def _flag(node: Json, number: Decimal | None) -> Flag | None:
    """What the laboratory said; where it said nothing, which side of the one range the value lies."""
    for each in node.get("interpretation", ()):
        for coding in each.get("coding", ()):
            return _said(coding.get("code", ""), concept(each))
        return Flag("abnormal", "•", concept(each))
    return _beyond(node, number)


def _said(code: str, text: str) -> Flag:
    known = {
        "H": ("high", "↑", _("High")),
        "HU": ("high", "↑", _("Significantly high")),
        "HH": ("critical", "⇈", _("Critically high")),
        "L": ("low", "↓", _("Low")),
        "LU": ("low", "↓", _("Significantly low")),
        "LL": ("critical", "⇊", _("Critically low")),
        "A": ("abnormal", "!", _("Abnormal")),
        "AA": ("critical", "‼", _("Critically abnormal")),
        "POS": ("abnormal", "+", _("Positive")),
        "NEG": ("normal", "−", _("Negative")),
        "N": ("normal", "✓", _("Normal")),
        "R": ("abnormal", "R", _("Resistant")),
        "S": ("normal", "S", _("Susceptible")),
    }
    return Flag(*known[code]) if code in known else Flag("abnormal", "•", text or code_name(code))


def _beyond(node: Json, number: Decimal | None) -> Flag | None:
    ranges_ = node.get("referenceRange", ())
    if number is None or len(ranges_) != 1:
        return None
    unit = node.get("valueQuantity", {}).get("unit")
    for bound, mark, level, word in _sides(ranges_[0], unit):
        if (number < bound) if level == "low" else (number > bound):
            return Flag(level, mark, word)
    return None


def _sides(one: Json, unit: str | None) -> Iterator[tuple[Decimal, str, str, str]]:
    """The bounds that are in the unit of the value."""
    for key, mark, level, word in (
        ("low", "↓", "low", _("Below range")),
        ("high", "↑", "high", _("Above range")),
    ):
        bound = one.get(key, {})
        if "value" in bound and bound.get("unit") in (None, unit):
            yield Decimal(str(bound["value"])), mark, level, word
