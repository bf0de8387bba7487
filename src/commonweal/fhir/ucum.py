"""Units of measure and what they come to in base units: https://ucum.org/ucum, https://hl7.org/fhir/R4/datatypes.html#quantity."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import msgspec

SYSTEM = "http://unitsofmeasure.org"
LONGEST = 128
"""Characters of a unit that are read; the work is linear in them."""
MAGNITUDE = 400
"""Numbers and powers of ten beyond this many digits have no canonical value."""
SHIFTS = {"Cel": Fraction("273.15"), "[degF]": Fraction("459.67"), "[degRe]": Fraction("218.52")}
"""Scales that do not start at zero: canonical value = factor × (value + shift)."""

_PIECE = re.compile(r"(?P<mark>[./()])|(?P<note>\{[^{}]*\})|(?P<atom>(?:\[[^\[\]]*\]|[^./(){}\[\]\s])+)")
_ATOM = re.compile(r"(?P<code>.*?)(?P<power>[+-]?\d{1,3})?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Unit:
    """`factor` × (value + `shift`) is the value in base units, whose powers are `bases`."""

    factor: Fraction
    bases: tuple[tuple[str, int], ...] = ()
    shift: Fraction = Fraction(0)

    def __str__(self) -> str:
        return _code(self.bases)


@lru_cache(maxsize=1024)
def _code(bases: tuple[tuple[str, int], ...]) -> str:
    return ".".join(f"{base}{'' if power == 1 else power}" for base, power in bases) or "1"


def canonical(value: Decimal, code: str) -> tuple[Decimal, str] | None:
    """The value in base units and their code ("g.m-3", "1" for a plain number); None if it is no UCUM unit.

    Arbitrary units ([iU]) and logarithmic ones (dB, [pH]) are their own base: never compared with others.
    """
    found = exact(value, code)
    if found is None:
        return None
    with localcontext(prec=34):
        return Decimal(found[0].numerator) / Decimal(found[0].denominator), found[1]


def exact(value: Decimal | int, code: str) -> tuple[Fraction, str] | None:
    """Like `canonical`, as an exact fraction."""
    unit = parse(code)
    number = Decimal(value)
    if unit is None or not number.is_finite() or abs(number.adjusted()) > MAGNITUDE:
        return None
    return unit.factor * (Fraction(number) + unit.shift), str(unit)


@lru_cache(maxsize=4096)
def parse(code: str) -> Unit | None:
    """A unit expression; None when it is not valid UCUM (or unreasonably large)."""
    if not 0 < len(code) <= LONGEST:
        return None
    try:
        unit = _Reader(code).whole()
    except _NoUnit:
        return None
    size = max(abs(unit.factor.numerator), unit.factor.denominator).bit_length()
    return unit if size < 4 * MAGNITUDE else None


class _NoUnit(Exception):
    """The text is no unit."""


class _Reader:
    """Reads main-term: ["/"] component (("."|"/") component)*, where a component may be in parentheses."""

    def __init__(self, code: str) -> None:
        self._pieces = [match for match in _PIECE.finditer(code)][::-1]
        if sum(len(match[0]) for match in self._pieces) != len(code):
            raise _NoUnit

    def whole(self) -> Unit:
        unit = self._term()
        if self._pieces:
            raise _NoUnit
        return unit

    def _term(self) -> Unit:
        unit = Unit(Fraction(1)) if self._is_next("/") else self._component()
        while True:
            if self._skip("."):
                unit = _times(unit, self._component(), 1)
            elif self._skip("/"):
                unit = _times(unit, self._component(), -1)
            else:
                return unit

    def _component(self) -> Unit:
        if self._skip("("):
            unit = self._term()
            if not self._skip(")"):
                raise _NoUnit
            return unit
        if self._skip_note():
            return Unit(Fraction(1))
        atom = self._pieces.pop()["atom"] if self._pieces else None
        if atom is None:
            raise _NoUnit
        self._skip_note()
        return _simple(atom)

    def _is_next(self, mark: str) -> bool:
        return bool(self._pieces) and self._pieces[-1]["mark"] == mark

    def _skip(self, mark: str) -> bool:
        found = self._is_next(mark)
        if found:
            self._pieces.pop()
        return found

    def _skip_note(self) -> bool:
        found = bool(self._pieces) and self._pieces[-1]["note"] is not None
        if found:
            self._pieces.pop()
        return found


def _times(left: Unit, right: Unit, sign: int) -> Unit:
    """left × right^sign. Scales that do not start at zero cannot be multiplied."""
    if left.shift or right.shift:
        raise _NoUnit
    powers = Counter(dict(left.bases))
    for base, power in right.bases:
        powers[base] += sign * power
    bases = tuple(sorted((base, power) for base, power in powers.items() if power))
    return Unit(left.factor * right.factor**sign, bases)


def _simple(text: str) -> Unit:
    """A factor (`10`), or an atom with its power (`m2`, `10*-3`)."""
    if text.isdecimal() and text.isascii():
        number = Fraction(int(text))
        if not number:
            raise _NoUnit
        return Unit(number)
    match = _ATOM.fullmatch(text)
    if match is None:
        raise _NoUnit
    unit, power = _atom(match["code"]), int(match["power"] or 1)
    if match["power"] is None:
        return unit
    if unit.shift or not 0 < abs(power) <= MAGNITUDE:
        raise _NoUnit
    return Unit(unit.factor**power, tuple((base, each * power) for base, each in unit.bases))


def _atom(code: str) -> Unit:
    """A unit as it stands, else a metric one behind a prefix."""
    table = _table()
    if code in table["units"]:
        return _defined(code)
    for length in (1, 2):
        prefix, rest = code[:length], code[length:]
        if prefix in table["prefixes"] and table["units"].get(rest, (None, None, False))[2]:
            unit, scale = _defined(rest), Fraction(table["prefixes"][prefix])
            return Unit(unit.factor * scale, unit.bases, unit.shift / scale)
    raise _NoUnit


@cache
def _defined(code: str) -> Unit:
    value, unit, _ = _table()["units"][code]
    if unit is None:
        return Unit(Fraction(1), ((code, 1),))
    whole = _Reader(unit).whole()
    return Unit(Fraction(value) * whole.factor, whole.bases, SHIFTS.get(code, Fraction(0)))


@cache
def _table() -> Any:
    return msgspec.json.decode((files("commonweal.fhir") / "definitions" / "ucum.json").read_bytes())
