"""A reach as conditions of SQL on one table of a statement: the same that reads/judging.py asks of a row."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from commonweal.access.relationship import AREA
from commonweal.store.reads.binding import Binding
from commonweal.store.reads.circumstances import Circumstances
from commonweal.store.reads.judging import about, asks_of, hindering
from commonweal.store.reads.reaching import Seen, Way
from commonweal.store.searches.aliases import Alias
from commonweal.store.searches.clusters import Clusters
from commonweal.store.searches.conditions import NEVER, Conditions

NOW = "(date_part('epoch', transaction_timestamp()) * 1000000)::int8"
"""What record.now() gives, cheap for each row; and no subselect, of which a plan would not know how much it leaves."""
HOLDS = f"f.since <= {NOW} and f.until > {NOW}"
ONE_WITH = "record.person_link l join record.person_link m using (cluster)"


class Bounds:
    """Writes what one reach asks of the aliases of one statement. `conditions`: what writes criteria; without it
    they are left to be judged row by row."""

    def __init__(
        self, seen: Seen, bind: Binding, clusters: Clusters, conditions: Conditions | None = None
    ) -> None:
        self._seen = seen
        self._bind = bind
        self._clusters = clusters
        self._conditions = conditions
        self._places: dict[tuple[Iterable[int | str], str], str] = {}

    def of(self, alias: Alias, known: Circumstances | None = None) -> list[str]:
        """What must all hold; "false" when nothing of this type is seen. `known`: where all rows are about the same
        patient, what holds about them."""
        if self._seen.everything:
            return []
        conditions = self._led_to(alias, _of(self._seen.ways, alias.type, known), known)
        for group in self._seen.within:
            conditions += self._any(alias, _of(group, alias.type, known))
        return conditions

    def _led_to(self, alias: Alias, ways: Sequence[Way], known: Circumstances | None) -> list[str]:
        """Some way leads there that nothing hinders."""
        free = [way for way in ways if way.unhindered or not self._seen.hinders]
        bound = [way for way in ways if way not in free]
        if not bound or any(way.is_plain for way in free):
            return self._any(alias, free)
        if not free:
            return [*self._any(alias, bound), *self._unhindered(alias, known)]
        first, second = (_or([self._way(alias, way) for way in each]) for each in (free, bound))
        hinders = " and ".join(self._unhindered(alias, known)) or "true"
        return [*self._narrowed(alias, ways), f"({first} or {second} and {hinders})"]

    def _any(self, alias: Alias, ways: Sequence[Way]) -> list[str]:
        """One of the ways leads there; a single one is written so that a plan may begin with it."""
        if any(way.is_plain for way in ways):
            return []
        if len(ways) == 1:
            return [self._way(alias, ways[0], alone=True)]
        return [*self._narrowed(alias, ways), _or([self._way(alias, way) for way in ways])]

    def _way(self, alias: Alias, way: Way, *, alone: bool = False) -> str:
        conditions = []
        if way.holders is not None:
            conditions.append(f"{alias.column('holder')} = any({self._among(way.holders)})")
        if way.patients is not None:
            conditions.append(alias.is_about(self._clusters.widened(way.patients)))
        if way.parties is not None and alone and not alias.anchored:
            conditions.append(f"{alias.column('patient')} in ({self._of_parties(way, way.parties)})")
        elif way.parties is not None:
            conditions.append(
                _or(self._facts(alias, "access.tie", self._tie(way.kinds, self._among(way.parties))))
            )
        if way.areas is not None:
            conditions.append(self._around(alias, way.areas, way.homes))
        if self._conditions is not None:
            # Rows are few by then; an index is of no use.
            each = replace(alias, anchored=True)
            conditions += [
                f"({self._conditions.of(each, clause)})" if asks_of(clause, alias.type) else NEVER
                for clause in way.criteria
            ]
        return " and ".join(conditions) or "true"

    def _narrowed(self, alias: Alias, ways: Sequence[Way]) -> list[str]:
        """Whom the ways are about, all together: what a plan may begin with, where they name their patients."""
        if alias.anchored or not ways or not all(way.is_bound for way in ways):
            return []
        parts = [
            f"select unnest({self._among(self._clusters.widened(way.patients))})"
            if way.patients is not None
            else self._of_parties(way, way.parties or frozenset())
            for way in ways
        ]
        return [f"{alias.column('patient')} in ({' union all '.join(parts)})"]

    def _of_parties(self, way: Way, parties: frozenset[int]) -> str:
        """The patients to whom ties lead from these."""
        tie = self._tie(way.kinds, self._among(parties))
        plain = f"select f.patient from access.tie f where {tie}"
        if not self._clusters:
            return plain
        others = f"select m.patient from access.tie f join {ONE_WITH} on l.patient = f.patient where {tie}"
        return f"{plain} union all {others}"

    def _tie(self, kinds: Iterable[str], parties: str) -> str:
        among = self._among(frozenset(kinds), "text[]")
        return f"f.kind = any({among}) and f.party = any({parties}) and {HOLDS}"

    def _around(self, alias: Alias, areas: frozenset[int], homes: bool) -> str:
        """The row's own place, or where its patient lives, is one of these or lies within one."""
        named = self._among(areas)
        inside = f"select w.area from access.place w where w.within = any({named})"
        below = f"array(select unnest({named}) union all {inside})"
        lives = self._facts(alias, "access.tie", self._tie((AREA,), below)) if homes else ()
        return _or([f"{alias.column('area')} = any({below})", *lives])

    def _unhindered(self, alias: Alias, known: Circumstances | None) -> list[str]:
        """No label, denial or consent stands against it."""
        seen, labels, conditions = self._seen, alias.column("labels"), []
        if known is not None:
            hidden = hindering(seen, alias.type, known)
            if hidden is None:
                return [NEVER]
            return [f"not coalesce({labels} && {self._among(hidden)}, false)"] if hidden else []
        if seen.labels:
            conditions.append(f"not coalesce({labels} && {self._among(seen.labels)}, false)")
        if seen.patients:
            denied = self._among(self._clusters.widened(seen.patients))
            conditions.append(f"coalesce({alias.column('patient')} <> all({denied}), true)")
        if seen.sensitive:
            conditions.append(self._insensitive(alias))
        if seen.parties:
            denies = f"f.deny and {self._asked(alias)} and (f.labels is null or f.labels && {labels})"
            conditions += [f"not {each}" for each in self._facts(alias, "access.rule", denies)]
        return conditions

    def _insensitive(self, alias: Alias) -> str:
        """It bears no sensitive label but those that its patient permits."""
        labels, sensitive = alias.column("labels"), self._among(self._seen.sensitive)
        none = f"not coalesce({labels} && {sensitive}, false)"
        if not self._seen.parties:
            return none
        permits = f"not f.deny and {self._asked(alias)} and s.label = any(f.labels)"
        permitted = _or(self._facts(alias, "access.rule", permits))
        left = f"select from unnest({labels}) s (label) where s.label = any({sensitive}) and not {permitted}"
        return f"({none} or not exists ({left}))"

    def _asked(self, alias: Alias) -> str:
        """A rule is about one of the parties, their purpose and this type."""
        parties = self._among(self._seen.parties)
        purpose = self._among(self._seen.purpose, "text")
        return (
            f"(f.parties is null or f.parties && {parties}) and not f.but && {parties}"
            f" and (f.purposes is null or {purpose} = any(f.purposes))"
            f" and (f.types is null or '{alias.type}' = any(f.types)) and {HOLDS}"
        )

    def _facts(self, alias: Alias, table: str, condition: str) -> list[str]:
        """There is such a fact `f` about the row's patient; or, where anybody is, about who is one with them."""
        patient = alias.column("patient")
        ways = [f"exists (select from {table} f where f.patient = {patient} and {condition})"]
        if self._clusters:
            joined = f"{ONE_WITH} join {table} f on f.patient = m.patient"
            ways.append(f"exists (select from {joined} where l.patient = {patient} and {condition})")
        return ways

    def _among(self, values: frozenset[int] | frozenset[str] | str, type: str = "int8[]") -> str:
        """The place of these values in the statement; the same for all its aliases."""
        if (values, type) not in self._places:
            self._places[values, type] = self._bind(
                values if isinstance(values, str) else sorted(values), type
            )
        return self._places[values, type]


def _of(ways: Iterable[Way], type: str, known: Circumstances | None) -> list[Way]:
    """Those that may lead to rows of a type, without what is known to hold."""
    found = (way for way in ways if way.is_of(type))
    return [left for way in found if (left := way if known is None else about(way, known)) is not None]


def _or(ways: Sequence[str]) -> str:
    return ways[0] if len(ways) == 1 else f"({' or '.join(ways)})" if ways else NEVER
