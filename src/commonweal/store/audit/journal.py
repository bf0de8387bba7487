"""The journal on PostgreSQL: rows of the audit found among millions, people named again who are kept as hashes."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.outcome import Problem
from commonweal.platform.journal import KEY, OUTCOMES, Asked, Chain, Entry
from commonweal.store.audit.seal import COLUMNS
from commonweal.store.connection import Pools, borrowed
from commonweal.store.tokens import Tokens

Connection = Any
Condition = tuple[str, Any]
LARGEST = 1000
"""Entries of one page."""
UNSEALED = 10_000
"""Rows that wait for a seal are counted up to here."""
WRITES = ("create", "update", "patch", "delete", "transaction", "batch")
PLAIN = ("agent", "work", "purpose", "type", "organization", "client", "address")
"""What is asked of a row as it stands there."""
CURSOR = re.compile(rf"(-?\d{{1,18}})\.{KEY.pattern}")
NEWEST = "order by at desc, xid desc, seq desc limit"

# Whoever was found to be one person with a patient.
ONE = """
select m.patient from record.person_link l join record.person_link m using (cluster) where l.patient = $1
union select $1::int8"""
NAMES = """
select self as patient, 'Patient/' || id as name from record."Patient" where self = any($1::int8[])
union select patient, reference from record.person_link where patient = any($1::int8[])"""
CHAIN = f"""
with last as (select xid, seq, head from beside.seal order by xid desc, seq desc limit 1),
proof as (select at, upto, damages from beside.proof order by at desc limit 1)
select encode((select head from last), 'hex') as head,
       (select a.at from beside.audit a join last using (xid, seq)) as sealed,
       (select count(*) from (
            select from beside.audit a
            where (a.xid, a.seq) > (coalesce((select xid from last), '0'), coalesce((select seq from last), 0))
            limit {UNSEALED}) open) as unsealed,
       (select at from proof) as verified, (select upto from proof) as upto, (select damages from proof) as damages"""


class PostgresJournal:
    """`Journal` over a database. What is asked without patient, agent, work, key or time is looked for from the
    newest on, and refused as too costly when that takes too long."""

    def __init__(self, pools: Pools, tokens: Tokens) -> None:
        self._pools = pools
        self._tokens = tokens

    async def entries(self, asked: Asked) -> Sequence[Entry]:
        async with borrowed(self._pools.search, self._pools.limits) as connection:
            who = await self._hashes(connection, asked)
            text, arguments = statement(asked, who)
            rows = await connection.fetch(text, *arguments)
            names = await _names(connection, {each for row in rows for each in row["patients"]})
        own = frozenset(who or ()) if asked.patient else frozenset[int]()
        if asked.patient:
            names.setdefault(self._tokens.self(asked.patient), asked.patient)
        return [_entry(row, names, own) for row in rows]

    async def chain(self) -> Chain:
        async with borrowed(self._pools.search, self._pools.limits) as connection:
            row = await connection.fetchrow(CHAIN)
        return Chain(
            row["head"] or "",
            row["sealed"],
            row["unsealed"],
            row["verified"],
            row["upto"],
            row["damages"] or 0,
        )

    async def _hashes(self, connection: Connection, asked: Asked) -> list[int] | None:
        """The people whose rows hold everything that is asked for; None: they cannot be told."""
        if asked.patient is not None:
            return await _one(connection, self._tokens.self(asked.patient))
        if asked.entity is None:
            return None
        return await _concerned(connection, asked.entity) or None


async def _one(connection: Connection, patient: int) -> list[int]:
    return [row["patient"] for row in await connection.fetch(ONE, patient)]


async def _concerned(connection: Connection, entity: str) -> list[int]:
    """All patients whom any version of a resource was about: every row that names it names them, too."""
    type, _, id = entity.partition("/")
    if type not in RESOURCE_TYPES:
        return []
    text = f"""
        select distinct patient from (
            select patient from record."{type}" where id = $1
            union all select patient from history."{type}" where id = $1) version"""
    found = [row["patient"] for row in await connection.fetch(text, id)]
    return [] if None in found else found


async def _names(connection: Connection, patients: Iterable[int]) -> dict[int, str]:
    wanted = list(patients)
    if not wanted:
        return {}
    return {row["patient"]: row["name"] for row in await connection.fetch(NAMES, wanted)}


def statement(asked: Asked, who: Sequence[int] | None) -> tuple[str, list[Any]]:
    """Only what is stated stands in the statement, so that the database sees which index serves it.

    About known people, their rows are all fetched by the index of patients and then put in order: walking the
    whole audit by time until enough of them are met may take for ever.
    """
    conditions = [*_conditions(asked)]
    if who is not None:
        conditions.append(("patients && {}::int8[]", list(who)))
    texts, arguments = [], list[Any]()
    for text, value in conditions:
        values = value if isinstance(value, tuple) else (value,)
        texts.append(text.format(*(f"${len(arguments) + n}" for n in range(1, len(values) + 1))))
        arguments += values
    where = " and ".join(texts)
    rows = f"select {', '.join(COLUMNS)} from beside.audit where {where}"
    if who is not None:
        rows = f"select * from ({rows} offset 0) found"
    return f"{rows} {NEWEST} {min(max(asked.limit, 1), LARGEST)}", arguments


def _conditions(asked: Asked) -> Iterator[Condition]:
    """Each with its value; several of one condition are a tuple."""
    yield "at >= {}", asked.since
    yield "at < {}", asked.until
    for column in PLAIN:
        if (value := getattr(asked, column)) is not None:
            yield f"{column} = {{}}", value
    if asked.interactions:
        yield "interaction = any({}::text[])", list(asked.interactions)
    if asked.writes:
        yield "interaction = any({}::text[]) and outcome < 400", list(WRITES)
    if asked.outcome is not None:
        yield "outcome >= {} and outcome < {}", OUTCOMES[asked.outcome]
    if asked.entity is not None:
        yield "(entities @> array[{}::text] or query = {})", (asked.entity, asked.entity)
    if asked.key is not None:
        yield "(xid, seq) = ({}, {})", place(KEY.fullmatch(asked.key), "key")
    if asked.cursor is not None:
        at, *key = place(CURSOR.fullmatch(asked.cursor), "cursor")
        yield "(at, xid, seq) < ({}, {}, {})", (at, *key)


def place(match: "re.Match[str] | None", what: str) -> tuple[int, ...]:
    """The numbers of a key or cursor; Problem 400 when it is none."""
    if match is None:
        raise Problem.invalid(f"this is no {what} of the journal")
    return tuple(map(int, match.groups()))


def _entry(row: Mapping[str, Any], names: Mapping[int, str], own: frozenset[int]) -> Entry:
    patients = row["patients"]
    return Entry(
        key=f"{row['xid']}-{row['seq']}",
        at=row["at"],
        work=row["work"],
        agent=row["agent"],
        purpose=row["purpose"],
        interaction=row["interaction"],
        type=row["type"],
        query=row["query"],
        entities=tuple(row["entities"]),
        patients=tuple(dict.fromkeys(names[each] for each in patients if each in names)),
        because=row["because"],
        outcome=row["outcome"],
        role=row["role"],
        organization=row["organization"],
        client=row["client"],
        session=row["session"],
        address=row["address"],
        hashes=tuple(patients),
        others=len({each for each in patients if each not in own}) if own else 0,
    )
