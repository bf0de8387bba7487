"""Masked fields: no way of asking finds, follows or returns them, and nothing else that repeats them is shown."""

from dataclasses import replace
from typing import Any

import pytest

from commonweal.access.reach import Grant, Reach
from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.platform.ports import Scope
from tests.store.contract.speaking import Record, asked, observation, patient

NAMELESS = Reach((Grant(),), masked=frozenset(("Patient.name", "Patient.identifier")))
WHOSE = Reach((Grant(),), masked=frozenset(("Observation.subject", "List.entry", "Patient.meta")))
REFUSED: dict[str, Reach] = {
    "Patient?name=x": NAMELESS,
    "Patient?phonetic=x": NAMELESS,
    "Patient?identifier=x": NAMELESS,
    "Patient?identifier:of-type=http://x|MR|1": NAMELESS,
    "Patient?_sort=family": NAMELESS,
    "Patient?_elements=gender,name": NAMELESS,
    "Patient?_text=x": NAMELESS,
    "Patient?_content=x": NAMELESS,
    "?_type=Patient,Person&name=x": NAMELESS,
    "Observation?subject:Patient.name=x": NAMELESS,
    "Observation?subject:text=x": NAMELESS,
    "Observation?subject:identifier=x": NAMELESS,
    "Encounter?_has:Observation:encounter:subject:text=x": NAMELESS,
    "Observation?subject=Patient/1": WHOSE,
    "Observation?subject:missing=true": WHOSE,
    "Observation?patient=1": WHOSE,
    "Observation?subject:Patient.gender=male": WHOSE,
    "Patient?_has:Observation:patient:status=final": WHOSE,
    "Observation?_sort=subject": WHOSE,
    "Observation?_include=Observation:subject": WHOSE,
    "Observation?_include=*": WHOSE,
    "Patient?_revinclude=Observation:patient": WHOSE,
    "Encounter?_revinclude=Observation:encounter&_include:iterate=Observation:patient": WHOSE,
    "Patient?_revinclude=Observation:*": WHOSE,
    "Patient/1 Observation?": WHOSE,
    "Patient?_list=1": WHOSE,
    "Encounter?_has:List:item:status=current": WHOSE,
    "Patient?_tag=x": WHOSE,
    "Patient?_security=x": WHOSE,
}
"""Searches, and by which masks they are refused; a compartment stands before its search."""
ALLOWED: dict[str, Reach] = {
    "Patient?gender=male&_sort=birthdate": NAMELESS,
    "Observation?subject:Patient.gender=male": NAMELESS,
    "Observation?_include=Observation:subject": NAMELESS,
    "Patient?_revinclude=Observation:subject": NAMELESS,
    "Patient?_elements=gender": NAMELESS,
    "Observation?encounter:text=x&status=final": WHOSE,
    "Observation?_include=Observation:performer": WHOSE,
    "Observation?_tag=x": WHOSE,
    "Patient/1 Encounter?": WHOSE,
}


def query_of(text: str) -> Any:
    inside, _, search = text.rpartition(" ")
    query = asked(search)
    type, _, id = inside.partition("/")
    return replace(query, compartment=(type, id)) if inside else query


@pytest.mark.parametrize("text", REFUSED)
async def test_nothing_is_asked_by_what_is_masked(record: Record, text: str) -> None:
    query, reach = query_of(text), REFUSED[text]
    for ask in (record.store.search, record.store.count):
        with pytest.raises(Problem) as refused:
            await ask(query, reach)
        assert refused.value.status == 403
    with pytest.raises(Problem):
        await record.store.search_all([query], reach)
    with pytest.raises(Problem):
        [each async for each in record.store.scan(query, reach)]


@pytest.mark.parametrize("text", ALLOWED)
async def test_anything_else_may_be_asked(record: Record, text: str) -> None:
    await record.store.search(query_of(text), ALLOWED[text])


SECRET = "Anders-of-the-mask"


async def test_nothing_that_repeats_a_masked_field_is_shown(record: Record) -> None:
    id, name = record.fresh + "a", [{"family": SECRET}]
    told = {"status": "generated", "div": f"<div>{SECRET}</div>"}
    subject = {"reference": f"Patient/{id}", "display": SECRET, "identifier": {"value": SECRET}}
    contained = [{"resourceType": "Patient", "id": "p", "name": name, "text": told}]
    doctor = {"reference": f"Practitioner/{id}", "display": "Doctor"}
    await record.save(
        patient(id, name=name, text=told, gender="male"),
        observation(id)
        | {
            "subject": subject,
            "text": told,
            "contained": contained,
            "performer": [{"reference": "#p", "display": SECRET}, doctor],
        },
    )
    store, found = record.store, asked(f"Observation?_id={id}&_include=Observation:subject")
    page = await store.search(found, NAMELESS)
    back = await store.search(asked(f"Patient?_id={id}&_revinclude=Observation:subject"), NAMELESS)
    shown = [
        *page.matches,
        *page.included,
        *back.matches,
        *back.included,
        *await store.get([("Patient", id), ("Observation", id)], NAMELESS),
        await store.version("Observation", id, 1, NAMELESS),
        *(await store.history(Scope("Observation", id), NAMELESS)).matches,
        *(await store.search_all([asked(f"Observation?_id={id}")], NAMELESS))[0].matches,
        *[each async for each in store.scan(asked(f"Patient?_id={id}"), NAMELESS)],
    ]
    assert len(shown) == 10
    for each in shown:
        assert each is not None and SECRET.encode() not in each.body
        security = codec.parse(each.body)["meta"]["security"]
        assert security[-1]["code"] == "MASKED"
    kept = codec.parse(shown[0].body)
    assert kept["subject"] == {"reference": f"Patient/{id}"}
    assert kept["performer"][1] == doctor, "who is not masked is named"


async def test_what_has_no_masked_field_is_as_it_was(record: Record) -> None:
    (stored,) = await record.save({"resourceType": "Organization", "id": record.fresh + "o", "name": "North"})
    (shown,) = await record.store.get([("Organization", stored.id)], NAMELESS)
    assert shown.body == stored.body
