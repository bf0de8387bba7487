"""What Bulk Data 2.0.0 asks of a server beside what tests of the export itself show: https://hl7.org/fhir/uv/bulkdata/STU2/export.html."""

from collections.abc import AsyncIterator
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey

from commonweal import api
from commonweal.boot import discovery
from commonweal.fhir import codec
from commonweal.platform.platform import Platform
from tests.conformance import bulk_world
from tests.conformance.bulk_world import ASYNC, FHIR, observation, parameters, patient
from tests.conformance.smart.smart_world import FHIR as BASE
from tests.conformance.smart.smart_world import World


@pytest.fixture
def bulk(tmp_path: Path) -> bulk_world.World:
    return bulk_world.World(tmp_path)


@pytest.fixture
async def fhir(bulk: bulk_world.World) -> AsyncIterator[httpx.AsyncClient]:
    async with bulk.client() as client:
        await bulk.put(client, patient("a"), patient("b"), observation("o", "Patient/a"))
        yield client


async def test_the_kick_off_names_an_absolute_place(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.get("/$export", headers=ASYNC)
    assert answer.status_code == 202
    assert answer.headers["content-location"].startswith("http://test/fhir/_export/")


async def test_a_repeated_parameter_is_one_list(bulk: bulk_world.World, fhir: httpx.AsyncClient) -> None:
    await bulk.put(fhir, {"resourceType": "Organization", "id": "o", "name": "O"})
    found = await bulk.exported(fhir, "/$export?_type=Patient&_type=Organization")
    assert found == ["Organization/o", "Patient/a", "Patient/b"]


async def test_a_repeated_filter_is_one_list(bulk: bulk_world.World, fhir: httpx.AsyncClient) -> None:
    await bulk.put(fhir, observation("p", "Patient/b"), observation("q", "Patient/c"))
    path = (
        "/$export?_type=Observation&_typeFilter=Observation%3Fsubject%3DPatient/a"
        "&_typeFilter=Observation%3Fsubject%3DPatient/b"
    )
    assert await bulk.exported(fhir, path) == ["Observation/o", "Observation/p"]


async def test_every_field_of_a_manifest_has_its_form(
    bulk: bulk_world.World, fhir: httpx.AsyncClient
) -> None:
    told = await bulk.manifest(fhir, "/$export?_type=Patient,Observation")
    assert datetime.fromisoformat(told["transactionTime"]).tzinfo is not None
    assert told["request"] == "http://test/fhir/$export?_type=Patient,Observation"
    assert told["requiresAccessToken"] is True
    assert "extension" not in told
    for name in ("output", "deleted", "error"):
        assert isinstance(told[name], list)
    assert {each["type"] for each in told["output"]} == {"Patient", "Observation"}
    for each in told["output"]:
        assert each["url"].startswith("http://test/fhir/")
        assert isinstance(each["count"], int)


async def test_the_request_of_a_post_is_told_without_its_parameters(
    bulk: bulk_world.World, fhir: httpx.AsyncClient
) -> None:
    asked = parameters(_type={"valueString": "Patient"})
    told = await bulk.manifest(fhir, "/Patient/$export", **asked)
    assert told["request"] == "http://test/fhir/Patient/$export"


async def test_only_the_most_recent_version_is_exported(
    bulk: bulk_world.World, fhir: httpx.AsyncClient
) -> None:
    await bulk.put(fhir, patient("a", gender="female"), patient("a", gender="male"))
    told = await bulk.manifest(fhir, "/$export?_type=Patient")
    lines = await bulk.lines(fhir, told["output"])
    assert [(each["id"], each["meta"]["versionId"]) for each in lines] == [("a", "3"), ("b", "1")]


async def test_since_of_a_group(bulk: bulk_world.World, fhir: httpx.AsyncClient) -> None:
    members = [{"entity": {"reference": "Patient/a"}}, {"entity": {"reference": "Patient/b"}}]
    group = {"resourceType": "Group", "id": "g", "type": "person", "actual": True, "member": members}
    await bulk.put(fhir, group)
    first = await bulk.manifest(fhir, "/Group/g/$export")
    await bulk.put(fhir, patient("b", gender="male"))
    since = {"_since": first["transactionTime"]}
    assert await bulk.exported(fhir, "/Group/g/$export", params=since) == ["Patient/b"]
    assert await bulk.exported(fhir, "/Patient/$export", params=since) == ["Patient/b"]


async def test_every_error_is_an_outcome_in_json(bulk: bulk_world.World, fhir: httpx.AsyncClient) -> None:
    place = (await fhir.get("/$export", headers=ASYNC)).headers["content-location"]
    await bulk.work()
    assert (await fhir.delete(place)).status_code == 202
    for answer in (
        await fhir.get("/$export?_type=Nonsense", headers=ASYNC),
        await fhir.post("/$export", content=b"{}", headers={**ASYNC, **FHIR}),
        await fhir.get(place),
        await fhir.delete(place),
        await fhir.get(f"{place}/output.Patient.1.1.ndjson"),
    ):
        assert 400 <= answer.status_code < 600
        assert answer.headers["content-type"].startswith("application/fhir+json")
        assert answer.json()["resourceType"] == "OperationOutcome"


async def test_a_failed_export_says_so_as_an_outcome(bulk: bulk_world.World, fhir: httpx.AsyncClient) -> None:
    place = (await fhir.get("/$export", headers=ASYNC)).headers["content-location"]
    (job,) = bulk.shelf.jobs()
    (job.folder / "output.Observation.1.1.ndjson").mkdir()
    await bulk.work()
    answer = await fhir.get(place)
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("application/fhir+json")
    assert answer.json()["resourceType"] == "OperationOutcome"


async def test_attachments_leave_as_they_were_written(
    bulk: bulk_world.World, fhir: httpx.AsyncClient
) -> None:
    """Nothing is moved out of a resource: what was written inline stays inline, and no address is made up."""
    content = [{"attachment": {"contentType": "text/plain", "data": "aGVsbG8="}}]
    document = {"resourceType": "DocumentReference", "id": "d", "status": "current", "content": content}
    await bulk.put(fhir, document)
    told = await bulk.manifest(fhir, "/$export?_type=DocumentReference")
    (line,) = await bulk.lines(fhir, told["output"])
    assert line["content"] == content


class Partners(World):
    """Partners over one record with exports and all services."""

    def __init__(self, bulk: bulk_world.World) -> None:
        ids = count(1)
        bulk.platform = Platform(
            discovery.catalogue(),
            bulk.store,
            bulk.clock.now,
            lambda: f"new{next(ids)}",
            bulk_world._unheard,
            bulk_world._here,
        )
        super().__init__(bulk.platform)
        self.bulk = bulk
        self.site = api.app(bulk.platform, self.authenticate, BASE, exports=bulk.shelf)

    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].startswith("/fhir") and ".well-known" not in scope["path"]:
            await self.site(scope, receive, send)
        else:
            await super().serve(scope, receive, send)

    async def partner(self, key: ECKey, scope: str, name: str = "one") -> dict[str, str]:
        """A token of a new partner for that scope."""
        client = await self.system(key, scope=scope, client_name=name)
        told = (await self.asserted(self.assertion(client, key), scope)).json()
        return {"authorization": f"Bearer {told['access_token']}", **ASYNC}


