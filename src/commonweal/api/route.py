"""A route: the shape of an address, a method, and the interaction they mean."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from commonweal.api.answer import Answer
from commonweal.api.request import Request
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.outcome import Problem
from commonweal.platform.work import Work

Handler = Callable[[Request, Work], Awaitable[Answer]]
WORDS = frozenset({"_history", "_search"})


@dataclass(frozen=True, slots=True)
class Route:
    """One interaction. `single`: it is at most one write and nothing else, so it needs no transaction;
    `public`: nobody has to sign in for it; `fhir`: the answer is FHIR's JSON, which the caller must take."""

    method: str
    shape: str
    name: str
    run: Handler
    single: bool = False
    public: bool = False
    fhir: bool = True


class Routes:
    """The table, asked by address and method."""

    def __init__(self, table: Iterable[Route]) -> None:
        self.table = tuple(table)
        self._words = WORDS | {route.shape for route in self.table if "/" not in route.shape}
        self._by_shape: Mapping[str, dict[str, Route]] = {
            shape: {route.method: route for route in self.table if route.shape == shape}
            for shape in {route.shape for route in self.table}
        }

    def find(self, method: str, segments: tuple[str, ...]) -> Route:
        """The route of a request; Problem 404 where there is none, 405 for a method it does not take."""
        there = self._by_shape.get(self.shape(segments))
        if there is None:
            raise Problem.of("cw-unknown-address", address="/".join(segments)[:200])
        route = there.get("GET" if method == "HEAD" else method)
        if route is None:
            raise Problem.of("cw-method-not-allowed", method=method[:20])
        return route

    def allowed(self, segments: tuple[str, ...]) -> str:
        """The methods an address takes, as the Allow header lists them."""
        methods = set(self._by_shape.get(self.shape(segments), ()))
        return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set()) | {"OPTIONS"}))

    def shape(self, segments: tuple[str, ...]) -> str:
        """The address with types, ids and operations named as such; Problem 404 for an unknown type."""
        if not segments:
            return ""
        first = segments[0]
        if first not in RESOURCE_TYPES:
            if first[:1] != "$" and first not in self._words:
                raise Problem.of("cw-unknown-type", type=first[:64])
            return "/".join(
                ["$" if first[:1] == "$" else first, *("id", "file", "last")[: len(segments) - 1]]
            )
        return "/".join(["Type", *map(_named, segments[1:], ("id", "Type", "vid", "last"))])


def _named(segment: str, otherwise: str) -> str:
    if segment[:1] == "$":
        return "$"
    if segment in WORDS:
        return segment
    if otherwise == "Type" and segment != "*" and segment not in RESOURCE_TYPES:
        raise Problem.of("cw-unknown-type", type=segment[:64])
    return otherwise
