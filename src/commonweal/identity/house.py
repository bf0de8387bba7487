"""The one object that everything about identity works with; boot makes it and hands it to api and web."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Literal

from commonweal.access.agent import Agent
from commonweal.identity.drawers import Drawers
from commonweal.identity.parameters import Parameters
from commonweal.identity.remembering import Remembered
from commonweal.platform.ports import Audited

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86400 * SECOND
"""In microseconds, as `now` is."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent to a phone: by SMS, or read out by voice. Neither number nor text is ever shown in a log."""

    channel: Literal["sms", "voice"]
    to: str = field(repr=False)
    text: str = field(repr=False)
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """`now` is microseconds of real time; `key` keys the hashes of what must not be readable where it is kept;
    `audit` returns once the row is durable; `send` hands over a message and does not wait until it has arrived;
    `aside` runs a slow function in a thread; `base_url` is where others reach this server ("https://host")."""

    drawers: Drawers
    now: Callable[[], int]
    key: bytes = field(repr=False)
    audit: Callable[[Audited], Awaitable[None]]
    send: Callable[[Message], Awaitable[None]]
    aside: Callable[..., Awaitable[Any]]
    base_url: str
    parameters: Parameters = field(default_factory=Parameters)
    remembered: Remembered = field(default_factory=Remembered)

    def hashed(self, purpose: str, text: str) -> str:
        """A keyed hash (256 bits, hexadecimal) of a secret or a phone; each purpose has its own."""
        return blake2b(
            f"{purpose}\x1f{text}".encode("utf-8", "surrogatepass"), digest_size=32, key=self.key
        ).hexdigest()

    async def note(
        self,
        agent: Agent,
        interaction: str,
        *about: str,
        because: str = "",
        outcome: int = 200,
        address: str = "",
        work: str = "",
    ) -> None:
        """One audit row: who did what ("sign-in", "account-change" …) to whom ("Practitioner/x", "account-…"). Patients
        among them find it in the list of who had to do with their record."""
        people = tuple(each for each in about if each.startswith("Patient/"))
        row = Audited.by(
            agent,
            work or fresh(),
            interaction,
            entities=about,
            people=people,
            because=because,
            outcome=outcome,
        )
        await self.audit(replace(row, address=address or agent.address))


def fresh() -> str:
    """A secret to show once, or an id that cannot be guessed: 256 random bits for an address or a cookie."""
    return secrets.token_urlsafe(32)
