"""The few shapes of Markdown that the reference is made of."""

from collections.abc import Iterable, Sequence


def page(title: str, sentence: str, *parts: str) -> str:
    """A page: its title, what it tells in one sentence, and its parts."""
    return "\n\n".join([f"# {title}", sentence, *(part for part in parts if part)]) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; "None yet." when it has no rows."""
    lines = [_line(row) for row in rows]
    if not lines:
        return "None yet."
    return "\n".join([_line(heads), _line(["---"] * len(heads)), *lines])


def code(text: object) -> str:
    """Text as code, or nothing when there is none."""
    return f"`{text}`" if text not in (None, "") else ""


def link(text: str, address: str) -> str:
    """A link."""
    return f"[{text}]({address})"


def block(kind: str, lines: Iterable[str]) -> str:
    """A fenced block."""
    return "\n".join([f"```{kind}", *lines, "```"])


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
