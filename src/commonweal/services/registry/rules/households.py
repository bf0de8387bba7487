"""A household: the people who live together, one of whom speaks for it."""

from typing import Any

from commonweal.platform import Decision, decide
from commonweal.services.registry.rules.numbers import is_typed

Json = dict[str, Any]

HOUSEHOLD = "urn:commonweal:household"
"""Code system of what is said about households: household, head, place."""


def may_be_household(group: Json, _: object = None) -> Decision:
    """May these live together? People only, each once, one head among those who live there now."""
    members = _members(group)
    now = [each["entity"].get("reference", "") for each in members if not _has_left(each)]
    heads = said(group, "head")
    return decide(
        (all(_is_person(each) for each in members), "the members of a household are people"),
        (len(now) == len(set(now)), "a person lives in a household once"),
        (len(heads) == 1 if now else not heads, "a household has one head, and none when nobody lives there"),
        (all(head in now for head in heads), "the head of a household lives there"),
        (len(said(group, "place")) == 1, "a household is at one place"),
    )


def said(group: Json, code: str) -> list[str]:
    """What its characteristics of a code refer to."""
    return [
        each.get("valueReference", {}).get("reference", "")
        for each in group.get("characteristic", [])
        if is_typed({"type": each["code"]}, HOUSEHOLD, code) and not each.get("exclude")
    ]


def _members(group: Json) -> list[Json]:
    members: list[Json] = group.get("member", [])
    return members


def _has_left(member: Json) -> bool:
    return bool(member.get("inactive")) or "end" in member.get("period", {})


def _is_person(member: Json) -> bool:
    return str(member["entity"].get("reference", "")).startswith("Patient/")
