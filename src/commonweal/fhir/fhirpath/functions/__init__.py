"""The functions of FHIRPath, one file a chapter of the specification; FUNCTIONS is all of them by name."""

from collections.abc import Mapping

from commonweal.fhir.fhirpath.functions import (
    aggregates,
    boundaries,
    conversion,
    dates,
    existence,
    fhir,
    filtering,
    mathematics,
    strings,
    subsetting,
)
from commonweal.fhir.fhirpath.functions.kinds import Function

FUNCTIONS: Mapping[str, Function] = {
    **existence.TABLE,
    **filtering.TABLE,
    **subsetting.TABLE,
    **conversion.TABLE,
    **strings.TABLE,
    **mathematics.TABLE,
    **dates.TABLE,
    **boundaries.TABLE,
    **aggregates.TABLE,
    **fhir.TABLE,
}

__all__ = ["FUNCTIONS", "Function"]
