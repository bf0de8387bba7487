"""A request, from ASGI or from an entry of a Bundle, and the site it is made to."""

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any
from urllib.parse import parse_qsl

from commonweal.access.agent import Agent
from commonweal.api.answer import Answer
from commonweal.api.limits import Limits
from commonweal.api.negotiate import FORM, Preference, check_media, preference
from commonweal.fhir.outcome import Problem
from commonweal.platform.catalogue import Catalogue
from commonweal.platform.platform import Platform
from commonweal.platform.work import Work

Scope = MutableMapping[str, Any]
Authenticate = Callable[[Scope], Awaitable[Agent]]
Handler = Callable[["Request", Work], Awaitable[Answer]]
Perform = Callable[["Request", Work | None], Awaitable[Answer]]
Pairs = list[tuple[str, str]]

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
RESOURCE_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
WHOLE_ANSWER = frozenset({"_format", "_pretty"})


@dataclass(slots=True)
class Site:
    """One mounted interface. `base_url` is where others reach it, "" to take it from each request;
    `origins` are those whose pages may call it (CORS), none unless set; `exports`
    is where exports are kept (a bulk.shelf.Shelf; None: nowhere); `perform` is set by the app."""

    platform: Platform
    authenticate: Authenticate
    base_url: str = ""
    limits: Limits = field(default_factory=Limits)
    origins: frozenset[str] = frozenset()
    exports: object = None
    perform: Perform = field(init=False)
    kept: dict[str, Any] = field(default_factory=dict)
    version: str = field(default_factory=lambda: metadata.version("commonweal"))

    @property
    def catalogue(self) -> Catalogue:
        """All that the services declare."""
        return self.platform.catalogue


class Request:
    """What is asked: method, path segments below the base, raw query, headers, body, and who asks."""

    __slots__ = ("_pairs", "agent", "base", "body", "headers", "id", "method", "query", "segments", "site")

    def __init__(
        self,
        site: Site,
        method: str,
        segments: tuple[str, ...],
        query: bytes,
        headers: Mapping[bytes, bytes],
        *,
        id: str,
        base: str,
    ) -> None:
        self.site = site
        self.method = method
        self.segments = segments
        self.query = query
        self.headers = headers
        self.id = id
        self.base = base
        self.body = b""
        self.agent: Agent | None = None
        self._pairs: Pairs | None = None

    def take(self, body: bytes) -> None:
        """The body has come; a form's parameters count from now on."""
        self.body, self._pairs = body, None

    @property
    def pairs(self) -> Pairs:
        """The parameters of the address, then those of a form body; Problem 400 when there are too many."""
        if self._pairs is None:
            self._pairs = parameters(self.query, self.site.limits) if self.query else []
            if self.body and self.method == "POST" and self.segments[-1:] == ("_search",):
                check_media(self.headers.get(b"content-type", b""), FORM)
                if len(self.body) > self.site.limits.form_bytes:
                    raise Problem.too_large(self.site.limits.form_bytes)
                self._pairs += parameters(self.body, self.site.limits)
        return self._pairs

    @property
    def asked(self) -> Pairs:
        """The parameters without those that say how the whole answer is written."""
        return [pair for pair in self.pairs if pair[0] not in WHOLE_ANSWER]

    def value(self, name: str) -> str | None:
        """The last value of one parameter, if it is there."""
        return next((value for key, value in reversed(self.pairs) if key == name), None)

    def header(self, name: bytes) -> str:
        """One header as text, empty when absent."""
        return self.headers.get(name, b"").decode("latin-1")

    @property
    def preference(self) -> Preference:
        """What the Prefer header says."""
        return preference(self.headers.get(b"prefer", b""))


def parameters(query: bytes, limits: Limits) -> Pairs:
    """Names and values of a query string or form; Problem 400 when it is not UTF-8 or holds too many."""
    try:
        return parse_qsl(
            query.decode("utf-8"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=limits.parameters,
        )
    except UnicodeError as error:
        raise Problem.invalid(f"the parameters are not UTF-8 ({error})") from error
    except ValueError as error:
        raise Problem.of("cw-too-many", limit=limits.parameters, what="parameters") from error


def segments_of(path: str) -> tuple[str, ...]:
    """The parts of a path below the base."""
    return tuple(path.strip("/").split("/")) if path.strip("/") else ()
