"""Keeps record.person_link as Patient.link says, in the transaction that writes the patients."""

from collections.abc import Iterable, Sequence
from typing import Any

from commonweal.fhir import codec
from commonweal.platform.ports import Change
from commonweal.store.reads import reading
from commonweal.store.searches import clusters
from commonweal.store.searches.people.links import groups, partners
from commonweal.store.tokens import Tokens

Connection = Any
LOCK = "select pg_advisory_xact_lock(1818847083)"  # "link": one change of the map at a time
TOGETHER = """
select distinct m.reference from record.person_link l join record.person_link m using (cluster)
where l.patient = any($1::int8[])"""


def may_relink(changes: Iterable[Change], bases: tuple[str, ...]) -> bool:
    """Can these change who is one person? New patients without such links, most writes, cannot."""
    return any(
        change.type == "Patient" and (change.method != "create" or partners(change.resource, bases))
        for change in changes
    )


async def relink(
    connection: Connection, tokens: Tokens, bases: tuple[str, ...], changes: Sequence[Change]
) -> bool:
    """After the changes were written: derive anew the groups that they touch. True when there are any."""
    written = [change for change in changes if change.type == "Patient"]
    others = frozenset[str]().union(*(partners(change.resource, bases) for change in written))
    named = {f"Patient/{change.id}" for change in written} | others
    if not others and not await _together(connection, tokens, named):
        return False
    await connection.execute(LOCK)
    named |= await _together(connection, tokens, named)
    for group in groups(await _linked(connection, named, bases)):
        ordered = [(tokens.self(each), each) for each in sorted(group)]
        await clusters.link(connection, ordered, ordered[0][0])
    return True


async def _together(connection: Connection, tokens: Tokens, patients: Iterable[str]) -> set[str]:
    """Who has been one with these."""
    rows = await connection.fetch(TOGETHER, [tokens.self(each) for each in patients])
    return {row["reference"] for row in rows}


async def _linked(
    connection: Connection, patients: Iterable[str], bases: tuple[str, ...]
) -> dict[str, frozenset[str]]:
    """Whom each of these links with itself; nobody, where it is not there or has been deleted."""
    ids = [each.removeprefix("Patient/") for each in patients]
    found = await reading.current(connection, "Patient", ids)
    linked = {f"Patient/{id}": frozenset[str]() for id in ids}
    for id, row in found.items():
        if not row["deleted"]:
            linked[f"Patient/{id}"] = partners(codec.parse(row["body"]), bases)
    return linked
