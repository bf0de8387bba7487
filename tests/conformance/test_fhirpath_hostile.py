"""Whatever is written as FHIRPath, and whatever data it meets: a PathError at worst, in bounded work."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonweal.fhir.fhirpath import PathError, compile
from commonweal.fhir.fhirpath.functions import FUNCTIONS

TEN = "(0|1|2|3|4|5|6|7|8|9)"
HOSTILE = {
    "nested parentheses": "(" * 5000 + "1" + ")" * 5000,
    "signs without end": "-" * 5000 + "1",
    "a long chain": "1" + "+1" * 5000,
    "a long path": "a" + ".a" * 9000,
    "a text that doubles": f"{TEN}.select({TEN}).aggregate($total & $total, 'x')",
    "a collection that doubles": f"{TEN}.select({TEN}).aggregate($total.combine($total), 1)",
    "a product of sets": f"{TEN}" + f".select({TEN}" * 7 + ")" * 7,
    "repeat without end": "1.repeat($this + 1)",
    "repeatAll without end": "1.repeatAll($this)",
    "a text between every character": "'aaaaaaaaaa'" + ".replace('', 'aaaaaaaaaa')" * 9,
    "an integer out of range": "99999999999999999999999999999999999999999999999999",
    "a pattern out of range": "'a'.matches('(a{1000}){1000}')",
    "an expression of a megabyte": "a or " * 200_000 + "a",
    "descendants of descendants": "descendants()" + ".descendants()" * 6,
}
EMPTY_OR_EXACT = {
    "3.power(99999999)": [],
    "10.power(27).power(27)": [],
    "(0 - 1000000000).exp()": [Decimal(0)],
    "%huge * %huge": [],
    "(%huge + 1).round(2)": [],
    "%huge.toInteger()": [],
    "@9999-12-31 + 1 day": [],
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a+)+$')": [False],
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a|a)*$')": [False],
}
DEEP: dict[str, Any] = {"resourceType": "Basic"}
for _ in range(200):
    DEEP = {"resourceType": "Basic", "contained": [DEEP, {"resourceType": "Basic"}]}

WORDS = [
    *FUNCTIONS, "is", "as", "ofType", "and", "or", "xor", "implies", "in", "contains", "div", "mod", "true", "{}",
    "$this", "$index", "$total", "%resource", "%a", "Patient", "name", "given", "value", "Quantity", "String",
    "'a'", "''", "1", "0", "2L", "0.5", "1000000000", "3 days", "2 'kg'", "1 'Cel'", "1 year", "@2024", "@T10:30",
    "@2024-02-29T12:00:00Z", "(", ")", "()", "[", "]", ".", ",", "+", "-", "*", "/", "&", "|", "=", "!=", "~", "!~",
    "<", ">=", "`", "'", "//", "/*", "\\",
]  # fmt: skip
DATA: dict[str, Any] = {
    "resourceType": "Patient",
    "name": [{"given": ["Na", None], "_given": [None, {"id": "x"}]}, "not a name"],
    "birthDate": 5,
    "value": [1, Decimal("2.5"), True, "2024-01-01", {"value": 3, "code": "kg"}, None],
    "contained": "nothing",
    "id": {"odd": []},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_expressions_end_in_an_error(name: str) -> None:
    with pytest.raises(PathError) as caught:
        compile(HOSTILE[name]).evaluate(DEEP)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("expression", EMPTY_OR_EXACT)
def test_what_goes_out_of_range_is_empty(expression: str) -> None:
    found = compile(expression).evaluate({}, variables={"huge": Decimal("1E+999999")})
    assert found == EMPTY_OR_EXACT[expression]


def run(expression: str) -> None:
    try:
        compile(expression).evaluate(DATA, variables={"a": DATA["value"]})
    except PathError:
        return


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from(WORDS), max_size=12).flatmap(
        lambda words: st.sampled_from(["", " "]).map(lambda gap: gap.join(words))
    )
)
def test_any_words_in_any_order(expression: str) -> None:
    run(expression)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_any_text(expression: str) -> None:
    run(expression)


TERMS = st.sampled_from([word for word in WORDS if word[0].isalnum() or word[0] in "'$%@{"]).filter(
    lambda word: (
        word != "'"
        and word not in FUNCTIONS
        and word not in ("and", "or", "xor", "implies", "in", "div", "mod")
    )
)


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Bigger expressions of well-formed parts, so that every function meets every kind of value."""
    calls = st.tuples(inner, st.sampled_from(sorted(FUNCTIONS)), st.lists(inner, max_size=2))
    operators = st.sampled_from(
        ["+", "-", "*", "/", "div", "mod", "&", "|", "=", "~", "<", ">=", "in", "and", "or"]
    )
    return st.one_of(
        calls.map(lambda call: f"({call[0]}).{call[1]}({', '.join(call[2])})"),
        st.tuples(inner, operators, inner).map(lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"),
        inner.map(lambda part: f"({part})[0]"),
        inner.map(lambda part: f"-({part})"),
    )


@settings(max_examples=1000, deadline=None)
@given(st.recursive(TERMS, grown, max_leaves=6))
def test_every_function_on_any_value(expression: str) -> None:
    run(expression)
