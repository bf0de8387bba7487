"""Pages of other sites that may ask: https://fetch.spec.whatwg.org/#http-cors-protocol.

SMART App Launch wants discovery open to every page, and the record and the token endpoints open to the pages of
registered apps: https://hl7.org/fhir/smart-app-launch/app-launch.html#considerations-for-cross-origin-resource-sharing-cors-support
Never with cookies: a page of another site brings its own token or none.
"""

from collections.abc import Callable, Mapping

from commonweal.boot.front.headers import Header

Allowed = Callable[[str], bool]

DISCOVERY = ("/fhir/metadata", "/fhir/.well-known/", "/.well-known/", "/oauth/keys")
APPS = ("/fhir/", "/oauth/token", "/oauth/revoke", "/oauth/introspect")
VARIES: Header = (b"vary", b"Origin")
EXPOSED = (
    b"access-control-expose-headers",
    b"ETag, Location, Content-Location, Last-Modified, X-Request-Id, Retry-After, X-Progress",
)
PREFLIGHT: tuple[Header, ...] = (
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
    (
        b"access-control-allow-headers",
        b"Accept, Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Exist, If-None-Match, "
        b"Prefer, X-Request-Id",
    ),
    (b"access-control-max-age", b"600"),
)


def answer_for(path: str, named: Mapping[bytes, bytes], allowed: Allowed) -> tuple[Header, ...]:
    """What the answer to a page of another site says; nothing where no other site's page has any business."""
    if path.startswith(DISCOVERY):
        return ((b"access-control-allow-origin", b"*"), EXPOSED)
    if not (path.startswith(APPS) or path == "/fhir"):
        return ()
    origin = named.get(b"origin")
    if origin is None or not allowed(origin.decode("latin-1")):
        return (VARIES,)
    return ((b"access-control-allow-origin", origin), EXPOSED, VARIES)


def is_preflight(method: str, named: Mapping[bytes, bytes]) -> bool:
    """Does a browser ask whether it may ask?"""
    return method == "OPTIONS" and b"origin" in named and b"access-control-request-method" in named
