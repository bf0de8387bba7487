"""Records of one person: what is about any of them is found by each of them, and parted again without a trace."""

from typing import Any

import pytest

from commonweal.fhir.search.index import extract
from commonweal.platform.ports import Change
from tests.store.contract.speaking import Record, audited, deletion, observation, patient, registry

Json = dict[str, Any]


class People:
    """Patients with a name, a List and an Observation each; a link is told by their letters."""

    def __init__(self, record: Record) -> None:
        self.record = record

    def id(self, letter: str) -> str:
        return f"{self.record.fresh}{letter}"

    def body(self, letter: str, **links: str) -> Json:
        """The patient, with links such as replaced_by="b"."""
        said = [
            {"other": {"reference": f"Patient/{self.id(other)}"}, "type": type.replace("_", "-")}
            for type, others in links.items()
            for other in others
        ]
        return patient(self.id(letter), name=[{"family": f"Of{letter}"}], **({"link": said} if said else {}))

    async def come(self, letters: str) -> None:
        await self.record.save(*(self.body(each) for each in letters))
        subjects = {each: f"Patient/{self.id(each)}" for each in letters}
        await self.record.save(
            *(
                observation(self.id(f"o{each}"), who, performer=[{"reference": who}])
                for each, who in subjects.items()
            )
        )

    async def link(self, letter: str, **links: str) -> None:
        await self.record.save(self.body(letter, **links))

    async def merge(self, source: str, target: str) -> None:
        await self.record.save(self.body(source, replaced_by=target), self.body(target, replaces=source))

    async def found(self, text: str) -> str:
        """The letters of the observations found."""
        ids = await self.record.ids(text)
        return "".join(sorted(id.removeprefix(self.id("o")) for id in ids))

    async def about(self, letter: str) -> str:
        return await self.found(f"Observation?subject=Patient/{self.id(letter)}")


@pytest.fixture
async def people(record: Record) -> People:
    made = People(record)
    await made.come("abcd")
    return made


async def test_either_id_finds_what_is_about_both(people: People) -> None:
    assert [await people.about(each) for each in "abc"] == ["a", "b", "c"]
    await people.merge("a", "b")
    assert [await people.about(each) for each in "abc"] == ["ab", "ab", "c"]


@pytest.mark.parametrize(
    "asked",
    [
        "Observation?patient={a}",
        "Observation?performer=Patient/{a}",
        "Observation?subject:Patient.name=ofa&_id={oa},{ob},{oc}",
        "Observation?performer:Patient.name=ofa&_id={oa},{ob},{oc}",
    ],
)
async def test_however_it_is_asked(people: People, asked: str) -> None:
    await people.merge("a", "b")
    words = {name: people.id(name) for name in ("a", "oa", "ob", "oc")}
    assert await people.found(asked.format(**words)) == "ab"


@pytest.mark.parametrize("parameter", ["subject", "performer"])
async def test_whom_something_is_about_are_both(people: People, parameter: str) -> None:
    await people.merge("a", "b")
    ids = await people.record.ids(f"Patient?_has:Observation:{parameter}:_id={people.id('oa')}")
    assert sorted(ids) == [people.id("a"), people.id("b")]


async def test_nothing_but_the_two_patients_is_written(people: People) -> None:
    before = await people.record.found(f"Observation?_id={people.id('oa')}")
    await people.merge("a", "b")
    assert await people.record.found(f"Observation?_id={people.id('oa')}") == before


async def test_what_is_undone_leaves_no_trace(people: People) -> None:
    await people.merge("a", "b")
    await people.merge("c", "d")
    await people.record.save(people.body("a"), people.body("b"))
    assert [await people.about(each) for each in "abcd"] == ["a", "b", "cd", "cd"]


async def test_three_are_one_and_one_leaves_again(people: People) -> None:
    await people.merge("a", "b")
    await people.record.save(people.body("b", replaces="a", replaced_by="c"), people.body("c", replaces="b"))
    assert [await people.about(each) for each in "abcd"] == ["abc", "abc", "abc", "d"]
    await people.record.save(people.body("b", replaces="a"), people.body("c"))
    assert [await people.about(each) for each in "abcd"] == ["ab", "ab", "c", "d"]


async def test_one_side_of_a_link_is_enough(people: People) -> None:
    await people.link("a", replaced_by="b")
    assert await people.about("b") == "ab"
    await people.record.write(deletion("Patient", people.id("a")))
    assert [await people.about(each) for each in "ab"] == ["a", "b"]


async def test_links_of_other_kinds_join_nobody(people: People) -> None:
    await people.link("a", seealso="b", refer="c")
    assert [await people.about(each) for each in "abc"] == ["a", "b", "c"]


async def test_whoever_comes_later_is_one_with_whom_they_were_said_to_be(people: People) -> None:
    await people.link("a", replaced_by="z")
    assert await people.about("z") == "a"
    await people.record.save(people.body("z", replaced_by="b"))
    assert [await people.about(each) for each in "abz"] == ["ab", "ab", "ab"]


async def test_a_new_patient_may_come_with_a_link(people: People) -> None:
    body = people.body("y", replaces="a")
    change = Change("create", "Patient", body["id"], body, extract(body, registry()))
    await people.record.write(change)
    assert await people.about("y") == "a"


async def test_what_is_rolled_back_never_was(people: People) -> None:
    bodies = (people.body("a", replaced_by="b"), people.body("b", replaces="a"))
    changes = [Change("update", "Patient", b["id"], b, extract(b, registry())) for b in bodies]
    with pytest.raises(RuntimeError):
        async with people.record.store.transaction() as transaction:
            await transaction.write(changes, audited())
            raise RuntimeError
    assert [await people.about(each) for each in "ab"] == ["a", "b"]
