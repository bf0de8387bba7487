"""JSON Patch, https://www.rfc-editor.org/rfc/rfc6902, with JSON Pointer, https://www.rfc-editor.org/rfc/rfc6901.

A step changes nothing in place: it makes new containers along its path and shares all others, so that a failed
`test` needs no undoing and a copied value costs nothing until it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from commonweal.fhir.patch.tidy import DEEPEST, NODES, Unclear, Unfit, check_steps, failed, size, tidy

Json = dict[str, Any]
Pointer = tuple[str, ...]
Change = Callable[[Any, str], Any]
"""change(container, token) -> the container as it is afterwards."""


def json_patch(resource: Json, steps: Sequence[Any]) -> Json:
    """The resource after all steps, or Problem at the step that fails."""
    check_steps(len(steps))
    changed: Any = resource
    copied = 0
    for number, step in enumerate(steps):
        try:
            copied += _copied(changed, step)
            changed = _applied(changed, step)
            if not isinstance(changed, dict):
                raise Unfit("a resource must remain")
            if copied > NODES:
                raise Unfit("the resource grows too large")
        except (Unfit, Unclear) as error:
            raise failed(error, f"[{number}]") from error
    result: Json = tidy(changed)
    return result


def _copied(document: Any, step: Any) -> int:
    """Values that a step makes a second time."""
    is_copy = isinstance(step, dict) and step.get("op") == "copy"
    return size(_found(document, _pointer(step, "from"))) if is_copy else 0


def _applied(document: Any, step: Any) -> Any:
    if not isinstance(step, dict):
        raise Unclear("every step is an object")
    operation = step.get("op")
    if not isinstance(operation, str) or operation not in OPERATIONS:
        raise Unclear(f"'op' must be one of {', '.join(OPERATIONS)}, not {operation!r}")
    return OPERATIONS[operation](document, step)


def _add(document: Any, step: Json) -> Any:
    value, path = _value(step), _pointer(step, "path")
    size(value, DEEPEST - len(path))
    return _at(document, path, lambda container, token: _added(container, token, value)) if path else value


def _remove(document: Any, step: Json) -> Any:
    path = _pointer(step, "path")
    if not path:
        raise Unfit("a resource must remain")
    return _at(document, path, _removed)


def _replace(document: Any, step: Json) -> Any:
    value, path = _value(step), _pointer(step, "path")
    size(value, DEEPEST - len(path))
    return _at(document, path, lambda container, token: _replaced(container, token, value)) if path else value


def _move(document: Any, step: Json) -> Any:
    source, path = _pointer(step, "from"), _pointer(step, "path")
    if path[: len(source)] == source and path != source:
        raise Unfit("a value cannot be moved into itself")
    value = _found(document, source)
    return (
        document
        if path == source
        else _add(_remove(document, {"path": step["from"]}), step | {"value": value})
    )


def _copy(document: Any, step: Json) -> Any:
    return _add(document, step | {"value": _found(document, _pointer(step, "from"))})


def _test(document: Any, step: Json) -> Any:
    value, path = _value(step), _pointer(step, "path")
    if not _equal(_found(document, path), value):
        raise Unfit(f"what is at {step['path']!r} is not what was expected")
    return document


OPERATIONS: Mapping[str, Callable[[Any, Json], Any]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def _value(step: Json) -> Any:
    if "value" not in step:
        raise Unclear(f"{step['op']} needs a 'value'")
    return step["value"]


def _pointer(step: Json, name: str) -> Pointer:
    text = step.get(name)
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise Unclear(f"'{name}' must be a JSON Pointer, such as /name/0/family")
    tokens = text.split("/")[1:]
    if len(tokens) > DEEPEST:
        raise Unclear(f"'{name}' is deeper than {DEEPEST} levels")
    if any(part[:1] not in ("0", "1") for token in tokens for part in token.split("~")[1:]):
        raise Unclear(f"'{name}' has a '~' that is neither ~0 nor ~1")
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in tokens)


def _at(container: Any, path: Pointer, change: Change) -> Any:
    """A copy of the container in which the last step of the path is changed."""
    token, rest = path[0], path[1:]
    if not rest:
        return change(container, token)
    inner = _at(_child(container, token), rest, change)
    return _replaced(container, token, inner)


def _found(document: Any, path: Pointer) -> Any:
    for token in path:
        document = _child(document, token)
    return document


def _child(container: Any, token: str) -> Any:
    if isinstance(container, list):
        return container[_index(token, len(container) - 1)]
    if isinstance(container, dict) and token in container:
        return container[token]
    raise Unfit(f"there is no {token!r} on the way")


def _index(token: str, last: int) -> int:
    is_index = token.isascii() and token.isdigit() and (token == "0" or token[0] != "0") and len(token) < 10
    if not is_index or int(token) > last:
        raise Unfit(f"the array has no place {token!r}")
    return int(token)


def _added(container: Any, token: str, value: Any) -> Any:
    if isinstance(container, list):
        index = len(container) if token == "-" else _index(token, len(container))
        return [*container[:index], value, *container[index:]]
    if isinstance(container, dict):
        return container | {token: value}
    raise Unfit(f"nothing can be added to the plain value before {token!r}")


def _removed(container: Any, token: str) -> Any:
    _child(container, token)
    if isinstance(container, list):
        return [*container[: int(token)], *container[int(token) + 1 :]]
    return {name: value for name, value in container.items() if name != token}


def _replaced(container: Any, token: str, value: Any) -> Any:
    _child(container, token)
    if isinstance(container, list):
        return [*container[: int(token)], value, *container[int(token) + 1 :]]
    return container | {token: value}


def _equal(left: Any, right: Any) -> bool:
    """Equal as JSON: numbers by value, and true is not 1."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[name], right[name]) for name in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)
