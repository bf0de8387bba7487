"""The tutorial, typed as it stands: each shell block runs, and says what the text promises."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = (ROOT / "docs/tutorial/README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", TUTORIAL, re.MULTILINE | re.DOTALL)
BIN = Path(sys.executable).parent
PROMISED = (
    (0, r"^$"),
    (1, r'"id": ?"li-guilan"'),
    (2, r'"li-guilan-bp-3"(?s:.*)"li-guilan-bp-2"'),
    (3, r"201 Created(?s:.*)201 Created(?s:.*)201 Created"),
    (4, r"Patient\.birthDate"),
    (5, r""),
)
"""What each block prints, by its number."""


@pytest.fixture(scope="module")
def said(reachable: Path) -> Iterator[list[str]]:
    """What each block printed, with the platform running as `make demo` runs it."""
    port = _free_port()
    data = reachable / "data"
    environment = {**os.environ, "COMMONWEAL_DATA": str(data), "COMMONWEAL_PORT": str(port)}
    people = [str(BIN / "commonweal"), "load", "--data", str(data), "docs/tutorial/people.ndjson"]
    subprocess.run(people, cwd=ROOT, env=environment, check=True, timeout=300, capture_output=True)
    with subprocess.Popen(
        [BIN / "commonweal", "up"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None and str(port) in server.stdout.readline()
        try:
            yield _typed(environment, port)
        finally:
            server.send_signal(signal.SIGINT)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _typed(environment: dict[str, str], port: int) -> list[str]:
    """All blocks in one shell, as one person types them; a mark between their answers."""
    script = "\necho; echo '---8<---'\n".join(["set -eu", *BLOCKS])
    script = script.replace("127.0.0.1:8080", f"127.0.0.1:{port}").replace(".venv/bin", str(BIN))
    run = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout.split("---8<---\n")[1:]


def test_every_block_of_the_tutorial_has_a_promise() -> None:
    assert [number for number, _ in PROMISED] == list(range(len(BLOCKS)))


@pytest.mark.parametrize(("number", "promise"), PROMISED)
def test_a_block_says_what_the_text_promises(number: int, promise: str, said: list[str]) -> None:
    assert re.search(promise, said[number].strip()), said[number]
