"""The secrets of an installation: made once, rotated without ending anything, sealed, and whole after any crash."""

import os
import stat
from pathlib import Path

import pytest

from commonweal.boot import rings
from commonweal.boot.rings import Key, Ring
from commonweal.boot.secrets import RINGS, SINGLE, open_secrets, rotate, seal_all, unseal_all
from commonweal.boot.tokens import Tokens
from commonweal.fhir.outcome import Problem


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """What a key service would put beside the installation."""
    path = tmp_path / "installation.key"
    path.write_text("correct horse battery staple\n")
    return path


def ids(data: Path, key_file: str | Path = "") -> list[str]:
    return [each.id for each in open_secrets(data, key_file).drawers]


def test_secrets_are_made_once_and_nobody_else_can_read_them(tmp_path: Path) -> None:
    first, second = open_secrets(tmp_path), open_secrets(tmp_path)
    assert (first.index, first.seal, first.identity) == (second.index, second.seal, second.identity)
    assert first.drawers.current == second.drawers.current
    assert len({first.index, first.seal, first.identity, first.tokens.current.key}) == 4
    for path in (tmp_path / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def test_the_single_token_key_of_an_earlier_version_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "tokens.key").write_bytes(b"k" * 32)
    assert open_secrets(tmp_path).tokens.current.key == b"k" * 32


def test_a_rotation_puts_a_new_key_first_and_keeps_the_old_one(tmp_path: Path) -> None:
    (old,) = ids(tmp_path)
    new = rotate(tmp_path, "drawers")
    assert ids(tmp_path) == [new.id, old]


def test_a_rotation_ends_no_running_session(tmp_path: Path) -> None:
    tokens = Tokens(open_secrets(tmp_path).tokens)
    before = tokens.issue("operator", 5)
    rotate(tmp_path, "tokens")
    after_restart = Tokens(open_secrets(tmp_path).tokens)
    assert after_restart.agent(before).id == "operator"
    assert after_restart.agent(after_restart.issue("operator", 5)).id == "operator"


def test_old_keys_can_be_thrown_away_at_once(tmp_path: Path) -> None:
    before = Tokens(open_secrets(tmp_path).tokens).issue("operator", 5)
    rotate(tmp_path, "tokens", keep_seconds=0)
    with pytest.raises(Problem):
        Tokens(open_secrets(tmp_path).tokens).agent(before)


def test_a_running_process_sees_a_rotation_and_an_end_of_keys_within_seconds(tmp_path: Path) -> None:
    open_secrets(tmp_path)
    path, now = tmp_path / "secrets" / RINGS["tokens"], 0.0
    ring = Ring(path.read_bytes, lambda: now)
    old = ring.current
    new = rotate(tmp_path, "tokens")
    assert ring.current == old
    now = rings.FRESH / 2
    assert ring.key(new.id) == new.key, "a key that is not known is looked for at once"
    rotate(tmp_path, "tokens", keep_seconds=0)
    now += rings.FRESH + 0.1
    assert ring.key(old.id) is None
    assert ring.current not in (old, new)


def test_keys_replaced_long_ago_are_forgotten() -> None:
    keys = [Key("b", b"b" * 32, 2**40), Key("a", b"a" * 32, 0)]
    assert [each.id for each in rings.turned(keys, keep_seconds=60)][1:] == ["b", "a"]
    keys = [Key("c", b"c" * 32, 1_000), Key("b", b"b" * 32, 500), Key("a", b"a" * 32, 0)]
    assert [each.id for each in rings.turned(keys, keep_seconds=60)][1:] == ["c"]


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_crash_in_the_middle_of_a_rotation_leaves_a_whole_ring(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ids(tmp_path)

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    target = {"write": (os, "fdopen"), "fsync": (os, "fsync"), "replace": (Path, "replace")}[step]
    with monkeypatch.context() as patch:
        patch.setattr(*target, dies)
        with pytest.raises(KeyboardInterrupt):
            rotate(tmp_path, "drawers")
    assert ids(tmp_path) == before
    rotate(tmp_path, "drawers")
    assert ids(tmp_path)[1:] == before


def test_sealed_secrets_are_the_same_and_say_nothing(tmp_path: Path, key_file: Path) -> None:
    plain = open_secrets(tmp_path)
    assert seal_all(tmp_path, key_file) == len(SINGLE) + len(RINGS)
    sealed = open_secrets(tmp_path, key_file)
    assert (sealed.index, sealed.drawers.current) == (plain.index, plain.drawers.current)
    for path in (tmp_path / "secrets").glob("*.key*"):
        assert plain.index not in path.read_bytes()
        assert plain.drawers.current.id.encode() not in path.read_bytes()
    rotate(tmp_path, "drawers", key_file)
    assert len(ids(tmp_path, key_file)) == 2
    assert unseal_all(tmp_path, key_file) == len(SINGLE) + len(RINGS)
    assert open_secrets(tmp_path).index == plain.index


def test_a_first_start_with_a_key_file_seals_from_the_beginning(tmp_path: Path, key_file: Path) -> None:
    open_secrets(tmp_path, key_file)
    with pytest.raises(ValueError, match="sealed"):
        open_secrets(tmp_path)


@pytest.mark.parametrize("name", [*SINGLE, *RINGS.values()])
def test_a_changed_secret_is_noticed(tmp_path: Path, key_file: Path, name: str) -> None:
    open_secrets(tmp_path, key_file)
    path = tmp_path / "secrets" / name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"{name} was sealed with another key, or has been changed"):
        open_secrets(tmp_path, key_file)


def test_one_secret_does_not_pass_for_another(tmp_path: Path, key_file: Path) -> None:
    open_secrets(tmp_path, key_file)
    home = tmp_path / "secrets"
    (home / "seal.key").write_bytes((home / "index.key").read_bytes())
    with pytest.raises(ValueError, match=r"seal\.key"):
        open_secrets(tmp_path, key_file)


def test_a_plain_secret_is_refused_where_all_are_sealed(tmp_path: Path, key_file: Path) -> None:
    open_secrets(tmp_path, key_file)
    (tmp_path / "secrets" / "index.key").write_bytes(b"i" * 32)
    with pytest.raises(ValueError, match="not sealed"):
        open_secrets(tmp_path, key_file)


def test_another_key_file_takes_over_and_a_crash_between_files_is_completed(
    tmp_path: Path, key_file: Path
) -> None:
    plain = open_secrets(tmp_path)
    seal_all(tmp_path, key_file)
    other = tmp_path / "other.key"
    other.write_text("another horse battery staple")
    kept = (tmp_path / "secrets" / "seal.key").read_bytes()
    seal_all(tmp_path, other, was=key_file)
    (tmp_path / "secrets" / "seal.key").write_bytes(kept)  # as if it had died before this one
    assert seal_all(tmp_path, other, was=key_file) == 1
    assert open_secrets(tmp_path, other).seal == plain.seal
    with pytest.raises(ValueError):
        open_secrets(tmp_path, key_file)


def test_a_key_file_must_hold_enough(tmp_path: Path) -> None:
    short = tmp_path / "short.key"
    short.write_text("1234")
    with pytest.raises(ValueError, match="less than 16"):
        open_secrets(tmp_path, short)
