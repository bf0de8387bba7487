"""Loading into a record: ids, references across files, versions, faults set aside, and going on where it stopped."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from commonweal.access import OPERATOR, Agent
from commonweal.api.bulk.settling import Settled
from commonweal.boot.load import run
from commonweal.boot.load.journal import Journal
from commonweal.boot.load.prepare import Prepared
from commonweal.boot.load.run import Load, Tally
from commonweal.boot.load.sinks import RecordSink, ServerSink, Sink
from commonweal.boot.load.sources import find
from commonweal.fhir import codec
from tests.conformance.bulk_world import World, observation, patient

LOADER = Agent("loader", frozenset({OPERATOR}))
UUID = "11111111-2222-3333-4444-555555555555"
URN = f"urn:uuid:{UUID}"


class Files:
    """A folder of files, loaded into an installation in memory."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.folder = folder / "files"
        self.folder.mkdir()
        self.home = folder / "loads"
        self.sink: Sink = RecordSink(self.world.platform, LOADER)

    def write(self, name: str, *resources: dict[str, Any] | bytes) -> None:
        lines = [each if isinstance(each, bytes) else codec.encode(each) for each in resources]
        (self.folder / name).write_bytes(b"\n".join(lines))

    async def load(self) -> Tally:
        sources = find([self.folder])
        self.faults = self.home / "faults.ndjson"
        load = Load(self.sink, Journal(self.home, sources), self.faults, lambda tally, name: None)
        self.last = load
        return await load.run(sources)

    async def read(self, reference: str) -> dict[str, Any]:
        async with self.world.client() as client:
            answer = await client.get(f"/{reference}")
            assert answer.status_code == 200, answer.text
            return codec.parse(answer.content)

    def quarantined(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self.faults.read_text("utf-8").splitlines()]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def counts(tally: Tally) -> tuple[int, int, int, int]:
    return tally.created, tally.updated, tally.unchanged, tally.quarantined


