"""The processes of `serve`: ready together, kept running, stopped in order, and gone with their parent."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from commonweal.boot import processes
from tests.store.living import alive

PROGRAMS = "test_processes_programs"


def until(seen: Callable[[], object], seconds: float = 30) -> None:
    """Look again and again until it is seen; fail at the deadline."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if seen():
            return
        pause.wait(0.02)
    raise AssertionError(f"not seen within {seconds} s")


class Scene:
    """One parent, what it and its children noted, and whom to clear away."""

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self.journal.touch()
        self.parent: subprocess.Popen[str] | None = None

    def start(self, *kinds: str) -> "Scene":
        source = Path(processes.__file__).parents[2]
        environment = os.environ | {"PYTHONPATH": f"{Path(__file__).parent}:{source}"}
        self.parent = subprocess.Popen(
            [sys.executable, "-m", PROGRAMS, "parent", self.journal, *kinds],
            env=environment, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        return self

    def ready(self, *kinds: str) -> "Scene":
        self.start(*kinds)
        until(lambda: self.lines("ready"))
        return self

    def lines(self, first: str) -> list[list[str]]:
        return [line.split() for line in self.journal.read_text().splitlines() if line.startswith(first)]

    def pids(self, name: str = "", noted: str = "started") -> list[int]:
        return [int(line[2]) for line in self.lines(noted) if line[1].startswith(name)]

    def tell(self, number: signal.Signals) -> int:
        assert self.parent is not None
        self.parent.send_signal(number)
        return self.parent.wait(30)

    def get(self, path: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", int(self.lines("ready")[0][1]), timeout=20)
        connection.request("GET", path)
        return connection.getresponse()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path / "journal")
    yield made
    for pid in [*([made.parent.pid] if made.parent else []), *made.pids(), *made.pids(noted="helper")]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if made.parent:
        made.parent.communicate()


def test_web_workers_stop_first_and_the_background_worker_after_them(scene: Scene) -> None:
    scene.ready("web", "web", "worker")
    assert scene.tell(signal.SIGTERM) == 0
    order = [line[1] for line in scene.lines("stopped")]
    assert sorted(order[:2]) == ["web0", "web1"] and order[2:] == ["worker2"]
    assert len(scene.lines("shutdown")) == 2
    assert not any(map(alive, scene.pids()))


def test_ctrl_c_is_a_clean_stop_too_and_reaches_the_parent_alone(scene: Scene) -> None:
    scene.ready("web", "worker")
    assert scene.parent is not None
    assert {os.getsid(pid) for pid in scene.pids()} & {os.getsid(scene.parent.pid)} == set()
    assert scene.tell(signal.SIGINT) == 0
    assert not any(map(alive, scene.pids()))


def test_a_request_is_finished_and_a_stream_of_events_is_ended_by_a_stop(scene: Scene) -> None:
    scene.ready("web", "worker")
    events = scene.get("/events")
    assert events.read(9) == b"data: x\n\n"
    answers: list[bytes] = []
    slow = threading.Thread(target=lambda: answers.append(scene.get("/slow").read()))
    slow.start()
    until(lambda: scene.lines("slow"))
    assert scene.tell(signal.SIGTERM) == 0
    slow.join()
    assert answers == [str(scene.pids("web")[0]).encode()]
    assert scene.lines("shutdown") and not [line for line in scene.lines("said") if "killed" in line]


def test_a_web_worker_told_directly_stops_within_its_grace_and_is_replaced(scene: Scene) -> None:
    scene.ready("web", "worker")
    events = scene.get("/events")
    first = scene.pids("web")[0]
    os.kill(first, signal.SIGTERM)
    until(lambda: len(scene.pids("web")) == 2)
    assert not alive(first)
    events.close()
    until(lambda: scene.get("/pid").read() == str(scene.pids("web")[1]).encode())


def test_a_killed_child_is_started_again(scene: Scene) -> None:
    scene.ready("web", "worker")
    killed = scene.pids("worker")[0]
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(scene.pids("worker")) == 2)
    assert "killed by SIGKILL" in " ".join(scene.lines("said")[0])
    assert len(scene.pids("web")) == 1


def test_the_other_web_worker_takes_over_at_once_from_a_dead_one(scene: Scene) -> None:
    scene.ready("web", "web")
    killed = scene.pids("web")[0]
    os.kill(killed, signal.SIGKILL)
    until(lambda: not alive(killed))
    for _ in range(50):
        assert scene.get("/pid").status == 200


def test_both_of_two_web_workers_are_given_connections(scene: Scene) -> None:
    scene.ready("web", "web")
    until(
        lambda: {scene.get("/pid").read() for _ in range(20)} == {str(pid).encode() for pid in scene.pids()}
    )


def test_connections_opened_at_once_are_shared_out(scene: Scene) -> None:
    scene.ready("web", "web")
    port = int(scene.lines("ready")[0][1])
    connections = [http.client.HTTPConnection("127.0.0.1", port, timeout=20) for _ in range(64)]
    for connection in connections:
        connection.request("GET", "/pid")
    answers = [connection.getresponse().read() for connection in connections]
    assert min(answers.count(str(pid).encode()) for pid in scene.pids()) >= 8


def test_kill_9_of_the_parent_leaves_no_child(scene: Scene) -> None:
    scene.ready("web", "web", "worker")
    assert scene.tell(signal.SIGKILL) == -signal.SIGKILL
    until(lambda: not any(map(alive, scene.pids())))
    assert len(scene.lines("stopped")) == 3


def test_kill_9_of_the_parent_leaves_no_stubborn_child_and_no_helper_of_it(scene: Scene) -> None:
    scene.ready("stubborn")
    scene.tell(signal.SIGKILL)
    until(lambda: not any(map(alive, [*scene.pids(), *scene.pids(noted="helper")])))


def test_a_child_that_does_not_stop_is_killed_with_its_helpers(scene: Scene) -> None:
    scene.ready("stubborn", "worker")
    assert scene.tell(signal.SIGTERM) == 0
    assert not any(map(alive, [*scene.pids(), *scene.pids(noted="helper")]))
    assert [line for line in scene.lines("said") if line[-1] == "killed."]


def test_a_child_that_never_becomes_ready_ends_it_all(scene: Scene) -> None:
    scene.start("worker", "failing")
    assert scene.parent is not None
    _, told = scene.parent.communicate(timeout=30)
    assert scene.parent.returncode == 1
    assert told.strip() == "The failing 1 ended before it was ready (exit code 3)."
    assert not scene.lines("ready") and not any(map(alive, scene.pids()))


def test_a_taken_port_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(processes.AddressInUse, match=f"port {port} .*choose another --port"):
            processes.listen("127.0.0.1", port)


def test_a_program_without_a_parent_follows_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COMMONWEAL_PARENT_FD", "COMMONWEAL_READY_FD", "COMMONWEAL_LISTENER_FD"):
        monkeypatch.delenv(name, raising=False)
    before = threading.active_count()
    processes.follow_parent()
    processes.announce_ready()
    assert processes.inherited_listener() is None and threading.active_count() == before
