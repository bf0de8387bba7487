"""Generated searches over generated worlds find the same, in the same order, in both stores.

COMMONWEAL_SEARCHES=1000 looks that deep, and elsewhere each time; without it the same few are asked each time.
"""

import itertools
import os
from typing import Any

from hypothesis import HealthCheck, event, given, note, settings
from hypothesis import strategies as st

from commonweal.access.reach import EVERYTHING, Grant, Reach
from commonweal.fhir.outcome import Problem
from tests.store.contract.questions import questions
from tests.store.contract.speaking import Record, asked, change
from tests.store.contract.worlds import NAMES, worlds

DEPTH = int(os.environ.get("COMMONWEAL_SEARCHES", "0"))
WORLDS = itertools.count(1)
deep = settings(
    max_examples=DEPTH or 30,
    derandomize=not DEPTH,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


def reaches(fresh: str) -> st.SearchStrategy[Reach]:
    """Everything, or some of a world."""
    patients = st.sets(st.sampled_from(NAMES).map(lambda name: f"Patient/{fresh}{name}"), min_size=1).map(
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
            lambda n: Grant(organizations=frozenset({f"Organization/{fresh}{n}"})), st.sampled_from(NAMES)
        ),
    )
    limited = st.builds(
        lambda some, denied: Reach(tuple(some), denied_patients=denied),
        st.lists(grants, min_size=1, max_size=2),
        st.just(frozenset()) | patients,
    )
    return st.just(EVERYTHING) | limited


async def answer(store: Any, text: str, reach: Reach) -> Any:
    """What a store says to a search: its ids over all pages, its includes, its count; or its refusal."""
    record = Record(store, "")
    try:
        query = asked(text)
        found = await record.ids(text, reach)
        first = await store.search(query, reach)
        included = sorted(each.reference for each in first.included)
        scanned = sorted([each.id async for each in store.scan(query, reach)])
        return found, included, await store.count(query, reach), scanned
    except Problem as refused:
        return refused.status


@deep
@given(data=st.data())
async def test_both_stores_answer_alike(memory_store: Any, postgres_store: Any, data: st.DataObject) -> None:
    fresh = f"g{next(WORLDS)}-"
    world = data.draw(worlds(fresh), "world")
    changes = [change(resource) for resource in world]
    for store in (memory_store, postgres_store):
        await Record(store, fresh).write(*changes)
    for _ in range(12):
        text = data.draw(questions(fresh), "question")
        reach = data.draw(reaches(fresh), "reach")
        plain, compiled = await answer(memory_store, text, reach), await answer(postgres_store, text, reach)
        note(f"memory {plain}\npostgres {compiled}")
        event("refused" if isinstance(plain, int) else "found" if plain[0] else "nothing")
        if not isinstance(plain, int) and not isinstance(compiled, int) and "_sort" not in text:
            plain, compiled = (sorted(plain[0]), *plain[2:]), (sorted(compiled[0]), *compiled[2:])
        assert plain == compiled, text
