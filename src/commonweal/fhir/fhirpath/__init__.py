"""FHIRPath, https://hl7.org/fhirpath/N1/ with FHIR's additions, https://hl7.org/fhir/R4/fhirpath.html.

`compile(text)` gives an Expression to evaluate, `parse(text)` its tree (tree.py), and PathError is all that
either raises.
"""

from commonweal.fhir.fhirpath.error import PathError
from commonweal.fhir.fhirpath.expression import Expression, ask, compile
from commonweal.fhir.fhirpath.parser import parse
from commonweal.fhir.fhirpath.values import Item

__all__ = ["Expression", "Item", "PathError", "ask", "compile", "parse"]
