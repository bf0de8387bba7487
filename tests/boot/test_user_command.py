"""`commonweal user` as an operator uses it, on an installation with a database of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from commonweal.boot.cli import commonweal
from commonweal.boot.secrets import open_secrets
from commonweal.store import embedded


@pytest.fixture(scope="module")
def data(reachable: Path) -> Iterator[str]:
    """A data folder whose database runs, as it does beside `commonweal serve`."""
    folder = reachable / "data"
    with embedded.open(folder):
        open_secrets(folder)
        yield str(folder)


def run(data: str, *arguments: str) -> str:
    done = CliRunner().invoke(commonweal, ["user", *arguments, "--data", data])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output.strip()


def refused(data: str, *arguments: str) -> str:
    done = CliRunner().invoke(commonweal, ["user", *arguments, "--data", data], standalone_mode=False)
    assert done.exit_code == 1 and done.exception
    return str(done.exception)


def test_people_are_added_given_roles_and_taken_away(data: str) -> None:
    login, password = run(data, "add", "Lin", "--name", "Dr Lin", "--practitioner", "Practitioner/lin").split(
        "\t"
    )
    assert login == "lin" and len(password) == 23
    assert "login already" in refused(data, "add", "lin")
    assert "there is no account wang" in refused(data, "disable", "wang")
    arguments = ("--organization", "Organization/h", "--until", "2001-01-01", "--because", "employed")
    old = run(data, "assign", "lin", "clinician", *arguments).split("\t")[1]
    now = run(data, "assign", "lin", "officer", "--area", "Location/county").split("\t")[1]
    listed = run(data, "list").split("\t")
    assert listed == [
        "lin",
        "new",
        "Practitioner/lin",
        "Dr Lin",
        f"clinician at Organization/h (not now) [{old}]; officer at Location/county [{now}]",
    ]
    assert "no such assignment" in refused(data, "unassign", "lin", "x")
    run(data, "unassign", "lin", old, "--because", "left")
    assert run(data, "disable", "lin") == "lin disabled"
    assert "disabled" in run(data, "list")
    assert run(data, "enable", "lin") == "lin enabled"
    again = run(data, "reset", "lin", "--because", "forgot it, seen in person").split("\t")[1]
    assert again != password
    assert run(data, "list", "--residents") == ""


def test_what_makes_no_sense_is_one_sentence(data: str) -> None:
    run(data, "add", "wang")
    assert "names the statute" in refused(data, "assign", "wang", "clinician", "--clearance", "s|HIV")
    assert "a login is" in refused(data, "add", "no login")
    assert "is not one of" in refused(data, "assign", "wang", "resident")


def test_sessions_are_listed_and_ended(data: str) -> None:
    run(data, "add", "mei")
    assert run(data, "sessions", "mei") == ""
    assert run(data, "end", "mei") == "0 ended"
    assert "has no session x" in refused(data, "end", "mei", "x")


def test_there_must_be_an_installation(tmp_path: Path) -> None:
    assert "there is no installation" in refused(str(tmp_path / "none"), "list")
