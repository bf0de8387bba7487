"""Decimals as FHIRPath has them: 28 digits, trailing zeros without meaning,
https://hl7.org/fhirpath/N1/#decimal."""

from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

Number = int | Decimal
INTEGER_MAX = 2**31 - 1
LONG_MAX = 2**63 - 1
LARGEST = Decimal(10) ** 28
MOST_PLACES = 400
DOUBLE = 15  # digits that every platform carries through a division
NOISE = Decimal("1E-15")


class Long(int):
    """System.Long, a 64-bit integer; JSON carries it as a string, as FHIR does integer64."""


def bounded(value: Number) -> Number | None:
    """The number, or None beyond what its type holds, https://hl7.org/fhirpath/N1/#math."""
    if isinstance(value, Decimal):
        within = value.is_finite() and abs(value) < LARGEST and value.adjusted() > -MOST_PLACES
        return value if within else None if value else Decimal(0)
    most = LONG_MAX if isinstance(value, Long) else INTEGER_MAX
    return value if -most - 1 <= value <= most else None


def same(a: Number, b: Number) -> bool:
    """Equal; numbers with more digits than a double carries are quotients, equal when as good as the same."""
    if a == b:
        return True
    x, y = Decimal(a), Decimal(b)
    if max(digits(x), digits(y)) <= DOUBLE:
        return False
    return abs(x - y) <= max(abs(x), abs(y)) * NOISE


def digits(value: Decimal) -> int:
    return len(value.as_tuple().digits)


def tidy(value: Decimal | Fraction) -> Decimal:
    """The value without the last digits' noise of a division: 27 digits, no trailing zeros."""
    with localcontext(prec=27):
        if isinstance(value, Fraction):
            value = Decimal(value.numerator) / Decimal(value.denominator)
        return shorn(+value)


def shorn(value: Decimal) -> Decimal:
    """Without trailing zeros after the point."""
    if not value.is_finite() or abs(value.adjusted()) > 60:
        return value
    whole = value.to_integral_value()
    return whole if whole == value else value.normalize()


def places(value: Number) -> int:
    """Digits after the point, trailing zeros left out."""
    exponent = shorn(tidy(Decimal(value))).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def alike(a: Number, b: Number) -> bool:
    """Equal once rounded to the places of the less precise one (the `~` of decimals)."""
    to = min(places(a), places(b))
    x, y = rounded(Decimal(a), to), rounded(Decimal(b), to)
    return same(x, y)


def rounded(value: Decimal, to: int) -> Decimal:
    """Rounded to so many places, halves away from zero."""
    if value.adjusted() + to > 60:
        return value
    with localcontext(prec=80):
        return value.quantize(Decimal(1).scaleb(-to), ROUND_HALF_UP)


def written(value: Decimal) -> str:
    """Without an exponent, unless it would run to a hundred digits."""
    return str(value) if abs(value.adjusted()) > 100 else f"{value:f}"
