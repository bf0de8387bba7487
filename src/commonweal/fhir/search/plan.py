"""Who wants which element of a resource: search parameters compiled into plain functions, once for a type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

from commonweal.fhir import fhirpath, reference
from commonweal.fhir.fhirpath.compiler import compiled
from commonweal.fhir.fhirpath.context import Context
from commonweal.fhir.fhirpath.tree import TypeTest
from commonweal.fhir.fhirpath.types import type_name
from commonweal.fhir.fhirpath.values import plain
from commonweal.fhir.limits import LIMITS
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.convert import Emit, emitter
from commonweal.fhir.search.entries import Indexed
from commonweal.fhir.search.parameters import Parameter, Registry
from commonweal.fhir.search.paths import NotPlain, Route, routes
from commonweal.fhir.search.words import VISITS, Visit

Json = dict[str, Any]
Plan = tuple[dict[str, tuple[Visit, ...]], tuple[Visit, ...]]
"""Visits by the name of a top element, and visits of the whole resource."""
References = Callable[[Json], Sequence[str]]

_plans: WeakKeyDictionary[Registry, dict[str, Plan]] = WeakKeyDictionary()


def plan(registry: Registry, type: str) -> Plan:
    """The plan of a type, made when it is first asked for."""
    plans = _plans.setdefault(registry, {})
    if type not in plans:
        plans[type] = _planned([p for p in registry.of(type).values() if p.is_indexed], registry.bases)
    return plans[type]


def _planned(parameters: Sequence[Parameter], bases: tuple[str, ...]) -> Plan:
    wanted: dict[str, list[Visit]] = {}
    whole: list[Visit] = []
    for parameter in parameters:
        for name, visit in _visits(parameter, bases):
            wanted.setdefault(name, []).append(visit) if name else whole.append(visit)
    return {name: tuple(visits) for name, visits in wanted.items()}, tuple(whole)


def _visits(parameter: Parameter, bases: tuple[str, ...]) -> Iterator[tuple[str, Visit]]:
    """(top element, visit) for every route of a parameter; ("", visit) when it needs the whole resource."""
    if parameter.has_words:
        yield VISITS[parameter.name]
        return
    try:
        found = routes(parameter.expression, parameter.resource)
        emits = [_emit(parameter, route, bases) for route in found]
    except NotPlain:
        yield "", by_engine(parameter, bases)
        return
    for route, emit in zip(found, emits, strict=True):
        yield route.names[0] if route.names else "", _walk(route, emit)


def _emit(parameter: Parameter, route: Route, bases: tuple[str, ...]) -> Emit:
    if parameter.type == "composite":
        return _composite(parameter, bases)
    return emitter(parameter.name, parameter.type, route.type, route.targets, bases)


def _walk(route: Route, emit: Emit) -> Visit:
    """From the value of the route's first name to its nodes, through lists wherever there are any."""
    visit = _each(emit)
    for depth in range(len(route.names) - 1, -1, -1):
        for where, name, value in route.where:
            if where == depth + 1:
                visit = _only(name, value, visit)
        if depth:
            visit = _child(route.names[depth], visit)
    return visit


def _each(emit: Emit) -> Visit:
    def visit(value: Any, out: Indexed) -> None:
        if value.__class__ is list:
            for item in value:
                if item is not None:
                    emit(item, out)
        else:
            emit(value, out)

    return visit


def _child(name: str, inner: Visit) -> Visit:
    def visit(value: Any, out: Indexed) -> None:
        for item in value if value.__class__ is list else (value,):
            found = item.get(name)
            if found is not None:
                inner(found, out)

    return visit


def _only(name: str, wanted: Any, inner: Visit) -> Visit:
    def visit(value: Any, out: Indexed) -> None:
        for item in value if value.__class__ is list else (value,):
            if item.get(name) == wanted:
                inner(item, out)

    return visit


def _composite(parameter: Parameter, bases: tuple[str, ...]) -> Emit:
    """One entry for each element of the context in which every component has a value."""
    plans = [_planned([component], bases) for component in parameter.components]

    def emit(node: Any, out: Indexed) -> None:
        parts = tuple(_part(each, node) for each in plans)
        if all(part.present for part in parts):
            out.present.add(parameter.name)
            out.composites.append((parameter.name, parts))
            if len(out.composites) > LIMITS.composites:
                raise Problem.of(
                    "cw-too-many", limit=LIMITS.composites, what="groups that are searched as one"
                )

    return emit


def _part(plan: Plan, node: Json) -> Indexed:
    part = Indexed()
    wanted, whole = plan
    for name, visits in wanted.items():
        if name in node:
            for visit in visits:
                visit(node[name], part)
    for visit in whole:
        visit(node, part)
    return part


def by_engine(parameter: Parameter, bases: tuple[str, ...]) -> Visit:
    """What is more than a path is asked of the FHIRPath engine; where it fails, the parameter has no value."""
    run = compiled(_of_type(fhirpath.parse(parameter.expression)))
    emits: dict[str, Emit] = {}

    def visit(resource: Any, out: Indexed) -> None:
        context = Context(resource, True, {})
        context.resolve = _resolved
        try:
            found = [(plain(item), type_name(item)) for item in run(context, context.items(resource))]
        except fhirpath.PathError:
            return
        for value, name in found:
            type = name.rpartition(".")[2]
            type = type.lower() if name.startswith("System.") else type
            if type not in emits:
                emits[type] = emitter(parameter.name, parameter.type, type, (), bases)
            if value is not None:
                emits[type](value, out)

    return visit


def _of_type(node: Any) -> Any:
    """The same tree with `ofType` for `as`: search parameters mean "those of the type", however many there are."""
    if isinstance(node, tuple):
        return tuple(map(_of_type, node))
    if not is_dataclass(node) or isinstance(node, type):
        return node
    inner = {field.name: _of_type(getattr(node, field.name)) for field in fields(node)}
    if isinstance(node, TypeTest) and node.operator == "as":
        inner["operator"] = "ofType"
    return replace(node, **inner)


def _resolved(address: str) -> Json | None:
    """As much of the resource behind a reference as its address tells, so that its type can be asked for."""
    found = reference.parse(address)
    return {"resourceType": found.type, "id": found.id} if found.type and found.id else None


def referring(parameter: Parameter, bases: tuple[str, ...]) -> References:
    """The targets of one reference parameter, without an index of everything else."""
    plan = _planned([parameter], bases)

    def refer(resource: Json) -> Sequence[str]:
        return [target for _, target in _part(plan, resource).references]

    return refer
