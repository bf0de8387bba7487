"""The threat model and the table of attackers name tests that exist, and every attacker is in the table."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import attackers

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("docs/explanation/threats.md", "docs/explanation/attackers.md")
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")


def _tests() -> Iterator[str]:
    """Every test as path::name."""
    folders = (ROOT / "tests", *(ROOT / "src/commonweal/services").glob("*/tests"))
    for path in (path for folder in folders for path in folder.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield f"{path.relative_to(ROOT).as_posix()}::{node.name}"


def missing(text: str, tests: list[str]) -> list[str]:
    """Tests that a page names and that are not there."""
    named = {f"/{path}::{name}" for path, name in NAMED.findall(text)}
    return sorted(each for each in named if not any(f"/{test}".endswith(each) for test in tests))


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_is_named_exists(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    assert len(NAMED.findall(text)) > 30
    assert not missing(text, list(_tests()))


def test_a_test_that_is_not_there_is_missed() -> None:
    assert missing("`a/test_b.py::test_c`", ["tests/a/test_b.py::test_d"]) == ["/a/test_b.py::test_c"]
    assert not missing("`a/test_b.py::test_c`", ["tests/a/test_b.py::test_c"])


def test_every_threat_names_a_test() -> None:
    text = (ROOT / PAGES[0]).read_text("utf-8")
    tables = [part for part in text.split("\n## ") if "| threat |" in part]
    rows = [line for part in tables for line in part.splitlines() if line.startswith("| ")][0:]
    rows = [row for row in rows if not row.startswith(("| threat", "| ---"))]
    assert len(tables) == 6
    assert not [row for row in rows if not NAMED.search(row)]


def test_the_table_of_attackers_is_fresh() -> None:
    assert attackers.PAGE.read_text("utf-8") == attackers.written(), "run: python -m tools.attackers"


def test_an_attacker_who_does_not_say_what_they_try_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text('"""X."""\n\n\ndef test_y():\n    """Somebody | tries"""\n', "utf-8")
    with pytest.raises(ValueError, match="test_y does not say"):
        list(attackers.families(tmp_path))
