"""Gets the key sets of clients from the addresses that were registered, and from nowhere inside our own network.

The name is looked up here, every address it leads to is judged, and one of those very addresses is then asked: a name
that leads elsewhere a moment later (DNS rebinding) gains nothing.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence

import httpx

from commonweal.identity.oauth.keysets import BYTES, Fetched

SECONDS = 5.0
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


async def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses that a name leads to. OSError when there are none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


class KeysetFetcher:
    """Fulfils identity.oauth.keysets.Fetch; `transport` and `resolve` are those of the network unless given."""

    def __init__(
        self, transport: httpx.AsyncBaseTransport | None = None, resolve: Resolve = resolved
    ) -> None:
        self._client = httpx.AsyncClient(
            transport=transport, timeout=SECONDS, trust_env=False, follow_redirects=False
        )
        self._resolve = resolve

    async def __call__(self, address: str) -> Fetched:
        try:
            return await asyncio.wait_for(self._got(httpx.URL(address)), SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise OSError(f"no key set from there ({type(error).__name__})") from None

    async def close(self) -> None:
        """Let go of open connections."""
        await self._client.aclose()

    async def _got(self, url: httpx.URL) -> Fetched:
        port = url.port or (443 if url.scheme == "https" else 80)
        at = allowed(url, await self._resolve(url.host, port))
        host = url.netloc.decode("ascii")
        request = self._client.build_request(
            "GET",
            url.copy_with(host=at),
            headers={"Host": host, "Accept": "application/json", "Accept-Encoding": "identity"},
            extensions={"sni_hostname": url.host},
        )
        answer = await self._client.send(request, stream=True)
        try:
            body = b""
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > BYTES:
                    raise ValueError("the key set is too large")
        finally:
            await answer.aclose()
        return Fetched(answer.status_code, body, answer.headers.get("cache-control", ""))


def allowed(url: httpx.URL, addresses: Sequence[str]) -> str:
    """The address to ask. ValueError unless all that a name leads to are public, or it is this very machine by
    http (for trying things)."""
    found = [ipaddress.ip_address(each.partition("%")[0]) for each in addresses]
    if url.scheme == "http":
        fit = bool(found) and all(each.is_loopback for each in found)
    else:
        fit = bool(found) and all(each.is_global and not each.is_multicast for each in map(_plain, found))
    if not fit:
        raise ValueError("that address is not one of the public internet")
    return str(found[0])


def _plain(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """What an IPv6 address that wraps an IPv4 one leads to."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    return address.ipv4_mapped or address.sixtofour or address
