"""The three kinds of function, and how a collection is read as one value.

Eager functions get their arguments as collections; lazy ones get them as expressions to evaluate on each
item; scalar ones take one value and single values as arguments and give one value, or None for the empty
collection.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from commonweal.fhir.fhirpath.context import Context
from commonweal.fhir.fhirpath.error import PathError
from commonweal.fhir.fhirpath.numbers import Long
from commonweal.fhir.fhirpath.values import Collection, Item, system

Evaluate = Callable[[Context, Collection], Collection]


@dataclass(frozen=True, slots=True)
class Function:
    """How a call is compiled: `build(source, arguments)` gives what evaluates it.

    `names_type` says that the argument is the name of a type, handed over as a string."""

    build: Callable[[Evaluate, tuple[Evaluate, ...]], Evaluate]
    least: int = 0
    most: int = 0
    names_type: bool = False


def eager(run: Callable[..., Collection], least: int = 0, most: int | None = None) -> Function:
    """run(ctx, items, *argument collections)"""

    def build(source: Evaluate, arguments: tuple[Evaluate, ...]) -> Evaluate:
        def bare(ctx: Context, this: Collection) -> Collection:
            ctx.spend(1)
            return run(ctx, source(ctx, this))

        def full(ctx: Context, this: Collection) -> Collection:
            ctx.spend(1)
            return run(ctx, source(ctx, this), *[argument(ctx, this) for argument in arguments])

        return full if arguments else bare

    return Function(build, least, least if most is None else most)


def lazy(run: Callable[..., Collection], least: int = 0, most: int | None = None) -> Function:
    """run(ctx, this, items, *argument expressions)"""

    def build(source: Evaluate, arguments: tuple[Evaluate, ...]) -> Evaluate:
        def called(ctx: Context, this: Collection) -> Collection:
            ctx.spend(1)
            return run(ctx, this, source(ctx, this), *arguments)

        return called

    return Function(build, least, least if most is None else most)


def cost_of_text(*values: Any) -> int:
    """Texts are worked through at some 256 characters a step."""
    return sum(len(value) for value in values if value.__class__ is str) >> 8


def scalar(
    name: str,
    run: Callable[..., Any],
    takes: str = "any",
    *arguments: str,
    optional: int = 0,
    cost: Callable[..., int] = cost_of_text,
) -> Function:
    """run(value, *values): `takes` and `arguments` name what may be given; an empty input or argument gives
    empty.

    An optional argument that is absent or empty is left out. `cost` is how many steps it takes."""
    required = len(arguments) - optional

    def call(ctx: Context, items: Collection, *given: Collection) -> Collection:
        value = single(items, takes, name)
        values = [single(one, kind, name) for one, kind in zip(given, arguments, strict=False)]
        if value is None or None in values[:required]:
            return []
        while values and values[-1] is None:
            values.pop()
        ctx.spend(cost(value, *values))
        found = run(value, *values)
        if found is None:
            return []
        if found.__class__ is list:
            ctx.spend(len(found))
            return found
        return [found]

    return eager(call, required, len(arguments))


def single(items: Collection, takes: str, name: str) -> Any:
    """The one value of a collection, None when there is none; PathError for several or one of another
    type."""
    if not items:
        return None
    if len(items) > 1:
        raise PathError(f"{name}() takes a single value, not {len(items)}")
    item = items[0]
    if takes == "text" and item.__class__ is Item and item.value.__class__ is str:
        return item.value
    value = system(item)
    if value is None or takes == "any" or value.__class__ in TAKES[takes]:
        return value
    raise PathError(f"{name}() takes {WORDS[takes]} here")


TAKES: dict[str, frozenset[Any]] = {
    "text": frozenset({str}),
    "whole": frozenset({int, Long}),
    "number": frozenset({int, Long, Decimal}),
    "truth": frozenset({bool}),
}
WORDS = {"text": "a string", "whole": "an integer", "number": "a number", "truth": "a boolean"}


def truth(items: Collection, what: str) -> bool | None:
    """A collection where a boolean is needed: one value that is no boolean counts as true,
    https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections."""
    if not items:
        return None
    if len(items) > 1:
        raise PathError(f"{what} takes a single boolean, not {len(items)} values")
    item = items[0]
    value = item.value if item.__class__ is Item else item
    return value if value is None or value.__class__ is bool else True


def holds(items: Collection) -> bool:
    """Whether a criterion is met; several elements that are no booleans count as met
    (`name.exists(given)`)."""
    if len(items) < 2:
        return truth(items, "A criterion") is True
    if any(system(item).__class__ is bool for item in items):
        raise PathError(f"A criterion gives a single boolean, not {len(items)} values")
    return True


def each(ctx: Context, items: Collection, expression: Evaluate) -> list[Collection]:
    """What the expression gives on each item, with $this and $index set."""
    ctx.spend(len(items))
    index = ctx.index
    found = []
    for ctx.index, item in enumerate(items):
        found.append(expression(ctx, [item]))
    ctx.index = index
    return found
