"""Writes docs/explanation/attackers.md: everybody who is seen to be refused, from the docstrings of tests/attackers.

Such a test's docstring says: who | what they try | what they meet. Attackers who are tried beside what they attack are
in `elsewhere.table` there.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests/attackers"
ELSEWHERE = TESTS / "elsewhere.table"
PAGE = ROOT / "docs/explanation/attackers.md"
HEAD = """# Attackers

Everybody whom the tests see refused, and what each meets. Written from `tests/attackers` by
`python -m tools.attackers`; [how to add one](../../tests/attackers/README.md). What is protected from whom, and what
is not, is the [threat model](threats.md).
"""
Row = tuple[str, str, str, str]


def families(folder: Path = TESTS) -> Iterator[tuple[str, list[Row]]]:
    """The sentence of each file, and its rows: who, what they try, what they meet, the test.

    ValueError for a test that does not say so.
    """
    for path in sorted(folder.glob("test_*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        sentence = (ast.get_docstring(tree) or "").partition("\n\n")[0].replace("\n", " ")
        yield sentence, [_row(path, each) for each in tree.body if _is_test(each)]


def written() -> str:
    """The page."""
    parts = [HEAD]
    for sentence, rows in [*families(), ("Tried beside what they attack", list(elsewhere()))]:
        lines = ["| " + " | ".join(row[:3]) + f" | `{row[3]}` |" for row in rows]
        parts.append(
            "\n".join(
                [f"## {sentence}", "| who | tries | meets | test |", "| --- | --- | --- | --- |", *lines]
            )
        )
    return "\n\n".join(part.strip() for part in parts) + "\n"


def elsewhere() -> Iterator[Row]:
    """The rows of the table, in its order."""
    lines = [line for line in ELSEWHERE.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    for line in lines[1:]:
        who, tries, meets, test = (cell.strip() for cell in line.split("|"))
        yield who, tries, meets, test


def _is_test(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")


def _row(path: Path, node: ast.stmt) -> Row:
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    cells = [" ".join(each.split()) for each in (ast.get_docstring(node) or "").split("|")]
    if len(cells) != 3 or not all(cells):
        raise ValueError(f"{path.name}: {node.name} does not say: who | tries | meets")
    return cells[0], cells[1], cells[2], f"{path.name}::{node.name}"


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.read_text("utf-8") == written() else "run: python -m tools.attackers")
    PAGE.write_text(written(), "utf-8")
