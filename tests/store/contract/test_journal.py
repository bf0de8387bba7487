"""The journal: what was written to the audit is found again by whom, by what and by when, newest first."""

from typing import Any

import pytest

from commonweal.fhir.outcome import Problem
from commonweal.platform.journal import Asked, Entry
from commonweal.platform.ports import Audited
from commonweal.store.memory import MemoryJournal, MemoryStore
from tests.store.contract.speaking import Record, audited, change, deletion, observation, patient


class Told:
    """A journal and the record beside it; all works and agents of one test begin alike."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.fresh = record.fresh
        store = record.store
        self.journal = MemoryJournal(store) if isinstance(store, MemoryStore) else store.journal

    def name(self, letter: str) -> str:
        return f"Patient/{self.fresh}{letter}"

    async def come(self, *letters: str, **words: Any) -> dict[str, int]:
        """Patients, and the hashes by which the audit knows them."""
        stored = await self.record.write(*(change(patient(self.fresh + each, **words)) for each in letters))
        return {each: one.patient for each, one in zip(letters, stored, strict=True) if one.patient}

    async def seen(self, work: str, *patients: int, **words: Any) -> None:
        """Somebody looks at these."""
        words = {"agent": self.fresh + "doctor", "purpose": "TREAT", "interaction": "search"} | words
        await self.record.store.audit(Audited(work=self.fresh + work, patients=patients, **words))

    async def works(self, **asked: Any) -> list[str]:
        entries = await self.journal.entries(Asked(**asked))
        return [each.work.removeprefix(self.fresh) for each in entries]

    async def one(self, **asked: Any) -> Entry:
        (entry,) = await self.journal.entries(Asked(**asked))
        return entry


@pytest.fixture
def told(record: Record) -> Told:
    return Told(record)


async def test_who_has_seen_a_person_newest_first(told: Told) -> None:
    ids = await told.come("a", "b")
    for work, seen in (("first", "a"), ("other", "b"), ("second", "ab")):
        await told.seen(work, *(ids[each] for each in seen))
    assert await told.works(patient=told.name("a")) == ["second", "first", "w"]
    assert await told.works(patient=told.name("nobody")) == []


async def test_an_entry_says_as_whom_and_why(told: Told) -> None:
    ids = await told.come("a")
    await told.seen(
        "full", ids["a"], agent="Practitioner/p", purpose="ETREAT", interaction="read", type="Observation",
        query="Observation/x", entities=("Observation/x",), because="unconscious", outcome=200, role="clinician",
        organization="Organization/o", client="app", session="s1", address="192.0.2.1",
    )  # fmt: skip
    entry = await told.one(work=told.fresh + "full")
    assert entry.patients == (told.name("a"),) and entry.others == 0
    assert (entry.agent, entry.purpose, entry.interaction) == ("Practitioner/p", "ETREAT", "read")
    assert (entry.type, entry.query, entry.entities) == ("Observation", "Observation/x", ("Observation/x",))
    assert (entry.because, entry.role, entry.organization) == ("unconscious", "clinician", "Organization/o")
    assert (entry.client, entry.session, entry.address) == ("app", "s1", "192.0.2.1")


async def test_a_write_is_found_as_its_agent_made_it(told: Told) -> None:
    row = audited(told.fresh + "made", interaction="create", role="clinician", client="app", session="s")
    await told.record.store.write([change(patient(told.fresh + "a"), "create")], row)
    await told.record.store.write([change(patient(told.fresh + "a"))], audited(told.fresh + "changed"))
    await told.record.store.write(
        [deletion("Patient", told.fresh + "a")], audited(told.fresh + "gone", role="r")
    )
    entry = await told.one(work=told.fresh + "made")
    assert (entry.role, entry.client, entry.session, entry.entities) == (
        "clinician",
        "app",
        "s",
        (told.name("a"),),
    )
    assert await told.works(patient=told.name("a"), writes=True) == ["gone", "changed", "made"]
    assert (await told.one(work=told.fresh + "gone")).role == "r"


async def test_every_condition_holds(told: Told) -> None:
    ids = await told.come("a")
    agent = told.fresh + "doctor"
    await told.seen("read", ids["a"], interaction="read", type="Patient", query=told.name("a"))
    await told.seen("refused", interaction="search", type="Observation", outcome=403)
    await told.seen("failed", interaction="search", type="Observation", outcome=500, purpose="HRESCH")
    await told.seen("listed", ids["a"], entities=("Observation/o", told.name("a")), interaction="history")
    assert await told.works(agent=agent) == ["listed", "failed", "refused", "read"]
    assert await told.works(agent=agent, outcome="refused") == ["refused"]
    assert await told.works(agent=agent, outcome="failed") == ["failed"]
    assert await told.works(agent=agent, outcome="done") == ["listed", "read"]
    assert await told.works(agent=agent, purpose="HRESCH") == ["failed"]
    assert await told.works(agent=agent, type="Patient") == ["read"]
    assert await told.works(agent=agent, interactions=("read", "history")) == ["listed", "read"]
    assert await told.works(agent=agent, entity=told.name("a")) == ["listed", "read"]
    assert await told.works(agent=agent, writes=True) == []
    assert await told.works(agent=agent + "'; --") == []


async def test_a_resource_is_found_whoever_it_is_about(told: Told) -> None:
    ids = await told.come("a", "b")
    id = told.fresh + "o"
    await told.record.save(observation(id, told.name("a")))
    await told.record.save(observation(id, told.name("b")))
    reference = f"Observation/{id}"
    await told.seen("then", ids["a"], entities=(reference,))
    await told.seen("now", ids["b"], entities=(reference,))
    await told.seen("elsewhere", ids["b"], entities=("Observation/other",))
    assert await told.works(entity=reference, agent=told.fresh + "doctor") == ["now", "then"]
    await told.record.save({"resourceType": "Organization", "id": told.fresh + "org", "name": "x"})
    assert await told.works(entity=f"Organization/{told.fresh}org") == ["w"]


async def test_between_two_moments(told: Told) -> None:
    for work in ("one", "two", "three"):
        await told.seen(work)
    agent = told.fresh + "doctor"
    three, two, one = await told.journal.entries(Asked(agent=agent))
    if three.at > two.at > one.at:  # two looks may fall into one microsecond
        assert await told.works(agent=agent, since=two.at) == ["three", "two"]
        assert await told.works(agent=agent, until=two.at) == ["one"]
        assert await told.works(agent=agent, since=two.at, until=three.at) == ["two"]


async def test_pages_are_not_disturbed_by_new_rows(told: Told) -> None:
    agent = told.fresh + "doctor"
    for number in range(5):
        await told.seen(f"{number}")
    first = await told.journal.entries(Asked(agent=agent, limit=2))
    await told.seen("new")
    second = await told.journal.entries(Asked(agent=agent, limit=2, cursor=first[-1].cursor))
    third = await told.journal.entries(Asked(agent=agent, limit=2, cursor=second[-1].cursor))
    works = [each.work.removeprefix(told.fresh) for each in (*first, *second, *third)]
    assert works == ["4", "3", "2", "1", "0"]


async def test_one_entry_by_its_key(told: Told) -> None:
    await told.seen("one")
    await told.seen("two")
    entry = (await told.journal.entries(Asked(work=told.fresh + "one")))[0]
    assert (await told.one(key=entry.key)).work == told.fresh + "one"
    assert await told.works(key="99999999-1") == []


@pytest.mark.parametrize("asked", [{"key": "x"}, {"key": "1-'"}, {"cursor": "1"}, {"cursor": "0.1-x"}])
async def test_what_is_no_key_or_cursor_is_refused(told: Told, asked: dict[str, str]) -> None:
    with pytest.raises(Problem) as refused:
        await told.journal.entries(Asked(**asked))
    assert refused.value.status == 400


async def test_merged_people_are_one_until_they_are_parted(told: Told) -> None:
    ids = await told.come("a", "b")
    await told.seen("of a", ids["a"])
    await told.seen("of b", ids["b"])
    link = {"other": {"reference": told.name("b")}, "type": "replaced-by"}
    await told.record.write(change(patient(told.fresh + "a", link=[link])), work=told.fresh + "merge")
    assert await told.works(patient=told.name("a")) == ["merge", "of b", "of a", "w"]
    assert await told.works(patient=told.name("b")) == ["merge", "of b", "of a", "w"]
    entry = (await told.journal.entries(Asked(patient=told.name("a"), work=told.fresh + "of b")))[0]
    assert (entry.patients, entry.others) == ((told.name("b"),), 0)
    await told.come("a")
    assert await told.works(patient=told.name("b"), agent=told.fresh + "doctor") == ["of b"]


async def test_a_person_is_told_nothing_of_others(told: Told) -> None:
    ids = await told.come("a", "b")
    words = {"query": "Patient?name=zhang", "because": "asked", "session": "s", "address": "192.0.2.1"}
    await told.seen("alone", ids["a"], entities=(told.name("a"),), **words)
    await told.seen("both", ids["a"], ids["b"], entities=(told.name("a"), told.name("b")), **words)
    both, alone = await told.journal.entries(Asked(patient=told.name("a"), agent=told.fresh + "doctor"))
    assert (both.others, alone.others) == (1, 0)
    shown = both.about(told.name("a"))
    assert (shown.entities, shown.patients, shown.because) == ((), (told.name("a"),), "")
    assert (shown.query, shown.session, shown.address, shown.others) == ("", "", "", 0)
    shown = alone.about(told.name("a"))
    assert (shown.entities, shown.because, shown.query) == ((told.name("a"),), "asked", "")


async def test_somebody_unknown_to_the_record_is_counted_and_not_named(told: Told) -> None:
    await told.seen("stranger", 12345)
    assert (await told.one(work=told.fresh + "stranger")).patients == ()


async def test_people_are_named_beside_those_whom_a_resource_is_about(told: Told) -> None:
    await told.come("a", "b")
    group = {"resourceType": "Group", "id": told.fresh + "g", "type": "person", "actual": True}
    row = audited(told.fresh + "grouped", people=(told.name("a"), told.name("b")))
    await told.record.store.write([change(group, "create")], row)
    await told.seen("seen", people=(told.name("b"),))
    assert await told.works(patient=told.name("b")) == ["seen", "grouped", "w"]
    assert (await told.one(work=told.fresh + "grouped")).patients == (told.name("a"), told.name("b"))
