"""The essentials of FHIRPath in our own words, https://hl7.org/fhirpath/N1/: what is asked, and what comes
of it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from commonweal.fhir.fhirpath import Item, PathError, ask, compile, parse
from commonweal.fhir.fhirpath.tree import Binary, Call, Literal, Path, TypeTest

LI_NA: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "li-na",
    "active": True,
    "name": [
        {"use": "official", "family": "Li", "given": ["Na", "Mei"]},
        {"use": "nickname", "given": ["Nana"]},
    ],
    "birthDate": "1984-02-29",
    "_birthDate": {"extension": [{"url": "http://example.org/hour", "valueTime": "06:30:00"}]},
    "deceasedBoolean": False,
    "telecom": [
        {"system": "phone", "value": "555 0100", "rank": 2},
        {"system": "email", "value": "na@example.org"},
    ],
    "generalPractitioner": [{"reference": "Practitioner/wu"}, {"reference": "#here"}],
    "contained": [{"resourceType": "Organization", "id": "here", "name": "Lakeside"}],
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Li Na</div>'},
}
TEMPERATURE: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "8310-5"}]},
    "subject": {"reference": "Patient/li-na"},
    "effectiveDateTime": "2020-03-01T08:00:00+08:00",
    "valueQuantity": {
        "value": Decimal("37.50"),
        "unit": "°C",
        "system": "http://unitsofmeasure.org",
        "code": "Cel",
    },
}
NOW = datetime(2026, 1, 31, 9, 5, 7, tzinfo=UTC)

# what is asked of Li Na | what comes of it
PATIENT = """
Patient.name.given                                          | Na Mei Nana
name.where(use = 'official').given.first()                  | Na
name.given.last()                                           | Nana
name[1].given                                               | Nana
name[7].given                                               |
Observation.status                                          |
name.given.count()                                          | 3
name.select(family | given)                                 | Li Na Mei Nana
name.exists(use = 'old')                                    | false
name.all(given.exists())                                    | true
name.family.empty()                                         | false
telecom.where(rank > 1).system                              | phone
telecom.rank.exists() and active                            | true
name.given.where($index = 1)                                | Mei
name.given.aggregate($total & $this, '')                    | NaMeiNana
name.given.join('-')                                        | Na-Mei-Nana
name.given.select(length()).sum()                           | 9
deceased                                                    | false
deceased is boolean                                         | true
deceased.not()                                              | true
birthDate is date                                           | true
birthDate = @1984-02-29                                     | true
birthDate + 1 year                                          | 1985-02-28
birthDate < @1984-03                                        | true
birthDate < @1984-02                                        |
birthDate.extension('http://example.org/hour').value        | 06:30:00
birthDate.extension.value.ofType(time).hourOf()             | 6
birthDate.hasValue()                                        | true
active.hasValue() and name.hasValue().not()                 | true
id.type().name                                              | String
name.first() is HumanName                                   | true
Patient is DomainResource                                   | true
contained.name                                              | Lakeside
contained.ofType(Organization).id                           | here
contained.first() is Patient                                | false
generalPractitioner[1].resolve().name                       | Lakeside
generalPractitioner[0].resolve().name                       | Wu
generalPractitioner[0].getReferenceKey(Practitioner)        | wu
getResourceKey()                                            | li-na
text.`div`.htmlChecks()                                     | true
descendants().where($this is HumanName).count()             | 2
%resource.id & %context.id                                  | li-nali-na
%ucum                                                       | http://unitsofmeasure.org
%`vs-observation-status`                                    | http://hl7.org/fhir/ValueSet/observation-status
%limit - 1                                                  | 4
name.given.defineVariable('all').select(%all.count()).first() | 3
conformsTo('http://hl7.org/fhir/StructureDefinition/Patient') | true
iif(active, 'yes', 1 / 0)                                   | yes
"""
# what is asked without a resource | what comes of it
ALONE = r"""
1 + 2 * 3                                   | 7
7 div 2 | 7 mod 2                           | 3 1
7 / 2                                       | 3.5
1 / 0                                       |
0.1 + 0.2                                   | 0.3
2147483647 + 1                              |
2147483647L + 1                             | 2147483648
2 = 2.0                                     | true
1.10 ~ 1.1 and 'Ab c' ~ 'aB C'              | true
{} = 1                                      |
{} and false                                | false
{} implies true                             | true
(1 | 2 | 2).count()                         | 2
(1 | 2 | 3).exclude(2)                      | 1 3
2 in (1 | 2)                                | true
1 'kg' = 1000 'g'                           | true
1 'kg' = 1 'm'                              |
37.5 'Cel' = 99.5 '[degF]'                  | true
1 week = 7 days and 1 week = 7 'd'          | true
1 year = 1 'a'                              |
2 'm' * 3 'm'                               | 6 'm.m'
@2024-01-31 + 1 month                       | 2024-02-29
@2024-01-31T10:00:00Z = @2024-01-31T18:00:00+08:00 | true
@2024-01 = @2024                            |
@T23:30 + 45 minutes                        | 00:15
now().toString() & ' ' & today().toString() | 2026-01-31T09:05:07Z 2026-01-31
'1.5 \'mg\''.toQuantity('ug').value       | 1500
'true'.toBoolean() and 'no'.convertsToBoolean() | true
'x'.toInteger()                             |
'a,b'.split(',')                            | a b
'Zhejiang'.matches('^Z[a-z]+$')             | true
'2024-05'.replaceMatches('(\\d+)-(\\d+)', '$2/$1') | 05/2024
'héllo'.upper().substring(1, 2)             | ÉL
'a<b'.escape('html')                        | a&lt;b
'中文'.encode('base64').decode('base64')    | 中文
(9).sqrt() + (-2.5).abs() + 2.power(3)      | 13.5
1.005.round(2)                              | 1.01
1.0.lowBoundary() | 1.0.highBoundary()      | 0.95 1.05
@2024-02.highBoundary()                     | 2024-02-29
@2024-05-01T10:00.lowBoundary()             | 2024-05-01T10:00:00.000+14:00
(1 | 2).repeat(iif($this < 5, $this + 2, {})) | 3 4 5 6
"""
WRONG = """
name.
name.given.frobnicate()
name.where()
'open
1 +
@2024-13
@2024-02-30
%unknown
name.given.single()
name.given + 'x'
1 < 'a'
-'a'
name is Nonsense
'a'.matches('(')
'aa'.matches('a', 'x')
memberOf('http://example.org/vs')
today()
1 'a' + @2024
"""
TEMPERATURES = """
value.value                                             | 37.50
Observation.value > 37 'Cel'                            | true
(value as Quantity).unit                                | °C
value.ofType(string)                                    |
effective.toDate()                                      | 2020-03-01
effective = @2020-03-01T00:00:00Z                       | true
subject.resolve().name.family                           | Li
code.coding.where(system = %loinc).code                 | 8310-5
"""


def rows(table: str) -> list[tuple[str, str]]:
    pairs = (line.rpartition("| ") for line in table.replace("|\n", "| \n").splitlines() if line.strip())
    return [(expression.strip(), wanted.strip()) for expression, _, wanted in pairs]


def look_up(reference: str) -> dict[str, Any] | None:
    known = {"Practitioner/wu": {"resourceType": "Practitioner", "name": "Wu"}, "Patient/li-na": LI_NA}
    return known.get(reference)


def shown(values: list[Any]) -> str:
    return " ".join(str(value).lower() if isinstance(value, bool) else str(value) for value in values)


@pytest.mark.parametrize(("expression", "wanted"), rows(PATIENT))
def test_of_a_patient(expression: str, wanted: str) -> None:
    found = compile(expression).evaluate(LI_NA, variables={"limit": 5}, resolve=look_up)
    assert shown(found) == wanted


@pytest.mark.parametrize(("expression", "wanted"), rows(TEMPERATURES))
def test_of_an_observation(expression: str, wanted: str) -> None:
    assert shown(compile(expression).evaluate(TEMPERATURE, resolve=look_up)) == wanted


@pytest.mark.parametrize(("expression", "wanted"), rows(ALONE))
def test_of_nothing(expression: str, wanted: str) -> None:
    assert shown(compile(expression).evaluate([], now=NOW)) == wanted


@pytest.mark.parametrize("expression", WRONG.strip().splitlines())
def test_what_is_wrong_is_said_in_one_sentence(expression: str) -> None:
    with pytest.raises(PathError):
        compile(expression).evaluate(LI_NA)
    answer = ask({"expression": expression, "resource": LI_NA})
    assert list(answer) == ["error"]
    assert "\n" not in answer["error"]


def test_an_error_names_the_place() -> None:
    with pytest.raises(PathError, match=r"at character 9\)") as caught:
        compile("active +")
    assert (caught.value.expression, caught.value.position) == ("active +", 8)


def test_without_the_model_names_are_json_keys() -> None:
    assert compile("value").evaluate(TEMPERATURE, model=False) == []
    assert compile("valueQuantity.unit").evaluate(TEMPERATURE, model=False) == ["°C"]
    assert compile("birthDate + 1 day").evaluate(LI_NA) == ["1984-03-01"]
    with pytest.raises(PathError):
        compile("birthDate + 1 day").evaluate(LI_NA, model=False)


def test_as_filters_many_items_under_the_model_as_the_definitions_of_r4_need() -> None:
    assert compile("(telecom.system as code).count()").evaluate(LI_NA) == [2]
    with pytest.raises(PathError):
        compile("(telecom.system as String).count()").evaluate(LI_NA, model=False)


def test_a_part_of_a_resource_is_read_by_its_type() -> None:
    answer = {"answer": [{"valueCoding": {"code": "yes"}}]}
    found = compile("answer.value.code").evaluate(answer, type="QuestionnaireResponse.item")
    assert found == ["yes"]


def test_types_stand_beside_values() -> None:
    wanted = [("Na", "FHIR.string"), ("Mei", "FHIR.string"), (Decimal("1.50"), "System.Decimal")]
    assert compile("name[0].given.combine(1.50)").typed(LI_NA) == wanted


def test_ask_keeps_decimals_exact_and_reads_floats_as_written() -> None:
    line = {"expression": "value.value", "resource": TEMPERATURE}
    assert ask(line) == {"result": [Decimal("37.50")], "types": ["FHIR.decimal"]}
    sum_of_floats = ask({"expression": "%x + 0.2", "resource": {}, "variables": {"x": 0.1}})
    assert sum_of_floats["result"] == [Decimal("0.3")]
    untyped = ask({"expression": "a", "resource": {"a": {"b": 1}}})
    assert untyped == {"result": [{"b": 1}], "types": ["System.Any"]}


def test_items_of_one_evaluation_are_the_focus_of_the_next() -> None:
    names = compile("name").items(LI_NA)
    assert all(isinstance(name, Item) and name.kind == "HumanName" for name in names)
    assert compile("given").evaluate(names, variables={"resource": LI_NA}) == ["Na", "Mei", "Nana"]


def test_callbacks_answer_for_terminology_and_profiles() -> None:
    gender = compile("telecom.system.first().memberOf('http://example.org/vs')")
    assert gender.evaluate(LI_NA, member_of=lambda value, url: value == "phone") == [True]
    profile = compile("conformsTo('http://example.org/profile')")
    assert profile.evaluate(LI_NA, conforms_to=lambda value, url: False) == [False]


def test_trace_hands_over_what_it_sees() -> None:
    seen: list[tuple[str, list[Any]]] = []
    traced = compile("name.trace('names', given).family")
    assert traced.evaluate(LI_NA, trace=lambda name, values: seen.append((name, values))) == ["Li"]
    assert seen == [("names", ["Na", "Mei", "Nana"])]


def test_the_tree_is_plain() -> None:
    assert parse("a.b(1) | $this is c") == Binary(
        "|", Call(Path(None, "a"), "b", (Literal((1,)),)), TypeTest("is", parse("$this"), "c")
    )
    assert parse("ofType(FHIR.Patient)") == TypeTest("ofType", None, "FHIR.Patient")
