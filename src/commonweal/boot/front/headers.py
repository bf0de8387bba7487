"""What every answer carries unless it says something else itself: https://owasp.org/www-project-secure-headers."""

from collections.abc import Iterable

Header = tuple[bytes, bytes]

NO_SCRIPTS = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
DEFAULTS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"content-security-policy", NO_SCRIPTS),
    (b"x-frame-options", b"DENY"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cache-control", b"no-store"),
    (b"server", b"commonweal"),
)
"""Nothing is kept by a browser or a proxy, framed, sniffed or run, unless the side that answers allows it: pages
have a policy of their own, built files may be kept. The server's name stands here because granian puts its own else."""
BY_TLS: Header = (b"strict-transport-security", b"max-age=31536000")


KNOWN = 1000
_lacking: dict[tuple[bytes, ...], tuple[Header, ...]] = {}


def completed(given: Iterable[Header], more: Iterable[Header], by_tls: bool) -> list[Header]:
    """The headers of an answer with those added that it lacks, and `more` in any case."""
    headers = list(given)
    names = tuple([name for name, _ in headers])
    lacking = _lacking.get(names)
    if lacking is None:
        lacking = tuple(each for each in DEFAULTS if each[0] not in names)
        if len(_lacking) < KNOWN:  # answers come in few shapes: each is looked at once
            _lacking[names] = lacking
    headers += lacking
    headers += more
    if by_tls:
        headers.append(BY_TLS)
    return headers
