"""The syntax tree of an expression, https://hl7.org/fhirpath/N1/#grammar: eight kinds of node.

`parse(text)` gives one; the evaluator and the search index both compile from it. A `source` of None means
"on what the expression is asked of" (the focus: the resource at the top, each item inside where() and
select()). Every node knows the character (`at`) it was read from; that takes no part in comparing two trees.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written in the expression; `values` is empty for `{}` and holds one value otherwise."""

    values: tuple[Any, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Variable:
    """`$this`, `$index`, `$total` or `%name` (the sigil is part of the name, quotes are not)."""

    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Path:
    """`source.name`: the children called `name`; with no source, `Patient` may also name the focus's own
    type."""

    source: "Node | None"
    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Index:
    """`source[index]`."""

    source: "Node"
    index: "Node"
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """`source.name(arguments)`, other than is(), as() and ofType()."""

    source: "Node | None"
    name: str
    arguments: tuple["Node", ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class TypeTest:
    """`source is type`, `source as type` and their function forms; `operator` is is, as or ofType."""

    operator: str
    source: "Node | None"
    type: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`-operand` or `+operand`."""

    operator: str
    operand: "Node"
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`."""

    operator: str
    left: "Node"
    right: "Node"
    at: int = field(default=0, compare=False)


Node = Literal | Variable | Path | Index | Call | TypeTest | Unary | Binary
