"""Bulk Data Export: https://hl7.org/fhir/uv/bulkdata/STU2/export.html."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from commonweal.fhir import codec
from tests.conformance.bulk_world import ASYNC, BASE, FHIR, World, observation, parameters, patient

GROUP = {
    "resourceType": "Group",
    "id": "g",
    "type": "person",
    "actual": True,
    "member": [
        {"entity": {"reference": "Patient/a"}},
        {"entity": {"reference": "Patient/b"}, "inactive": True},
        {"entity": {"reference": "Patient/c"}, "period": {"end": "2020-01-01"}},
    ],
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
async def fhir(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client() as client:
        yield client


@pytest.fixture
async def full(world: World, fhir: httpx.AsyncClient) -> World:
    """Three patients, what belongs to them, and what belongs to nobody."""
    people = [patient(each) for each in "abc"]
    theirs = [observation(f"of-{each}", f"Patient/{each}") for each in "abc"]
    both = observation("both", "Patient/a", performer=[{"reference": "Patient/b"}])
    nobodys = [observation("place", "Location/l"), {"resourceType": "Organization", "id": "o", "name": "O"}]
    about = {
        "resourceType": "Provenance",
        "id": "p",
        "target": [{"reference": "Observation/of-b"}],
        "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"who": {"reference": "Organization/o"}}],
    }
    await world.put(fhir, *people, *theirs, both, *nobodys, about, GROUP)
    return world


async def test_everything_at_system_level(full: World, fhir: httpx.AsyncClient) -> None:
    told = await full.manifest(fhir, "/$export")
    assert told["request"] == f"{BASE}/$export"
    assert told["requiresAccessToken"] is True
    assert told["error"] == told["deleted"] == []
    found = [f"{each['resourceType']}/{each['id']}" for each in await full.lines(fhir, told["output"])]
    assert sorted(found) == [
        "Group/g", "Observation/both", "Observation/of-a", "Observation/of-b", "Observation/of-c",
        "Observation/place", "Organization/o", "Patient/a", "Patient/b", "Patient/c", "Provenance/p",
    ]  # fmt: skip


async def test_lines_are_the_resources_themselves(full: World, fhir: httpx.AsyncClient) -> None:
    told = await full.manifest(fhir, "/$export?_type=Patient")
    lines = (await fhir.get(told["output"][0]["url"])).content.splitlines()
    assert lines[0] == (await fhir.get("/Patient/a")).content


async def test_patients_and_their_compartments(full: World, fhir: httpx.AsyncClient) -> None:
    assert await full.exported(fhir, "/Patient/$export") == [
        "Group/g", "Observation/both", "Observation/of-a", "Observation/of-b", "Observation/of-c",
        "Patient/a", "Patient/b", "Patient/c", "Provenance/p",
    ]  # fmt: skip


async def test_members_of_a_group_without_those_who_left(full: World, fhir: httpx.AsyncClient) -> None:
    found = await full.exported(fhir, "/Group/g/$export?_type=Patient,Observation")
    assert found == ["Observation/both", "Observation/of-a", "Patient/a"]


async def test_a_resource_of_two_members_is_given_once(full: World, fhir: httpx.AsyncClient) -> None:
    group = {**GROUP, "id": "two", "member": [{"entity": {"reference": f"Patient/{each}"}} for each in "ba"]}
    await full.put(fhir, group)
    found = await full.exported(fhir, "/Group/two/$export?_type=Observation")
    assert found == ["Observation/both", "Observation/of-a", "Observation/of-b"]


async def test_more_members_than_one_search_names(full: World, fhir: httpx.AsyncClient) -> None:
    many = [f"m{number:03}" for number in range(120)]
    await full.put(fhir, *(patient(each) for each in many))
    await full.put(fhir, *(observation(f"of-{each}", f"Patient/{each}") for each in many[::40]))
    group = {**GROUP, "id": "many", "member": [{"entity": {"reference": f"Patient/{each}"}} for each in many]}
    await full.put(fhir, group)
    found = await full.exported(fhir, "/Group/many/$export?_type=Observation,Patient")
    assert found == sorted([*(f"Observation/of-{m}" for m in many[::40]), *(f"Patient/{m}" for m in many)])


@pytest.mark.parametrize(
    ("group", "sentence"),
    [
        ({"actual": False}, "describes people"),
        ({"member": [{"entity": {"reference": "Group/other"}}]}, "nested groups are not opened"),
        ({"member": [{"entity": {"reference": "Device/d"}}]}, "Only groups of patients"),
    ],
)
async def test_a_group_without_patients_is_refused(
    full: World, fhir: httpx.AsyncClient, group: dict[str, Any], sentence: str
) -> None:
    await full.put(fhir, {**GROUP, "id": "odd", **group})
    answer = await fhir.get("/Group/odd/$export", headers=ASYNC)
    assert answer.status_code == 422
    assert sentence in answer.json()["issue"][0]["diagnostics"]


async def test_no_such_group(full: World, fhir: httpx.AsyncClient) -> None:
    assert (await fhir.get("/Group/none/$export", headers=ASYNC)).status_code == 404


async def test_named_patients_by_post(full: World, fhir: httpx.AsyncClient) -> None:
    """patient: the server SHALL NOT return resources in the compartments of patients outside of this list"""
    asked = parameters(
        patient={"valueReference": {"reference": "Patient/a"}}, _type={"valueString": "Observation,Patient"}
    )
    assert await full.exported(fhir, "/Patient/$export", **asked) == ["Observation/of-a", "Patient/a"]


async def test_named_patients_outside_of_the_group(full: World, fhir: httpx.AsyncClient) -> None:
    asked = parameters(patient={"valueReference": {"reference": "Patient/b"}})
    answer = await fhir.post("/Group/g/$export", content=asked["content"], headers={**ASYNC, **FHIR})
    assert answer.status_code == 400
    assert "no Patient/b in this group" in answer.json()["issue"][0]["diagnostics"]


async def test_filters_of_a_type_are_alternatives(full: World, fhir: httpx.AsyncClient) -> None:
    await full.put(fhir, observation("late", "Patient/a", status="amended"))
    found = await full.exported(
        fhir,
        "/$export",
        params={
            "_type": "Observation,Organization",
            "_typeFilter": "Observation?subject=Patient/a,Observation?status=amended,final&performer=Patient/b",
        },
    )
    assert found == ["Observation/both", "Observation/late", "Observation/of-a", "Organization/o"]


async def test_elements(full: World, fhir: httpx.AsyncClient) -> None:
    await full.put(fhir, patient("d", gender="female", birthDate="2000-01-01"))
    told = await full.manifest(fhir, "/$export?_type=Patient,Observation&_elements=Patient.gender")
    lines = await full.lines(fhir, told["output"])
    (last,) = (each for each in lines if each["id"] == "d")
    assert last["gender"] == "female"
    assert "birthDate" not in last
    assert last["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert all("subject" in each for each in lines if each["resourceType"] == "Observation")


async def test_since_is_where_the_last_export_ended(full: World, fhir: httpx.AsyncClient) -> None:
    first = await full.manifest(fhir, "/$export")
    await full.put(fhir, patient("b", gender="male"))
    await fhir.delete("/Observation/of-c")
    await fhir.delete("/Patient/c")
    await full.put(fhir, patient("c"))
    second = await full.manifest(fhir, "/$export", params={"_since": first["transactionTime"]})
    changed = await full.lines(fhir, second["output"])
    assert sorted(each["id"] for each in changed) == ["b", "c"]
    (gone,) = await full.lines(fhir, second["deleted"])
    assert gone["type"] == "transaction"
    assert [each["request"] for each in gone["entry"]] == [{"method": "DELETE", "url": "Observation/of-c"}]
    third = await full.manifest(fhir, "/$export", params={"_since": second["transactionTime"]})
    assert third["output"] == third["deleted"] == []


@pytest.mark.parametrize(("level", "told"), [("/Patient", True), ("/Group/g", False)])
async def test_deletions_are_told_to_whom_they_concern(
    full: World, fhir: httpx.AsyncClient, level: str, told: bool
) -> None:
    first = await full.manifest(fhir, "/$export")
    await fhir.delete("/Observation/of-c")
    await fhir.delete("/Organization/o")
    second = await full.manifest(fhir, f"{level}/$export", params={"_since": first["transactionTime"]})
    entries = [entry for bundle in await full.lines(fhir, second["deleted"]) for entry in bundle["entry"]]
    assert [each["request"]["url"] for each in entries] == (["Observation/of-c"] if told else [])


async def test_an_export_tells_of_the_time_it_was_asked(full: World, fhir: httpx.AsyncClient) -> None:
    """transactionTime: The response SHOULD NOT include any resources modified after this instant"""
    begun = await fhir.get("/$export?_type=Patient", headers=ASYNC)
    full.clock.pass_(1)
    await full.put(fhir, patient("a", gender="male"), patient("a", gender="other"), patient("new"))
    await full.work()
    told = (await fhir.get(begun.headers["content-location"])).json()
    lines = await full.lines(fhir, told["output"])
    assert [(each["id"], each["meta"]["versionId"]) for each in lines] == [("a", "1"), ("b", "1"), ("c", "1")]
    after = await full.manifest(fhir, "/$export?_type=Patient", params={"_since": told["transactionTime"]})
    assert [each["id"] for each in await full.lines(fhir, after["output"])] == ["a", "new"]


async def test_what_is_open_is_waited_for(full: World, fhir: httpx.AsyncClient) -> None:
    """transactionTime … SHALL include any matching resources modified up to and including this instant"""
    begun = await fhir.get("/$export?_type=Patient", headers=ASYNC)
    asked: list[int] = []

    async def settled(time: int) -> None:
        asked.append(time)
        full.clock.microseconds = time - 100
        await full.put(fhir, patient("committed-late"))

    await full.exporter(settled=settled).tick()
    told = (await fhir.get(begun.headers["content-location"])).json()
    assert "committed-late" in [each["id"] for each in await full.lines(fhir, told["output"])]
    assert len(asked) == 1


REFUSED = [
    ("/$export?_outputFormat=csv", "_outputFormat"),
    ("/$export?_since=2026-01-01", "_since"),
    ("/$export?_since=yesterday", "_since"),
    ("/$export?_type=Nonsense", "_type"),
    ("/Patient/$export?_type=Organization", "_type"),
    ("/$export?_typeFilter=Observation", "_typeFilter"),
    ("/$export?_type=Patient&_typeFilter=Observation%3Fstatus%3Dfinal", "_typeFilter"),
    ("/$export?_typeFilter=Patient%3Fnonsense%3D1", "nonsense"),
    ("/$export?_typeFilter=Patient%3F_include%3D*", "_typeFilter"),
    ("/$export?_typeFilter=Patient%3F_sort%3Dname", "_typeFilter"),
    ("/$export?_elements=Patient.name.family", "_elements"),
    ("/$export?_elements=nonsense", "_elements"),
    ("/$export?includeAssociatedData=LatestProvenanceResources", "includeAssociatedData"),
    ("/$export?_until=2026-01-01T00:00:00Z", "_until"),
    ("/Patient/$export?patient=Patient/a", "patient"),
]


@pytest.mark.parametrize(("path", "named"), REFUSED)
async def test_what_cannot_be_done_is_refused(
    full: World, fhir: httpx.AsyncClient, path: str, named: str
) -> None:
    answer = await fhir.get(path, headers=ASYNC)
    assert answer.status_code == 400
    assert named in answer.json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    ("path", "named"), [each for each in REFUSED if "_type=Nonsense" not in each[0] and "Org" not in each[0]]
)
async def test_the_lenient_are_told_in_the_export(
    full: World, fhir: httpx.AsyncClient, path: str, named: str
) -> None:
    told = await full.manifest(fhir, path, headers={"Prefer": "respond-async, handling=lenient"})
    (outcome,) = await full.lines(fhir, told["error"])
    assert named in outcome["issue"][0]["diagnostics"]
    assert outcome["issue"][0]["severity"] == "warning"
    assert told["output"]


@pytest.mark.parametrize("format", ["application/fhir+ndjson", "application/ndjson", "ndjson"])
async def test_formats(full: World, fhir: httpx.AsyncClient, format: str) -> None:
    assert (await fhir.get(f"/$export?_outputFormat={format}", headers=ASYNC)).status_code == 202


async def test_respond_async_must_be_said(full: World, fhir: httpx.AsyncClient) -> None:
    answer = await fhir.get("/$export")
    assert answer.status_code == 400
    assert "respond-async" in answer.json()["issue"][0]["diagnostics"]


async def test_only_json_is_answered(full: World, fhir: httpx.AsyncClient) -> None:
    assert (await fhir.get("/$export", headers={**ASYNC, "Accept": "text/csv"})).status_code == 406


async def test_progress_then_the_manifest_until_it_is_deleted(full: World, fhir: httpx.AsyncClient) -> None:
    place = (await fhir.get("/$export", headers=ASYNC)).headers["content-location"]
    waiting = await fhir.get(place)
    assert waiting.status_code == 202
    assert waiting.headers["x-progress"] == "waiting, 0 resources"
    assert waiting.headers["retry-after"] == "1"
    await full.exporter(moment=0).tick()
    full.clock.pass_(1)
    await full.work()
    done = await fhir.get(place)
    assert done.headers["content-type"] == "application/json"
    assert done.headers["expires"].startswith("Sat, 03 Jan 2026 03:04:")
    url = done.json()["output"][0]["url"]
    assert (await fhir.delete(place)).status_code == 202
    for each in (place, url):
        gone = await fhir.get(each)
        assert gone.status_code == 404
        assert gone.json()["resourceType"] == "OperationOutcome"
    assert (await fhir.delete(place)).status_code == 404


async def test_whoever_polls_too_fast_is_told_so(full: World, fhir: httpx.AsyncClient) -> None:
    place = (await fhir.get("/$export", headers=ASYNC)).headers["content-location"]
    assert [(await fhir.get(place)).status_code for _ in range(2)] == [202, 429]
    full.clock.pass_(1)
    assert (await fhir.get(place)).status_code == 202


async def test_one_may_not_have_any_number_under_way(full: World, fhir: httpx.AsyncClient) -> None:
    answers = [(await fhir.get("/$export", headers=ASYNC)).status_code for _ in range(6)]
    assert answers == [202] * 5 + [429]


async def test_a_cancelled_export_is_not_gone_on_with(full: World, fhir: httpx.AsyncClient) -> None:
    place = (await fhir.get("/$export", headers=ASYNC)).headers["content-location"]
    assert (await fhir.delete(place)).status_code == 202
    await full.work()
    assert list(full.shelf.jobs()) == []


async def test_files_are_packed_for_those_who_take_it(full: World, fhir: httpx.AsyncClient) -> None:
    told = await full.manifest(fhir, "/$export?_type=Patient")
    url = told["output"][0]["url"]
    async with fhir.stream("GET", url, headers={"Accept-Encoding": "gzip"}) as answer:
        packed = b"".join([chunk async for chunk in answer.aiter_raw()])
        assert answer.headers["content-encoding"] == "gzip"
    plain = await fhir.get(url, headers={"Accept-Encoding": "identity"})
    assert gzip.decompress(packed) == plain.content
    assert int(plain.headers["content-length"]) == len(plain.content)
    head = await fhir.head(url)
    assert head.status_code == 200
    assert head.content == b""


@pytest.mark.parametrize(
    "name", ["order.json", "..%2forder.json", "progress.1.json", "output.Patient.1.2.ndjson"]
)
async def test_nothing_else_can_be_fetched(full: World, fhir: httpx.AsyncClient, name: str) -> None:
    place = (await fhir.get("/$export?_type=Patient", headers=ASYNC)).headers["content-location"]
    await full.work()
    assert (await fhir.get(f"{place}/{name}")).status_code == 404


@pytest.mark.parametrize("id", ["%2e%2e", "a%2f..", "none", ".new1"])
async def test_no_id_leads_out_of_the_folder(full: World, fhir: httpx.AsyncClient, id: str) -> None:
    assert (await fhir.get(f"/_export/{id}/order.json")).status_code == 404
    assert (await fhir.get(f"/_export/{id}")).status_code == 404


async def test_others_learn_nothing(full: World, fhir: httpx.AsyncClient) -> None:
    async with full.client("colleague") as colleague, full.client("reader") as reader:
        place = (await fhir.get("/$export", headers=ASYNC)).headers["content-location"]
        theirs = (await colleague.get("/$export", headers=ASYNC)).headers["content-location"]
        await full.work()
        url = (await fhir.get(place)).json()["output"][0]["url"]
        for each in (place, url):
            assert (await colleague.get(each)).status_code == 404
            assert (await reader.get(each)).status_code == 403
        assert (await fhir.get(theirs)).status_code == 200
        assert (await reader.get("/$export", headers=ASYNC)).status_code == 403
        assert (await colleague.delete(place)).status_code == 404
    assert full.store.audited[-2][1].outcome in (200, 403)


async def test_one_gets_no_more_than_one_may_read(full: World, fhir: httpx.AsyncClient) -> None:
    async with full.client("narrow") as narrow:
        assert await full.exported(narrow, "/$export") == ["Patient/a", "Patient/b", "Patient/c"]


async def test_every_page_and_every_file_is_audited(full: World, fhir: httpx.AsyncClient) -> None:
    told = await full.manifest(fhir, "/$export?_type=Patient")
    await fhir.get(told["output"][0]["url"])
    rows = [row for _, row in full.store.audited if row.work.startswith("new")]
    said = [(row.interaction, row.type) for row in rows[-3:]]
    assert said == [("export", ""), ("search", "Patient"), ("export-file", "")]
    assert rows[-2].entities == ("Patient/a", "Patient/b", "Patient/c")


async def test_an_export_goes_on_wherever_it_was_left(full: World, fhir: httpx.AsyncClient) -> None:
    """Each tick another process that has taken over; the one before has left half a line behind."""
    many = [patient(f"m{number:04}") for number in range(1100)]
    body = b"\n".join(codec.encode(each) for each in many)
    answer = await fhir.post("/$import", content=body, headers={"Content-Type": "application/fhir+ndjson"})
    assert answer.status_code == 200
    place = (await fhir.get("/$export?_type=Patient,Observation", headers=ASYNC)).headers["content-location"]
    while await full.exporter(moment=0).tick():
        full.holder += 1
        for job in full.shelf.jobs():
            for file in job.folder.glob("*.ndjson"):
                with file.open("ab") as damaged:
                    damaged.write(b'{"half a li')
    told = (await fhir.get(place)).json()
    assert len(told["output"]) > 2
    ids = [each["id"] for each in await full.lines(fhir, told["output"])]
    assert len(ids) == len(set(ids)) == 1100 + 3 + 5


async def test_a_holder_that_lost_the_lease_spoils_nothing(full: World, fhir: httpx.AsyncClient) -> None:
    place = (await fhir.get("/$export?_type=Patient,Observation", headers=ASYNC)).headers["content-location"]
    (job,) = full.shelf.jobs()
    await full.exporter(moment=0).tick()
    stale = job.progress()
    full.holder = 2
    await full.work()
    job.append(stale, "output", "Patient", [b"late"])
    job.keep(stale)
    told = (await fhir.get(place)).json()
    assert len(await full.lines(fhir, told["output"])) == 3 + 5


async def test_what_is_complete_long_enough_is_removed(full: World, fhir: httpx.AsyncClient) -> None:
    place = (await fhir.get("/$export", headers=ASYNC)).headers["content-location"]
    await full.work()
    full.clock.pass_(24 * 3600 - 60)
    await full.work()
    assert (await fhir.get(place)).status_code == 200
    full.clock.pass_(120)
    await full.work()
    assert (await fhir.get(place)).status_code == 404
    assert list(full.shelf.folder.iterdir()) == []


async def test_a_fault_of_ours_ends_the_export(full: World, fhir: httpx.AsyncClient) -> None:
    place = (await fhir.get("/$export", headers=ASYNC)).headers["content-location"]
    (job,) = full.shelf.jobs()
    (job.folder / "output.Group.1.1.ndjson").mkdir()
    await full.work()
    answer = await fhir.get(place)
    assert answer.status_code == 500
    assert "could not be completed" in answer.json()["issue"][0]["diagnostics"]


async def test_exports_are_for_their_owner_only_on_disk(full: World, fhir: httpx.AsyncClient) -> None:
    await full.manifest(fhir, "/$export")
    assert full.shelf.folder.stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in full.shelf.folder.rglob("*"))


async def test_where_there_is_no_folder_there_are_no_exports(full: World, fhir: httpx.AsyncClient) -> None:
    full.app.site.exports = None
    assert (await fhir.get("/$export", headers=ASYNC)).status_code == 501
