"""What an operation is asked: named parameters, the code in question, and the definition it is about."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from commonweal.fhir.outcome import Problem
from commonweal.platform import Work

Json = dict[str, Any]
CODED = ("code", "system", "systemVersion", "version", "display", "coding", "codeableConcept")
"""Parameters that say which code is meant."""
IDLE = ("includeDesignations", "excludeNested", "includeDefinition", "displayLanguage")
"""Parameters of which only the default is done, which is what most who send them want anyway."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code that is asked about; without a system it is of whichever holds it."""

    code: str
    system: str | None = None
    display: str | None = None


class Asked:
    """The parameters by name. Problem 400 for one that the operation does not know."""

    def __init__(self, parameters: Json, known: Collection[str]) -> None:
        self._said: dict[str, Any] = {}
        for each in parameters.get("parameter", ()):
            name = each["name"]
            if name not in known and name not in IDLE and name != "_instance":
                raise Problem.of("cw-bad-parameter", name=name[:64], why="it is not supported here")
            self._said.setdefault(name, next((v for k, v in each.items() if k != "name"), None))

    def text(self, name: str) -> str | None:
        """A parameter that is text; None when it is not given."""
        value = self._said.get(name)
        if value is not None and not isinstance(value, str):
            raise Problem.of("cw-bad-parameter", name=name, why="it must be a text")
        return value or None

    def needed(self, name: str) -> str:
        return self.text(name) or _missing(name)

    def number(self, name: str) -> int | None:
        value = str(self._said.get(name, ""))
        if value and not (value.isascii() and value.isdigit() and len(value) < 10):
            raise Problem.of("cw-bad-parameter", name=name, why=f"{value[:40]!r} is not a number of codes")
        return int(value) if value else None

    def coding(self, name: str) -> Code | None:
        value = self._said.get(name)
        if value is None:
            return None
        if not isinstance(value, dict) or "code" not in value:
            raise Problem.of("cw-bad-parameter", name=name, why="it must be a Coding with a code")
        return Code(value["code"], value.get("system"), value.get("display"))

    def codes(self) -> Sequence[Code]:
        """The code asked about, by code and system, as a Coding or as the Codings of a CodeableConcept."""
        concept = self._said.get("codeableConcept")
        if isinstance(concept, dict):
            codings = [each for each in concept.get("coding", ()) if "code" in each]
            return [Code(each["code"], each.get("system"), each.get("display")) for each in codings]
        coding = self.coding("coding")
        if coding is not None:
            return [coding]
        return [Code(self.needed("code"), self.text("system"), self.text("display"))]

    async def definition(self, work: Work, type: str, address: str = "url", own: str = "") -> Json:
        """The definition that is meant: brought along, the one the operation is called on, or by its address."""
        brought = self._said.get(own) if own else None
        if isinstance(brought, dict) and brought.get("resourceType") == type:
            return brought
        instance = self._said.get("_instance")
        canonical = instance["reference"] if instance else self.needed(address)
        found = await work.definition(type, canonical)
        if found is None:
            raise Problem.of("cw-unknown-definition", type=type, canonical=canonical)
        return found


def answer(*parameters: Json | None) -> Json:
    """A Parameters resource of those that there are."""
    return {"resourceType": "Parameters", "parameter": [each for each in parameters if each]}


def text(name: str, value: str | None) -> Json | None:
    """A parameter with text, if there is any."""
    return {"name": name, "valueString": value} if value else None


def _missing(name: str) -> str:
    raise Problem.of("cw-bad-parameter", name=name, why="it is missing")
