"""Sees that what pages say is said in Chinese too: nothing missing, nothing left over, the same placeholders.

`python tools/messages.py` names what is not as it should be; with `list` it prints what is missing as .po.
"""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from commonweal.fhir.elements import RESOURCE_TYPES, elements, model_lines

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (ROOT / "src/commonweal/web", *sorted((ROOT / "src/commonweal/services").glob("*/")))
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS = {"templates/**.html": {"extensions": "jinja2.ext.i18n,jinja2.ext.loopcontrols", "trimmed": "true"}}
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
TITLED = {"Page": 3, "Service": 1}
"""Declarations whose title is said to people: which of their arguments it is."""
REASONED = ("decide", "Decision")
"""Calls whose arguments are pairs that end in a reason, which pages say as well."""
FHIR = "fhir.po"
"""Names of FHIR itself: contexts "type", "element" and "code"; none of them is extracted."""

Message = tuple[str | None, str]
"""(context, text)"""


def complaints(folder: Path) -> Iterator[str]:
    """One sentence for each message that is not as it should be."""
    wanted, said = messages(folder), dict(_catalogue(folder))
    name = folder.name
    yield from (f"{name}: not translated: {text!r}" for _, text in sorted(wanted - said.keys(), key=str))
    yield from (f"{name}: no page says: {text!r}" for _, text in sorted(said.keys() - wanted, key=str))
    for (_, text), translated in said.items():
        if set(PLACEHOLDER.findall(text)) != set(PLACEHOLDER.findall(translated)):
            yield f"{name}: placeholders differ: {text!r} and {translated!r}"
    yield from _strange(folder)


def messages(folder: Path) -> set[Message]:
    """What the code and templates of a folder say."""
    found = extract_from_dir(str(folder), METHODS, OPTIONS, KEYWORDS, directory_filter=_is_ours)
    told = {(context, text if isinstance(text, str) else text[0]) for _, _, text, _, context in found}
    own = {(None, text) for text in (*_titles(folder), *_reasons(folder))}
    return {message for message in told if message[1]} | own


def _is_ours(folder: str | Path) -> bool:
    return Path(folder).name not in ("static", "tests", "__pycache__")


def _titles(folder: Path) -> Iterator[str]:
    for path in (folder / "manifest.py", folder / "screens/__init__.py"):
        tree = ast.parse(path.read_text("utf-8") if path.is_file() else "")
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            title = _title(call)
            if isinstance(title, ast.Constant) and isinstance(title.value, str):
                yield title.value


def _title(call: ast.Call) -> ast.expr | None:
    """The title in a declaration of a page or a service."""
    place = TITLED.get(call.func.id) if isinstance(call.func, ast.Name) else None
    if place is None:
        return None
    named = next((each.value for each in call.keywords if each.arg == "title"), None)
    return named or (call.args[place] if len(call.args) > place else None)


def _reasons(folder: Path) -> Iterator[str]:
    """What the rules of a service say: the sentences in its calls of `decide` and `Decision`."""
    for path in (folder / "rules.py", *sorted((folder / "rules").rglob("*.py"))):
        tree = ast.parse(path.read_text("utf-8") if path.is_file() else "")
        calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
        for call in (each for each in calls if isinstance(each.func, ast.Name) and each.func.id in REASONED):
            ends = (pair.elts[-1] for pair in call.args if isinstance(pair, ast.Tuple) and pair.elts)
            yield from (
                end.value for end in ends if isinstance(end, ast.Constant) and isinstance(end.value, str)
            )


def _catalogue(folder: Path) -> Iterator[tuple[Message, str]]:
    for path in sorted(folder.glob("locale/zh_Hans/LC_MESSAGES/*.po")):
        if path.name != FHIR:
            yield from _entries(path)


def _entries(path: Path) -> Iterator[tuple[Message, str]]:
    with path.open("rb") as file:
        for each in read_po(file, locale="zh_Hans", abort_invalid=True):
            text = each.id if isinstance(each.id, str) else each.id[0]
            said = each.string if isinstance(each.string, str) else each.string[0]
            if text and said and not each.fuzzy:
                yield (each.context, text), said


def _strange(folder: Path) -> Iterator[str]:
    """Names in fhir.po that FHIR does not have."""
    known = {"type": RESOURCE_TYPES, "element": _element_names()}
    for path in folder.glob(f"locale/zh_Hans/LC_MESSAGES/{FHIR}"):
        for (context, name), _ in _entries(path):
            if context != "code" and name not in known.get(context or "", ()):
                yield f"{folder.name}: FHIR has no {context} {name!r}"


@cache
def _element_names() -> frozenset[str]:
    return frozenset(name for path in model_lines("elements.jsonl") for name in elements(path))


def main() -> None:
    if sys.argv[1:] == ["list"]:
        for folder in FOLDERS:
            for context, text in sorted(messages(folder) - dict(_catalogue(folder)).keys(), key=str):
                print(f'{f"msgctxt {context!r}" if context else ""}\nmsgid "{text}"\nmsgstr ""')
        return
    found = [each for folder in FOLDERS for each in complaints(folder)]
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