@pytest.fixture
async def partners(bulk: bulk_world.World) -> AsyncIterator[Partners]:
    here = Partners(bulk)
    headers = {"authorization": "Bearer boss", **FHIR}
    for resource in (
        patient("mine", managingOrganization={"reference": "Organization/o"}),
        patient("theirs", managingOrganization={"reference": "Organization/other"}),
        {"resourceType": "Organization", "id": "o", "name": "O"},
    ):
        path = f"/fhir/{resource['resourceType']}/{resource['id']}"
        answer = await here.http.put(path, content=codec.encode(resource), headers=headers)
        assert answer.status_code == 201, answer.text
    yield here
    await here.http.aclose()


async def test_exports_are_protected_as_the_record_is(partners: Partners, ec_key: ECKey) -> None:
    """Kick-off, status, file and deletion want a good token of the very system that asked, with scopes for it."""
    http = partners.http
    mine = await partners.partner(ec_key, "system/*.rs")
    other = await partners.partner(ec_key, "system/*.rs", "two")
    begun = await http.get("/fhir/$export?_type=Organization", headers=mine)
    assert begun.status_code == 202, begun.text
    place = begun.headers["content-location"]
    await partners.bulk.work()
    told = (await http.get(place, headers=mine)).json()
    assert told["requiresAccessToken"] is True
    file = told["output"][0]["url"]
    assert (await http.get(file, headers=mine)).status_code == 200
    for each in (place, file):
        assert (await http.get(each)).status_code == 401
        assert (await http.get(each, headers=other)).status_code == 404
    assert (await http.delete(place, headers=other)).status_code == 404
    writing = await partners.partner(ec_key, "system/*.cud", "three")
    assert (await http.get("/fhir/$export", headers=writing)).status_code == 403
    partners.pass_(300)
    for each in (place, file):
        assert (await http.get(each, headers=mine)).status_code == 401


async def test_a_system_exports_only_what_it_may_read(partners: Partners, ec_key: ECKey) -> None:
    headers = await partners.partner(ec_key, "system/Patient.rs")
    begun = await partners.http.get("/fhir/$export", headers=headers)
    assert begun.status_code == 202, begun.text
    await partners.bulk.work()
    told = (await partners.http.get(begun.headers["content-location"], headers=headers)).json()
    assert {each["type"] for each in told["output"]} == {"Patient"}
    lines = (await partners.http.get(told["output"][0]["url"], headers=headers)).content.splitlines()
    assert [codec.parse(line)["id"] for line in lines] == ["mine"]
