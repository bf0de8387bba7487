"""Generated reaches over generated worlds: both stores show the same, by every way of asking, and nothing that is
out of reach leaves a trace in what is shown.

COMMONWEAL_REACHES=1000 looks that deep, and elsewhere each time; without it the same few are asked each time.
"""

import itertools
import os
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from commonweal.access.reach import EVERYTHING, Reach
from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Change, Scope
from commonweal.store.memory import MemoryStore
from commonweal.store.memory.sight import Sight
from tests.store.contract.guarded import any_reach, own, questions, reaches, worlds
from tests.store.contract.speaking import asked, audited, change, deletion
from tests.store.contract.worlds import OWN, Json

DEPTH = int(os.environ.get("COMMONWEAL_REACHES", "0"))
WORLDS = itertools.count(1)
deep = settings(
    max_examples=DEPTH or 12,
    derandomize=not DEPTH,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    phases=[Phase.generate],
)


async def written(world: list[tuple[str, Json]], fresh: str, *stores: Any) -> list[str]:
    """Write the world to the stores, all in its order (which is that of keys); what is there, or was."""
    text = codec.encode({"world": [{"method": method, "resource": body} for method, body in world]})
    changes = [
        change(each["resource"])
        if each["method"] == "update"
        else deletion(each["resource"]["resourceType"], each["resource"]["id"])
        for each in codec.parse(text.replace(OWN.encode(), fresh.encode()))["world"]
    ]
    for store in stores:
        async with store.transaction() as transaction:
            for each in changes:
                await transaction.write([each], audited())
    names = {f"{body['resourceType']}/{body['id']}".replace(OWN, fresh) for _, body in world}
    return sorted(names)


def query_of(text: str) -> Any:
    inside, _, search = text.rpartition(" ")
    query = asked(search)
    type, _, id = inside.partition("/")
    return replace(query, compartment=(type, id)) if inside else query


async def answer(store: Any, text: str, reach: Reach) -> Any:
    """All that a store tells by a search, page by page; or its refusal."""
    query = query_of(text)
    try:
        pages = [await store.search(query, reach)]
        while pages[-1].next:
            pages.append(await store.search(replace(query, cursor=pages[-1].next), reach))
        ids = [[each.reference for each in page.matches] for page in pages]
        included = [sorted(each.reference for each in page.included) for page in pages]
        scanned = sorted([each.reference async for each in store.scan(query, reach)])
        first = (
            [each.reference for each in (await store.search_all([query], reach))[0].matches]
            if query.type
            else []
        )
        return ids, included, pages[0].total, await store.count(query, reach), scanned, sorted(first)
    except Problem as refused:
        return refused.status, str(refused)


async def told(store: Any, names: list[str], reach: Reach) -> Any:
    """What a store gives by id, by version and in histories."""
    pairs = [(type, id) for type, _, id in (name.partition("/") for name in names)]
    got = [each and (each.reference, each.version) for each in await store.get(pairs, reach)]
    versions = [
        [number for number in (1, 2, 3) if await store.version(type, id, number, reach)] for type, id in pairs
    ]
    histories = []
    for type, id in pairs:
        scope, seen = Scope(type, id, count=1), []
        while scope is not None:
            page = await store.history(scope, reach)
            seen += [each.version for each in page.matches]
            scope = replace(scope, cursor=page.next) if page.next else None
        histories.append(seen)
    everything = await store.history(Scope(count=10_000), reach)
    mine = sorted((each.reference, each.version) for each in everything.matches if each.reference in names)
    return got, versions, histories, mine


@deep
@given(data=st.data())
async def test_both_stores_show_the_same(postgres_store: Any, data: st.DataObject) -> None:
    memory_store, fresh = MemoryStore(), f"h{next(WORLDS)}-"
    world = data.draw(worlds(), "world")
    names = await written(world, fresh, memory_store, postgres_store)
    for _ in range(6):
        reach = own(data.draw(any_reach, "reach"), fresh)
        plain, compiled = [await told(store, names, reach) for store in (memory_store, postgres_store)]
        assert plain == compiled, f"{reach}\n{plain}\n{compiled}"
        event("sees " + ("nothing" if not any(plain[0]) else "all" if all(plain[0]) else "some"))
        for _ in range(5):
            text = data.draw(questions, "question").replace(OWN, fresh)
            plain, compiled = [await answer(store, text, reach) for store in (memory_store, postgres_store)]
            assert _alike(text, plain) == _alike(text, compiled), f"{text}\n{reach}\n{plain}\n{compiled}"


