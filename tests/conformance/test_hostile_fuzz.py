"""Requests nobody thought of: generated bodies and addresses, and a run against the interface's own description.

Whatever comes, the answer is one of FHIR's, in JSON, and never says that something went wrong on our side.
"""

import asyncio
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import content_type_conformance, response_schema_conformance

from commonweal import api
from commonweal.fhir import codec
from tests.conformance.conftest import BASE, authenticate, platform

HEADERS = {"Authorization": "Bearer good", "Content-Type": "application/fhir+json"}
BOUNDED = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))

SAID = (
    "resourceType Patient Bundle id name meta extension url valueString reference _birthDate contained entry "
    "request method GET POST transaction active 1990-01-01"
)
ASKED = (
    "_id name birthdate identifier general-practitioner _sort _count _include _cursor _has _elements _summary "
    "_total _since _at _type _lastUpdated _list _format _pretty"
)
WORDS = st.sampled_from(SAID.split())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=25,
)
RESOURCES = st.dictionaries(WORDS, VALUES, max_size=6).map(lambda body: {**body, "resourceType": "Patient"})
BUNDLES = st.lists(st.dictionaries(WORDS, VALUES, max_size=4), max_size=4).map(
    lambda entries: {"resourceType": "Bundle", "type": "transaction", "entry": entries}
)
SEGMENTS = st.sampled_from(
    ["Patient", "Observation", "_history", "_search", "$everything", "$validate", "*", "p1", "1"]
)
NAMES = st.sampled_from(ASKED.split())
MODIFIERS = st.sampled_from(
    ["", ":exact", ":contains", ":missing", ":not", ":Patient", ".name", ":of-type", ":x"]
)


def ask(
    method: str, path: str, content: bytes | None = None, headers: dict[str, Any] | None = None
) -> httpx.Response:
    """One request to a fresh interface; what goes wrong on our side fails the test."""

    url = path if path.startswith("http") else BASE + path

    async def asked() -> httpx.Response:
        app = api.app(platform(), authenticate, limits=api.Limits(body_bytes=2_000_000, entries=60, page=100))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=HEADERS) as client:
            return await client.request(method, url, content=content, headers=headers)

    return asyncio.run(asked())


def is_answer(answer: httpx.Response) -> bool:
    """Is it FHIR's: JSON of a resource that is valid itself?"""
    assert answer.status_code < 500 or answer.status_code == 501, answer.text[:300]
    if answer.content:
        assert codec.parse(answer.content)["resourceType"]
        if answer.status_code >= 400:
            codec.check(answer.content, "OperationOutcome")
    return True


@BOUNDED
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_as_a_body(body: bytes) -> None:
    assert is_answer(ask("POST", "/Patient", body))
    assert is_answer(ask("POST", "/", body))


@BOUNDED
@given(RESOURCES)
def test_any_json_as_a_resource(body: dict[str, Any]) -> None:
    text = msgspec.json.encode(body)
    assert is_answer(ask("POST", "/Patient", text))
    assert is_answer(ask("POST", "/Patient/$validate", text))


@BOUNDED
@given(BUNDLES)
def test_any_json_as_entries(body: dict[str, Any]) -> None:
    assert is_answer(ask("POST", "/", msgspec.json.encode(body)))


@BOUNDED
@given(
    st.lists(SEGMENTS | st.text(max_size=8), max_size=5),
    st.sampled_from(["GET", "DELETE", "PUT", "PATCH", "HEAD"]),
)
def test_any_address(segments: list[str], method: str) -> None:
    path = "/".join(quote(each, safe="") for each in segments)
    assert is_answer(ask(method, f"/{path}"))


@BOUNDED
@given(st.lists(st.tuples(NAMES | st.text(max_size=6), MODIFIERS, st.text(max_size=12) | WORDS), max_size=4))
def test_any_parameters(pairs: list[tuple[str, str, str]]) -> None:
    query = "&".join(
        f"{quote(name, safe='')}{modifier}={quote(value, safe='')}" for name, modifier, value in pairs
    )
    assert is_answer(ask("GET", f"/Patient?{query}"))
    assert is_answer(ask("GET", f"/Patient/_history?{query}"))
    assert is_answer(ask("DELETE", f"/Patient?{query}"))


def described() -> Any:
    """The interface as schemathesis reads it from its own OpenAPI document."""
    return schemathesis.openapi.from_dict(ask("GET", "/openapi.json").json())


SCHEMA = described()
ROUTES = [(path, method) for path, methods in SCHEMA.raw_schema["paths"].items() for method in methods]


@pytest.mark.parametrize("path, method", ROUTES)
def test_the_interface_keeps_to_its_description(path: str, method: str) -> None:
    """Every route of the OpenAPI document: no failure inside, and answers of the form it states."""

    @settings(BOUNDED, max_examples=12, phases=[Phase.generate])
    @given(case=SCHEMA[path][method].as_strategy())
    def keeps(case: Any) -> None:
        asked = requests.Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
        body = asked.body.encode() if isinstance(asked.body, str) else asked.body
        headers = {name: value for name, value in asked.headers.items() if name != "Content-Length"}
        answer = ask(asked.method or "", asked.url or "", body, headers)
        assert answer.status_code < 500 or answer.status_code == 501, answer.text[:300]
        case.validate_response(answer, checks=[response_schema_conformance, content_type_conformance])

    keeps()
