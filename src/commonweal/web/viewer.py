"""Who looks at a page: the agent behind the session, and how they like to read."""

import secrets
from dataclasses import dataclass
from hashlib import blake2b
from hmac import compare_digest

from starlette.requests import Request

from commonweal.access.agent import Agent
from commonweal.web.language import Language

THEMES = ("light", "dark")
"""What may be chosen instead of what the device says."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """`agent` is None before sign-in; `theme` is "" where the device decides. `session` stays in its cookie."""

    agent: Agent | None
    language: Language
    theme: str = ""
    session: str = ""
    expired: bool = False

    def form_token(self) -> str:
        """Proof that a form came from a page of ours: bound to the session, and another each time it is
        written, so that compression of the page does not tell it (BREACH)."""
        mask = secrets.token_bytes(16)
        return (mask + _xor(mask, self._proof())).hex()

    def wrote(self, token: str) -> bool:
        """Was this token written for this session?"""
        try:
            given = bytes.fromhex(token)
        except ValueError:
            return False
        return len(given) == 32 and compare_digest(_xor(given[:16], given[16:]), self._proof())

    def _proof(self) -> bytes:
        return blake2b(self.session.encode(), digest_size=16, person=b"form").digest()


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def of(request: Request) -> Viewer:
    """The viewer of a request."""
    viewer = request.state.viewer
    assert isinstance(viewer, Viewer)
    return viewer
