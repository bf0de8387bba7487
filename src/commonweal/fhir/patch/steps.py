"""FHIRPath Patch, the five operations of a Parameters resource: https://hl7.org/fhir/R4/fhirpatch.html."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from commonweal.fhir.elements import Element, has_elements
from commonweal.fhir.patch.places import Place, Target, element_of
from commonweal.fhir.patch.tidy import Unclear, Unfit, check_steps, failed, tidy

Json = dict[str, Any]


def fhirpath_patch(resource: Json, parameters: Json) -> Json:
    """The resource after all operations, or Problem at the operation that fails."""
    operations = parameters.get("parameter", [])
    check_steps(len(operations))
    changed: Json = tidy(resource)
    target = Target(changed)
    for number, operation in enumerate(operations):
        try:
            _apply(target, operation)
        except (Unfit, Unclear) as error:
            raise failed(error, f"Parameters.parameter[{number}]") from error
    result: Json = tidy(changed)
    return result


def _apply(target: Target, operation: Json) -> None:
    if operation.get("name") != "operation":
        raise Unclear("every parameter of a FHIRPath Patch is called 'operation'")
    parts: Json = {}
    for part in operation.get("part", []):
        if part["name"] in parts:
            raise Unclear(f"'{part['name']}' is given twice")
        parts[part["name"]] = part
    kind = _text(parts, "type", "valueCode")
    if kind not in OPERATIONS:
        raise Unclear(f"'type' must be one of {', '.join(OPERATIONS)}, not {kind!r}")
    OPERATIONS[kind](target, _text(parts, "path", "valueString"), parts)


def _add(target: Target, path: str, parts: Json) -> None:
    place = target.one(path)
    holder, name = place.value, _text(parts, "name", "valueString")
    if not isinstance(holder, dict):
        raise Unfit(f"{path!r} is a plain value and cannot have a {name!r}")
    element, _ = element_of(str(holder.get("resourceType", place.type)), name)
    key, value = _built(parts, element)
    if element.many:
        _in_list(holder, key, lambda items, new: items.append(new), value)
    elif any(form in holder for form, _ in element.forms()):
        raise Unfit(f"{path!r} has a {name!r} already")
    else:
        holder[key] = value


def _insert(target: Target, path: str, parts: Json) -> None:
    place = _list(target, path)
    index, items = _whole(parts, "index"), place.holder[place.key]
    if index > len(items):
        raise Unfit(f"{path!r} has {len(items)} elements, so nothing can be inserted at {index}")
    value = _like(place, parts)
    _in_list(place.holder, place.key, lambda items, new: items.insert(index, new), value)


def _delete(target: Target, path: str, parts: Json) -> None:
    found = target.located(path)
    if len(found) > 1:
        raise Unfit(f"{path!r} points to {len(found)} elements, not to one")
    for place in found:
        if not place.key:
            raise Unfit("a resource must remain")
        _remove(place)


def _remove(place: Place) -> None:
    for key in (place.key, f"_{place.key}"):
        if place.index is None:
            place.holder.pop(key, None)
        elif isinstance(place.holder.get(key), list) and place.index < len(place.holder[key]):
            place.holder[key].pop(place.index)


def _replace(target: Target, path: str, parts: Json) -> None:
    place = target.one(path)
    if not place.key:
        raise Unfit("a whole resource is replaced by an update, not by a patch")
    if place.index is not None:
        place.holder[place.key][place.index] = _like(place, parts)
        return
    element, _ = element_of(place.within, place.key)
    key, value = _built(parts, element)
    if key != place.key:
        _remove(place)
    place.holder[key] = value


def _move(target: Target, path: str, parts: Json) -> None:
    place = _list(target, path)
    source, destination = _whole(parts, "source"), _whole(parts, "destination")
    if max(source, destination) >= len(place.holder[place.key]):
        raise Unfit(f"{path!r} has no place {max(source, destination)}")
    for key in (place.key, f"_{place.key}"):
        items = place.holder.get(key)
        if isinstance(items, list) and items:
            items.insert(destination, items.pop(source))


OPERATIONS: Mapping[str, Callable[[Target, str, Json], None]] = {
    "add": _add,
    "insert": _insert,
    "delete": _delete,
    "replace": _replace,
    "move": _move,
}


def _text(parts: Json, name: str, key: str) -> str:
    value = parts.get(name, {}).get(key)
    if not isinstance(value, str):
        raise Unclear(f"'{name}' is missing or is no {key}")
    return value


def _whole(parts: Json, name: str) -> int:
    value = parts.get(name, {}).get("valueInteger")
    if not isinstance(value, int) or value < 0:
        raise Unclear(f"'{name}' is missing or is no valueInteger of 0 or more")
    return value


def _list(target: Target, path: str) -> Place:
    """A place in the one array that the path points to as a whole."""
    found = target.located(path)
    if not found or any(each.index is None for each in found):
        raise Unfit(f"{path!r} points to no array of elements")
    if any(each.holder is not found[0].holder or each.key != found[0].key for each in found):
        raise Unfit(f"{path!r} points into several arrays")
    return found[0]


def _in_list(holder: Json, key: str, change: Callable[[list[Any], Any], None], value: Any) -> None:
    """The same change to an array and, with null, to the extensions of its primitives beside it."""
    change(holder.setdefault(key, []), value)
    if isinstance(holder.get(f"_{key}"), list):
        change(holder[f"_{key}"], None)


def _like(place: Place, parts: Json) -> Any:
    """The value of a step, as an item of the array that the place is in."""
    element, _ = element_of(place.within, place.key)
    return _built(parts, element)[1]


def _built(parts: Json, element: Element) -> tuple[str, Any]:
    """(JSON name, value) of a step's value as this element."""
    part = parts.get("value")
    if part is None:
        raise Unclear("'value' is missing")
    if "part" in part:
        return element.name, _complex(part["part"], element)
    if "resource" in part:
        return element.name, part["resource"]
    given = [name for name in part if name.startswith(("value", "_value"))]
    if len(given) != 1 or given[0].startswith("_"):
        raise Unclear("'value' must have one value[x], without extensions, or parts")
    key = element.name + given[0].removeprefix("value") if element.choice else element.name
    if all(key != form for form, _ in element.forms()):
        raise Unfit(f"{element.name}[x] cannot be a {given[0]}")
    return key, part[given[0]]


def _complex(parts: list[Json], element: Element) -> Json:
    """An element given by its parts, such as a BackboneElement, which has no value[x]."""
    type = element.path or element.types[0]
    built: Json = {}
    if element.choice or not has_elements(type):
        raise Unfit(f"'{element.name}' cannot be given by parts")
    for part in parts:
        inner, _ = element_of(type, part["name"])
        key, value = _built({"value": part}, inner)
        if inner.many:
            built.setdefault(key, []).append(value)
        else:
            built[key] = value
    return built
