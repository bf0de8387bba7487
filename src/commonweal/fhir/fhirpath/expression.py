"""Compile an expression once, evaluate it often, https://hl7.org/fhirpath/N1/."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from commonweal.fhir.elements import has_elements
from commonweal.fhir.fhirpath.compiler import compiled
from commonweal.fhir.fhirpath.context import ConformsTo, Context, MemberOf, Resolve, Trace
from commonweal.fhir.fhirpath.error import PathError
from commonweal.fhir.fhirpath.parser import parse
from commonweal.fhir.fhirpath.tree import Node
from commonweal.fhir.fhirpath.types import type_name
from commonweal.fhir.fhirpath.values import Collection, Item, plain

LONGEST_KEPT = 2000
NO_VARIABLES: Mapping[str, Any] = {}


class Expression:
    """A compiled expression; `text` is how it was written, `tree` what was read."""

    __slots__ = ("_run", "text", "tree")

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self.tree: Node = parse(text)
            self._run = compiled(self.tree)
        except PathError as error:
            raise PathError(error.message, text, error.position) from None
        except RecursionError:
            raise PathError("The expression is too deep", text) from None

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def items(
        self,
        node: Any,
        *,
        variables: Mapping[str, Any] = NO_VARIABLES,
        model: bool = True,
        type: str | None = None,
        now: datetime | None = None,
        resolve: Resolve | None = None,
        member_of: MemberOf | None = None,
        conforms_to: ConformsTo | None = None,
        trace: Trace | None = None,
    ) -> Collection:
        """The collection as the engine holds it: System values and Items (value, kind, extra).

        `node` is a resource, a part of one (its `type` said: "QuestionnaireResponse.item"), a list of
        either, or Items of an earlier evaluation. `model` False: names mean JSON keys only, `value` is not
        `valueString`. `variables` are those of %name; %resource and %rootResource are the node unless
        given. `now` is the moment of now() and today(). Raises PathError."""
        ctx = Context(node, model, variables)
        ctx.now, ctx.resolve, ctx.trace = now, resolve, trace
        ctx.member_of, ctx.conforms_to = member_of, conforms_to
        if type is not None and not has_elements(type):
            raise PathError(f"There is no type {type!r}", self.text)
        try:
            return list(self._run(ctx, ctx.items(node, type)))
        except PathError as error:
            raise PathError(error.message, self.text, error.position) from None
        except RecursionError:
            raise PathError("The expression or the data is too deep", self.text) from None
        except UnicodeError:
            raise PathError("A text is not valid Unicode", self.text) from None

    def evaluate(self, node: Any, **options: Any) -> list[Any]:
        """The result as plain JSON values (dates, quantities and longs as strings), options as of items()."""
        return [value for item in self.items(node, **options) if (value := plain(item)) is not None]

    def typed(self, node: Any, **options: Any) -> list[tuple[Any, str]]:
        """The result as (plain value, type name) pairs: "FHIR.HumanName", "System.Boolean"."""
        pairs = ((plain(item), type_name(item)) for item in self.items(node, **options))
        return [pair for pair in pairs if pair[0] is not None]

    def holds(self, node: Any, **options: Any) -> bool:
        """Whether the result is true, as an invariant or a criterion is judged; empty is not true."""
        found = self.items(node, **options)
        return len(found) == 1 and (found[0].value if found[0].__class__ is Item else found[0]) is True


def compile(expression: str) -> Expression:
    """The compiled expression; raises PathError with the position that cannot be read.

    It is kept for the next time, unless it is so long that many of them would fill the memory."""
    return kept(expression) if len(expression) <= LONGEST_KEPT else Expression(expression)


kept = lru_cache(maxsize=1024)(Expression)


def ask(line: Mapping[str, Any]) -> dict[str, Any]:
    """One line of `commonweal ask fhirpath`.

    {"expression", "resource", optional "variables", "model" (false: no FHIR types), "type" (of a part of a
    resource), "now" (an instant)} → {"result": [...], "types": [...]} or {"error": "one sentence"}.
    """
    try:
        return asked(line)
    except PathError as error:
        return {"error": str(error)}


def asked(line: Mapping[str, Any]) -> dict[str, Any]:
    expression = line.get("expression")
    if not isinstance(expression, str):
        raise PathError('A line needs an "expression", a string')
    now, variables = line.get("now"), line.get("variables") or {}
    if not isinstance(variables, dict):
        raise PathError('"variables" is an object of names and values')
    found = compile(expression).typed(
        exact(line.get("resource")),
        variables=exact(variables),
        model=line.get("model", True) is not False,
        type=line.get("type"),
        now=None if now is None else instant(now),
    )
    return {"result": [value for value, _ in found], "types": [name for _, name in found]}


def instant(text: Any) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise PathError('"now" is an instant such as 2026-01-31T12:00:00Z') from None


def exact(value: Any) -> Any:
    """Numbers that came as floats as the decimals they were written as."""
    if isinstance(value, dict):
        return {name: exact(part) for name, part in value.items()}
    if isinstance(value, list):
        return [exact(part) for part in value]
    return Decimal(repr(value)) if isinstance(value, float) else value
