"""The reference manual: whatever can drift is written from the code itself, and CI fails on a difference."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from commonweal.boot.reference import declared, installation, language
from commonweal.boot.reference.markdown import link

PAGES: Mapping[str, Callable[[], str]] = {
    "services": declared.services,
    "kinds": declared.kinds,
    "permissions": declared.permissions,
    "workflows": declared.workflows,
    "rules": declared.rules,
    "topics": declared.topics,
    "operations": declared.operations,
    "numbers": declared.numbers,
    "errors": language.errors,
    "search": language.search,
    "commands": installation.commands,
    "settings": installation.settings,
    "dependencies": installation.dependencies,
}
"""The pages by the name of their file."""


def texts() -> dict[str, str]:
    """Every file of the reference with its text."""
    pages = {f"{name}.md": page() for name, page in PAGES.items()}
    return {"README.md": _contents(pages), **pages}


def write(folder: Path) -> None:
    """Write every page, and remove what is no page any more."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = texts()
    for path in folder.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, "utf-8")


def stale(folder: Path) -> Iterator[str]:
    """The names of files that differ from what would be written now."""
    pages = texts()
    there = {path.name: path.read_text("utf-8") for path in folder.glob("*.md")}
    yield from sorted(name for name in pages.keys() | there.keys() if pages.get(name) != there.get(name))


def _contents(pages: Mapping[str, str]) -> str:
    lines = ["# Reference", "", "Written by `make docs` from the code; nothing here is edited by hand.", ""]
    for name, text in pages.items():
        title, _, sentence = text.split("\n", 3)[:3]
        lines.append(f"- {link(title.removeprefix('# '), name)}: {sentence}")
    return "\n".join(lines) + "\n"
