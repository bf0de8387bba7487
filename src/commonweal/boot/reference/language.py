"""What is said about the language: the errors there are, and what each resource type is found by."""

from collections.abc import Iterable

from commonweal.boot.discovery import catalogue
from commonweal.boot.reference.markdown import code, page, table
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.outcome import CATALOGUE
from commonweal.fhir.search.parameters import Parameter


def errors() -> str:
    """The catalogue of outcomes."""
    rows = ((code(name), e.status, e.code, e.severity, e.sentence) for name, e in CATALOGUE.items())
    return page(
        "Errors",
        "Every OperationOutcome names one of these in `issue.details`, with the element's path in `issue.expression`.",
        table(["details", "HTTP status", "issue code", "severity", "sentence"], rows),
    )


def search() -> str:
    """Every search parameter by type, the official ones and those of services."""
    registry = catalogue().registry
    everywhere = registry.of(None)
    parts = ["## Every type", _parameters(everywhere.values())]
    for type in sorted(RESOURCE_TYPES):
        own = [p for name, p in sorted(registry.of(type).items()) if name not in everywhere]
        if own:
            parts += [f"## {type}", _parameters(own)]
    return page("Search parameters", "What each resource type is found by.", *parts)


def _parameters(parameters: Iterable[Parameter]) -> str:
    rows = ((code(p.name), p.type, ", ".join(p.targets), code(p.expression)) for p in parameters)
    return table(["parameter", "type", "points to", "expression"], rows)