def _alike(text: str, found: Any) -> Any:
    """Without a total that is only estimated: one of them may count, the other guess."""
    return found if "_total=estimate" not in text else (*found[:2], *found[3:])


@deep
@given(data=st.data())
async def test_what_is_not_seen_leaves_no_trace(postgres_store: Any, data: st.DataObject) -> None:
    """Any search by a reach answers as one that may see everything does of a record without the unseen rows."""
    memory_store, fresh = MemoryStore(), f"i{next(WORLDS)}-"
    await written(data.draw(worlds(linked=False), "world"), fresh, memory_store, postgres_store)
    for _ in range(6):
        reach = own(data.draw(reaches, "reach"), fresh)
        bare = without_unseen(memory_store, reach)
        for _ in range(6):
            text = data.draw(questions, "question").replace(OWN, fresh)
            expected = await answer(bare, text, EVERYTHING)
            for store in (memory_store, postgres_store):
                assert await answer(store, text, reach) == expected, f"{store} {text}\n{reach}"


def without_unseen(store: MemoryStore, reach: Reach) -> MemoryStore:
    """A record of nothing but what the reach shows; ties and rules stay, whoever made them."""
    bare = MemoryStore(bases=store.bases)
    sight = Sight(replace(store.state, now=store.clock()), reach)
    kept = {key: rows for key, rows in store.state.versions.items() if sight.sees(rows[-1])}
    bare.state = replace(store.state, versions=kept)
    return bare


class Undone(Exception):
    """Takes back what was tried."""


async def outcome(store: Any, changes: list[Change], reach: Reach) -> Any:
    """What a store does with changes, which are taken back: what it stored, or why and where it refused."""
    try:
        async with store.transaction() as transaction:
            stored = await transaction.write(changes, audited(), reach)
            done = [(each.reference, each.version, each.method, each.deleted) for each in stored]
            raise Undone
    except Undone:
        return done
    except Problem as refused:
        words = str(refused) if refused.status in (403, 404) else ""
        return refused.status, words, refused.index


@deep
@given(data=st.data())
async def test_both_stores_let_write_the_same_and_tell_as_little(
    postgres_store: Any, data: st.DataObject
) -> None:
    memory_store, fresh = MemoryStore(), f"j{next(WORLDS)}-"
    await written(data.draw(worlds(), "world"), fresh, memory_store, postgres_store)
    others = data.draw(worlds(), "written")
    for _ in range(6):
        reach = own(data.draw(any_reach, "reach"), fresh)
        bare = without_unseen(memory_store, reach)
        for _ in range(4):
            changes = drawn(data, others, fresh)
            plain, compiled = [
                await outcome(store, changes, reach) for store in (memory_store, postgres_store)
            ]
            assert plain == compiled, f"{reach}\n{changes}\n{plain}\n{compiled}"
            event("written" if isinstance(plain, list) else f"refused {plain[0]}")
            # Who is one person is said by patients, and a record without some of them would not know it.
            are_alike = bare.state.people() == memory_store.state.people()
            if isinstance(plain, tuple) and reach != EVERYTHING and are_alike:
                assert await outcome(bare, changes, reach) == plain, f"{reach}\n{changes}"


def drawn(data: st.DataObject, bodies: list[tuple[str, Json]], fresh: str) -> list[Change]:
    """Up to three changes, creates under ids of their own."""
    picked = data.draw(st.lists(st.sampled_from(bodies), min_size=1, max_size=3), "changes")
    made: dict[str, Change] = {}
    for number, (_, body) in enumerate(picked):
        resource = codec.parse(codec.encode(body).replace(OWN.encode(), fresh.encode()))
        how = data.draw(st.sampled_from(["create", "update", "update", "delete", "match", "same"]), "method")
        type, id = resource["resourceType"], resource["id"]
        if how == "delete" or "meta" not in resource:
            made[f"{type}/{id}"] = deletion(type, id)
        elif how == "create":
            resource["id"] = f"{id}-new{number}"
            made[resource["id"]] = change(resource, "create")
        else:
            options = {"match": {"if_match": 1}, "same": {"skip_same": True}}.get(how, {})
            made[f"{type}/{id}"] = change(resource, **options)
    return list(made.values())
