"""The published cases of FHIRPath by chapter, https://hl7.org/fhirpath/N1/ (from HL7/fhirpath.js, see
../shared/data).

Every case for no model or FHIR R4 is met, or named with its reason in fhirpath_misses.yaml; 99 % are met.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import yaml

from commonweal.fhir.fhirpath import PathError, ask, compile
from commonweal.fhir.fhirpath.numbers import same
from commonweal.fhir.fhirpath.temporal import DateTime, order

CASES = Path(__file__).resolve().parents[3] / "shared" / "data" / "fhirpath-cases"
MISSES = {
    (miss["file"], miss["expression"]): miss["why"]
    for miss in yaml.safe_load(Path(__file__).with_name("fhirpath_misses.yaml").read_text())
}
ENCODER = msgspec.json.Encoder(decimal_format="number")
NOW = datetime(2026, 1, 31, 12, 30, 15, 250000, tzinfo=UTC)


class Case(NamedTuple):
    """One expression of a case file, with what it is asked of."""

    file: str
    number: int
    base: str | None
    expression: str
    test: dict[str, Any]


def entries_of(entries: list[Any]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        for key, value in entry.items() if isinstance(entry, dict) else ():
            if "group" in key and isinstance(value, list):
                yield from entries_of(value)
        if isinstance(entry, dict) and "expression" in entry:
            yield entry


def expressions(value: Any) -> Iterator[tuple[str | None, str]]:
    for one in value if isinstance(value, list) else [value]:
        yield (one["base"], one["expression"]) if isinstance(one, dict) else (None, one)


def in_scope(test: dict[str, Any], expression: str) -> bool:
    return test.get("model") in (None, "r4") and not test.get("disable") and "%factory" not in expression


@cache
def cases() -> list[Case]:
    files = sorted(CASES.glob("*.yaml"))
    tests = ((file, test) for file in files for test in entries_of(yaml.safe_load(file.read_text())["tests"]))
    asked = ((file, test, *each) for file, test in tests for each in expressions(test["expression"]))
    scoped = (each for each in asked if in_scope(each[1], each[3]))
    return [
        Case(file.name, number, base, text, test) for number, (file, test, base, text) in enumerate(scoped)
    ]


def exact(value: Any) -> Any:
    return json.loads(json.dumps(value), parse_float=Decimal)


@cache
def subject(file: str, input_file: str | None) -> Any:
    if input_file:
        return json.loads((CASES / "resources-r4" / input_file).read_text(), parse_float=Decimal)
    return exact(yaml.safe_load((CASES / file).read_text()).get("subject"))


def evaluated(case: Case) -> list[Any]:
    """The result; a `context` is evaluated first and its result is what the expression is asked of."""
    test, node = case.test, subject(case.file, case.test.get("inputfile"))
    options = {"variables": exact(test.get("variables", {})), "model": test.get("model") == "r4", "now": NOW}
    if "context" in test:
        options["variables"] = {"resource": node} | options["variables"]
        node = compile(test["context"]).items(node, **options)
    return compile(case.expression).evaluate(node, type=case.base, **options)


def alike(found: Any, wanted: Any) -> bool:
    """The same JSON: numbers by value (the files hold doubles), instants in any zone."""
    if isinstance(found, Decimal | int) and isinstance(wanted, Decimal | int) and not isinstance(found, bool):
        return same(found, wanted)
    if isinstance(found, str) and isinstance(wanted, str) and found != wanted:
        a, b = DateTime.parse(found), DateTime.parse(wanted)
        return a is not None and b is not None and order(a, b) == 0
    return bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)


def met(case: Case) -> bool:
    try:
        found = evaluated(case)
    except PathError:
        return bool(case.test.get("error"))
    wanted = exact(case.test.get("result", []))
    if case.test.get("error") or len(found) != len(wanted):
        return False
    return all(alike(a, b) for a, b in zip(found, wanted, strict=True))


ABSENT: Any = pytest.param(
    None, marks=pytest.mark.skip("NOT RUN: the open data folder is not beside this checkout")
)


@pytest.mark.parametrize("case", cases() or [ABSENT], ids=lambda case: f"{case.file}-{case.number}")
def test_case(case: Case) -> None:
    if (case.file, case.expression) in MISSES:
        assert not met(case), "this case is met now: take it off the list of misses"
    else:
        assert met(case), case


def test_the_case_files_are_met_to_99_percent(shared_data: Path) -> None:
    every = cases()
    unmet = [case for case in every if not met(case)]
    assert len(every) > 1500
    assert len(unmet) <= len(every) / 100


def test_ask_answers_with_json(shared_data: Path) -> None:
    for case in cases():
        line = {"expression": case.expression, "resource": subject(case.file, case.test.get("inputfile"))}
        answer = ask(line | {"model": case.test.get("model") == "r4"})
        assert ENCODER.encode(answer)
