"""ValueSet/$expand and ValueSet/$validate-code: https://hl7.org/fhir/R4/valueset-operations.html."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from commonweal.fhir import terminology
from commonweal.fhir.canonical import Lookup
from commonweal.fhir.outcome import Problem
from commonweal.fhir.search.strings import normalise
from commonweal.platform import Work
from commonweal.platform.definitions import answered
from commonweal.services.terminology.api.asking import CODED, Asked, Code, answer, text

Json = dict[str, Any]
HEAD = ("id", "url", "version", "name", "title")


async def expand(work: Work, parameters: Json) -> Json:
    """The value set with its codes instead of how it is composed."""
    asked = Asked(parameters, ("url", "valueSet", "filter", "count", "offset"))
    wanted, offset, count = asked.text("filter"), asked.number("offset") or 0, asked.number("count")
    value_set = await asked.definition(work, "ValueSet", own="valueSet")
    found = await _expanded(work, value_set)
    if wanted:
        found = {key: display for key, display in found.items() if _is_like(wanted, key[1], display)}
    page = [*found.items()][offset : None if count is None else offset + count]
    expansion: Json = {"timestamp": work.now().isoformat(), "total": len(found), "offset": offset}
    if page:
        expansion["contains"] = [_coding(*key, display) for key, display in page]
    head = {name: value_set[name] for name in HEAD if name in value_set}
    status = value_set.get("status", "active")
    return {"resourceType": "ValueSet", **head, "status": status, "expansion": expansion}


async def validate(work: Work, parameters: Json) -> Json:
    """Is the code, or any Coding of the concept, in the value set?"""
    asked = Asked(parameters, ("url", "valueSet", *CODED))
    codes = asked.codes()
    value_set = await asked.definition(work, "ValueSet", own="valueSet")
    name = value_set.get("url", "the value set")
    said = await answered(work, partial(_said, value_set, codes))
    if True in said:
        code = codes[said.index(True)]
        return judged(code, await _display(work, value_set, code))
    unknown = [f"{code.system}|{code.code}" for code, is_in in zip(codes, said, strict=True) if is_in is None]
    if unknown:
        raise Problem.of("cw-not-expandable", why=f"the code system of {unknown[0][:200]} is not here")
    shown = ", ".join(each.code for each in codes) or "A concept without codes"
    return answer({"name": "result", "valueBoolean": False}, text("message", f"{shown} is not in {name}."))


def judged(code: Code, display: str) -> Json:
    """The code is there; is it called so?"""
    is_right = not code.display or not display or normalise(code.display) == normalise(display)
    message = None if is_right else f"{code.code} is not called '{code.display}' but '{display}'."
    result = {"name": "result", "valueBoolean": is_right}
    return answer(result, text("message", message), text("display", display))


async def _expanded(work: Work, value_set: Json) -> terminology.Coded:
    try:
        return await answered(work, lambda lookup: terminology.expand(value_set, lookup))
    except terminology.NotExpandable as why:
        raise Problem.of("cw-not-expandable", why=why) from why


def _said(value_set: Json, codes: Sequence[Code], lookup: Lookup) -> list[bool | None]:
    """Of each code whether it is in the value set, up to the first that is; all at the cost of one question."""
    said: list[bool | None] = []
    allowance = terminology.Allowance()
    for code in codes:
        said.append(terminology.contains(value_set, code.system, code.code, lookup, allowance))
        if said[-1]:
            break
    return said


async def _display(work: Work, value_set: Json, code: Code) -> str:
    """What the value set calls it, else the code system; "" when it cannot be told."""
    try:
        found = await answered(work, lambda lookup: terminology.expand(value_set, lookup))
    except (terminology.NotExpandable, Problem):
        found = {}
    named = (each for key, each in found.items() if key[1] == code.code and code.system in (None, key[0]))
    system = await work.definition("CodeSystem", code.system) if code.system else None
    known = terminology.codes(system) if system is not None else None
    own = known.concepts[code.code].display if known and code.code in known.concepts else ""
    return next(named, "") or own


def _is_like(wanted: str, code: str, display: str) -> bool:
    return normalise(wanted) in normalise(display) or normalise(wanted) in normalise(code)


def _coding(system: str, code: str, display: str) -> Json:
    return {"system": system, "code": code} | ({"display": display} if display else {})
