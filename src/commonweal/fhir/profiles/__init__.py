"""Whether a resource fits a profile: https://hl7.org/fhir/R4/profiling.html.

Checked: cardinality, types and profiles of types, types of reference targets, fixed values and patterns, length,
bindings (required: error; extensible: warning), invariants of the profile, and slices told apart by value, pattern,
type, existence or profile, closed ones included. References are followed within a Bundle and into what is contained.

Not checked: whether referenced resources outside of the Bundle fit their profiles, the order of slices, minimum and
maximum values, mustSupport, preferred and example bindings, and what the terminology that is here cannot tell: that is
said in an informational issue.
"""

from commonweal.fhir.profiles.judging import fits
from commonweal.fhir.profiles.needs import needed
from commonweal.fhir.profiles.tree import Trees, core_type

__all__ = ["Trees", "core_type", "fits", "needed"]
