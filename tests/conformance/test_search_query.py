"""Reading a search and writing it back: https://hl7.org/fhir/R4/search.html."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.clauses import Chain, Criterion, Has, Include, Listed, Query
from commonweal.fhir.search.escapes import escape, split, unescape
from commonweal.fhir.search.parameters import Registry
from commonweal.fhir.search.query import parse, to_pairs
from commonweal.fhir.search.values import TokenValue

REGISTRY = Registry(bases=["https://here.example/fhir/"])


def read(text: str, **options: Any) -> Query:
    """A search as it stands in an address, `*` for no type."""
    type, _, query = text.partition("?")
    return parse(None if type == "*" else type, parse_qsl(query, keep_blank_values=True), REGISTRY, **options)


def value(query: Any, clause: int) -> Any:
    """The first value of a criterion."""
    return query.where[clause].values[0]


def again(query: Query) -> Query:
    return parse(query.type, to_pairs(query), REGISTRY)


UNDERSTOOD = r"""
Observation?code=http://loinc.org|8302-2,8310-5&status:not=final
Observation?subject=Patient/1&subject:Patient=2&patient=https://here.example/fhir/Patient/3
Observation?subject:Patient.name:exact=Li&subject.identifier=x|1&encounter.service-provider.name=A
Observation?date=ge2020-01&date=lt2021&_lastUpdated=gt2020-03-05T10:00:00%2B01:00
Observation?value-quantity=le5.4|http://unitsofmeasure.org|mg&value-quantity=5||mg&value-quantity=ap7
Observation?code-value-quantity=8302-2$gt150&combo-code-value-concept=a|b$c|d
Observation?_has:Provenance:target:agent=Practitioner/1
Patient?_has:Observation:patient:_has:AuditEvent:entity:agent.name=x&_list=42
Patient?name=a\,b,c\$d&family:contains=ng&given:missing=true&phonetic=li
Patient?identifier:of-type=http://t|MR|123&identifier=|9&identifier=http://s|&identifier:text=pass
Patient?general-practitioner:identifier=http://i|7&organization:missing=false
Patient?_id=1,2&_tag=t&_profile:below=http://x/&_source=http://y&_security=a|b
ValueSet?url:below=http://x/y&url:above=http://x/y/z&url=urn:oid:1.2
Location?near=31.2|121.5|5|km,1|2
ImmunizationRecommendation?date=2020
RiskAssessment?probability=gt0.8&probability=1e2
Patient?_sort=-birthdate,name,_id&_count=0&_summary=count&_elements=id,name&_total=accurate&_cursor=abc
Observation?_include=Observation:subject:Patient&_include:iterate=Patient:link&_revinclude=Provenance:target
Patient?_include=*&_revinclude=Observation:*&_contained=false&_format=json&_pretty=true
*?_lastUpdated=gt2020&_type=Patient,Practitioner&name=x&_sort=-_lastUpdated
MedicationRequest?medication.code=x&_include=MedicationRequest:medication
PlanDefinition?depends-on=http://lib|1.0
""".strip().splitlines()

MISUNDERSTOOD = r"""
Patient?name:funny=x                               | 400 | modifier ':funny'
Patient?name:=x                                    | 400 | modifier ':'
Patient?birthdate:exact=2020                       | 400 | modifier ':exact'
Patient?_id:missing=true                           | 400 | modifier ':missing'
Patient?birthdate=20-01                            | 400 | not a date
Patient?birthdate=2020-02-30                       | 400 | day is out of range
Patient?birthdate=2020-13                          | 400 | month must be
Patient?birthdate=xx2020                           | 400 | not a date
Patient?birthdate=2020-01-01T00:00:00%2B99:00      | 400 | birthdate
Patient?birthdate=٢٠٢٠                             | 400 | not a date
Patient?active:missing=maybe                       | 400 | true or false
Patient?identifier=a|b|c                           | 400 | more than one
Patient?identifier=|                               | 400 | neither
Patient?identifier:of-type=a|b                     | 400 | all three parts
Patient?identifier:in=http://vs                    | 400 | no terminology
Patient?organization=a/b/c                         | 400 | neither an id
Patient?general-practitioner:Cat=1                 | 400 | modifier ':Cat'
Patient?general-practitioner:Organization=Patient/1| 400 | is no Organization
Patient?organization.foo=1                         | 400 | no search parameter 'foo'
Patient?name.foo=1                                 | 400 | no reference
Provenance?target.name=1                           | 400 | say which type
Patient?_has:Observation:patient=1                 | 400 | must have the form
Patient?_has:Cat:patient:x=1                       | 400 | must have the form
Patient?_has:Observation:code:x=1                  | 400 | no reference of
Patient?_has:Observation:encounter:status=1        | 400 | never refers to Patient
Observation?value-quantity=5|mg                    | 400 | must have the form
Observation?value-quantity=5|http://x|             | 400 | no code
Observation?value-quantity=five                    | 400 | not a number
Observation?value-quantity=NaN                     | 400 | not a number
Observation?value-quantity=1e999                   | 400 | not a number
Observation?code-value-quantity=8302-2             | 400 | code$value-quantity
Location?near=91|0                                 | 400 | latitude
Location?near=1                                    | 400 | must have the form
Location?near=1|1|5|kg                             | 400 | length
Patient?_text=!                                    | 400 | no word
Observation?_content=x                             | 400 | very many
Patient?_filter=name eq x                          | 400 | filter
Patient?_query=x                                   | 400 | named queries
Patient?_contained=true                            | 400 | contained
Patient?_containedType=contained                   | 400 | contained
Patient?_list=$current-problems                    | 400 | functional
Patient?_list=a/b                                  | 400 | id of one List
Patient?_sort=foo                                  | 400 | cannot sort
Patient?_sort:x=name                               | 400 | modifier ':x'
Patient?_count=-1                                  | 400 | not a number of
Patient?_count=1&_count=2                          | 400 | given twice
Patient?_summary=maybe                             | 400 | one of
Patient?_total=many                                | 400 | one of
Patient?_include=Patient:name                      | 400 | no reference of
Patient?_include=Cat:x                             | 400 | not a FHIR R4 resource type
Patient?_include:deep=Patient:link                 | 400 | modifier ':deep'
*?_type=Cat                                        | 400 | not a FHIR R4 resource type
Patient?link:Patient.link:Patient.link:Patient.link:Patient.link:Patient.link:Patient.name=x | 403 | reaches further
"""
BAD = [re.split(r"\s*\| (?=\d{3} \|)", line) for line in MISUNDERSTOOD.strip().splitlines()]


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_a_search_reads_the_same_when_written_back(text: str) -> None:
    query = read(text, lenient=False)
    assert query.ignored == ()
    assert again(query) == query


@pytest.mark.parametrize(("text", "answer"), BAD)
def test_what_cannot_be_understood_is_refused_strict_or_lenient(text: str, answer: str) -> None:
    status, _, reason = answer.partition(" |")
    for lenient in (True, False):
        with pytest.raises(Problem) as caught:
            read(text, lenient=lenient)
        assert caught.value.status == int(status)
        assert reason.strip() in str(caught.value)


def test_unknown_and_empty_parameters_are_ignored_only_by_the_lenient() -> None:
    query = read("Patient?foo=1&name=&gender=,&foo:bar=2&active=true")
    assert query.ignored == ("foo", "name", "gender", "foo:bar")
    assert [clause.parameter.name for clause in query.where if isinstance(clause, Criterion)] == ["active"]
    for text in ("Patient?foo=1", "Patient?name="):
        with pytest.raises(Problem):
            read(text, lenient=False)


def test_chains_branch_by_type_and_has_nests() -> None:
    query = read("Observation?subject.name=x&_has:Provenance:target:agent:Practitioner.name=y&_list=1")
    chain, has, listed = query.where
    assert isinstance(chain, Chain) and isinstance(has, Has) and isinstance(listed, Listed)
    assert {type for type, _ in chain.branches} == {"Patient", "Location"}
    assert isinstance(has.where, Chain) and has.type == "Provenance"


def test_an_id_alone_is_looked_for_under_every_type_it_may_have() -> None:
    query = read("Observation?subject=1&focus=2")
    assert set(value(query, 0).targets) == {"Patient/1", "Group/1", "Device/1", "Location/1"}
    assert len(value(query, 1).targets) > 140


def test_the_system_of_a_plain_code_is_implied() -> None:
    (clause,) = read("Patient?gender=http://hl7.org/fhir/administrative-gender|male").where
    assert isinstance(clause, Criterion)
    assert clause.values == (TokenValue("http://hl7.org/fhir/administrative-gender|male", "", "male"),)


def test_a_terminology_expands_value_sets() -> None:
    asked: list[tuple[str, ...]] = []

    def expand(modifier: str, about: str, code: str) -> list[tuple[str, str]]:
        asked.append((modifier, about, code))
        return [("s", "b"), ("s", "a")]

    query = read("Condition?code:in=http://vs&code:not-in=http://ws&code:below=s|a", expand=expand)
    assert asked == [("in", "http://vs", ""), ("in", "http://ws", ""), ("below", "s", "a")]
    assert [clause.negated for clause in query.where if isinstance(clause, Criterion)] == [False, True, False]
    assert value(query, 0).codes == (("s", "a"), ("s", "b"))


def test_includes_are_read() -> None:
    query = read(
        "Observation?_include:iterate=Patient:link:RelatedPerson&_revinclude=Provenance:*&_include=*"
    )
    first, second, third = query.includes
    assert (first.source, first.target, first.iterate) == ("Patient", "RelatedPerson", True)
    assert second == Include("Provenance", None, reverse=True)
    assert third == Include("*", None)


HOSTILE = [
    [("name", "x")] * 65,
    [("name", "x" * 70_000)],
    [("_id", ",".join("a" * 1001))],
    [("organization." * 4000 + "name", "x")],
    [("_has:Patient:link:" * 3000 + "name", "x")],
    [("general-practitioner.organization.partof.partof.partof.partof.partof.name", "x")],
    [("link.link.link.link.link.link.name", "x")],
]


@pytest.mark.parametrize("pairs", HOSTILE)
def test_a_search_asks_no_more_than_it_may(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(Problem) as caught:
        parse("Patient", pairs, REGISTRY)
    assert caught.value.status in (400, 403)


@given(st.text(alphabet="ab\\,$|", max_size=20))
def test_escapes_are_undone_exactly(text: str) -> None:
    assert unescape(escape(text)) == text
    assert split(escape(text), ",") == [escape(text)]
    assert ",".join(split(text, ",")) == text


KEYS = st.sampled_from([
    "name", "name:exact", "_id", "birthdate", "organization", "organization.name", "identifier", "identifier:not",
    "general-practitioner:Practitioner.family", "identifier:of-type", "_has:Observation:patient:code",
    "_has:Observation:patient:value-quantity", "_has:Observation:patient:combo-code-value-quantity", "_count", "foo",
    "_lastUpdated", "_sort", "_include", "_elements", "gender:missing", "link:identifier", "_profile:below", "_list",
])  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=12),
    st.text(alphabet="ab\\,$|:/2019-5.ge", max_size=12),
    st.sampled_from(
        ["2020-01", "ge2020", "5.4|http://unitsofmeasure.org|mg", "a|b$le5", "true", "Patient/1,2", "x|y"]
    ),
)


@given(st.lists(st.tuples(KEYS, VALUES), max_size=4))
def test_any_search_is_refused_or_reads_the_same_when_written_back(pairs: list[tuple[str, str]]) -> None:
    try:
        query = parse("Patient", pairs, REGISTRY)
    except Problem as problem:
        assert problem.status in (400, 403)
        return
    assert again(query) == replace(query, ignored=())
