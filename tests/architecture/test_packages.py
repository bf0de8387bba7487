"""The packages we stand on: what is wrong with one is said, and what could not be asked is never taken for well."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tools import packages
from tools.packages import NotRun, npm_faults, python_faults

ROOT = Path(__file__).resolve().parents[2]
PIN = "anyio==4.16.0 \\\n    --hash=sha256:" + "a" * 64 + "\n    # via httpx\n"
PACKAGE = {"version": "1", "integrity": "sha512-x", "license": "MIT"}
FAULT = {"id": "PYSEC-2026-1", "fix_versions": ["2.0"], "description": "…"}


def test_the_packages_of_this_repository_are_what_they_should_be() -> None:
    assert not list(packages.local())


def _planted(folder: Path, pin: str = PIN, package: dict[str, Any] = PACKAGE) -> list[str]:
    (folder / "requirements").mkdir()
    for lock in packages.LOCKS:
        (folder / f"requirements/{lock}.lock").write_text(PIN if lock != "run" else pin, "utf-8")
    lock = {"packages": {"": {}, "node_modules/a/node_modules/@x/planted": package}}
    (folder / "package-lock.json").write_text(json.dumps(lock), "utf-8")
    return list(packages.local(folder))


def test_nothing_is_said_of_packages_that_are_well(tmp_path: Path) -> None:
    assert not _planted(tmp_path)


@pytest.mark.parametrize(
    ("pin", "complaint"),
    [
        ("anyio==4.16.0 \\\n    # via httpx\n", "has no hash"),
        ("anyio==4.16.0 \\\n    --hash=md5:" + "a" * 32 + "\n", "has no hash"),
        ("anyio>=4 \\\n    --hash=sha256:" + "a" * 64 + "\n", "not a package with a version"),
        ("git+https://evil.example/anyio.git\n", "not a package with a version"),
        (
            "anyio @ https://evil.example/anyio.whl \\\n --hash=sha256:" + "a" * 64 + "\n",
            "not a package with",
        ),
        ("-e ../anyio\n", "not a package with a version"),
        (PIN.replace("anyio", "jwcrypto"), "nobody looked at yet: LGPL"),
        (PIN.replace("anyio", "unheard-of"), "nobody looked at yet: not installed"),
    ],
)
def test_a_pin_that_is_not_as_it_should_be_is_said(tmp_path: Path, pin: str, complaint: str) -> None:
    assert any(complaint in each for each in _planted(tmp_path, pin))


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"integrity": "sha1-x"}, "has no hash"),
        (dict.fromkeys(["resolved"], "git+ssh://evil.example"), "says where it comes from"),
        ({"hasInstallScript": True}, "has an install script"),
        ({"license": "SSPL-1.0"}, "nobody looked at yet: SSPL-1.0"),
        ({"license": None}, "nobody looked at yet"),
    ],
)
def test_a_package_of_npm_that_is_not_as_it_should_be_is_said(
    tmp_path: Path, changed: dict[str, Any], complaint: str
) -> None:
    (said,) = _planted(tmp_path, package=PACKAGE | changed)
    assert complaint in said and "@x/planted" in said


def test_known_faults_are_said_with_their_repair() -> None:
    report = {"dependencies": [{"name": "one", "version": "1.0", "vulns": [FAULT]}]}
    assert python_faults(report) == ["one 1.0: PYSEC-2026-1, repaired in 2.0"]
    assert python_faults({"dependencies": [{"name": "one", "version": "1.0", "vulns": []}]}) == []
    assert npm_faults({"vulnerabilities": {"two": {"severity": "high"}}}) == ["two of npm: high"]
    assert npm_faults({"vulnerabilities": {}}) == []


def test_a_service_that_knows_nothing_has_not_been_asked() -> None:
    skipped = {"name": "two", "skip_reason": "not found"}
    with pytest.raises(NotRun, match="1 of 1"):
        python_faults({"dependencies": [skipped]})
    with pytest.raises(NotRun):
        python_faults({})
    with pytest.raises(NotRun, match="405"):
        npm_faults({"message": "405 Method Not Allowed"})
    known = {"name": "one", "version": "1.0", "vulns": [FAULT]}
    assert "PYSEC-2026-1" in python_faults({"dependencies": [skipped, known]})[0]


def test_what_was_not_asked_ends_with_a_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def silent(command: object) -> Any:
        raise NotRun("nobody answers")

    monkeypatch.setattr(packages, "_said", silent)
    assert packages.main("advisories") == packages.NOT_RUN
    assert "advisories were not asked: nobody answers" in capsys.readouterr().out
    monkeypatch.setenv("ADVISORIES", "required")
    assert packages.main("advisories") == 1


def test_a_fault_of_one_service_is_not_hidden_by_the_silence_of_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def half(command: list[str]) -> Any:
        if "pip-audit" in command[0]:
            raise NotRun("nobody answers")
        return {"vulnerabilities": {"two": {"severity": "high"}}}

    monkeypatch.setattr(packages, "_said", half)
    assert packages.main("advisories") == 1


@pytest.mark.parametrize(
    ("code", "ends", "told"),
    [(0, 0, "· it: as it should be"), (75, 0, "NOT RUN: it;"), (1, 1, "Not as it should be: it;")],
)
def test_make_check_tells_three_things_apart(tmp_path: Path, code: int, ends: int, told: str) -> None:
    script = (ROOT / "tools/check.sh").read_text("utf-8")
    head, tail = script.partition('check "')[0], script[script.rindex('\n[ -z "$not_run"') :]
    program = f'{head}check "it" sh -c "echo words; exit {code}"\n{tail}'
    run = subprocess.run(["sh", "-c", program], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert run.returncode == ends
    assert told in run.stdout + run.stderr
