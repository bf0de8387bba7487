"""_text and _content, whole words: https://hl7.org/fhir/R4/search.html#content."""

from typing import Any

import pytest

from commonweal.access.reach import Grant, Reach
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.index import extract
from commonweal.fhir.search.match import Subject, matches
from commonweal.fhir.search.parameters import official
from commonweal.fhir.search.query import parse
from commonweal.fhir.search.words import asked, words
from commonweal.store import masking

Json = dict[str, Any]
DIV = "<div xmlns='http://xhtml'><p class='hidden'>Änne M&uuml;ller, <b>hyper</b>tension</p>咳嗽三天</div>"
CONDITION: Json = {
    "resourceType": "Condition",
    "id": "pneumonia-1",
    "text": {"status": "generated", "div": DIV},
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "233604007", "display": "Pneumonia"}]},
    "subject": {"reference": "Patient/secret", "display": "Wang Xiuying"},
    "onsetDateTime": "2020-03-05",
    "note": [{"text": "Raised at the O'Brien clinic"}],
    "contained": [{"resourceType": "Organization", "id": "o", "name": "Vereinigung"}],
}


class Nobody:
    def find(self, reference: str) -> None:
        return None

    def of(self, type: str) -> list[Subject]:
        return []


def is_found(resource: Json, key: str, value: str) -> bool:
    type = resource["resourceType"]
    clause = parse(type, [(key, value)], official(), lenient=False).where[0]
    return matches(clause, Subject(type, "x", 0, extract(resource, official())), Nobody())


@pytest.mark.parametrize(
    "key, value, found",
    [
        ("_text", "müller", True),
        ("_text", "MULLER Anne", True),
        ("_text", "müll", False),
        ("_text", "müller meier", False),
        ("_text", "meier,müller", True),
        ("_text", "hyper tension", True),
        ("_text", "hypertension", False),
        ("_text", "hidden", False),
        ("_text", "xhtml", False),
        ("_text", "pneumonia", False),
        ("_text", "咳嗽", True),
        ("_text", "咳", True),
        ("_text", "嗽三天", True),
        ("_text", "咳天", False),
        ("_text:missing", "false", True),
        ("_content", "müller", True),
        ("_content", "pneumonia raised", True),
        ("_content", "o'brien", True),
        ("_content", "233604007", True),
        ("_content", "2020 xiuying", True),
        ("_content", "vereinigung", True),
        ("_content", "snomed", False),
        ("_content", "secret", False),
        ("_content", "condition", False),
        ("_content", "咳嗽", True),
    ],
)
def test_words_of_a_resource(key: str, value: str, found: bool) -> None:
    assert is_found(CONDITION, key, value) is found


def test_what_has_no_narrative_has_no_words() -> None:
    silent = {"resourceType": "Condition", "subject": {"display": "Wang"}}
    assert not is_found(silent, "_text", "wang")
    assert is_found(silent, "_text:missing", "true")


@pytest.mark.parametrize(
    "text, kept",
    [
        ("Straße 7b, x_y", "strasse 7b x y"),
        ("हिन्दी भाषा", "हिन्दी भाषा"),
        ("血压BP高", "血压 血 压 bp 高"),
    ],
)
def test_what_a_word_is(text: str, kept: str) -> None:
    assert words(text) == set(kept.split())
    assert set(asked(text)) <= words(text)


@pytest.mark.parametrize(
    "type, key, value, why",
    [
        ("Patient", "_text", "...", "there is no word"),
        ("Patient", "_text:exact", "x", "':exact' does not apply"),
        ("Patient", "_content:missing", "true", "':missing' does not apply"),
        ("Patient", "_sort", "_text", "cannot sort"),
        ("Observation", "_content", "x", "very many resources do not have it"),
        (None, "_content", "x", "of one type"),
        (None, "_text", "x", "of one type"),
        ("Patient", "_filter", "name eq x", "not supported"),
        ("Patient", "_query", "x", "no named queries"),
        ("Patient", "_list", "$current-allergies", "no functional lists"),
        ("Patient", "_contained", "true", "not searched"),
    ],
)
def test_what_is_refused_is_refused_clearly(type: str | None, key: str, value: str, why: str) -> None:
    """Even a lenient search does not leave out what would have found less."""
    with pytest.raises(Problem, match=why):
        parse(type, [(key, value)], official(), lenient=True)


def test_several_types_can_be_asked_together() -> None:
    query = parse(None, [("_type", "Condition,Patient"), ("_content", "x")], official(), lenient=False)
    assert len(query.where) == 1


def test_words_tell_nothing_of_what_is_masked() -> None:
    """Whoever may not see one element could find out its words one by one."""
    reach = Reach((Grant(),), masked=frozenset({"Patient.birthDate"}))
    for key in ("_text", "_content"):
        with pytest.raises(Problem, match="may not be searched"):
            masking.refuse(parse("Patient", [(key, "1988")], official()), reach)


@pytest.mark.parametrize(
    "value, found", [("wang", True), ("Wáng X", True), ("xiuying", False), ("secret", False)]
)
def test_references_by_what_they_are_called(value: str, found: bool) -> None:
    """https://hl7.org/fhir/R4/search.html#text"""
    assert is_found(CONDITION, "subject:text", value) is found
    assert is_found(CONDITION, "patient:text", value) is found
