"""A reach in the hashes of the access columns, made once for each that is met."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from commonweal.access.reach import Grant, Reach
from commonweal.access.relationship import EMERGENCY, KINDS
from commonweal.fhir.search.clauses import Clause
from commonweal.store.tokens import Tokens

Hashes = frozenset[int] | None
ANY_BUT_EMERGENCY = frozenset(KINDS) - {EMERGENCY}


@dataclass(frozen=True, slots=True)
class Way:
    """A grant; None asks nothing. `kinds` are those of the ties that may lead from `parties`; `homes`: areas are also
    those where a patient lives."""

    types: frozenset[str] | None
    areas: Hashes
    holders: Hashes
    patients: Hashes
    parties: Hashes
    kinds: frozenset[str]
    criteria: tuple[Clause, ...]
    unhindered: bool
    homes: bool = True

    @property
    def is_plain(self) -> bool:
        """Asks nothing but the type."""
        return not self.criteria and self.holders is None and not self.asks_known

    @property
    def asks_known(self) -> bool:
        """Asks what holds about the patient or the place, which the row does not tell."""
        return not (self.areas is None and self.patients is None and self.parties is None)

    @property
    def is_bound(self) -> bool:
        """Leads to certain patients only."""
        return self.patients is not None or self.parties is not None

    def is_of(self, type: str) -> bool:
        return self.types is None or type in self.types


@dataclass(frozen=True, slots=True)
class Seen:
    """A reach: its ways, the groups of which one each must hold as well, and what hinders.

    `everything`: no row is held back. `asks_known`: it cannot be judged by the row alone. `asks_content`: by the
    access columns alone neither.
    """

    everything: bool
    asks_known: bool
    asks_content: bool
    ways: tuple[Way, ...]
    within: tuple[tuple[Way, ...], ...]
    labels: frozenset[int]
    patients: frozenset[int]
    sensitive: frozenset[int]
    parties: frozenset[int]
    purpose: str

    @property
    def told(self) -> "Seen":
        """The same for what is being said: whoever writes something sensitive knows it already."""
        return replace(self, sensitive=frozenset()) if self.sensitive else self

    @property
    def hinders(self) -> bool:
        """Can anything stand against a way?"""
        return bool(self.labels or self.patients or self.sensitive or self.parties)


class Reaches:
    """Hashes reaches, and remembers those it met."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.of = lru_cache(maxsize=4096)(self._of)

    def _of(self, reach: Reach) -> Seen:
        ways = tuple(map(self._way, reach.grants))
        within = tuple(tuple(map(self._way, group)) for group in reach.within)
        hinders = reach.denied_labels or reach.denied_patients or reach.sensitive or reach.parties
        groups = (tuple(way for way in ways if way.unhindered or not hinders), *within)
        every = [way for group in (ways, *within) for way in group]
        return Seen(
            everything=all(any(way.is_plain and way.types is None for way in group) for group in groups),
            asks_known=bool(reach.denied_patients or reach.parties) or any(way.asks_known for way in every),
            asks_content=any(way.criteria for way in every),
            ways=ways,
            within=within,
            labels=frozenset(map(self.tokens.label, reach.denied_labels)),
            patients=frozenset(map(self.tokens.self, reach.denied_patients)),
            sensitive=frozenset(map(self.tokens.label, reach.sensitive)),
            parties=frozenset(map(self.tokens.self, reach.parties)),
            purpose=reach.purpose,
        )

    def _way(self, grant: Grant) -> Way:
        return Way(
            types=grant.types,
            areas=self._hashes(grant.areas),
            holders=self._hashes(grant.organizations),
            patients=self._hashes(grant.patients),
            parties=self._hashes(grant.parties),
            kinds=ANY_BUT_EMERGENCY if grant.ties is None else grant.ties,
            criteria=grant.criteria,
            unhindered=grant.unhindered,
        )

    def _hashes(self, references: Iterable[str] | None) -> Hashes:
        return None if references is None else frozenset(map(self.tokens.self, references))
