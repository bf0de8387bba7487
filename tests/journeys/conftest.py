"""One running installation for all journeys, with a fictional family and one long record, and a browser to visit it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.journeys.household import Household
from tests.journeys.long_record import resources
from tests.journeys.visitor import Visitor

ROOT = Path(__file__).resolve().parents[2]
FAMILY = ROOT / "docs/tutorial/people.ndjson"
BUILT = ROOT / "src/commonweal/web/static/built/manifest.json"
PATIENCE = 120
QUIET = [
    "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-pings", "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]  # fmt: skip


@dataclass(frozen=True)
class Installation:
    """A running `commonweal serve`: its address, its folder, and the file with all it printed."""

    address: str
    data: Path
    printed: Path

    def token(self, role: str = "operator") -> str:
        """A code that signs in."""
        return command("token", "--data", str(self.data), "--role", role).strip()


def command(*arguments: str) -> str:
    """Run one verb of `commonweal`; what it printed."""
    ran = subprocess.run(
        [sys.executable, "-m", "commonweal.boot.cli", *arguments],
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    """Started once, in a folder that the database's own account can reach."""
    if not BUILT.is_file():
        pytest.skip("NOT RUN: the pages are not built (make setup)")
    home = Path(tempfile.mkdtemp(prefix="commonweal-journeys-"))
    home.chmod(0o755)
    printed = home / "printed.txt"
    arguments = [
        sys.executable,
        "-m",
        "commonweal.boot.cli",
        "serve",
        "--data",
        str(home / "data"),
        "--port",
        "0",
    ]
    with printed.open("w") as file:
        process = subprocess.Popen(arguments, stdout=file, stderr=subprocess.STDOUT, env=os.environ)
    try:
        there = Installation(_address(printed, process), home / "data", printed)
        _fill(there, home)
        yield there
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(home, ignore_errors=True)


def _address(printed: Path, process: "subprocess.Popen[bytes]") -> str:
    pause = threading.Event()
    for _ in range(PATIENCE * 10):
        text = printed.read_text()
        if "is ready at " in text:
            return text.partition("is ready at ")[2].split()[0]
        assert process.poll() is None, text
        pause.wait(0.1)
    raise AssertionError(f"not ready within {PATIENCE} s: {printed.read_text()}")


def _fill(there: Installation, home: Path) -> None:
    """The family of the tutorial and a long record; one resource is changed, one is deleted."""
    long_record = home / "long.ndjson"
    long_record.write_text("\n".join(json.dumps(each, ensure_ascii=False) for each in resources()), "utf-8")
    command("load", "--data", str(there.data), str(FAMILY), str(long_record))
    headers = {"authorization": f"Bearer {there.token()}", "content-type": "application/fhir+json"}
    with httpx.Client(base_url=f"{there.address}/fhir/", headers=headers, timeout=PATIENCE) as machine:
        patient = machine.get("Patient/ouyang-xiuying").raise_for_status().json()
        patient["telecom"][0]["value"] = "555-0188"
        patient["address"].append({"city": "Wuhan", "country": "CN"})
        del patient["active"]
        machine.put("Patient/ouyang-xiuying", json=patient).raise_for_status()
        machine.delete("Observation/weight-79").raise_for_status()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Ended with its module: while Playwright runs, no other test may have an event loop."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, headless=True, args=QUIET)
        yield started
        started.close()


@pytest.fixture
def visitor(browser: Browser, installation: Installation) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors; whatever their browser complained about fails the journey at its end."""
    come: list[Visitor] = []

    def make(**context: object) -> Visitor:
        come.append(Visitor(browser, installation.address, installation.token, **context))
        return come[-1]

    yield make
    complaints = [line for each in come for line in each.complaints]
    for each in come:
        each.leave()
    assert not complaints


@pytest.fixture(scope="module")
def household() -> Iterator[Household]:
    """Pages with accounts, on a record in memory."""
    if not BUILT.is_file():
        pytest.skip("NOT RUN: the pages are not built (make setup)")
    made = Household()
    yield made
    made.close()


@pytest.fixture
def guest(browser: Browser, household: Household) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors of the household; what their browser complained about fails the journey at its end."""
    come: list[Visitor] = []

    def make(**context: object) -> Visitor:
        come.append(Visitor(browser, household.address, "as.{}".format, **context))
        return come[-1]

    yield make
    complaints = [line for each in come for line in each.complaints]
    for each in come:
        each.leave()
    assert not complaints


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots are put to be looked at; git does not keep them."""
    folder = ROOT / "screenshots"
    folder.mkdir(exist_ok=True)
    return folder
