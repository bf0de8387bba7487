"""`commonweal keys` as an operator uses it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from commonweal.boot.cli import commonweal
from commonweal.boot.secrets import open_secrets
from commonweal.boot.tokens import Tokens
from commonweal.fhir.outcome import Problem
from commonweal.store import embedded


def run(*arguments: str, ends: int = 0) -> str:
    done = CliRunner(env={"COMMONWEAL_SECRETS_KEY_FILE": ""}).invoke(commonweal, ["keys", *arguments])
    assert done.exit_code == ends, done.output
    return done.stdout


def test_rotate_tells_the_new_ids_and_list_shows_them_first(tmp_path: Path) -> None:
    old = open_secrets(tmp_path).drawers.current
    told = run("rotate", "tokens", "drawers", "--data", str(tmp_path))
    lines = [line.split("\t") for line in run("list", "--data", str(tmp_path)).splitlines()]
    assert [line[2] for line in lines if line[0] == "drawers"] == ["in use", "opens older ones"]
    assert old.id == next(line[1] for line in lines if line[2] == "opens older ones" and line[0] == "drawers")
    assert all(line[1] in told for line in lines if line[2] == "in use")


def test_sessions_end_only_when_it_is_said(tmp_path: Path) -> None:
    token = Tokens(open_secrets(tmp_path).tokens).issue("operator", 5)
    run("rotate", "tokens", "--data", str(tmp_path))
    assert Tokens(open_secrets(tmp_path).tokens).agent(token)
    run("rotate", "tokens", "--end-sessions", "--data", str(tmp_path))
    with pytest.raises(Problem):
        Tokens(open_secrets(tmp_path).tokens).agent(token)


def test_no_key_is_ever_shown(tmp_path: Path) -> None:
    said = run("rotate", "drawers", "--data", str(tmp_path)) if open_secrets(tmp_path) else ""
    said += run("list", "--data", str(tmp_path))
    content = b"".join(path.read_bytes() for path in (tmp_path / "secrets").glob("*.keys")).decode()
    assert not [line for line in content.splitlines() if '"key"' in line and line.split('"')[3] in said]


def test_seal_and_unseal(tmp_path: Path) -> None:
    key_file = tmp_path / "outside.key"
    key_file.write_text("a phrase of many letters")
    index = open_secrets(tmp_path).index
    run("seal", "--data", str(tmp_path), ends=2)
    run("seal", "--data", str(tmp_path), "--key-file", str(key_file))
    assert open_secrets(tmp_path, key_file).index == index
    run("unseal", "--data", str(tmp_path), "--key-file", str(key_file))
    assert open_secrets(tmp_path).index == index


def test_there_must_be_an_installation(tmp_path: Path) -> None:
    done = CliRunner().invoke(commonweal, ["keys", "list", "--data", str(tmp_path / "none")])
    assert "there is no installation" in str(done.exception)


def test_keys_of_apps_are_renewed_with_all_others(reachable: Path) -> None:
    data = reachable / "keys"
    embedded.prepare(data)
    open_secrets(data)
    told = run("rotate", "--data", str(data))
    assert [line.partition(":")[0] for line in told.splitlines()] == ["tokens", "drawers", "apps"]
    assert "apps: new keys" in run("rotate", "apps", "--end-sessions", "--data", str(data))
