"""From tree to closures: every node becomes one function of the evaluation and its focus.

A closure takes the context and `this`, the collection that bare names start from, and gives a collection
that it never changes afterwards and nobody else may change.
"""

from collections.abc import Callable, Mapping
from typing import Any

from commonweal.fhir.fhirpath.context import Context
from commonweal.fhir.fhirpath.equality import NUMBERS
from commonweal.fhir.fhirpath.error import PathError
from commonweal.fhir.fhirpath.functions import FUNCTIONS
from commonweal.fhir.fhirpath.functions.kinds import Evaluate, single
from commonweal.fhir.fhirpath.navigate import member
from commonweal.fhir.fhirpath.operators import operation
from commonweal.fhir.fhirpath.quantity import Quantity
from commonweal.fhir.fhirpath.tree import Binary, Call, Index, Literal, Node, Path, TypeTest, Unary, Variable
from commonweal.fhir.fhirpath.types import converts_to, descends, is_a, resolved
from commonweal.fhir.fhirpath.values import Collection, Item


def focus(ctx: Context, this: Collection) -> Collection:
    return this


def compiled(node: Node | None) -> Evaluate:
    """The closure of a node; that of no node is the focus."""
    return focus if node is None else COMPILERS[type(node)](node)


def literal(node: Literal) -> Evaluate:
    values = list(node.values)
    return lambda ctx, this: values


def variable(node: Variable) -> Evaluate:
    name = node.name
    if name == "$this":
        return focus
    if name == "$index":
        return lambda ctx, this: [] if ctx.index is None else [ctx.index]
    if name == "$total":
        return lambda ctx, this: ctx.total or []
    return lambda ctx, this: ctx.variable(name[1:])


def path(node: Path) -> Evaluate:
    step = named(node.name)
    if node.source is not None:
        source = compiled(node.source)
        return lambda ctx, this: step(ctx, source(ctx, this))
    if not node.name[:1].isupper():
        return step
    name = node.name

    def start(ctx: Context, this: Collection) -> Collection:
        own = [item for item in this if is_called(item, name)]
        return own or step(ctx, this)

    return start


def is_called(item: Any, name: str) -> bool:
    """Whether `Patient` at the start of a path means the item itself."""
    if item.__class__ is not Item:
        return False
    if item.kind is not None and descends(item.kind, name):
        return True
    return item.value.__class__ is dict and item.value.get("resourceType") == name


def named(name: str) -> Evaluate:
    """The children of that name of all items in the focus: the step that everything else waits for."""
    plain = ((name, "_" + name, None),)

    def step(ctx: Context, this: Collection) -> Collection:
        out: Collection = []
        for item in this:
            member(item, plain, out)
        ctx.spend(1 + len(out))
        return out

    return step


def index(node: Index) -> Evaluate:
    source, at = compiled(node.source), compiled(node.index)

    def pick(ctx: Context, this: Collection) -> Collection:
        ctx.spend(1)
        place = single(at(ctx, this), "whole", "[]")
        items = source(ctx, this)
        return [items[place]] if place is not None and 0 <= place < len(items) else []

    return pick


def call(node: Call) -> Evaluate:
    function = FUNCTIONS.get(node.name)
    if function is None:
        raise PathError(f"There is no function {node.name}()", None, node.at)
    count = len(node.arguments)
    if not function.least <= count <= function.most:
        raise PathError(f"{node.name}() does not take {count} arguments", None, node.at)
    if function.names_type:
        return function.build(compiled(node.source), tuple(map(type_argument, node.arguments)))
    return function.build(compiled(node.source), tuple(scoped(argument) for argument in node.arguments))


def type_argument(node: Node) -> Evaluate:
    if not isinstance(node, Path):
        raise PathError("The name of a type was expected", None, node.at)
    return literal(Literal((node.name,)))


def scoped(node: Node) -> Evaluate:
    """The closure of a node whose defineVariable() must not be seen outside it."""
    run = compiled(node)
    if not defines(node):
        return run

    def inside(ctx: Context, this: Collection) -> Collection:
        outer = ctx.variables
        found = run(ctx, this)
        ctx.variables = outer
        return found

    return inside


def defines(node: Node | None) -> bool:
    """Whether a variable is defined along the node's own chain of calls."""
    while isinstance(node, Call | Path | Index | TypeTest):
        if isinstance(node, Call) and node.name == "defineVariable":
            return True
        node = node.source
    return False


def type_test(node: TypeTest) -> Evaluate:
    source, specifier = compiled(node.source), node.type
    resolved(specifier)
    if node.operator == "ofType":
        return lambda ctx, this: [item for item in source(ctx, this) if converts_to(item, specifier)]

    def one(ctx: Context, this: Collection) -> Collection:
        ctx.spend(1)
        items = source(ctx, this)
        # R4's own invariants and search parameters (dom-3, component-value-concept) say `as` of many items.
        if len(items) > 1 and not (ctx.model and node.operator == "as"):
            raise PathError(f"{node.operator} takes a single item, not {len(items)}")
        if node.operator == "is":
            return [is_a(item, specifier) for item in items]
        return [item for item in items if is_a(item, specifier)]

    return one


def unary(node: Unary) -> Evaluate:
    operand, minus = compiled(node.operand), node.operator == "-"

    def signed(ctx: Context, this: Collection) -> Collection:
        ctx.spend(1)
        value = single(operand(ctx, this), "any", node.operator)
        if value is None:
            return []
        if value.__class__ is Quantity:
            return [value.times(-value.value) if minus else value]
        if value.__class__ not in NUMBERS:
            raise PathError(f"{node.operator} takes a number")
        return [value.__class__(-value) if minus else value]

    return signed


def binary(node: Binary) -> Evaluate:
    return operation(node.operator, scoped(node.left), scoped(node.right))


COMPILERS: Mapping[type, Callable[[Any], Evaluate]] = {
    Literal: literal,
    Variable: variable,
    Path: path,
    Index: index,
    Call: call,
    TypeTest: type_test,
    Unary: unary,
    Binary: binary,
}
