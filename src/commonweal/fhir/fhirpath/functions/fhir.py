"""What FHIR adds to FHIRPath, https://hl7.org/fhir/R4/fhirpath.html#functions, and what SQL on FHIR adds to
that."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from commonweal.fhir.fhirpath.context import Context
from commonweal.fhir.fhirpath.error import PathError
from commonweal.fhir.fhirpath.functions.kinds import Function, eager, single
from commonweal.fhir.fhirpath.navigate import member
from commonweal.fhir.fhirpath.quantity import Quantity
from commonweal.fhir.fhirpath.types import kind_of_root
from commonweal.fhir.fhirpath.values import Collection, Item
from commonweal.fhir.narrative import narrative_fault

UNTYPED = (("extension", "_extension", None),)
EXTENSION = (("extension", "_extension", "Extension"),)
DEFINITION = "http://hl7.org/fhir/StructureDefinition/"


def extension(ctx: Context, items: Collection, url: Collection) -> Collection:
    wanted = single(url, "text", "extension")
    found: Collection = []
    for item in items:
        member(item, EXTENSION if ctx.model else UNTYPED, found)
    ctx.spend(len(items) + len(found))
    return [one for one in found if one.value.__class__ is dict and one.value.get("url") == wanted]


def primitive(item: Any) -> Any:
    """The value of a primitive, None for anything else."""
    if item.__class__ is Quantity:
        return None
    value = item.value if item.__class__ is Item else item
    return None if value.__class__ is dict or (item.__class__ is Item and item.kind == "xhtml") else value


def has_value(ctx: Context, items: Collection) -> Collection:
    return [len(items) == 1 and primitive(items[0]) is not None]


def get_value(ctx: Context, items: Collection) -> Collection:
    return [primitive(items[0])] if len(items) == 1 and primitive(items[0]) is not None else []


def address(item: Any) -> str | None:
    """What a Reference, canonical or uri points to."""
    value = item.value if item.__class__ is Item else item
    if value.__class__ is dict:
        value = value.get("reference")
    return value if value.__class__ is str else None


def resolve(ctx: Context, items: Collection) -> Collection:
    out: Collection = []
    for item in items:
        ctx.spend(1)
        target = address(item)
        found = None if target is None else within(ctx, target)
        if found is None and target is not None and ctx.resolve is not None and target[:1] != "#":
            found = ctx.resolve(target)
        if found is not None:
            out.append(Item(found, kind_of_root(found) if ctx.model else None))
    return out


def within(ctx: Context, target: str) -> Any:
    """The resource that the address names inside the one at hand: contained, or an entry of the bundle."""
    for holder in objects([item.value for item in ctx.variable("rootResource") if item.__class__ is Item]):
        if target == "#":
            return holder
        contained, entries = objects(holder.get("contained")), objects(holder.get("entry"))
        ctx.spend(len(contained) + len(entries))
        inside = (one for one in contained if target == f"#{one.get('id')}")
        found = next(chain(inside, (entry["resource"] for entry in entries if is_entry(entry, target))), None)
        if found is not None:
            return found
    return None


def is_entry(entry: Any, target: str) -> bool:
    """Is this the entry of a bundle that the address names, by its fullUrl or its resource's type and id?"""
    one = entry.get("resource")
    if one.__class__ is not dict:
        return False
    return target in (entry.get("fullUrl"), f"{one.get('resourceType')}/{one.get('id')}")


def objects(values: Any) -> list[Any]:
    """The JSON objects of a list; data from outside may hold anything."""
    return [one for one in values if one.__class__ is dict] if values.__class__ is list else []


def member_of(ctx: Context, items: Collection, url: Collection) -> Collection:
    value_set = single(url, "text", "memberOf")
    if ctx.member_of is None:
        raise PathError("memberOf() needs a terminology service, and none was given")
    if len(items) != 1 or value_set is None:
        return []
    item = items[0]
    found = ctx.member_of(item.value if item.__class__ is Item else item, value_set)
    return [] if found is None else [found]


def conforms_to(ctx: Context, items: Collection, url: Collection) -> Collection:
    """Of itself it knows only FHIR's own types; profiles are judged by the callback."""
    profile = single(url, "text", "conformsTo")
    if len(items) != 1 or profile is None:
        return []
    value = items[0].value if items[0].__class__ is Item else items[0]
    if value.__class__ is dict and profile == f"{DEFINITION}{value.get('resourceType')}":
        return [True]
    if ctx.conforms_to is None:
        raise PathError(f"conformsTo() cannot judge {profile} here: no profiles were given")
    return [ctx.conforms_to(value, profile)]


def html_checks(ctx: Context, items: Collection) -> Collection:
    value = single(items, "text", "htmlChecks")
    return [] if value is None else [not narrative_fault(value)]


def resource_key(ctx: Context, items: Collection) -> Collection:
    """The id of each resource, as SQL on FHIR joins by it,
    https://sql-on-fhir.org/ig/latest/functional-model.html."""
    values = objects([item.value for item in items if item.__class__ is Item])
    return [value["id"] for value in values if "id" in value]


def reference_key(ctx: Context, items: Collection, type: Collection | None = None) -> Collection:
    """The resource key behind each reference, of the given type if one is named."""
    out: Collection = []
    for target in filter(None, map(address, items)):
        kind, _, key = target.partition("/_history/")[0].rpartition("/")
        if not type or kind.rpartition("/")[2] == type[0]:
            out.append(key)
    return out


TABLE: Mapping[str, Function] = {
    "extension": eager(extension, 1),
    "hasValue": eager(has_value),
    "getValue": eager(get_value),
    "resolve": eager(resolve),
    "memberOf": eager(member_of, 1),
    "conformsTo": eager(conforms_to, 1),
    "htmlChecks": eager(html_checks),
    "getResourceKey": eager(resource_key),
    "getReferenceKey": replace(eager(reference_key, 0, 1), names_type=True),
}
