"""Requests that no honest program sends"""

import socket
import zlib

import pytest

from commonweal.boot.front import Guard
from commonweal.boot.trial import Trial
from tests.attackers.conftest import Target

HOST = b"Host: localhost\r\n"


def sent(port: int, *pieces: bytes, patience: float = 20) -> bytes:
    """All that comes back, until the server has closed or says nothing more."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(patience)
        for piece in pieces:
            connection.sendall(piece)
        heard = b""
        while part := connection.recv(65_536):
            heard += part
    return heard


def statuses(heard: bytes) -> list[int]:
    return [int(line.split()[1]) for line in heard.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


SMUGGLED = b"GET /path/smuggled HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
DOUBLE = [
    ("both lengths", b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("both, the other way round", b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"),
    ("two lengths", b"Content-Length: 0\r\nContent-Length: 60\r\n\r\n"),
    ("a length of two numbers", b"Content-Length: 0, 60\r\n\r\n"),
    ("a signed length", b"Content-Length: +0\r\n\r\n"),
    ("a space before the colon", b"Content-Length : 60\r\n\r\n"),
    ("a folded header", b"X: a\r\n Content-Length: 60\r\n\r\n"),
    ("a coding that is none", b"Transfer-Encoding: xchunked\r\n\r\n"),
    ("two codings", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
    ("a coding with a tab", b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n"),
]


@pytest.mark.parametrize(("name", "head"), DOUBLE, ids=[each[0] for each in DOUBLE])
def test_a_request_inside_a_request(served: int, name: str, head: bytes) -> None:
    """Somebody behind the same proxy as others (request smuggling) | hides a second request behind two lengths of \
    one body | the connection is closed, and the hidden request never answered"""
    heard = sent(served, b"POST /path/first HTTP/1.1\r\n" + HOST + head + SMUGGLED)
    assert b"/path/smuggled" not in heard
    assert len(statuses(heard)) <= 1, heard


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"TRACE / HTTP/1.1", 405), (b"TRACK / HTTP/1.1", 405), (b"FOO / HTTP/1.1", 405),
        (b"OPTIONS * HTTP/1.1", 400), (b"GET //x HTTP/1.1", 400), (b"GET /a/../b HTTP/1.1", 400),
        (b"GET /a%2Fb HTTP/1.1", 400), (b"GET /a%5Cb HTTP/1.1", 400), (b"GET /a%00b HTTP/1.1", 400),
        (b"GET /a\x01b HTTP/1.1", 400), (b"GET / HTTP/9.9", 400), (b"GET /", 400),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1", 414), (b"GET /" + b"a" * 70_000 + b" HTTP/1.1", 414),
    ],
)  # fmt: skip
def test_a_first_line_that_is_odd(served: int, line: bytes, status: int) -> None:
    """A scanner | sends odd methods, paths with steps, coded slashes and control characters, endless addresses | \
    400, 405 or 414, each at once"""
    heard = sent(served, line + b"\r\n" + HOST + b"Connection: close\r\n\r\n")
    assert statuses(heard)[:1] == [status], heard[:300]


@pytest.mark.parametrize(
    "headers",
    [
        b"X: " + b"a" * 40_000 + b"\r\n", b"X: " + b"a" * 1_000_000 + b"\r\n",
        b"".join(b"X-%d: 1\r\n" % number for number in range(150)),
        b"Cookie: " + b"a=b; " * 10_000 + b"\r\n",
    ],
    ids=["long", "very long", "many", "cookies"],
)  # fmt: skip
def test_headers_without_end(served: int, headers: bytes) -> None:
    """Somebody who would fill our memory | sends headers without end | 431, and the connection is closed"""
    try:
        heard = sent(served, b"GET / HTTP/1.1\r\n" + HOST + headers + b"Connection: close\r\n\r\n")
    except ConnectionError:  # closed while the rest was still being sent
        return
    assert statuses(heard) == [431], heard[:300]


@pytest.mark.parametrize(
    "pieces", [(), (b"GET / HTTP/1.1\r\n",), (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",)]
)
def test_a_connection_that_says_nothing(served: int, pieces: tuple[bytes, ...]) -> None:
    """Somebody with many connections (slow loris) | opens them and sends little or nothing | each is closed in time"""
    assert statuses(sent(served, *pieces)) in ([], [408])


async def test_a_body_that_comes_by_drops(trial: Trial) -> None:
    """Somebody with many forms (slow body) | sends a byte now and then | 408 when it is not whole in time"""
    target = Target(trial, Guard(body_seconds=0.05))
    said: list[dict[str, object]] = []
    scope = {
        "type": "http", "method": "POST", "path": "/sign-in", "raw_path": b"/sign-in", "query_string": b"",
        "scheme": "http", "client": ("203.0.113.9", 1), "root_path": "", "http_version": "1.1",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/x-www-form-urlencoded")],
        "server": ("localhost", 80),
    }  # fmt: skip

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"a", "more_body": True}

    async def send(message: dict[str, object]) -> None:
        said.append(message)

    await target.app(scope, receive, send)  # type: ignore[arg-type]
    assert said[0]["status"] in (408, 413)


async def test_a_body_too_large(target: Target) -> None:
    """Somebody who would fill our memory | sends a body larger than allowed, stated or not, to either side | 413"""
    async with target.client(target.token()) as machine:
        answer = await machine.post("/fhir/Patient", content=b" " * 3_000_000)
        assert answer.status_code == 413
        bomb = await machine.post("/fhir", content=_bomb(), headers={"content-encoding": "gzip"})
        assert bomb.status_code == 413
    async with target.client(session=target.token()) as person:
        answer = await person.post("/sign-in", data={"code": "x" * 2_000_000})
        assert answer.status_code in (400, 413)


def _bomb() -> bytes:
    """A gigabyte of nothing in a megabyte."""
    packer = zlib.compressobj(wbits=31)
    return b"".join(packer.compress(b"\0" * 1_000_000) for _ in range(1_000)) + packer.flush()


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "evil.example:8080", "localhost@evil.example", "", "x" * 300],
)
async def test_another_servers_name(target: Target, host: str) -> None:
    """A site whose name leads to our address (DNS rebinding), or a poisoner of links | asks under another name | 421 \
    on both sides, whoever asks, and no link bears that name"""
    async with target.client(target.token(), host=host) as machine:
        for path in ("/fhir/metadata", "/fhir/Patient", "/sign-in", "/.well-known/smart-configuration"):
            answer = await machine.get(path)
            assert answer.status_code == 421, path
            assert not host or host not in answer.text


async def test_names_that_only_a_proxy_may_say(target: Target) -> None:
    """Somebody who sends the headers of a proxy | names another host, scheme or address | none of it is believed"""
    forged = {
        "x-forwarded-host": "evil.example",
        "forwarded": "host=evil.example",
        "x-forwarded-proto": "https",
    }
    forged |= {"x-forwarded-for": "127.0.0.1", "x-real-ip": "127.0.0.1", "x-original-url": "/status"}
    async with target.client(**forged) as machine:
        answer = await machine.get("/fhir/metadata")
        assert answer.status_code == 200 and "evil.example" not in answer.text
        assert "strict-transport-security" not in answer.headers
        assert (await machine.get("/sign-in")).status_code == 200


async def test_questions_without_end(trial: Trial) -> None:
    """A program gone wild, or somebody guessing | asks faster than anybody needs | 429 with a time to wait, for the \
    address and for the agent; others go on"""
    target = Target(trial, Guard(rate_address=1, burst_address=20, rate_agent=1, burst_agent=5))
    async with target.client(target.token()) as wild:
        answers = [(await wild.get("/fhir/Patient")) for _ in range(30)]
    assert [each.status_code for each in answers[:5]] == [200] * 5
    assert answers[6].status_code == answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    async with target.client(target.token("auditor"), address="198.51.100.7") as other:
        assert (await other.get("/fhir/metadata")).status_code == 200


def test_a_web_socket(served: int) -> None:
    """A site that opens a socket to us (cross-site hijacking) | asks to upgrade the connection | 403: nothing here \
    speaks it"""
    heard = sent(
        served,
        b"GET / HTTP/1.1\r\n"
        + HOST
        + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Origin: https://evil.example\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    )
    assert statuses(heard) == [403]
