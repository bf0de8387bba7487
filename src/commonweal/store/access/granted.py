"""What a resource grants, as rows of access.tie and access.rule."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from commonweal.access.consent import Rule, rules
from commonweal.access.relationship import GRANTING, ties
from commonweal.store.tokens import Tokens

Json = dict[str, Any]
TieRow = tuple[str, int, int, int, int]
"""Kind, party, patient, since, until."""
RuleRow = tuple[int, bool, str | None, str, str | None, str | None, str | None, int, int]
"""Patient, deny, parties, but, purposes, types, labels, since, until; lists as PostgreSQL writes arrays."""
TIES = ("tie_source", "tie_kind", "tie_party", "tie_patient", "tie_since", "tie_until")
RULES = (
    *("rule_source", "rule_patient", "rule_deny", "rule_parties", "rule_but", "rule_purposes", "rule_types"),
    *("rule_labels", "rule_since", "rule_until"),
)
"""The arguments of statements that hold the columns of many rows."""


@dataclass(frozen=True, slots=True)
class Granted:
    """The rows of one resource."""

    ties: frozenset[TieRow] = frozenset()
    rules: frozenset[RuleRow] = frozenset()


NOTHING = Granted()


def granted(tokens: Tokens, type: str, id: str, resource: Json, bases: tuple[str, ...]) -> Granted:
    """The rows that a resource makes; at once nothing for types that cannot make any."""
    if type not in GRANTING:
        return NOTHING
    named, hashed = resource | {"resourceType": type, "id": id}, tokens.self
    tied = (
        (each.kind, hashed(each.party), hashed(each.patient), each.since, each.until)
        for each in ties(named, bases)
    )
    ruled = (_rule(tokens, each) for each in rules(named, bases)) if type == "Consent" else ()
    return Granted(frozenset(tied), frozenset(ruled))


def _rule(tokens: Tokens, rule: Rule[str]) -> RuleRow:
    return (
        tokens.self(rule.patient),
        rule.deny,
        None if rule.parties is None else array(map(tokens.self, rule.parties)),
        array(map(tokens.self, rule.but)),
        None if rule.purposes is None else array(rule.purposes),
        None if rule.types is None else array(rule.types),
        None if rule.labels is None else array(map(tokens.label, rule.labels)),
        rule.since,
        rule.until,
    )


def array(values: Iterable[str | int]) -> str:
    """Numbers or codes as PostgreSQL writes an array, in one order."""
    return (
        "{" + ",".join(f'"{each}"' if isinstance(each, str) else str(each) for each in sorted(values)) + "}"
    )


def columns(made: Sequence[tuple[int, Granted]]) -> Json:
    """The arguments TIES and RULES of a statement; `made`: by the hash of the resource."""
    ties_ = [(source, *row) for source, each in made for row in each.ties]
    rules_ = [(source, *row) for source, each in made for row in each.rules]
    return dict(zip(TIES, _turned(ties_, TIES), strict=True)) | dict(
        zip(RULES, _turned(rules_, RULES), strict=True)
    )


def _turned(rows: Sequence[tuple[Any, ...]], names: Sequence[str]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in names]
