"""From changes to columns: what the index extracted, as one row a resource, and many rows as one statement."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from commonweal.fhir import codec
from commonweal.fhir.search.index import Indexed
from commonweal.fhir.search.strings import above
from commonweal.platform.ports import Change
from commonweal.store.access.granted import NOTHING, Granted, granted
from commonweal.store.belongs import belongs
from commonweal.store.codings import Codings
from commonweal.store.facts import Facts, TypeFacts
from commonweal.store.tokens import Tokens
from commonweal.store.writes.grams import beginnings, label, parts

Json = dict[str, Any]
START, MIDDLE = "\x1e", "\x1f"
"""Before each word of a row, and between a word's parameter and its text."""
ELSEWHERE = 1 << 62
"""Bit of `present`: the patient column does not hold what the type's patient parameters say."""
BEGUN = 64
"""Letters of a string within a composite that a search can tell apart."""
PART = 1 << 16
"""What lies between the numbers of a composite's parts in `ranged`."""
Range = tuple[int, float, float, int | None, int | None, int | None, str | None]
"""Parameter number, lo, hi, hashed unit, hashed code; of a composite its occurrence and all its hashes."""


@dataclass(slots=True)
class Row:
    """One resource as the columns of its table."""

    id: str
    self: int
    tail: str | None = None
    subject: str | None = None
    present: int = 0
    patient: int | None = None
    area: int | None = None
    holder: int | None = None
    date_lo: int | None = None
    date_hi: int | None = None
    code: int | None = None
    codings: Sequence[int] | None = None
    words: str | None = None
    tok: Sequence[int] = ()
    gram: Sequence[int] = ()
    labels: Sequence[int] = ()
    ranges: list[Range] = field(default_factory=list)
    granted: Granted = NOTHING


def tail(resource: Json) -> str:
    """The resource's text behind `meta.lastUpdated`; what comes before it is composed by the database."""
    meta = {k: v for k, v in resource.get("meta", {}).items() if k not in ("versionId", "lastUpdated")}
    rest = {k: v for k, v in resource.items() if k not in ("resourceType", "id", "meta")}
    return _inside(meta) + "}" + _inside(rest) + "}"


def _inside(part: Json) -> str:
    return "," + codec.encode(part)[1:-1].decode() if part else ""


