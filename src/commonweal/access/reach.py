"""What an agent may see, as data: the store compiles it into SQL, the memory store evaluates it."""

from dataclasses import dataclass, replace

from commonweal.fhir.search.clauses import Clause


@dataclass(frozen=True, slots=True)
class Grant:
    """One reason to see a row: every stated condition must hold; None states nothing.

    types: resource types. organizations, patients: references compared with the row's holder and patient.
    areas: the row's own area, or the area where its patient lives, is one of these or lies below one.
    parties: a tie (access/relationship.py) that holds now leads from one of these to the row's patient; `ties`
    says of which kinds (None: any but an emergency's).
    criteria: search clauses the row itself must meet (a scope's constraint).
    `unhindered`: no label, consent or denial stands against it (a person's own record, an emergency).
    """

    types: frozenset[str] | None = None
    areas: frozenset[str] | None = None
    organizations: frozenset[str] | None = None
    patients: frozenset[str] | None = None
    parties: frozenset[str] | None = None
    ties: frozenset[str] | None = None
    criteria: tuple[Clause, ...] = ()
    unhindered: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """A row is seen when some grant holds for it, nothing hinders that grant, and some grant of every group in
    `within` holds too (what the app between was allowed).

    It is applied to every alias of a search (chain, _has, _include) before count, sort and page.
    What hinders: `denied_labels` ("system|code" in meta.security), `denied_patients`; labels in `sensitive`, unless
    the row's patient permits them to one of `parties`; a consent of the row's patient that denies one of `parties`
    (or everybody) for `purpose`. Empty `parties`: consents are not asked.
    `masked` are search parameters and elements ("Patient.name") that may be neither returned, searched nor sorted by.
    """

    grants: tuple[Grant, ...] = ()
    within: tuple[tuple[Grant, ...], ...] = ()
    denied_labels: frozenset[str] = frozenset()
    denied_patients: frozenset[str] = frozenset()
    sensitive: frozenset[str] = frozenset()
    parties: frozenset[str] = frozenset()
    purpose: str = ""
    masked: frozenset[str] = frozenset()

    @property
    def is_everything(self) -> bool:
        """True when no row and no field is held back, so that a store may skip the filter."""
        return self == EVERYTHING

    @property
    def is_nothing(self) -> bool:
        """True when no row can be seen."""
        return not self.grants or not all(self.within)

    def narrowed(self, group: tuple[Grant, ...]) -> "Reach":
        """The same, where one of these grants must hold as well."""
        return replace(self, within=(*self.within, group))


EVERYTHING = Reach(grants=(Grant(),))
NOTHING = Reach()
