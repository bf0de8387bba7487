"""How long something holds, in microseconds: https://hl7.org/fhir/R4/datatypes.html#Period."""

from typing import Any

from commonweal.fhir.search.dates import span

Json = dict[str, Any]
Span = tuple[int, int]
"""From the first until before the second."""

FOREVER = 2**63 - 1
ALWAYS = (0, FOREVER)
NEVER = (0, 0)


def lasting(period: Json) -> Span:
    """A period from the beginning of its start to the end of its end; what cannot be read is never."""
    start, end = period.get("start"), period.get("end")
    try:
        return max(0, span(start)[0]) if start else 0, span(end)[1] + 1 if end else FOREVER
    except (TypeError, ValueError):
        return NEVER


def both(one: Span, other: Span) -> Span:
    """As long as either lasts."""
    since, until = max(one[0], other[0]), min(one[1], other[1])
    return (since, until) if since < until else NEVER
