"""The guard at the front: what it adds to answers, and what it refuses before anything else is asked."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from commonweal.access.agent import Agent
from commonweal.boot.front import Guard, guarded, settled
from commonweal.boot.front.hosts import Hosts
from commonweal.boot.front.proxies import Proxies, counted_as
from commonweal.boot.front.rates import REMEMBERED, Crowds, Rates
from commonweal.fhir.outcome import Problem

ELSEWHERE = ("203.0.113.9", 4711)
APP = "https://app.example"
Ask = Callable[..., Any]


async def told(scope: Any, receive: Any, send: Any) -> None:
    """An application that tells what it was asked, and reads a body where there is one."""
    message = await receive() if scope["method"] == "POST" else {}
    if "admit" in scope:
        scope["admit"](Agent("Practitioner/x"))
    headers = [(b"content-type", b"text/plain"), (b"cache-control", b"max-age=60")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    body = f"{scope['client'][0]} {scope['scheme']} {len(message.get('body', b''))}"
    await send({"type": "http.response.body", "body": body.encode()})


async def ask(
    guard: Guard, method: str = "GET", path: str = "/x", client: tuple[str, int] = ELSEWHERE, **more: Any
) -> httpx.Response:
    transport = httpx.ASGITransport(guarded(told, guard), client=client)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as asking:
        return await asking.request(method, path, **more)


async def raw(guard: Guard, **changed: Any) -> tuple[int, dict[bytes, bytes]]:
    """A request that no client library would send; status and headers of its answer."""
    scope = {
        "type": "http", "method": "GET", "path": "/x", "raw_path": b"/x", "query_string": b"", "scheme": "http",
        "client": ELSEWHERE, "headers": [(b"host", b"localhost")],
    } | changed  # fmt: skip
    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    await guarded(told, guard)(scope, receive, send)
    return said[0]["status"], dict(said[0]["headers"])


async def test_every_answer_carries_what_protects_it() -> None:
    answer = await ask(Guard())
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "camera=()" in answer.headers["permissions-policy"]
    assert answer.headers["server"] == "commonweal"
    assert "strict-transport-security" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers


async def test_what_an_answer_says_itself_stays() -> None:
    assert (await ask(Guard())).headers.get_list("cache-control") == ["max-age=60"]
    refused = await ask(Guard(), path="/x", headers={"Host": "evil.example"})
    assert refused.headers.get_list("cache-control") == ["no-store"]


async def test_by_tls_browsers_are_told_to_stay_with_it() -> None:
    _, headers = await raw(Guard(), scheme="https")
    assert headers[b"strict-transport-security"].startswith(b"max-age=")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8080", 200), ("127.0.0.1:8080", 200), ("[::1]:8080", 200), ("record.example.org", 200),
        ("RECORD.example.org:443", 200), ("other.example.org", 200), ("evil.example", 421), ("", 421),
        ("record.example.org.evil.example", 421), ("record.example.org@evil.example", 421),
    ],
)  # fmt: skip
async def test_only_our_own_names_are_answered(host: str, status: int) -> None:
    guard = Guard(Hosts("https://record.example.org/here", ["other.example.org"]))
    assert (await raw(guard, headers=[(b"host", host.encode())]))[0] == status


async def test_a_star_answers_any_name() -> None:
    guard = Guard(Hosts("", ["*"]))
    assert (await raw(guard, headers=[(b"host", b"any.example")]))[0] == 200
    assert (await raw(guard, headers=[(b"host", b"")]))[0] == 421


SHAPES: list[tuple[str, dict[str, Any], int]] = [
    ("trace", {"method": "TRACE"}, 405),
    ("connect", {"method": "CONNECT"}, 405),
    ("an address too long", {"query_string": b"a" * 20_000}, 414),
    ("headers too long", {"headers": [(b"host", b"localhost"), (b"x", b"a" * 40_000)]}, 431),
    ("headers too many", {"headers": [(b"host", b"localhost"), *[(b"x", b"a")] * 101]}, 431),
    ("a header long by repetition", {"headers": [(b"host", b"localhost"), *[(b"x", b"a" * 900)] * 50]}, 431),
    ("two hosts", {"headers": [(b"host", b"localhost"), (b"host", b"evil.example")]}, 400),
    ("two tokens", {"headers": [(b"host", b"localhost"), *[(b"authorization", b"Bearer x")] * 2]}, 400),
    (
        "two lengths",
        {"headers": [(b"host", b"localhost"), (b"content-length", b"1"), (b"transfer-encoding", b"chunked")]},
        400,
    ),
    ("a doubled slash", {"path": "//fhir/Patient"}, 400),
    ("a coded slash", {"path": "/fhir/Patient/a/b", "raw_path": b"/fhir/Patient/a%2Fb"}, 400),
    ("a coded zero", {"path": "/x\0", "raw_path": b"/x%00"}, 400),
    ("a step up", {"path": "/a/../fhir", "raw_path": b"/a/../fhir"}, 400),
    ("a coded step up", {"path": "/a/../fhir", "raw_path": b"/a/%2e%2E/fhir"}, 400),
    ("a backslash", {"path": "/\\evil.example", "raw_path": b"/\\evil.example"}, 400),
    ("no path", {"path": "*", "raw_path": b"*", "method": "OPTIONS"}, 400),
    ("a coded letter is none of these", {"path": "/王", "raw_path": b"/%E7%8E%8B"}, 200),
    ("nor is a hidden file", {"path": "/.well-known/x", "raw_path": b"/.well-known/x"}, 200),
]


@pytest.mark.parametrize(("name", "changed", "status"), SHAPES, ids=[each[0] for each in SHAPES])
async def test_shapes_that_no_honest_request_has(name: str, changed: dict[str, Any], status: int) -> None:
    assert (await raw(Guard(), **changed))[0] == status


async def test_machines_get_an_outcome_and_people_two_languages() -> None:
    machine = await ask(Guard(), path="/fhir/Patient", headers={"Host": "evil.example"})
    assert machine.json()["resourceType"] == "OperationOutcome"
    person = await ask(Guard(), path="/people", headers={"Host": "evil.example"})
    assert person.headers["content-type"] == "text/plain; charset=utf-8"
    assert "此服务器" in person.text and "This server" in person.text


PATHS = [
    ("/fhir/Patient", APP, APP), ("/fhir", APP, APP), ("/oauth/token", APP, APP), ("/oauth/revoke", APP, APP),
    ("/fhir/Patient", "https://evil.example", None), ("/oauth/token", "https://evil.example", None),
    ("/fhir/Patient", "null", None), ("/fhir/metadata", "https://evil.example", "*"),
    ("/fhir/.well-known/smart-configuration", "https://evil.example", "*"),
    ("/.well-known/smart-configuration", "https://evil.example", "*"),
    ("/oauth/authorize", APP, None), ("/people", APP, None), ("/sign-in", APP, None), ("/fhirs", APP, None),
]  # fmt: skip


@pytest.mark.parametrize(("path", "origin", "allowed"), PATHS)
async def test_pages_of_other_sites_may_ask_only_what_is_theirs(
    path: str, origin: str, allowed: str | None
) -> None:
    guard = Guard(allowed=lambda asked: asked == APP)
    asked = await ask(guard, path=path, headers={"Origin": origin})
    preflight = await ask(
        guard, "OPTIONS", path, headers={"Origin": origin, "Access-Control-Request-Method": "GET"}
    )
    for answer in (asked, preflight):
        assert answer.headers.get("access-control-allow-origin") == allowed
        assert "access-control-allow-credentials" not in answer.headers
    assert preflight.status_code == 204
    assert "Authorization" in preflight.headers["access-control-allow-headers"]


FORWARDED = [
    ("203.0.113.9", "10.0.0.1", "203.0.113.9"),
    ("10.0.0.7", "198.51.100.1", "198.51.100.1"),
    ("10.0.0.7", "127.0.0.1, 198.51.100.1", "198.51.100.1"),
    ("10.0.0.7", "6.6.6.6, 198.51.100.1, 10.0.0.8", "198.51.100.1"),
    ("10.0.0.7", "198.51.100.1, garbage", "10.0.0.7"),
    ("10.0.0.7", "", "10.0.0.7"),
    ("10.0.0.7", "2001:db8::7", "2001:db8::7"),
    ("10.0.0.7", "203.0.113.8:4711", "203.0.113.8"),
    ("10.0.0.7", "[2001:db8::7]:4711", "2001:db8::7"),
    ("::ffff:10.0.0.7", "198.51.100.1", "198.51.100.1"),
]


@pytest.mark.parametrize(("peer", "forwarded", "address"), FORWARDED)
async def test_only_the_word_of_our_proxies_counts(peer: str, forwarded: str, address: str) -> None:
    guard = Guard(proxies=Proxies(["10.0.0.0/24"]))
    headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"}
    answer = await ask(guard, client=(peer, 1), headers=headers)
    scheme = "http" if peer == "203.0.113.9" else "https"
    assert answer.text == f"{address} {scheme} 0"


async def test_an_address_that_asks_too_often_waits() -> None:
    app = guarded(told, Guard(rate_address=1, burst_address=2))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=ELSEWHERE), base_url="http://localhost"
    ) as asking:
        answers = [await asking.get(path) for path in ("/fhir/Patient", "/x", "/fhir/Patient")]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert answers[-1].json()["issue"][0]["code"] == "throttled"
    assert int(answers[-1].headers["retry-after"]) >= 1


async def test_this_machine_is_not_limited_unless_it_speaks_for_others() -> None:
    for forwarded, status in (({}, 200), ({"X-Forwarded-For": "198.51.100.1"}, 429)):
        app = guarded(told, Guard(rate_address=1, burst_address=1))
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost", headers=forwarded
        ) as asking:
            assert [(await asking.get("/x")).status_code for _ in range(3)][-1] == status


async def test_an_agent_that_asks_too_often_waits_whatever_its_address() -> None:
    app = guarded(told, Guard(rate_agent=1, burst_agent=2))
    statuses = []
    for number in range(3):
        transport = httpx.ASGITransport(app, client=(f"203.0.113.{number}", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as asking:
            statuses.append((await asking.get("/fhir/Patient")).status_code)
    assert statuses == [200, 200, 429]


def test_a_bucket_fills_again_at_its_rate() -> None:
    now = 0.0
    rates = Rates(10, 3, lambda: now)
    assert [rates.wait("a") for _ in range(3)] == [0, 0, 0]
    assert rates.wait("a") == pytest.approx(0.1)
    assert rates.wait("b") == 0
    now = 0.1
    assert rates.wait("a") == 0
    assert rates.wait("a") > 0


def test_a_bucket_of_no_limit_never_waits() -> None:
    assert not any(Rates(0, 0).wait("a") for _ in range(10_000))


def test_callers_without_end_are_forgotten_but_not_those_who_ask_most() -> None:
    now = 0.0
    rates = Rates(1, 10, lambda: now)
    while not rates.wait("greedy"):
        continue
    for number in range(REMEMBERED + 10):
        rates.wait(str(number))
    assert len(rates._full) <= REMEMBERED // 2 + 10
    assert rates.wait("greedy") > 0


def test_an_address_of_version_6_is_counted_with_its_neighbours() -> None:
    assert counted_as("2001:db8::1") == counted_as("2001:db8::ffff:2") != counted_as("2001:db8:0:1::1")
    assert counted_as("203.0.113.9") != counted_as("203.0.113.10")


def test_a_crowd_is_bounded_and_empties() -> None:
    crowds = Crowds(2)
    assert [crowds.enter("a") for _ in range(3)] == [True, True, False]
    crowds.leave("a")
    assert crowds.enter("a") and crowds.enter("b")


async def test_a_body_that_does_not_come_is_given_up_on_the_side_of_people_too() -> None:
    never, asked = asyncio.Event(), []
    scope = {
        "type": "http", "method": "POST", "path": "/sign-in", "raw_path": b"/sign-in", "query_string": b"",
        "scheme": "http", "client": ELSEWHERE, "headers": [(b"host", b"localhost")],
    }  # fmt: skip

    async def receive() -> Any:
        await never.wait()

    async def send(message: Any) -> None:
        asked.append(message)

    await guarded(told, Guard(body_seconds=0.01))(scope, receive, send)
    assert asked[0]["status"] == 408


async def test_other_kinds_of_connection_are_closed() -> None:
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    await guarded(told, Guard())({"type": "websocket", "path": "/"}, send, send)
    assert said == [{"type": "websocket.close", "code": 1008}]


async def test_a_problem_that_nobody_caught_is_answered() -> None:
    async def failing(scope: Any, receive: Any, send: Any) -> None:
        raise Problem.unauthenticated("for the test")

    transport = httpx.ASGITransport(guarded(failing, Guard()))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as asking:
        assert (await asking.get("/oauth/introspect")).status_code == 401


async def test_settings_make_a_guard() -> None:
    guard = settled(
        base_url="https://record.example.org", allowed_hosts="a.example, b.example", rate_address=2, rate_agent=3,
        trusted_proxies="10.0.0.7 192.168.0.0/16",
    )  # fmt: skip
    assert (guard.burst_address, guard.burst_agent) == (10, 30)
    for host in ("record.example.org", "a.example", "b.example:8080", "localhost"):
        assert (await raw(guard, headers=[(b"host", host.encode())]))[0] == 200
    assert guard.proxies.address("192.168.7.7", {b"x-forwarded-for": b"203.0.113.9"}) == "203.0.113.9"
    with pytest.raises(ValueError, match="neither an address nor a network"):
        settled(trusted_proxies="my-proxy")
