"""Generated searches over generated worlds find the same, in the same order, in both stores.

COMMONWEAL_SEARCHES=1000 looks that deep, and elsewhere each time; without it the same few are asked each time.
"""

import itertools
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from commonweal.access.reach import EVERYTHING, Grant, Reach
from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Change
from commonweal.store.memory import MemoryStore
from tests.store.contract.questions import questions
from tests.store.contract.speaking import Record, asked, change
from tests.store.contract.worlds import NAMES, OWN, worlds

DEPTH = int(os.environ.get("COMMONWEAL_SEARCHES", "0"))
WORLDS = itertools.count(1)
deep = settings(
    max_examples=DEPTH or 30,
    derandomize=not DEPTH,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    # One question is small already, and to make its world smaller takes minutes.
    phases=[Phase.generate],
)


def reaches() -> st.SearchStrategy[Reach]:
    """Everything, or some of a world."""
    patients = st.sets(st.sampled_from(NAMES).map(lambda name: f"Patient/{OWN}{name}"), min_size=1).map(
        frozenset
    )
    types = st.sets(st.sampled_from(["Patient", "Observation", "Encounter", "Group"]), min_size=1).map(
        frozenset
    )
    grants = st.one_of(
        st.builds(lambda p: Grant(patients=p), patients),
        st.builds(lambda t: Grant(types=t), types),
        st.builds(lambda t, p: Grant(types=t, patients=p), types, patients),
        st.builds(
            lambda n: Grant(organizations=frozenset({f"Organization/{OWN}{n}"})), st.sampled_from(NAMES)
        ),
    )
    limited = st.builds(
        lambda some, denied: Reach(tuple(some), denied_patients=denied),
        st.lists(grants, min_size=1, max_size=2),
        st.just(frozenset()) | patients,
    )
    return st.just(EVERYTHING) | limited


def settled(resource: dict[str, Any], fresh: str) -> dict[str, Any]:
    """The resource with ids of its own."""
    return codec.parse(codec.encode(resource).replace(OWN.encode(), fresh.encode()))


def limited(reach: Reach, fresh: str) -> Reach:
    """The reach with the ids of its world."""

    def own(references: frozenset[str] | None) -> frozenset[str] | None:
        return references and frozenset(each.replace(OWN, fresh) for each in references)

    grants = (replace(g, patients=own(g.patients), organizations=own(g.organizations)) for g in reach.grants)
    return replace(reach, grants=tuple(grants), denied_patients=own(reach.denied_patients) or frozenset())


async def answer(store: Any, text: str, reach: Reach) -> Any:
    """What a store says to a search: its ids over all pages, its includes, its count; or its refusal."""
    record = Record(store, "")
    try:
        query = asked(text)
        found = await record.ids(text, reach)
        if query.sort == ():
            found = sorted(found)
        first = await store.search(query, reach)
        included = sorted(each.reference for each in first.included)
        scanned = sorted([each.id async for each in store.scan(query, reach)])
        return found, included, await store.count(query, reach), scanned
    except Problem as refused:
        return refused.status


@deep
@given(data=st.data())
async def test_both_stores_answer_alike(postgres_store: Any, data: st.DataObject) -> None:
    memory_store, fresh = MemoryStore(), f"g{next(WORLDS)}-"
    changes = [change(settled(resource, fresh), "create") for resource in data.draw(worlds(), "world")]
    for store in (memory_store, postgres_store):
        await Record(store, fresh).write(*changes)
    for _ in range(12):
        text = data.draw(questions(), "question").replace(OWN, fresh)
        reach = limited(data.draw(reaches(), "reach"), fresh)
        plain, compiled = await answer(memory_store, text, reach), await answer(postgres_store, text, reach)
        event("refused" if isinstance(plain, int) else "found" if plain[0] else "nothing")
        assert plain == compiled, difference(text, reach, plain, compiled, changes)


def difference(text: str, reach: Reach, plain: Any, compiled: Any, changes: Sequence[Change]) -> str:
    """What is needed to see why: the question and its world."""
    world = "\n".join(codec.encode(each.resource).decode() for each in changes)
    return f"{unquote(text)}\n{reach}\nmemory   {plain}\npostgres {compiled}\n{world}"
