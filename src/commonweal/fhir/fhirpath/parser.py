"""Read an expression into its tree by precedence climbing,
https://hl7.org/fhirpath/N1/#operator-precedence."""

from decimal import Decimal

from commonweal.fhir.fhirpath.error import PathError
from commonweal.fhir.fhirpath.lexer import Token, tokens, unquote
from commonweal.fhir.fhirpath.numbers import INTEGER_MAX, LONG_MAX, Long
from commonweal.fhir.fhirpath.quantity import DURATIONS, Quantity
from commonweal.fhir.fhirpath.temporal import temporal
from commonweal.fhir.fhirpath.tree import Binary, Call, Index, Literal, Node, Path, TypeTest, Unary, Variable

LEVELS = (
    ("implies",),
    ("or", "xor"),
    ("and",),
    ("in", "contains"),
    ("=", "~", "!=", "!~"),
    ("<", "<=", ">", ">="),
    ("|",),
    ("is", "as"),
    ("+", "-", "&"),
    ("*", "/", "div", "mod"),
)
BINDING = {operator: level for level, operators in enumerate(LEVELS, 1) for operator in operators}
UNARY = len(LEVELS) + 1
TYPE_FUNCTIONS = ("is", "as", "ofType")
DEEPEST = 100


def parse(expression: str) -> Node:
    """The tree of an expression, or a PathError that says where it cannot be read."""
    return Parser(expression).whole()


class Parser:
    """One reading of one expression; `depth` bounds its nesting."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.tokens = tokens(expression)
        self.next = 0
        self.depth = 0

    def whole(self) -> Node:
        node = self.expressed(0)
        if self.token.kind != "end":
            raise self.error(f"{named(self.token)} was not expected")
        return node

    @property
    def token(self) -> Token:
        return self.tokens[self.next]

    def error(self, message: str) -> PathError:
        return PathError(message, self.expression, self.token.at)

    def take(self) -> Token:
        token = self.token
        self.next += 1
        return token

    def skip(self, symbol: str) -> bool:
        if self.token.kind == "symbol" and self.token.text == symbol:
            self.next += 1
            return True
        return False

    def expect(self, symbol: str) -> None:
        if not self.skip(symbol):
            raise self.error(f"{symbol!r} was expected, not {named(self.token)}")

    def expressed(self, binding: int) -> Node:
        """An expression whose operators all bind more tightly than `binding`."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(f"The expression is nested more than {DEEPEST} deep")
        node = self.prefixed()
        while (level := self.operator_level()) > binding:
            node = self.joined(node, self.take(), level)
        self.depth -= 1
        return node

    def operator_level(self) -> int:
        token = self.token
        return BINDING.get(token.text, 0) if token.kind in ("symbol", "word") else 0

    def joined(self, left: Node, operator: Token, level: int) -> Node:
        if operator.text in ("is", "as"):
            return TypeTest(operator.text, left, self.type_name(), operator.at)
        return Binary(operator.text, left, self.expressed(level), operator.at)

    def prefixed(self) -> Node:
        token = self.token
        if token.kind == "symbol" and token.text in "+-":
            self.next += 1
            return Unary(token.text, self.expressed(UNARY - 1), token.at)
        return self.invoked(self.term())

    def invoked(self, node: Node) -> Node:
        """What follows a term: `.name`, `.name(...)` and `[...]`, as often as they come."""
        while True:
            token = self.token
            if self.skip("."):
                node = self.member(node)
            elif self.skip("["):
                node = Index(node, self.expressed(0), token.at)
                self.expect("]")
            else:
                return node

    def member(self, source: Node | None) -> Node:
        token = self.take()
        if token.kind == "special":
            raise PathError(f"{token.text} cannot follow a dot", self.expression, token.at)
        if token.kind not in ("word", "quoted"):
            raise PathError("A name was expected", self.expression, token.at)
        name = unquote(token.text) if token.kind == "quoted" else token.text
        if not self.skip("("):
            return Path(source, name, token.at)
        if name in TYPE_FUNCTIONS:
            test = TypeTest(name, source, self.type_name(), token.at)
            self.expect(")")
            return test
        return Call(source, name, self.arguments(), token.at)

    def arguments(self) -> tuple[Node, ...]:
        if self.skip(")"):
            return ()
        found = [self.expressed(0)]
        while self.skip(","):
            found.append(self.expressed(0))
        self.expect(")")
        return tuple(found)

    def type_name(self) -> str:
        name = self.name()
        return f"{name}.{self.name()}" if self.skip(".") else name

    def name(self) -> str:
        token = self.take()
        if token.kind not in ("word", "quoted"):
            raise PathError("The name of a type was expected", self.expression, token.at)
        return unquote(token.text) if token.kind == "quoted" else token.text

    def term(self) -> Node:
        token = self.token
        if token.kind in ("word", "quoted") and token.text not in ("true", "false"):
            return self.member(None)
        self.next += 1
        match token.kind:
            case "word":
                return Literal((token.text == "true",), token.at)
            case "string":
                return Literal((unquote(token.text),), token.at)
            case "number":
                return self.number(token)
            case "temporal":
                return Literal((self.temporal(token),), token.at)
            case "special":
                return Variable(token.text, token.at)
            case "variable":
                return Variable("%" + variable_name(token.text[1:]), token.at)
        if token.text == "(":
            node = self.expressed(0)
            self.expect(")")
            return node
        if token.text == "{":
            self.expect("}")
            return Literal((), token.at)
        raise PathError(f"{named(token)} was not expected", self.expression, token.at)

    def temporal(self, token: Token) -> object:
        value = temporal(token.text[1:])
        if value is None:
            raise PathError(f"{token.text} is no date or time", self.expression, token.at)
        return value

    def number(self, token: Token) -> Literal:
        """A number, or with a unit after it (`4 days`, `5 'mg'`) a quantity."""
        unit = self.token
        if unit.kind == "string":
            self.next += 1
            return Literal((Quantity(self.decimal(token), unquote(unit.text)),), token.at)
        if unit.kind == "word" and unit.text in DURATIONS:
            self.next += 1
            return Literal((Quantity(self.decimal(token), unit.text, "calendar"),), token.at)
        return Literal((self.plain_number(token),), token.at)

    def plain_number(self, token: Token) -> int | Decimal:
        if "." in token.text:
            return self.decimal(token)
        whole = int(token.text.rstrip("L")) if len(token.text) < 40 else LONG_MAX + 1
        if token.text.endswith("L"):
            if whole <= LONG_MAX:
                return Long(whole)
        elif whole <= INTEGER_MAX:
            return whole
        raise PathError(f"{token.text} is too large for an integer", self.expression, token.at)

    def decimal(self, token: Token) -> Decimal:
        if token.text.endswith("L"):
            raise PathError(f"{token.text} is no decimal", self.expression, token.at)
        return Decimal(token.text)


def named(token: Token) -> str:
    return repr(token.text) if token.text else "the end of the expression"


def variable_name(text: str) -> str:
    return unquote(text) if text[0] in "`'" else text
