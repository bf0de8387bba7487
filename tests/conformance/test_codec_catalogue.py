"""Every error that the code names is in the catalogue, and every entry is what FHIR allows."""

import re
from pathlib import Path

from commonweal.fhir.outcome import CATALOGUE
from commonweal.fhir.terminology import codes_of

SOURCE = Path(__file__).resolve().parents[2] / "src" / "commonweal"


def test_every_code_named_anywhere_is_in_the_catalogue() -> None:
    for path in SOURCE.rglob("*.py"):
        named = set(re.findall(r'"(cw-[a-z0-9-]+)"', path.read_text(encoding="utf-8")))
        assert not named - set(CATALOGUE), path.name


def test_every_entry_is_an_issue_that_fhir_knows() -> None:
    kinds = codes_of("http://hl7.org/fhir/ValueSet/issue-type")
    severities = codes_of("http://hl7.org/fhir/ValueSet/issue-severity")
    assert kinds and severities
    for key, entry in CATALOGUE.items():
        assert entry.code in kinds and entry.severity in severities, key
        assert (entry.status < 400) == (entry.severity != "error"), key
