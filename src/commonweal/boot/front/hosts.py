"""Under which names this server answers: a request for another name was lured here (DNS rebinding, poisoned links)."""

from collections.abc import Iterable
from urllib.parse import urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
ANY = "*"


class Hosts:
    """The names of `base_url` and of `more`, with or without a port; without either only those of this machine."""

    def __init__(self, base_url: str = "", more: Iterable[str] = ()) -> None:
        named = {each.lower() for each in more if each}
        own = urlsplit(base_url).netloc.lower() if base_url else ""
        self._any = ANY in named
        self._names = named | ({own} if own else set()) | LOOPBACK
        self._known: set[bytes] = set()

    def answers(self, host: bytes) -> bool:
        """Is it one of ours? What was once is remembered as it was written."""
        if host in self._known:
            return True
        name = host.decode("latin-1").lower()
        if not (name in self._names or _without_port(name) in self._names or (self._any and name)):
            return False
        if len(self._known) < 1000:
            self._known.add(host)
        return True


def _without_port(name: str) -> str:
    head, colon, port = name.rpartition(":")
    return head if colon and port.isdigit() else name