def bundle(*entries: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    said = [{"fullUrl": url, "resource": resource} for url, resource in entries]
    return {"resourceType": "Bundle", "type": "collection", "entry": said}


async def test_a_second_load_changes_nothing(files: Files) -> None:
    files.write("x.ndjson", patient("a"), observation("o", "Patient/a"))
    assert counts(await files.load()) == (2, 0, 0, 0)
    assert counts(await files.load()) == (0, 0, 2, 0)
    assert list(files.home.iterdir()) == []


async def test_differing_repeats_become_versions(files: Files) -> None:
    files.write("1.ndjson", patient("a"), patient("a", active=True), patient("a", active=True))
    files.write("2.ndjson", patient("a", active=False))
    assert counts(await files.load()) == (1, 2, 1, 0)
    found = await files.read("Patient/a")
    assert (found["active"], found["meta"]["versionId"]) == (False, "3")


@pytest.mark.parametrize("order", ["ab", "ba"])
async def test_references_across_files_in_either_order(files: Files, order: str) -> None:
    files.write(f"{order[0]}.json", bundle((URN, {"resourceType": "Patient"})))
    files.write(f"{order[1]}.json", bundle(("urn:uuid:o", observation("o", URN))))
    assert counts(await files.load()) == (2, 0, 0, 0)
    assert (await files.read("Observation/o"))["subject"] == {"reference": f"Patient/{UUID}"}


@pytest.mark.parametrize("order", ["ab", "ba"])
async def test_addresses_of_another_server(files: Files, order: str) -> None:
    url = "http://hospital.example/fhir/Patient/a"
    files.write(f"{order[0]}.json", bundle((url, patient("a"))))
    elsewhere = "http://elsewhere.example/fhir/Practitioner/x"
    files.write(f"{order[1]}.json", observation("o", url, performer=[{"reference": elsewhere}]))
    assert counts(await files.load()) == (2, 0, 0, 0)
    found = await files.read("Observation/o")
    assert (found["subject"]["reference"], found["performer"][0]["reference"]) == ("Patient/a", elsewhere)


@pytest.mark.parametrize("order", ["ab", "ba"])
async def test_an_invalid_id_is_replaced_where_it_is_referred_to(files: Files, order: str) -> None:
    files.write(f"{order[0]}.ndjson", patient("not_valid"))
    files.write(f"{order[1]}.ndjson", observation("o", "Patient/not_valid"))
    assert counts(await files.load()) == (2, 0, 0, 0)
    subject = (await files.read("Observation/o"))["subject"]["reference"]
    assert (await files.read(subject))["resourceType"] == "Patient"
    assert counts(await files.load()) == (0, 0, 2, 0)


async def test_searches_as_references(files: Files) -> None:
    """Conditional references, https://hl7.org/fhir/R4/http.html#trules"""
    known = [{"system": "urn:ssn", "value": "1|2"}]
    files.write(
        "a.ndjson",
        observation("o", "Patient?identifier=urn:ssn|7"),
        observation("p", "Patient?identifier=urn:ssn|8"),
    )
    files.write(
        "b.ndjson",
        patient("x", identifier=[{"system": "urn:ssn", "value": "7"}]),
        patient("y", identifier=known),
    )
    assert counts(await files.load()) == (3, 0, 0, 1)
    assert (await files.read("Observation/o"))["subject"] == {"reference": "Patient/x"}
    assert "leads nowhere" in files.quarantined()[0]["reason"]


async def test_what_is_wrong_is_set_aside_with_its_place_and_reason(files: Files) -> None:
    files.write(
        "x.ndjson", patient("a"), b'{"resourceType":"Patient","id":"b"', patient("c", colour="red"), b"[1]",
        b'{"id":"x"}', b"\xff\xfe", observation("o", "urn:uuid:nobody"), {"resourceType": "Nonsense", "id": "n"},
        b'{"resourceType":"Patient","id":7}', b'{"resourceType":"Observation","subject":{"reference":"http://\xff"}}',
        patient("z"),
    )  # fmt: skip
    assert counts(await files.load()) == (2, 0, 0, 9)
    said = {each["place"].rpartition(":")[2]: each for each in files.quarantined()}
    assert sorted(said, key=int) == ["2", "3", "4", "5", "6", "7", "8", "9", "10"]
    assert json.loads(said["3"]["resource"])["colour"] == "red"
    assert "colour" in said["3"]["reason"]
    assert "urn:uuid:nobody leads nowhere" in said["7"]["reason"]
    assert files.faults.stat().st_mode & 0o077 == 0


async def test_half_a_file_is_loaded_and_said(files: Files) -> None:
    lines = b"\n".join(codec.encode(patient(f"p{number}")) for number in range(3000))
    (files.folder / "x.ndjson.gz").write_bytes(gzip.compress(lines, mtime=0)[:-500])
    tally = await files.load()
    assert tally.quarantined == 1
    assert tally.created > 2000
    assert "cannot be read further" in files.quarantined()[0]["reason"]


async def test_a_server_settles_the_same(files: Files) -> None:
    """--url: by $import of a running server"""
    async with files.world.client() as client:
        client.base_url = httpx.URL(f"{client.base_url}/")
        files.sink = ServerSink(client)
        files.write("a.ndjson", patient("a"), patient("b", colour="red"), patient("a", active=True))
        files.write("b.json", json.dumps(patient("c"), indent=2).encode())
        files.write(
            "c.ndjson", observation("o", "Patient?identifier=7"), patient("d", identifier=[{"value": "7"}])
        )
        assert counts(await files.load()) == (4, 1, 0, 1)
        assert "colour" in files.quarantined()[0]["reason"]
        assert (await files.read("Observation/o"))["subject"] == {"reference": "Patient/d"}


class Failing:
    """A record that is away after so many batches."""

    def __init__(self, sink: Sink, after: int) -> None:
        self._sink = sink
        self._left = after

    async def write(self, batch: Sequence[Prepared]) -> Settled:
        if self._left == 0:
            raise ConnectionError("the record is away")
        self._left -= 1
        return await self._sink.write(batch)

    async def find(self, search: str) -> str:
        return await self._sink.find(search)


@pytest.mark.parametrize("after", [0, 1, 3, 4, 7, 8])
async def test_it_goes_on_where_it_stopped(files: Files, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    monkeypatch.setattr(run, "BATCH", 10)
    files.write("a.ndjson", *(observation(f"o{number}", URN) for number in range(25)), b"wrong")
    files.write("b.ndjson", *(patient(f"p{number}") for number in range(45)))
    files.write("c.json", bundle((URN, {"resourceType": "Patient"})))
    whole = files.sink
    files.sink = Failing(whole, after)
    with pytest.raises(ConnectionError):
        await files.load()
    before = files.last.tally
    files.sink = whole
    tally = await files.load()
    assert tally.created + before.created == 25 + 45 + 1
    assert tally.unchanged <= 40, "no more is written twice than was in flight"
    assert (await files.read("Observation/o24"))["subject"] == {"reference": f"Patient/{UUID}"}
    async with files.world.client() as client:
        assert (await client.get("/Patient?_summary=count")).json()["total"] == 46
