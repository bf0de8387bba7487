"""Search parameters, the official ones of R4 and a service's own: https://hl7.org/fhir/R4/searchparameter.html."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter as it applies to one resource type.

    `type` is number, date, string, token, reference, composite, quantity, uri or special. `expression` is the
    FHIRPath of this resource type alone; for a component of a composite it starts at the composite's element.
    `targets` are the types a reference may point to (empty: any). `implied` are the systems that a plain
    `code` element stands for: a query that names one of them asks for the code without a system.

    `union`: this parameter yields exactly what these others yield together (Observation.combo-code = code and
    component-code; Patient.phonetic = name). It is then not indexed itself: `names` says where to look.
    `root`: a composite whose context is the resource itself: it is not indexed; it holds when every one of
    its `components`, ordinary parameters of the type, holds. Other composites are in `Indexed.composites`.
    """

    name: str
    type: str
    expression: str = ""
    url: str = ""
    resource: str = ""
    targets: tuple[str, ...] = ()
    components: tuple[Parameter, ...] = ()
    implied: tuple[str, ...] = ()
    union: tuple[Parameter, ...] = ()
    root: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names its values are indexed under: its own, or those of its union."""
        return tuple(other.name for other in self.union) or (self.name,)


class Registry:
    """All search parameters: the official ones, and a service's own (SearchParameter resources), which win.

    `bases` are the addresses under which this server is known ("https://example.org/fhir"): absolute
    references below them are read as relative ones, in the index and in queries alike.
    """

    def __init__(self, own: Iterable[Json] = (), bases: Iterable[str] = ()) -> None:
        self.bases: tuple[str, ...] = tuple(base.rstrip("/") + "/" for base in bases)

    def of(self, resource_type: str | None) -> Mapping[str, Parameter]:
        """Every parameter of a type by name; of None (search over all types): those that every type has."""
        raise NotImplementedError
