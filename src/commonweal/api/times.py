"""Dates and times among the parameters of an address: https://hl7.org/fhir/R4/datatypes.html#instant."""

from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.dates import span


def span_of(name: str, text: str) -> tuple[int, int]:
    """First and last microsecond of a date or time; a plus sign in a zone may have been read as a space.

    Problem 400 when it is none.
    """
    try:
        return span(text.replace(" ", "+"))
    except (ValueError, OverflowError) as error:
        raise Problem.of("cw-bad-parameter", name=name, why=str(error)[:200]) from error
