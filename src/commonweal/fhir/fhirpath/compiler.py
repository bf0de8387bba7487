"""From tree to closures: every node becomes one function of the evaluation and its focus.

A closure takes the context and `this`, the collection that bare names start from, and gives a collection
that it never changes afterwards and nobody else may change.
"""

from collections.abc import Callable, Mapping
from typing import Any

from commonweal.fhir.fhirpath.arithmetic import OPERATORS
from commonweal.fhir.fhirpath.context import Context, text_within
from commonweal.fhir.fhirpath.equality import (
    NUMBERS,
    QUANTITY_STEPS,
    Seen,
    compare,
    distinct,
    equal_collections,
    equivalent_collections,
)
from commonweal.fhir.fhirpath.error import PathError
from commonweal.fhir.fhirpath.functions import FUNCTIONS
from commonweal.fhir.fhirpath.functions.kinds import Evaluate, single, truth
from commonweal.fhir.fhirpath.navigate import member
from commonweal.fhir.fhirpath.quantity import Quantity
from commonweal.fhir.fhirpath.tree import Binary, Call, Index, Literal, Node, Path, TypeTest, Unary, Variable
from commonweal.fhir.fhirpath.types import converts_to, descends, is_a, resolved
from commonweal.fhir.fhirpath.values import Collection, Item

OnCollections = Callable[[Context, Collection, Collection], Collection]


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
    hidden = "_" + name
    plain = ((name, hidden, None),)

    def step(ctx: Context, this: Collection) -> Collection:
        out: Collection = []
        for item in this:
            if (
                item.__class__ is Item
                and item.value.__class__ is dict
                and item.kind is None
                and hidden not in item.value
            ):
                found = item.value.get(name)
                if found.__class__ is not list:
                    if found is not None:
                        out.append(Item(found))
                    continue
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
        if len(items) > 1:
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
    left, right = scoped(node.left), scoped(node.right)
    if node.operator in LOGIC:
        return logic(node.operator, left, right)
    if node.operator in COLLECTIONS:
        return together(COLLECTIONS[node.operator], left, right)
    if node.operator in ORDER:
        return comparison(node.operator, left, right)
    return arithmetic(node.operator, left, right)


def together(run: OnCollections, left: Evaluate, right: Evaluate) -> Evaluate:
    def worked(ctx: Context, this: Collection) -> Collection:
        ctx.spend(1)
        return run(ctx, left(ctx, this), right(ctx, this))

    return worked


def arithmetic(operator: str, left: Evaluate, right: Evaluate) -> Evaluate:
    run = OPERATORS[operator]

    def worked(ctx: Context, this: Collection) -> Collection:
        a = single(left(ctx, this), "any", operator)
        b = single(right(ctx, this), "any", operator)
        ctx.spend(QUANTITY_STEPS if a.__class__ is Quantity or b.__class__ is Quantity else 1)
        found = None if a is None or b is None else run(a, b)
        return [] if found is None else [found]

    return worked


def comparison(operator: str, left: Evaluate, right: Evaluate) -> Evaluate:
    holds = ORDER[operator]

    def compared(ctx: Context, this: Collection) -> Collection:
        ctx.spend(1)
        a, b = left(ctx, this), right(ctx, this)
        if not a or not b:
            return []
        if len(a) > 1 or len(b) > 1:
            raise PathError(f"{operator} takes single values")
        found = compare(ctx, a[0], b[0])
        return [] if found is None else [holds(found)]

    return compared


ORDER: Mapping[str, Callable[[int], bool]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def logic(operator: str, left: Evaluate, right: Evaluate) -> Evaluate:
    table, decided = LOGIC[operator]

    def judged(ctx: Context, this: Collection) -> Collection:
        ctx.spend(1)
        a = truth(left(ctx, this), operator)
        if a is decided:
            return [table[a, True]]
        found = table[a, truth(right(ctx, this), operator)]
        return [] if found is None else [found]

    return judged


Truth = bool | None
THREE: tuple[Truth, ...] = (True, False, None)


def truth_table(run: Callable[[Truth, Truth], Truth]) -> Mapping[tuple[Truth, Truth], Truth]:
    return {(a, b): run(a, b) for a in THREE for b in THREE}


def both(a: Truth, b: Truth) -> Truth:
    return False if a is False or b is False else True if a and b else None


def either(a: Truth, b: Truth) -> Truth:
    return True if a or b else False if a is False and b is False else None


def exclusive(a: Truth, b: Truth) -> Truth:
    return None if a is None or b is None else a is not b


def implies(a: Truth, b: Truth) -> Truth:
    return either(None if a is None else not a, b)


# Operator → its truth table, and the left side that decides alone.
LOGIC: Mapping[str, tuple[Mapping[tuple[Truth, Truth], Truth], Truth | str]] = {
    "and": (truth_table(both), False),
    "or": (truth_table(either), True),
    "xor": (truth_table(exclusive), "never"),
    "implies": (truth_table(implies), False),
}


def union(ctx: Context, a: Collection, b: Collection) -> Collection:
    return distinct(ctx, a + b)


def equals(ctx: Context, a: Collection, b: Collection) -> Collection:
    found = equal_collections(ctx, a, b)
    return [] if found is None else [found]


def differs(ctx: Context, a: Collection, b: Collection) -> Collection:
    found = equal_collections(ctx, a, b)
    return [] if found is None else [not found]


def within(ctx: Context, a: Collection, b: Collection) -> Collection:
    """a in b"""
    if len(a) > 1:
        raise PathError(f"in and contains look for a single item, not {len(a)}")
    return [a[0] in Seen(ctx, b)] if a else []


def joined(ctx: Context, a: Collection, b: Collection) -> Collection:
    """a & b: as strings, empty ones as ''."""
    text = (single(a, "text", "&") or "") + (single(b, "text", "&") or "")
    ctx.spend(len(text) >> 8)
    return [text_within(text)]


COLLECTIONS: Mapping[str, OnCollections] = {
    "=": equals,
    "!=": differs,
    "~": lambda ctx, a, b: [equivalent_collections(ctx, a, b)],
    "!~": lambda ctx, a, b: [not equivalent_collections(ctx, a, b)],
    "|": union,
    "in": within,
    "contains": lambda ctx, a, b: within(ctx, b, a),
    "&": joined,
}

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
