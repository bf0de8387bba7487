"""Who really asks when a proxy stands in front: its word counts only if it is one of ours."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

SCHEMES = {b"http": "http", b"https": "https"}


class Proxies:
    """`trusted` are addresses or networks ("10.0.0.7", "10.1.0.0/16", "::1"); ValueError for what is neither."""

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        self._networks = [_network(each) for each in trusted]
        self._trusts = lru_cache(maxsize=4096)(self._asked)
        self._beyond = lru_cache(maxsize=4096)(self._found)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def address(self, peer: str, headers: Mapping[bytes, bytes]) -> str:
        """The address that asks: the last one in X-Forwarded-For that is no proxy of ours.

        What stands left of it was written by the caller, who may write anything.
        """
        return self._beyond(peer, headers.get(b"x-forwarded-for", b""))

    def _found(self, peer: str, forwarded: bytes) -> str:
        if not self._trusts(peer):
            return peer
        for each in reversed(forwarded.decode("latin-1").split(",")):
            address = _without_port(each.strip())
            if not _is_address(address):
                return peer
            if not self._trusts(address):
                return address
            peer = address
        return peer

    def scheme(self, peer: str, headers: Mapping[bytes, bytes], own: str) -> str:
        """How the caller came: what the nearest proxy of ours says, else how we were reached ourselves."""
        said = headers.get(b"x-forwarded-proto", b"")
        if said and self._trusts(peer):
            return SCHEMES.get(said.rpartition(b",")[2].strip().lower(), own)
        return own

    def _asked(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._networks)


@lru_cache(maxsize=4096)
def counted_as(address: str) -> str:
    """The name under which an address is counted: of version 6 whoever has one has a /64 full of them."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, 64), strict=False))
    return address


@lru_cache(maxsize=4096)
def is_this_machine(address: str) -> bool:
    """Is it a loopback address?"""
    parsed = _parsed(address)
    return parsed is not None and parsed.is_loopback


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError(f"{text} is neither an address nor a network; a proxy is named by one") from None


def _without_port(text: str) -> str:
    """Some proxies add the port: "203.0.113.9:4711", "[2001:db8::7]:4711"."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def _is_address(text: str) -> bool:
    return _parsed(text) is not None


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(text)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed
