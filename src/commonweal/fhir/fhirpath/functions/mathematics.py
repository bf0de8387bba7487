"""Mathematics, https://hl7.org/fhirpath/N1/#math; a result that does not exist (the root of -1) is empty."""

from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal, DecimalException, localcontext
from typing import Any

from commonweal.fhir.fhirpath.error import PathError
from commonweal.fhir.fhirpath.functions.kinds import Function, scalar
from commonweal.fhir.fhirpath.numbers import Long, bounded, rounded, tidy
from commonweal.fhir.fhirpath.quantity import Quantity

MOST_PLACES = 28


def on_number(name: str, run: Callable[..., Any], *arguments: str, optional: int = 0) -> tuple[str, Function]:
    """A function of a number, or of a quantity's value with its unit kept."""

    def call(value: Any, *given: Any) -> Any:
        if value.__class__ is not Quantity:
            return bounded(run(number(value, name), *given))
        found = run(value.value, *given)
        return None if bounded(found) is None else value.times(Decimal(found))

    return name, scalar(name, call, "any", *arguments, optional=optional)


def number(value: Any, name: str) -> Any:
    if value.__class__ not in (int, Long, Decimal):
        raise PathError(f"{name}() takes a number here")
    return value


def to_whole(rounding: str) -> Callable[[Any], Any]:
    """Whole numbers keep their type, decimals become integers."""

    def run(value: Any) -> Any:
        if value.__class__ is not Decimal:
            return value
        return int(value.to_integral_value(rounding)) if bounded(value) is not None else value

    return run


def absolute(value: Any) -> Any:
    return value.__class__(abs(value))


def nearest(value: Any, places: int = 0) -> Decimal:
    if places < 0:
        raise PathError("round() takes a precision of 0 or more")
    return rounded(Decimal(value), min(places, MOST_PLACES))


def precise(name: str, run: Callable[..., Decimal], *arguments: str) -> tuple[str, Function]:
    """A function worked out in more digits than are kept."""

    def call(value: Any, *given: Any) -> Any:
        try:
            with localcontext(prec=40, Emax=9999, Emin=-9999):
                found = run(Decimal(number(value, name)), *map(Decimal, given))
        except DecimalException:
            return None
        return None if bounded(found) is None else tidy(found)

    return name, scalar(name, call, "any", *arguments)


def power(value: Any, exponent: Any) -> Any:
    """Whole numbers to a whole power stay whole."""
    base = number(value, "power")
    try:
        with localcontext(prec=40, Emax=9999, Emin=-9999):
            found = Decimal(base) ** Decimal(exponent)
    except DecimalException:
        return None
    if bounded(found) is None:
        return None
    if Decimal in (base.__class__, exponent.__class__) or exponent < 0:
        return tidy(found)
    return bounded(Long(found) if Long in (base.__class__, exponent.__class__) else int(found))


TABLE: Mapping[str, Function] = {
    **dict(
        [
            on_number("abs", absolute),
            on_number("ceiling", to_whole(ROUND_CEILING)),
            on_number("floor", to_whole(ROUND_FLOOR)),
            on_number("truncate", to_whole(ROUND_DOWN)),
            on_number("round", nearest, "whole", optional=1),
            precise("exp", lambda value: value.exp()),
            precise("ln", lambda value: value.ln()),
            precise("log", lambda value, base: value.ln() / base.ln(), "number"),
            precise("sqrt", lambda value: value.sqrt()),
        ]
    ),
    "power": scalar("power", power, "any", "number"),
}
