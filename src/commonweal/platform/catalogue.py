"""The catalogue: all that the services declare, arranged by the questions asked of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from commonweal.access.permission import Permission
from commonweal.access.policy import Policy
from commonweal.access.roles import ROLES, Role
from commonweal.fhir import fhirpath
from commonweal.fhir.canonical import is_meant, split
from commonweal.fhir.official import official
from commonweal.fhir.outcome import Issue, Problem
from commonweal.fhir.profiles import Trees, fits
from commonweal.fhir.search.parameters import Registry
from commonweal.platform.service import Admit, Json, Kind, Operation, Service
from commonweal.platform.workflow import Workflow


@dataclass(frozen=True, slots=True)
class Edition:
    """One dated value of a parameter: in force from a day, somewhere or everywhere, by a source."""

    value: Any
    since: datetime
    source: str
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Definitions:
    """What one service's `definitions/` folder holds: FHIR resources and dated parameters."""

    resources: Sequence[Json] = ()
    parameters: Mapping[str, Sequence[Edition]] = field(default_factory=dict)


class Catalogue:
    """Built once at start from the manifests; ValueError with one sentence when two services disagree.

    `bases`: the addresses under which others know this server, see Registry. `roles`: how far each sees.
    """

    def __init__(
        self,
        services: Iterable[Service],
        definitions: Mapping[str, Definitions] | None = None,
        permissions: Iterable[Permission] = (),
        bases: Iterable[str] = (),
        roles: Mapping[str, Role] = ROLES,
    ) -> None:
        self.services = tuple(services)
        definitions = definitions or {}
        declared = [p for s in self.services for p in s.permissions]
        named = _unique("permission", ((p.name, p) for p in (*permissions, *declared)))
        self.resources: tuple[Json, ...] = tuple(r for d in definitions.values() for r in d.resources)
        self.registry = Registry((r for r in self.resources if r["resourceType"] == "SearchParameter"), bases)
        self.policy = Policy(named.values(), self.registry, roles)
        self.operations: dict[str, Operation] = _unique(
            "operation", ((o.name, o) for s in self.services for o in s.operations)
        )
        self.owners: dict[str, Service] = _unique(
            "kind", ((k.label, s) for s in self.services for k in s.owns)
        )
        self._parameters = {n: e for d in definitions.values() for n, e in d.parameters.items()}
        self._shipped = {(r["resourceType"], r["id"]): r for r in self.resources}
        self._by_url = {(r["resourceType"], r["url"]): r for r in self.resources if "url" in r}
        self._trees = Trees()
        self._kinds: dict[str, list[Kind]] = {}
        for kind in (k for s in self.services for k in s.owns):
            self._kinds.setdefault(kind.type, []).append(kind)
        self._workflows = {w.kind: w for s in self.services for w in s.workflows}
        self._admits: dict[str, list[Admit]] = {}
        for admit in (a for s in self.services for a in s.admits):
            self._admits.setdefault(admit.kind.label, []).append(admit)
        self._judged = {t for t, kinds in self._kinds.items() if any(self._has_gates(k) for k in kinds)}

    def shipped(self, type: str, id: str) -> Json | None:
        """A definition that a service ships, served from its folder and never written."""
        return self._shipped.get((type, id))

    def definition(self, type: str, canonical: str) -> Json | None:
        """The definition with this address that a service ships, or that is R4's own."""
        shipped = self._by_url.get((type, split(canonical)[0]))
        return shipped if shipped is not None and is_meant(shipped, canonical) else official(type, canonical)

    def faults(self, resource: Json, claimed: Iterable[str]) -> list[Issue]:
        """What keeps a resource from fitting those of the claimed profiles that services ship."""
        shipped = (each for each in claimed if ("StructureDefinition", split(each)[0]) in self._by_url)
        found = (issue for each in shipped for issue in fits(resource, each, self.definition, self._trees))
        return [issue for issue in found if issue.severity == "error"]

    def is_judged(self, type: str) -> bool:
        """Does any kind of this type have moves or admission rules? Most do not, and skip two gates."""
        return type in self._judged

    def kind_of(self, resource: Json) -> Kind | None:
        """The kind a resource belongs to; None: it is recorded and nobody's workflow speaks for it.

        Problem 422 when two kinds claim it.
        """
        kinds = self._kinds.get(resource["resourceType"], ())
        profiles = resource.get("meta", {}).get("profile", ())
        named = [k for k in kinds if k.profile is not None and k.profile in profiles]
        claims = named or [k for k in kinds if _matches(k, resource)]
        if len(claims) > 1:
            raise Problem.of(
                "cw-business-rule",
                resource["resourceType"],
                why="Two kinds claim this resource: " + " and ".join(k.label for k in claims),
            )
        return claims[0] if claims else None

    def workflow(self, kind: Kind) -> Workflow | None:
        """The workflow of a kind, if its owner declares one."""
        return self._workflows.get(kind.label)

    def admits(self, kind: Kind) -> Sequence[Admit]:
        """The admission rules of a kind."""
        return self._admits.get(kind.label, ())

    def parameter(self, name: str, on: datetime, where: str | None = None) -> Any:
        """The value in force on a day, that of a place before the general one. KeyError: no such parameter
        in force then."""
        in_force = [e for e in self._parameters[name] if e.since <= on and e.where in (None, where)]
        if not in_force:
            raise KeyError(f"no edition of {name} is in force on {on:%Y-%m-%d}")
        return max(in_force, key=lambda e: (e.where is not None, e.since)).value

    def _has_gates(self, kind: Kind) -> bool:
        return kind.label in self._workflows or kind.label in self._admits


def _matches(kind: Kind, resource: Json) -> bool:
    if kind.matches is None:
        return kind.profile is None
    return fhirpath.compile(kind.matches).evaluate(resource) == [True]


def _unique(what: str, pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"two services declare the {what} {name}; exactly one may")
        found[name] = value
    return found
