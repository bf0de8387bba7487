"""What a search of AuditEvent or Provenance asks of the journal; whatever its rows cannot answer is refused.

https://hl7.org/fhir/R4/auditevent.html#search and https://hl7.org/fhir/R4/provenance.html#search
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from commonweal.api.audit.event import INTERACTION, INTERACTIONS, REASON, REST
from commonweal.api.request import Pairs, Request
from commonweal.api.times import span_of
from commonweal.fhir.outcome import Problem
from commonweal.platform.journal import FOREVER, Asked, Outcome

COUNT = 50
PREFIX = re.compile(r"(eq|ge|le|gt|lt|sa|eb)?(\d.*)", re.DOTALL)
OUTCOMES: Mapping[str, Outcome] = {"0": "done", "4": "refused", "8": "failed"}
ADDED = frozenset({"since", "until", "interactions"})
"""What several parameters may narrow together."""
Change = dict[str, Any]
Reader = Callable[[str, str, Asked], Change]


def asked(request: Request, readers: Mapping[str, Reader]) -> Asked:
    """The question; Problem 400 for a parameter, modifier or value that the journal has no answer to: ignored, it
    would widen what is told. Newest first is the only order there is."""
    question = Asked(limit=min(COUNT, request.site.limits.page))
    stated: set[str] = set()
    for name, value in request.asked:
        reader = readers.get(name) or RESULTS.get(name)
        if reader is None:
            what = f"a search of {request.segments[0]}"
            raise Problem.of("cw-unknown-parameter", name=name[:60], type=what)
        change = reader(name, value, question)
        again = stated.intersection(change) - ADDED
        if again:
            raise _bad(name, "it cannot be combined with another one like it")
        stated.update(change)
        question = replace(question, **change)
    return replace(question, limit=min(question.limit, request.site.limits.page))


def onwards(pairs: Pairs, cursor: str) -> Pairs:
    """The same search behind an entry."""
    return [pair for pair in pairs if pair[0] != "_cursor"] + [("_cursor", cursor)]


def _bad(name: str, why: str) -> Problem:
    return Problem.of("cw-bad-parameter", name=name[:60], why=why)


def _single(name: str, value: str) -> str:
    if not value or "," in value:
        raise _bad(name, "the journal takes one value at a time")
    return value


def _text(field: str) -> Reader:
    return lambda name, value, _: {field: _single(name, value)}


def _reference(field: str, type: str = "") -> Reader:
    """ "Type/id", or the id alone where there is but one type."""

    def read(name: str, value: str, _: Asked) -> Change:
        target = _single(name, value)
        if "/" not in target and type:
            target = f"{type}/{target}"
        if type and not target.startswith(f"{type}/"):
            raise _bad(name, f"it is a {type}, by its id")
        return {field: target}

    return read


def _code(name: str, value: str, system: str) -> list[str]:
    """Codes, with or without their system."""
    codes = [each.removeprefix(f"{system}|") for each in value.split(",")]
    if any("|" in code for code in codes):
        raise _bad(name, f"its codes are of {system}")
    return codes


def _date(name: str, value: str, before: Asked) -> Change:
    form = PREFIX.fullmatch(_single(name, value))
    if form is None:
        raise _bad(name, "it is a date or time, with eq, ge, gt, le, lt, sa or eb before it")
    low, last = span_of(name, form[2])
    since = {"gt": last + 1, "sa": last + 1, "lt": 0, "eb": 0, "le": 0}.get(form[1] or "eq", low)
    until = {"lt": low, "eb": low, "gt": FOREVER, "sa": FOREVER, "ge": FOREVER}.get(form[1] or "eq", last + 1)
    return {"since": max(before.since, since), "until": min(before.until, until)}


def _action(name: str, value: str, before: Asked) -> Change:
    wanted = _code(name, value, "http://hl7.org/fhir/audit-event-action")
    return _among(before, [ours for ours, (_, action) in INTERACTIONS.items() if action in wanted])


def _subtype(name: str, value: str, before: Asked) -> Change:
    wanted = _code(name, value, INTERACTION)
    if unknown := set(wanted) - {code for code, _ in INTERACTIONS.values()}:
        raise _bad(name, f"no row is told apart by {sorted(unknown)[0][:40]}")
    return _among(before, [ours for ours, (code, _) in INTERACTIONS.items() if code in wanted])


def _among(before: Asked, interactions: list[str]) -> Change:
    """These, and of those asked for before only these."""
    found = [each for each in interactions if not before.interactions or each in before.interactions]
    return {"interactions": tuple(found) or ("none",)}


def _type(name: str, value: str, before: Asked) -> Change:
    if _code(name, value, REST["system"]) != [REST["code"]]:
        raise _bad(name, "only rest can be asked for")
    return _among(before, list(INTERACTIONS))


def _outcome(name: str, value: str, _: Asked) -> Change:
    outcome = OUTCOMES.get(_single(name, value).removeprefix("http://hl7.org/fhir/audit-event-outcome|"))
    if outcome is None:
        raise _bad(name, "it is 0 (done), 4 (refused) or 8 (failed)")
    return {"outcome": outcome}


def _purpose(name: str, value: str, _: Asked) -> Change:
    (code,) = _code(name, _single(name, value), REASON)
    return {"purpose": code}


def _count(name: str, value: str, _: Asked) -> Change:
    if not value.isascii() or not value.isdigit() or not 0 < len(value) < 10 or int(value) == 0:
        raise _bad(name, "it is a whole number above zero")
    return {"limit": int(value)}


def _only(*values: str) -> Reader:
    """What changes nothing where it says how things are anyway."""

    def read(name: str, value: str, _: Asked) -> Change:
        if value not in values:
            raise _bad(name, f"only {' or '.join(values)} can be given here")
        return {}

    return read


RESULTS: Mapping[str, Reader] = {
    "_count": _count,
    "_cursor": _text("cursor"),
    "_id": _text("key"),
    "_lastUpdated": _date,
    "_total": _only("none"),
    "_summary": _only("false"),
}
AUDIT_EVENT: Mapping[str, Reader] = {
    "_sort": _only("-date"),
    "action": _action,
    "address": _text("address"),
    "agent": _text("agent"),
    "date": _date,
    "entity": _reference("entity"),
    "outcome": _outcome,
    "patient": _reference("patient", "Patient"),
    "purpose": _purpose,
    "subtype": _subtype,
    "type": _type,
}
"""`purpose` is R5's; everything else that R4 knows and is not here cannot be answered from the rows."""
PROVENANCE: Mapping[str, Reader] = {
    "_sort": _only("-recorded"),
    "agent": _text("agent"),
    "patient": _reference("patient", "Patient"),
    "recorded": _date,
    "target": _reference("entity"),
}
