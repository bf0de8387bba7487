"""`commonweal load` and `commonweal export` as they are typed: on a folder, against a server, killed in the middle."""

import gzip
import json
import os
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.killed.platform_process import COMMAND, PlatformProcess

PEOPLE = 6000


def run(*words: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *map(str, words)], capture_output=True, text=True, timeout=300, check=False,
        env=os.environ | environment,
    )  # fmt: skip


def until(seen: Callable[[], object], seconds: float = 120) -> None:
    """Look again and again until it is seen; fail at the deadline."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.01)):
        if seen():
            return
        pause.wait(0.01)
    raise AssertionError(f"not seen within {seconds} s")


def people(path: Path, count: int, start: int = 0) -> Path:
    """So many patients, one of whom is wrong."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(start, start + count):
            file.write(json.dumps({"resourceType": "Patient", "id": f"p{number}", "active": True}) + "\n")
        file.write('{"resourceType":"Patient","id":"wrong","colour":"red"}\n')
    return path


def lines(folder: Path) -> dict[str, Any]:
    """By reference, what an export has written."""
    found = [
        json.loads(line) for file in folder.glob("*.ndjson") for line in file.read_text("utf-8").splitlines()
    ]
    return {f"{each['resourceType']}/{each['id']}": each for each in found}


@pytest.fixture(scope="module")
def loaded(home: Path) -> Path:
    """An installation into which people were loaded, the load being killed in the middle and begun again."""
    source, data = people(home / "people.ndjson", PEOPLE), home / "data"
    journals = data / "loads"
    with subprocess.Popen(
        [*COMMAND, "load", "--data", str(data), str(source)], stderr=subprocess.DEVNULL
    ) as load:
        until(lambda: _settled(journals) or load.poll() is not None)
        load.send_signal(signal.SIGKILL)
    assert load.returncode == -signal.SIGKILL, "it was over before it could be killed"
    again = run("load", "--data", data, source)
    assert again.returncode == 3, again.stderr
    new, unchanged = (
        int(word.split()[0].replace(",", "")) for word in again.stdout.splitlines()[-2].split(", ")[0:3:2]
    )
    assert 0 < new < PEOPLE, "it went on where it was"
    assert unchanged <= 2000, "no more is written twice than was in flight"
    return data


def _settled(journals: Path) -> bool:
    """Has the load told its journal that some of the file is in the record?"""
    for path in journals.glob("*.sqlite"):
        with closing(sqlite3.connect(path)) as journal, suppress(sqlite3.OperationalError):
            return bool(journal.execute("select count(*) from done").fetchone()[0])
    return False


def test_killed_and_begun_again_nothing_is_missing_or_twice(loaded: Path, home: Path) -> None:
    done = run("export", "--data", loaded, home / "whole")
    assert done.returncode == 0, done.stderr
    found = lines(home / "whole")
    assert len(found) == PEOPLE
    assert {each["meta"]["versionId"] for each in found.values()} == {"1"}
    (faults,) = {path.read_text("utf-8") for path in (loaded / "loads").glob("quarantine-*.ndjson")}
    assert "colour" in json.loads(faults.splitlines()[0])["reason"]
    assert run("check", "--data", loaded).returncode == 0


def test_an_export_is_packed_or_a_part_when_asked(loaded: Path, home: Path) -> None:
    done = run("export", "--data", loaded, "--gzip", "--patient", "p1", "--patient", "p2", home / "two")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (home / "two").iterdir()) == ["Patient.ndjson.gz", "manifest.json"]
    text = gzip.decompress((home / "two" / "Patient.ndjson.gz").read_bytes())
    assert sorted(json.loads(line)["id"] for line in text.splitlines()) == ["p1", "p2"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--type", "Nonsense"], "is not a FHIR R4 resource type"),
        (["--since", "yesterday"], "'yesterday' is not a valid instant"),
        (["--group", "none"], "There is no Group/none"),
    ],
)
def test_what_cannot_be_exported_is_one_sentence(
    loaded: Path, home: Path, words: list[str], sentence: str
) -> None:
    done = run("export", "--data", loaded, *words, home / "never")
    assert done.returncode == 1
    assert sentence in done.stderr.splitlines()[-1]
    assert not (home / "never").exists()


def test_a_folder_with_something_in_it_is_left_alone(loaded: Path, home: Path) -> None:
    done = run("export", "--data", loaded, home)
    assert (done.returncode, "is not empty" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    "words", [["none.ndjson"], ["load"], ["--url", "http://127.0.0.1:9/fhir", "people.ndjson"]]
)
def test_what_cannot_be_loaded_is_one_sentence(loaded: Path, home: Path, words: list[str]) -> None:
    source = [str(home / word) if word.endswith("ndjson") else word for word in words]
    done = run("load", "--data", loaded, *source, HOME=str(home))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("commonweal: ")
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def server(loaded: Path) -> Iterator[PlatformProcess]:
    process = PlatformProcess(loaded)
    yield process
    process.stop()


def test_load_and_export_with_a_running_server(server: PlatformProcess, home: Path) -> None:
    token = server.token()
    more = people(home / "more.ndjson", 700, start=PEOPLE)
    load = run("load", "--url", server.base, "--token", token, more, HOME=str(home))
    assert load.returncode == 3, load.stderr
    assert load.stdout.splitlines()[-2].startswith("700 new")
    export = run("export", "--url", server.base, "--token", token, "--zstd", home / "served")
    assert export.returncode == 0, export.stderr
    assert f"{PEOPLE + 700:,} written" in export.stdout
    again = run("export", "--data", server.data, home / "beside")
    assert again.returncode == 0, again.stderr
    assert len(lines(home / "beside")) == PEOPLE + 700


def test_an_export_goes_on_after_its_worker_was_killed(server: PlatformProcess, home: Path) -> None:
    headers = {"Authorization": f"Bearer {server.token()}"}
    with httpx.Client(headers=headers) as client:
        place = client.get(f"{server.base}/$export", headers={"Prefer": "respond-async"}).headers[
            "content-location"
        ]
        server.kill("background")
        until(lambda: client.get(place).status_code == 200)
        told = client.get(place).json()
        assert sum(item["count"] for item in told["output"]) == PEOPLE + 700
        client.delete(place)
