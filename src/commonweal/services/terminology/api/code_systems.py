"""CodeSystem/$lookup, $subsumes and $validate-code: https://hl7.org/fhir/R4/codesystem-operations.html."""

from collections.abc import Iterator
from typing import Any

from commonweal.fhir.outcome import Problem
from commonweal.fhir.terminology import Codes, codes
from commonweal.fhir.terminology.codes import Concept
from commonweal.fhir.terminology.subsuming import relation
from commonweal.platform import Work
from commonweal.services.terminology.api.asking import CODED, Asked, Code, answer, text
from commonweal.services.terminology.api.value_sets import judged

Json = dict[str, Any]


async def lookup(work: Work, parameters: Json) -> Json:
    """Name, display, definition, properties, and what lies directly above and below."""
    asked = Asked(parameters, (*CODED, "property"))
    code = _one(asked)
    definition = await _system(work, code.system or "")
    known = _known(definition)
    concept = _concept(known, code.code)
    return answer(
        text("name", definition.get("title") or definition.get("name") or known.url),
        text("version", definition.get("version")),
        text("display", concept.display or concept.code),
        text("definition", concept.definition),
        *(_property(*each) for each in _properties(known, concept)),
    )


async def subsumes(work: Work, parameters: Json) -> Json:
    """What codeA is to codeB."""
    asked = Asked(parameters, ("codeA", "codeB", "codingA", "codingB", "system", "version"))
    first = asked.coding("codingA") or Code(asked.needed("codeA"), asked.text("system"))
    second = asked.coding("codingB") or Code(asked.needed("codeB"), asked.text("system"))
    if first.system != second.system:
        raise Problem.invalid("both codes must be of one system")
    if first.system is not None:
        known = _known(await _system(work, first.system))
    else:
        known = _known(await asked.definition(work, "CodeSystem", "system"))
    for each in (first, second):
        _concept(known, each.code)
    return answer({"name": "outcome", "valueCode": relation(known, first.code, second.code)})


async def validate(work: Work, parameters: Json) -> Json:
    """Does the code exist, and is it called so?"""
    asked = Asked(parameters, ("url", "codeSystem", *CODED))
    given = asked.codes()
    definition = await asked.definition(work, "CodeSystem", own="codeSystem")
    known = _known(definition)
    there = [code for code in given if code.system in (None, known.url) and code.code in known.concepts]
    if there:
        return judged(there[0], known.concepts[there[0].code].display)
    shown = ", ".join(each.code for each in given) or "A concept without codes"
    result = {"name": "result", "valueBoolean": False}
    return answer(result, text("message", f"{shown} is no code of {known.url}."))


def _one(asked: Asked) -> Code:
    for code in asked.codes():
        if code.system is not None:
            return code
    raise Problem.of("cw-bad-parameter", name="system", why="it is missing")


async def _system(work: Work, url: str) -> Json:
    found = await work.definition("CodeSystem", url)
    if found is None:
        raise Problem.of("cw-unknown-definition", type="CodeSystem", canonical=url)
    return found


def _known(definition: Json) -> Codes:
    known = codes(definition)
    if known is None:
        raise Problem.of("cw-not-expandable", why=f"the codes of {definition.get('url')} are not here")
    return known


def _concept(known: Codes, code: str) -> Concept:
    if code not in known.concepts:
        raise Problem.of("cw-unknown-definition", type="code", canonical=f"{known.url}|{code[:100]}")
    return known.concepts[code]


def _properties(known: Codes, concept: Concept) -> Iterator[tuple[str, str, str]]:
    yield from (("parent", "valueCode", code) for code in concept.parents)
    yield from (("child", "valueCode", code) for code in known.children(concept.code))
    told = (each for each in concept.properties if each[0] not in ("parent", "child"))
    yield from ((name, "valueString", value) for name, value in told if value)


def _property(name: str, kind: str, value: str) -> Json:
    return {"name": "property", "part": [{"name": "code", "valueCode": name}, {"name": "value", kind: value}]}
