"""The addresses of this server, as its documents, its tokens and the apps name them."""

from urllib.parse import urlsplit

from commonweal.identity.house import Identity

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def issuer(identity: Identity) -> str:
    """Who signs: the server's address without a path of ours."""
    return identity.base_url.rstrip("/")


def fhir(identity: Identity) -> str:
    """The FHIR base, which is the audience of every access token."""
    return f"{issuer(identity)}/fhir"


def token(identity: Identity) -> str:
    """The token endpoint, which is the audience of every client assertion."""
    return f"{issuer(identity)}/oauth/token"


def same(one: str, other: str) -> bool:
    """Do both name one place? A last slash says nothing, and the names of this very machine are one name."""
    return _place(one) == _place(other)


def origin(address: str) -> str:
    """Scheme, host and port, as browsers name them (RFC 6454); "" for an address that has none."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") and parts.netloc else ""


def is_loopback(host: str | None) -> bool:
    """Is that a name of this very machine?"""
    return host in LOOPBACK


def _place(address: str) -> tuple[object, ...]:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return (address,)
    if parts.query or parts.fragment or parts.username is not None:
        return (address,)
    return parts.scheme, "loopback" if is_loopback(host) else host, port, parts.path.rstrip("/")
