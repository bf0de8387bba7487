"""What one evaluation carries along: its variables, its callbacks and how much work it may still do."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from commonweal.fhir.fhirpath.error import PathError
from commonweal.fhir.fhirpath.types import kind_of_root
from commonweal.fhir.fhirpath.values import Collection, Item

STEPS = 500_000
LONGEST_TEXT = 1_000_000

FIXED: Mapping[str, str] = {
    "ucum": "http://unitsofmeasure.org",
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
}
PREFIXES: Mapping[str, str] = {
    "vs-": "http://hl7.org/fhir/ValueSet/",
    "ext-": "http://hl7.org/fhir/StructureDefinition/",
}

Resolve = Callable[[str], Any]
MemberOf = Callable[[Any, str], bool | None]
ConformsTo = Callable[[Any, str], bool]
Trace = Callable[[str, list[Any]], None]


class Context:
    """One evaluation. `index` and `total` are those of the innermost where(), select(), aggregate() …"""

    __slots__ = (
        "conforms_to",
        "index",
        "left",
        "member_of",
        "model",
        "now",
        "resolve",
        "root",
        "total",
        "trace",
        "variables",
    )

    def __init__(self, root: Any, model: bool, variables: Mapping[str, Any]) -> None:
        self.root = root
        self.model = model
        self.left = STEPS
        self.index: int | None = None
        self.total: Collection | None = None
        self.variables: Mapping[str, Any] = variables
        self.now: datetime | None = None
        self.resolve: Resolve | None = None
        self.member_of: MemberOf | None = None
        self.conforms_to: ConformsTo | None = None
        self.trace: Trace | None = None

    def spend(self, steps: int) -> None:
        """Count work done; a hostile expression ends here instead of holding the server."""
        self.left -= steps
        if self.left < 0:
            raise PathError(f"The expression takes more than {STEPS} steps on this data")

    def variable(self, name: str) -> Collection:
        """The value of `%name`."""
        if name in self.variables:
            return self.items(self.variables[name])
        if name in ("resource", "rootResource", "context"):
            return self.items(self.root)
        text = FIXED.get(name)
        for prefix, url in PREFIXES.items():
            if name.startswith(prefix):
                text = url + name.removeprefix(prefix)
        if text is None:
            raise PathError(f"There is no variable %{name}")
        return [text]

    def items(self, value: Any, kind: str | None = None) -> Collection:
        """Anything handed in from outside as a collection."""
        values = value if value.__class__ is list or value.__class__ is tuple else [value]
        self.spend(len(values))
        return [self.item(one, kind) for one in values if one is not None]

    def item(self, value: Any, kind: str | None = None) -> Any:
        if value.__class__ is dict:
            return Item(value, kind or (kind_of_root(value) if self.model else None))
        return value if kind is None or value.__class__ is Item else Item(value, kind)


def text_within(text: str) -> str:
    """The text, unless it has grown beyond what an expression may build."""
    if len(text) > LONGEST_TEXT:
        raise PathError(f"The expression builds a text of more than {LONGEST_TEXT} characters")
    return text
