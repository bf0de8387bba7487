"""The order of a search as SQL: its values, and where the next page goes on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from commonweal.fhir.search.clauses import Sort
from commonweal.store.facts import TypeFacts
from commonweal.store.searches.aliases import Alias
from commonweal.store.writes.rows import MIDDLE, START

SORTABLE = ("date", "number", "quantity", "string")
"""Kinds whose values SQL knows; of others only hashes are kept, see sorting.py, unless the body tells the value."""
FENCES = {"int8": "+ 0", "float8": "+ 0", "text": "|| ''"}
"""What leaves a value as it is, by its SQL type."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """One value to sort by: its SQL, its SQL type, and which way.

    `strict`: the column is never null. `always`: no row that is found is without it.
    """

    sql: str
    type: str
    descending: bool
    strict: bool = False
    always: bool = False

    @property
    def unindexed(self) -> str:
        """The same value, as no index has it."""
        return f"({self.sql} {FENCES[self.type]})"

    @property
    def direction(self) -> str:
        """What has no value comes last; where none can be, as the index has it, read either way."""
        if self.strict:
            return " desc" if self.descending else ""
        if self.descending:
            return " desc nulls last"
        return " nulls first" if self.always else " nulls last"


def by_columns(sorts: Sequence[Sort], types: Iterable[TypeFacts]) -> bool:
    """Can SQL sort these types by all of these?"""
    hashed = {s.parameter.name for s in sorts if s.parameter.type not in SORTABLE} - {"_id"}
    return all(hashed <= facts.plain.keys() for facts in types)


def ordered(alias: Alias, sorts: Sequence[Sort], certain: frozenset[str]) -> list[Ordered]:
    """The values of the sorts, then the key, which makes the order total; `certain` are the parameters that
    whatever is found has a value for."""
    key = Ordered(alias.column("key"), "int8", False, strict=True)
    return [*(_value(alias, sort, certain) for sort in sorts), key]


def _value(alias: Alias, sort: Sort, certain: frozenset[str]) -> Ordered:
    name, down = sort.parameter.name, sort.descending
    if name == "_lastUpdated":
        return Ordered(alias.column("updated"), "int8", down, strict=True)
    if name == "_id":
        return Ordered(alias.column("id"), "text", down, strict=True)
    if sort.parameter.names == (alias.facts.date,):
        return Ordered(alias.column("date_lo"), "int8", down, always=name in certain)
    if name in alias.facts.plain:
        body = f"nullif({alias.column('body')}, '')::json"
        return Ordered(f"(({body} ->> '{alias.facts.plain[name]}') collate \"C\")", "text", down)
    if sort.parameter.type == "string":
        return Ordered(_words(alias, sort), "text", down)
    return Ordered(_ranged(alias, sort), "float8", down)


def _words(alias: Alias, sort: Sort) -> str:
    names = alias.bind([f"{name}{MIDDLE}" for name in sort.parameter.names], "text[]")
    pick = "max" if sort.descending else "min"
    return (
        f"(select {pick}(split_part(w, '{MIDDLE}', 2) collate \"C\") from"
        f" regexp_split_to_table({alias.column('words')}, '{START}') w"
        f" where split_part(w, '{MIDDLE}', 1) || '{MIDDLE}' = any({names}))"
    )


def _ranged(alias: Alias, sort: Sort) -> str:
    numbers = [alias.facts.number[name] for name in sort.parameter.names]
    pick = "max" if sort.descending else "min"
    where = f"r.row = {alias.column('key')} and r.parameter = any({alias.bind(numbers, 'int4[]')})"
    based = f"{pick}(r.lo) filter (where r.unit is not null)"
    return f"(select coalesce({based}, {pick}(r.lo)) from record.ranged r where {where})"


def order_by(values: Sequence[Ordered], names: Sequence[str]) -> str:
    """The ORDER BY of a statement."""
    return ", ".join(f"{name}{each.direction}" for name, each in zip(names, values, strict=True))


def behind(alias: Alias, values: Sequence[Ordered], place: Sequence[Any]) -> str:
    """The rows that come after a place in the order."""
    condition = "false"
    for each, value in reversed(list(zip(values, place, strict=True))):
        if value is None:
            condition = f"({each.sql} is null and {condition})"
            continue
        bound = alias.bind(value, each.type)
        ways = [
            f"{each.sql} {'<' if each.descending else '>'} {bound}",
            f"({each.sql} = {bound} and {condition})",
        ]
        if not each.strict and not each.always:
            ways.append(f"{each.sql} is null")
        condition = f"({' or '.join(ways)})"
    first = values[0]
    if first.strict or first.always:
        # the same again, in a form that an index can start from
        edge = f"{first.sql} {'<=' if first.descending else '>='} {alias.bind(place[0], first.type)}"
        condition = f"{edge} and {condition}"
    return condition
