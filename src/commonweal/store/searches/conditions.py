"""One criterion as a condition of SQL on an alias; what it means is said, in plain words, by fhir/search/match.py."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from commonweal.fhir.reference import ID
from commonweal.fhir.search.clauses import Criterion
from commonweal.fhir.search.parameters import COLUMNS, Parameter
from commonweal.fhir.search.strings import above
from commonweal.fhir.search.values import (
    CompositeValue,
    DateValue,
    MissingValue,
    NearValue,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
    WordsValue,
)
from commonweal.store.codings import Codings
from commonweal.store.searches.aliases import Alias
from commonweal.store.searches.clusters import Clusters
from commonweal.store.tokens import Tokens
from commonweal.store.writes.grams import beginning, label, parts
from commonweal.store.writes.rows import BEGUN, MIDDLE, PART, START

WITHIN = "{lo} >= {a} and {lo} <= {b} and {hi} <= {b}"
COMPARED: Mapping[str, str] = {
    "eq": WITHIN,
    "ne": "({lo} < {a} or {hi} > {b})",
    "gt": "{hi} > {b}",
    "lt": "{lo} < {a}",
    "ge": f"({{hi}} > {{b}} or ({WITHIN}))",
    "le": f"{{lo}} <= {{b}} and ({{lo}} < {{a}} or ({WITHIN}))",
    "sa": "{lo} > {b}",
    "eb": "{lo} < {a} and {hi} < {a}",
    "ap": "({lo} <= {b} and {hi} >= {a})",
}
"""A range lo–hi of the index against a–b of the query, as match.COMPARISONS says; and what follows from it for
lo alone, which an index can use."""
BY_END = ("gt", "ge", "ap")
"""Prefixes that let a range begin at any time before."""
DAY = 86_400_000_000
"""What lasts longer has an index of its own, by its ends; there is little of it."""
LETTERS_OF_A_PATTERN = "\\.^$*+?()[]{}|-#&~"
NEVER = "false"
Amount = DateValue | NumberValue | QuantityValue


class Conditions:
    """Writes conditions with the hashes of one installation."""

    def __init__(self, tokens: Tokens, clusters: Clusters, codings: Codings) -> None:
        self._tokens = tokens
        self._clusters = clusters
        self._codings = codings
        self._kinds: Mapping[str, Callable[[Alias, Criterion], str]] = {
            "token": self._token,
            "string": self._string,
            "words": self._all_words,
            "uri": self._uri,
            "reference": self._reference,
            "date": self._date,
            "number": self._ranged,
            "quantity": self._ranged,
            "special": self._near,
            "composite": self._composite,
        }

    def widened(self, among: str) -> str:
        """A subselect of patients, and whoever is one with them."""
        if not self._clusters:
            return among
        return (
            f"with f(patient) as ({among}) select patient from f union select m.patient from f"
            " join record.person_link l using (patient) join record.person_link m using (cluster)"
        )

    def of(self, alias: Alias, criterion: Criterion) -> str:
        """Does the row of this alias meet the criterion?"""
        if criterion.modifier == "missing":
            return self._missing(alias, criterion)
        if criterion.parameter.name == "_id":
            return self._id(alias, criterion)
        condition = self._kinds[criterion.kind](alias, criterion)
        return f"not ({condition})" if criterion.negated else condition

    def _missing(self, alias: Alias, criterion: Criterion) -> str:
        present = self._present(alias, criterion.parameter)
        values = {value.missing for value in criterion.values if isinstance(value, MissingValue)}
        return " or ".join(f"({'not ' if missing else ''}{present})" for missing in sorted(values))

    def _present(self, alias: Alias, parameter: Parameter) -> str:
        if parameter.name in COLUMNS:
            return "true"
        if parameter.root:
            return "(" + " and ".join(self._present(alias, each) for each in parameter.components) + ")"
        if parameter.union:
            return "(" + " or ".join(self._present(alias, each) for each in parameter.union) + ")"
        return f"({alias.column('present')} & {alias.bind(alias.facts.bits((parameter.name,)), 'int8')} <> 0)"

    def _id(self, alias: Alias, criterion: Criterion) -> str:
        values = [value for value in criterion.values if isinstance(value, TokenValue)]
        ids = [value.code for value in values if value.code and not value.system and ID.fullmatch(value.code)]
        found = f"{alias.column('id')} = any({alias.bind(ids, 'text[]')})"
        return f"not ({found})" if criterion.negated else found

    def _token(self, alias: Alias, criterion: Criterion) -> str:
        values = [value for value in criterion.values if isinstance(value, TokenValue)]
        hashes = {h for name in criterion.names for value in values for h in self._hashes(name, value)}
        sets = None
        if criterion.names == (alias.facts.code,) and not alias.anchored and not criterion.negated:
            sets = self._codings.sets(alias.type, hashes)
        if sets is None:
            return alias.any_of(hashes)
        if len(sets) == 1:
            return f"{alias.column('code')} = {alias.bind(sets[0], 'int8')}"
        return f"{alias.column('code')} = any({alias.bind(sets, 'int8[]')})"

    def _hashes(self, name: str, value: TokenValue) -> Iterable[int]:
        if value.code is None and value.system is None:
            return [self._tokens.coded(name, *each) for each in value.codes]
        if value.system is None:
            return [self._tokens.code(name, value.code or "")]
        if value.code is None:
            return [self._tokens.system(name, value.system)]
        return [self._tokens.coded(name, value.system, value.code)]

    def _string(self, alias: Alias, criterion: Criterion) -> str:
        values = [value for value in criterion.values if isinstance(value, StringValue)]
        if criterion.modifier == "exact":
            return alias.any_of(self._tokens.exact(n, v.exact) for n in criterion.names for v in values)
        ways = [self._words(alias, n, v, criterion.modifier) for n in criterion.names for v in values]
        return f"({' or '.join(ways)})"

    def _words(self, alias: Alias, name: str, value: StringValue, modifier: str | None) -> str:
        """Candidates by their grams, where there are any to look for, and then the words themselves."""
        words, text = alias.column("words"), value.text.replace(START, " ").replace("\0", " ")
        if modifier == "contains":
            grams = list(parts(text))
            pattern = f"{START}{_literal(name)}{MIDDLE}[^{START}]*{_literal(text)}"
            check = f"{words} ~ {alias.bind(pattern, 'text')}"
        else:
            longest = label(text) if modifier == "text" and len(text) >= 3 else beginning(text)
            grams = [longest] if longest and (modifier != "text" or len(text) >= 3) else []
            check = f"strpos({words}, {alias.bind(f'{START}{name}{MIDDLE}{text}', 'text')}) > 0"
        if not grams or alias.anchored:
            return check
        hashed = alias.bind([self._tokens.gram(name, each) for each in grams], "int8[]")
        return f"({alias.column('gram')} @> {hashed} and {check})"

    def _all_words(self, alias: Alias, criterion: Criterion) -> str:
        """Every word of one of the values."""
        values = [value for value in criterion.values if isinstance(value, WordsValue)]
        word, names = self._tokens.word, criterion.names
        ways = [alias.all_of(word(name, each) for each in v.words) for name in names for v in values]
        return f"({' or '.join(ways)})"

    def _uri(self, alias: Alias, criterion: Criterion) -> str:
        uris = [value.uri for value in criterion.values if isinstance(value, UriValue)]
        names = criterion.names
        if criterion.modifier == "below":
            return alias.any_of(self._tokens.under(name, above(uri)[0]) for name in names for uri in uris)
        if criterion.modifier == "above":
            over = [(name, each) for name in names for uri in uris for each in above(uri)]
            return alias.any_of(
                make(*each) for each in over for make in (self._tokens.uri, self._tokens.bare)
            )
        return alias.any_of(self._tokens.uri(name, uri) for name in names for uri in uris)

    def _reference(self, alias: Alias, criterion: Criterion) -> str:
        targets = [
            t for value in criterion.values if isinstance(value, ReferenceValue) for t in value.targets
        ]
        return self.refers(alias, criterion.names, targets)

    def refers(self, alias: Alias, names: Iterable[str], targets: Iterable[str]) -> str:
        """Some parameter of these refers to one of the targets; a person is found by any of their ids."""
        ways: list[str] = []
        hashes: set[int] = set()
        patients: set[int] = set()
        for target in targets:
            selves = self._clusters.widened([self._tokens.self(target)])
            for name in names:
                if name in alias.facts.patient and target.startswith("Patient/"):
                    patients |= selves
                else:
                    hashes |= {each ^ self._tokens.salt(name) for each in selves}
        if patients:
            ways.append(alias.about(patients))
        if hashes or not patients:
            ways.append(alias.any_of(hashes))
        return ways[0] if len(ways) == 1 else f"({' or '.join(ways)})"

    def _date(self, alias: Alias, criterion: Criterion) -> str:
        values = [value for value in criterion.values if isinstance(value, DateValue)]
        ways = []
        for name in criterion.names:
            lo, hi = _columns(alias, name)
            if lo:
                ways += [self._columned(alias, value, lo, hi) for value in values]
            else:
                ways += [
                    self._in_ranged(alias, name, self._compare(alias, value, "r.lo", "r.hi", "float8"))
                    for value in values
                ]
        return f"({' or '.join(ways)})"

    def _columned(self, alias: Alias, value: DateValue, lo: str, hi: str) -> str:
        """A date against its columns; where the end decides, with what follows for what lasts a day at most: it
        has begun a day before, or later."""
        condition = self._compare(alias, value, lo, hi, "int8")
        if alias.anchored or value.prefix not in BY_END:
            return condition
        start = alias.bind(value.lo, "int8")
        if lo == hi:
            return f"({condition} and {lo} >= {start})"
        short = f"{lo} >= {alias.bind(value.lo - DAY, 'int8')}"
        return f"({condition} and ({short} or {hi} > {lo} + {DAY} and {hi} >= {start}))"

    def _compare(self, alias: Alias, value: Amount, lo: str, hi: str, type: str) -> str:
        template = COMPARED[value.prefix]
        places = {
            letter: alias.bind(end, type)
            for letter, end in (("a", value.lo), ("b", value.hi))
            if f"{{{letter}}}" in template
        }
        return f"({template.format(lo=lo, hi=hi, **places)})"

    def _in_ranged(self, alias: Alias, name: str, condition: str, part: int = 0) -> str:
        number = alias.bind(alias.facts.number[name] + part * PART, "int4")
        return (
            f"exists (select from record.ranged r where r.row = {alias.column('key')}"
            f" and r.parameter = {number} and {condition})"
        )

    def _ranged(self, alias: Alias, criterion: Criterion) -> str:
        ways = [
            self._in_ranged(alias, name, self._amount(alias, value))
            for name in criterion.names
            for value in criterion.values
        ]
        return f"({' or '.join(ways)})"

    def _amount(self, alias: Alias, value: Any, row: str = "r") -> str:
        """A number, quantity or date against a row of `ranged`."""
        compared = self._compare(alias, value, f"{row}.lo", f"{row}.hi", "float8")
        if not isinstance(value, QuantityValue):
            return compared
        if value.unit:
            return f"{row}.unit = {alias.bind(self._tokens.of('unit', value.unit), 'int8')} and {compared}"
        if value.code is None:
            return f"{row}.unit is null and {compared}"
        code = alias.bind(self._tokens.of("unit", value.code), "int8")
        return f"{row}.unit is null and {row}.code = {code} and {compared}"

    def _near(self, alias: Alias, criterion: Criterion) -> str:
        values = [value for value in criterion.values if isinstance(value, NearValue)]
        ways = [
            self._in_ranged(alias, name, _within(alias, value))
            for name in criterion.names
            for value in values
        ]
        return f"({' or '.join(ways)})" if ways else NEVER

    def _composite(self, alias: Alias, criterion: Criterion) -> str:
        values = [value for value in criterion.values if isinstance(value, CompositeValue)]
        whole = criterion.parameter.union or (criterion.parameter,)
        ways = []
        for parameter in whole:
            for value in values:
                criteria = [
                    Criterion(component, None, (part,))
                    for component, part in zip(parameter.components, value.parts, strict=True)
                ]
                if parameter.root:
                    ways.append("(" + " and ".join(self.of(alias, each) for each in criteria) + ")")
                else:
                    ways.append(self._occurrence(alias, parameter.name, criteria))
        return f"({' or '.join(ways)})"

    def _occurrence(self, alias: Alias, name: str, criteria: list[Criterion]) -> str:
        """One occurrence of a composite has all parts: its hashes, and a range for each part that is one."""
        number, conditions = alias.facts.number[name], []
        ranged: list[tuple[int, Amount]] = []
        for part, criterion in enumerate(criteria):
            value = criterion.values[0]
            if isinstance(value, DateValue | NumberValue | QuantityValue):
                ranged.append((part, value))
            else:
                conditions.append(f"r.tok && {alias.bind(self._hashed_part(criterion), 'int8[]')}")
        if ranged:
            conditions.append(self._amount(alias, ranged[0][1]))
        for part, value in ranged[1:]:
            conditions.append(
                "exists (select from record.ranged o where o.row = r.row and o.entry = r.entry and o.parameter ="
                f" {alias.bind(number + part * PART, 'int4')} and {self._amount(alias, value, 'o')})"
            )
        return self._in_ranged(alias, name, " and ".join(conditions), ranged[0][0] if ranged else 0)

    def _hashed_part(self, criterion: Criterion) -> list[int]:
        value, names = criterion.values[0], criterion.names
        if isinstance(value, TokenValue):
            return [h for name in names for h in self._hashes(name, value)]
        if isinstance(value, ReferenceValue):
            return [self._tokens.reference(name, to) for name in names for to in value.targets]
        if isinstance(value, UriValue):
            return [self._tokens.uri(name, value.uri) for name in names]
        assert isinstance(value, StringValue)
        return [self._tokens.gram(name, value.text[:BEGUN]) for name in names]


def _columns(alias: Alias, name: str) -> tuple[str, str]:
    if name == "_lastUpdated":
        return alias.column("updated"), alias.column("updated")
    if name == alias.facts.date:
        return alias.column("date_lo"), alias.column("date_hi")
    return "", ""


def _within(alias: Alias, value: NearValue) -> str:
    """lo is a latitude and hi a longitude; first the box, which is quick, then the distance on the sphere."""
    south, north, west, east = (alias.bind(each, "float8") for each in value.box)
    across = "or" if value.box[2] > value.box[3] else "and"
    latitude, longitude, km = (
        alias.bind(each, "float8") for each in (value.latitude, value.longitude, value.km)
    )
    distance = (
        f"2 * 6371.0088 * asin(least(1, sqrt(sind((r.lo - {latitude}) / 2) ^ 2"
        f" + cosd({latitude}) * cosd(r.lo) * sind((r.hi - {longitude}) / 2) ^ 2)))"
    )
    return f"r.lo between {south} and {north} and (r.hi >= {west} {across} r.hi <= {east}) and {distance} <= {km}"


def _literal(text: str) -> str:
    """Text as a part of a regular expression that means just itself."""
    return "".join(f"\\{letter}" if letter in LETTERS_OF_A_PATTERN else letter for letter in text)
