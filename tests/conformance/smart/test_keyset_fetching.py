"""The keys of clients are fetched from the public internet and from nowhere inside our own network (SSRF)."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from commonweal.external.keysets import KeysetFetcher

PUBLIC = "93.184.216.34"
KEYS = "https://partner.example/keys"


def page(status: int, **headers: str) -> httpx.Response:
    async def body() -> AsyncIterator[bytes]:
        yield b"{}"

    return httpx.Response(status, content=body(), headers=headers)


class Asked(httpx.AsyncBaseTransport):
    """The network: what was asked of it, and its one answer."""

    def __init__(self, answer: httpx.Response | None = None) -> None:
        self.requests: list[httpx.Request] = []
        self.answer = answer or page(200, **{"cache-control": "max-age=5"})

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answer


def fetcher(network: httpx.AsyncBaseTransport, *addresses: str) -> KeysetFetcher:
    async def resolve(host: str, port: int) -> Sequence[str]:
        if not addresses:
            raise OSError("no such name")
        return addresses

    return KeysetFetcher(network, resolve)


async def test_a_public_address_is_asked_by_the_very_number_that_was_judged() -> None:
    network = Asked()
    found = await fetcher(network, PUBLIC)(KEYS)
    (request,) = network.requests
    assert (found.status, found.body, found.cache_control) == (200, b"{}", "max-age=5")
    assert request.method == "GET"
    assert request.url.host == PUBLIC
    assert request.headers["host"] == "partner.example"
    assert request.extensions["sni_hostname"] == "partner.example"
    assert "authorization" not in request.headers


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "::1",
        "fe80::1%eth0", "fc00::1", "::ffff:10.0.0.1", "2002:0a00:0001::1", "224.0.0.1", "::", "255.255.255.255",
    ],
)  # fmt: skip
async def test_private_addresses_are_never_asked(address: str) -> None:
    network = Asked()
    for addresses in ((address,), (PUBLIC, address), (address, PUBLIC)):
        with pytest.raises(ValueError, match="public internet"):
            await fetcher(network, *addresses)(KEYS)
    assert network.requests == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "2130706433", "0x7f.1"]
)
async def test_numbers_in_the_address_are_judged_too(host: str) -> None:
    network = Asked()
    with pytest.raises((ValueError, OSError)):
        await KeysetFetcher(network)(f"https://{host}/keys")
    assert network.requests == []


async def test_this_very_machine_is_asked_by_http_only() -> None:
    network = Asked()
    await fetcher(network, "127.0.0.1")("http://localhost:9000/keys")
    assert network.requests[0].url.host == "127.0.0.1"
    with pytest.raises(ValueError, match="public internet"):
        await fetcher(network, PUBLIC)("http://localhost:9000/keys")
    assert len(network.requests) == 1


async def test_redirects_are_not_followed() -> None:
    network = Asked(page(302, location="http://169.254.169.254/"))
    assert (await fetcher(network, PUBLIC)(KEYS)).status == 302
    assert len(network.requests) == 1


async def test_what_is_too_large_is_left() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 10_000

    with pytest.raises(ValueError, match="too large"):
        await fetcher(Asked(httpx.Response(200, content=endless())), PUBLIC)(KEYS)


async def test_a_server_that_does_not_answer_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError

    monkeypatch.setattr("commonweal.external.keysets.SECONDS", 0.01)
    with pytest.raises(OSError):
        await fetcher(Silent(), PUBLIC)(KEYS)


async def test_a_name_that_leads_nowhere() -> None:
    with pytest.raises(OSError):
        await fetcher(Asked())(KEYS)