class Rows:
    """Makes rows; knows the installation's hashes and what is known about each type's parameters."""

    def __init__(self, tokens: Tokens, facts: Facts, codings: Codings | None = None) -> None:
        self._tokens = tokens
        self._facts = facts
        self._codings = codings or Codings()

    @property
    def bases(self) -> tuple[str, ...]:
        """Our own addresses."""
        return self._facts.registry.bases

    @property
    def tokens(self) -> Tokens:
        """The installation's hashes."""
        return self._tokens

    def row(self, change: Change) -> Row:
        """The row of a create or update; of a delete only its name."""
        own = f"{change.type}/{change.id}"
        row = Row(change.id, self._tokens.self(own))
        if change.method == "delete":
            return row
        facts = self._facts.of(change.type)
        indexed = change.indexed or Indexed()
        row.tail = tail(change.resource)
        self._belongings(row, facts, change, indexed)
        row.present |= facts.bits(indexed.present)
        hashes = self._hashes(indexed, facts.patient)
        row.ranges = [self._range(facts.number[each[0]], *each[1:]) for each in set(indexed.ranges)]
        self._dates(row, facts, indexed)
        self._composites(row, facts, indexed)
        self._strings(row, indexed, hashes)
        self._coded(row, facts, indexed)
        row.tok = sorted(hashes)
        row.granted = granted(self._tokens, change.type, change.id, change.resource, self.bases)
        return row

    def _belongings(self, row: Row, facts: TypeFacts, change: Change, indexed: Indexed) -> None:
        hashed = self._tokens.self
        told = (to for name, to in indexed.references if name in facts.patient and to.startswith("Patient/"))
        patient = next(told, None)
        whose = belongs(change.type, change.id, change.resource, self.bases, patient)
        if facts.patient and whose.patient and not patient:
            row.present = ELSEWHERE
        row.subject = whose.patient or f"{change.type}/{change.id}"
        row.patient = hashed(whose.patient) if whose.patient else None
        row.area = hashed(whose.area) if whose.area else None
        row.holder = hashed(whose.holder) if whose.holder else None
        row.labels = [self._tokens.label(each) for each in whose.labels]

    def _hashes(self, indexed: Indexed, in_column: Collection[str] = ()) -> set[int]:
        tokens = self._tokens
        hashes: set[int] = set()
        for name, system, code in indexed.tokens:
            hashes.add(tokens.coded(name, system, code))
            hashes.add(tokens.code(name, code))
            if system:
                hashes.add(tokens.system(name, system))
        for name, uri in indexed.uris:
            hashes.add(tokens.uri(name, uri))
            over = above(uri)
            hashes.update(tokens.under(name, each) for each in over)
            if over[0] != uri:
                hashes.add(tokens.bare(name, over[0]))
        for name, to in indexed.references:
            if name not in in_column or not to.startswith("Patient/"):
                hashes.add(tokens.reference(name, to))
        hashes.update(tokens.word(name, word) for name, word in indexed.words)
        hashes.update(tokens.exact(name, exact) for name, _, exact in indexed.strings if ":" not in name)
        return hashes

    def _range(self, number: int, lo: float, hi: float, unit: str, code: str) -> Range:
        unit_hash, code_hash = (self._tokens.of("unit", each) if each else None for each in (unit, code))
        return number, lo, hi, unit_hash, code_hash, None, None

    def _dates(self, row: Row, facts: TypeFacts, indexed: Indexed) -> None:
        """The primary date, which there is once at most, has its columns."""
        for name, lo, hi in set(indexed.dates):
            if name == facts.date:
                row.date_lo, row.date_hi = lo, hi
            else:
                row.ranges.append((facts.number[name], lo, hi, None, None, None, None))

    def _composites(self, row: Row, facts: TypeFacts, indexed: Indexed) -> None:
        """Each occurrence is numbered; its ranges carry the hashes of all its parts, or one stands for them."""
        for entry, (name, elements) in enumerate(indexed.composites):
            hashes = sorted(set().union(*(self._hashes(each) | self._begun(each) for each in elements)))
            carried = (entry, "{" + ",".join(map(str, hashes)) + "}")
            ranges: list[Range] = []
            for part, element in enumerate(elements):
                number = facts.number[name] + part * PART
                ranges += [(*self._range(number, *each[1:])[:5], *carried) for each in set(element.ranges)]
                ranges += [(number, lo, hi, None, None, *carried) for _, lo, hi in set(element.dates)]
            row.ranges += ranges or [(facts.number[name], 0, 0, None, None, *carried)]

    def _begun(self, indexed: Indexed) -> set[int]:
        """Within a composite a string is found by its beginning alone: each one is kept."""
        gram, strings = self._tokens.gram, indexed.strings
        return {
            gram(name, text[:end]) for name, text, _ in strings for end in range(min(len(text), BEGUN) + 1)
        }

    def _strings(self, row: Row, indexed: Indexed, hashes: set[int]) -> None:
        words = sorted(
            {(name, text.replace(START, " ").replace("\0", " ")) for name, text, _ in indexed.strings}
        )
        grams: set[int] = set()
        for name, text in words:
            kept = [*beginnings(text), *parts(text)] if ":" not in name else [label(text)]
            grams.update(self._tokens.gram(name, each) for each in kept)
        row.gram = sorted(grams)
        row.words = (
            START + START.join(f"{name}{MIDDLE}{text}" for name, text in words) + START if words else None
        )

    def _coded(self, row: Row, facts: TypeFacts, indexed: Indexed) -> None:
        """The set of codings that say what it is, and the set itself until the table is known to have it."""
        tokens = tuple(sorted({each for each in indexed.tokens if each[0] == facts.code}))
        if tokens:
            row.code = self._tokens.of("set", facts.type, *(part for each in tokens for part in each))
            if not self._codings.is_settled(row.code):
                row.codings = sorted(self._hashes(Indexed(tokens=list(tokens))))
