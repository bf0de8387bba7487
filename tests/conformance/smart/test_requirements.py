"""Every SHALL of SMART App Launch 2.2.0 and Bulk Data 2.0.0 for servers has a test, or a reason why not."""

import ast
import csv
import gzip
import io
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

HERE = Path(__file__).parent
TESTS = HERE.parents[1]
ROOT = TESTS.parent
TABLE: dict[str, dict[int, Any]] = yaml.safe_load((HERE / "requirements.yaml").read_text("utf-8"))
LISTS = {
    "hl7.fhir.uv.smart-app-launch_2.2.0": ("smart-app-launch-requirements.csv.gz", 172),
    "hl7.fhir.uv.bulkdata_2.0.0": ("bulk-data-requirements.csv.gz", 119),
}


@pytest.mark.parametrize("name", LISTS)
def test_the_table_names_every_requirement(name: str, shared_data: Path) -> None:
    file, many = LISTS[name]
    with gzip.open(shared_data / "requirements" / file) as packed:
        rows = list(csv.DictReader(io.TextIOWrapper(packed, "utf-8-sig")))
    wanted = {
        int(row["ID"])
        for row in rows
        if row["Req Set"] == name
        and row["Conformance"] in ("SHALL", "SHALL NOT")
        and "Server" in row["Actors"]
    }
    assert len(wanted) == many
    assert set(TABLE[name]) == wanted


@pytest.mark.parametrize("name", LISTS)
def test_every_test_that_is_named_is_there(name: str) -> None:
    told = [test for tests in TABLE[name].values() if isinstance(tests, list) for test in tests]
    assert told
    gone = [test for test in told if test.partition("::")[2] not in _tests(test.partition("::")[0])]
    assert gone == []


@pytest.mark.parametrize("name", LISTS)
def test_what_has_no_test_has_a_reason(name: str) -> None:
    for id, told in TABLE[name].items():
        if isinstance(told, list):
            assert told, id
            continue
        ((kind, reason),) = told.items()
        assert kind in ("not_applicable", "elsewhere"), id
        assert len(reason) > 20, id
        if kind == "elsewhere":
            assert (ROOT / reason.split()[0]).is_file(), id


@cache
def _tests(file: str) -> frozenset[str]:
    """The tests that a file defines, which no mark skips."""
    path = TESTS / file
    if not path.is_file():
        return frozenset()
    found = ast.parse(path.read_text("utf-8")).body
    return frozenset(
        each.name
        for each in found
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        and each.name.startswith("test_")
        and not any("skip" in ast.unparse(mark) for mark in each.decorator_list)
    )
