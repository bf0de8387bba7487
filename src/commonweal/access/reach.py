"""What an agent may see, as data: the store compiles it into SQL, the memory store evaluates it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grant:
    """One reason to see a row: every stated condition must hold; None states nothing.

    types: resource types; areas, organizations, patients: references ("Location/x", "Organization/y",
    "Patient/z") compared with the row's area, holder and patient.
    """

    types: frozenset[str] | None = None
    areas: frozenset[str] | None = None
    organizations: frozenset[str] | None = None
    patients: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """A row is seen when any grant holds and it carries none of the denied labels or patients.

    It is applied to every alias of a search (chain, _has, _include) before count, sort and page.
    `denied_labels` are security labels "system|code"; `masked` are search parameters and elements
    ("Patient.name") that may be neither returned, searched nor sorted by.
    """

    grants: tuple[Grant, ...] = ()
    denied_labels: frozenset[str] = frozenset()
    denied_patients: frozenset[str] = frozenset()
    masked: frozenset[str] = frozenset()

    @property
    def is_everything(self) -> bool:
        """True when no row and no field is held back, so that a store may skip the filter."""
        return self == EVERYTHING

    @property
    def is_nothing(self) -> bool:
        """True when no row can be seen."""
        return not self.grants


EVERYTHING = Reach(grants=(Grant(),))
NOTHING = Reach()
