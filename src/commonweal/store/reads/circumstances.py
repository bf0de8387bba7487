"""What holds now about a row's patient and place: who is tied to them, what they allow, where they lie."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

_LINKED = """
select m.patient from record.person_link l join record.person_link m using (cluster) where l.patient = {patient}"""
_KNOWN = """
case when {patient} is not null or {area} is not null then (
    select json_build_object(
        'people', p.people,
        'ties', coalesce((
            select json_agg(json_build_array(e.kind, e.party)) from access.tie e
            where e.patient = any(p.people) and e.since <= p.now and e.until > p.now), '[]'),
        'homes', array(
            select w.within from access.tie e join access.place w on w.area = e.party
            where e.patient = any(p.people) and e.kind = 'area' and e.since <= p.now and e.until > p.now),
        'places', array(select w.within from access.place w where w.area = {area}),
        'rules', coalesce((
            select json_agg(json_build_object('deny', u.deny, 'parties', u.parties, 'but', u.but,
                'purposes', u.purposes, 'types', u.types, 'labels', u.labels)) from access.rule u
            where u.patient = any(p.people) and u.since <= p.now and u.until > p.now), '[]')
    )::text
    from (
        select array(select {patient} where {patient} is not null union {linked}) as people, record.now() as now
    ) p
) end"""


class Rule(msgspec.Struct, frozen=True):
    """A row of access.rule, in hashes; None: any."""

    deny: bool
    parties: frozenset[int] | None
    but: frozenset[int]
    purposes: frozenset[str] | None
    types: frozenset[str] | None
    labels: frozenset[int] | None


class Circumstances(msgspec.Struct, frozen=True):
    """In hashes. `people`: the row's patient and whoever is one with them; `ties`: (kind, party); `homes`: where
    they live and all that lies around it; `places`: what lies around the row's own place."""

    people: frozenset[int] = frozenset()
    ties: tuple[tuple[str, int], ...] = ()
    homes: frozenset[int] = frozenset()
    places: frozenset[int] = frozenset()
    rules: tuple[Rule, ...] = ()


NONE = Circumstances()
Whom = tuple[int | None, int | None]
"""A patient and a place, either of which may be none."""
_read = msgspec.json.Decoder(Circumstances).decode


def known(patient: str, area: str) -> str:
    """SQL that gives them as text, for a patient and a place that are SQL themselves; null about nobody nowhere."""
    return _KNOWN.format(patient=patient, area=area, linked=_LINKED.format(patient=patient).strip()).strip()


def read(text: Any) -> Circumstances:
    """What `known` gave."""
    return _read(text) if text else NONE


ABOUT = f"""
select {known("i.patient", "i.area")} as known
from unnest($1::int8[], $2::int8[]) with ordinality i (patient, area, n) order by n"""


async def about(connection: Any, whom: Collection[Whom]) -> Mapping[Whom, Circumstances]:
    """Of patients and places that no row need tell, each pair by itself."""
    asked = list(whom)
    rows = await connection.fetch(ABOUT, [patient for patient, _ in asked], [area for _, area in asked])
    return {each: read(row["known"]) for each, row in zip(asked, rows, strict=True)}
