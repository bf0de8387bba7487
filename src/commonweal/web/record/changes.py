"""What changed between two versions, element by element, with paths: nothing that is equal is told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from commonweal.fhir import codec

Kind = Literal["added", "removed", "changed"]
OF_THE_STORE = frozenset({"meta.versionId", "meta.lastUpdated"})
"""What differs between any two versions."""
KEYS = ("id", "url", "system", "code", "linkId", "use", "reference", "family", "sequence")
"""Members by which two items of a list are recognised as the same, when they are not equal."""


@dataclass(frozen=True, slots=True)
class Change:
    """`path` is a FHIRPath such as "name[0].given[1]"; a value that is not there is ""."""

    kind: Kind
    path: str
    before: str = ""
    after: str = ""


def changes(before: Any, after: Any) -> list[Change]:
    """From one version to another, in the order of the newer one."""
    return [each for each in _changes(before, after, "") if each.path not in OF_THE_STORE]


def _changes(before: Any, after: Any, path: str) -> Iterator[Change]:
    if _same(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*after, *before]):
            yield from _member(before, after, key, f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _items(before, after, path)
    else:
        yield Change("changed", path, text(before), text(after))


def _member(before: dict[str, Any], after: dict[str, Any], key: str, path: str) -> Iterator[Change]:
    if key not in before:
        yield Change("added", path, "", text(after[key]))
    elif key not in after:
        yield Change("removed", path, text(before[key]))
    else:
        yield from _changes(before[key], after[key], path)


def _items(before: Sequence[Any], after: Sequence[Any], path: str) -> Iterator[Change]:
    """Equal items are the same wherever they stand; then those with the same key members; then by order."""
    pairs = _paired(before, after)
    taken = {old for old in pairs.values() if old is not None}
    for new, item in enumerate(after):
        old = pairs[new]
        if old is None:
            yield Change("added", f"{path}[{new}]", "", text(item))
        else:
            yield from _changes(before[old], item, f"{path}[{new}]")
    for old, item in enumerate(before):
        if old not in taken:
            yield Change("removed", f"{path}[{old}]", text(item))


def _paired(before: Sequence[Any], after: Sequence[Any]) -> dict[int, int | None]:
    """New position → old position, None for what is new."""
    pairs: dict[int, int | None] = dict.fromkeys(range(len(after)))
    free = list(range(len(before)))
    for match in (_same, _alike, _of_a_kind):
        for new in (each for each, old in pairs.items() if old is None):
            pairs[new] = next((old for old in free if match(before[old], after[new])), None)
            free = [old for old in free if old != pairs[new]]
    return pairs


def _of_a_kind(one: Any, other: Any) -> bool:
    return type(one) is type(other)


def _alike(one: Any, other: Any) -> bool:
    """Objects that share the first key member that either has."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return False
    key = next((k for k in KEYS if k in one or k in other), None)
    return key is not None and one.get(key) == other.get(key)


def _same(one: Any, other: Any) -> bool:
    """Equal, decimals by their digits: 1.0 and 1.00 are two statements."""
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    if isinstance(one, Decimal) or isinstance(other, Decimal):
        return str(one) == str(other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def text(value: Any) -> str:
    """A text as it is; anything else as JSON."""
    return value if isinstance(value, str) else codec.encode(value).decode()
