"""Units come to what UCUM says they come to: https://ucum.org/ucum."""

import gzip
import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.fhir import ucum

TABLE = """
  120 mm[Hg]          = 15998640       g.m-1.s-2
    1 mg/dL           = 10             g.m-3
   37 Cel             = 310.15         K
 98.6 [degF]          = 310.15         K
    0 [degRe]         = 273.15         K
   72 /min            = 1.2            s-1
   72 {beats}/min     = 1.2            s-1
    5 10*3/uL         = 5000000000000  m-3
    1 10^-3           = 0.001          1
    2 kg.m/s2         = 2000           g.m.s-2
    1 L/L             = 1              1
    7 %               = 0.07           1
   25 kg/m2           = 25000          g.m-2
    1 {score}         = 1              1
    1 [in_i'H2O]      = 249088.91      g.m-1.s-2
    3 k[IU]/L         = 3000000        [iU].m-3
   30 dB              = 3              B
  7.4 [pH]            = 7.4            [pH]
    1 m/(s.s)         = 1              m.s-2
    1 m/s/s           = 1              m.s-2
    1 m+2             = 1              m2
    1 4.m             = 4              m
    1 mg{creat}/(24.h) = 0.00000001157407407407407407407407407407407 g.s-1
"""
ROWS = [re.split(r"\s+", line.strip()) for line in TABLE.strip().splitlines()]

NOT_UNITS = [
    "", " ", "mm[Hg", "m(s)", "[degF]/s", "m/Cel", "{a}m", "m{a}{b}", "m²", "mgg", "1/", ".", "0", "m0",
    "10*999", "(" * 200, "m" * 200, "()", "m..s", "{", "}", "(m", "m)", "dmin",
]  # fmt: skip


@pytest.mark.parametrize(("value", "unit", "_", "wanted", "base"), ROWS)
def test_units_come_to_base_units(value: str, unit: str, _: str, wanted: str, base: str) -> None:
    assert ucum.canonical(Decimal(value), unit) == (Decimal(wanted), base)


@pytest.mark.parametrize("text", NOT_UNITS)
def test_what_is_no_unit_has_no_canonical_form(text: str) -> None:
    assert ucum.canonical(Decimal(1), text) is None


def test_every_unit_of_the_essence_is_known(shared_data: Path) -> None:
    essence = gzip.decompress((shared_data / "ucum" / "ucum-essence.xml.gz").read_bytes()).decode("ascii")
    codes = re.findall(r'<(?:base-)?unit Code="([^"]+)"', essence)
    assert len(codes) == 312
    assert [code for code in codes if ucum.parse(code) is None] == []


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**6), max_value=10**6))
def test_prefixes_move_the_point_only(value: Decimal) -> None:
    assert ucum.exact(value, "g") == ucum.exact(value * 1000, "mg") == ucum.exact(value / 1000, "kg")


@given(st.text(alphabet="mgksL/.(){}[]*^-+0123456789 é", max_size=150))
def test_any_text_is_a_unit_or_is_not(text: str) -> None:
    found = ucum.canonical(Decimal(1), text)
    assert found is None or ucum.parse(found[1]) is not None


def test_numbers_out_of_all_proportion_have_no_canonical_form() -> None:
    assert ucum.canonical(Decimal("1e999999"), "m") is None
    assert ucum.canonical(Decimal("NaN"), "m") is None
