"""The journal: who looked at or changed whose data, when, as whom and why; what the audit tells those who may ask."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

FOREVER = 2**63 - 1
KEY = re.compile(r"(\d{1,19})-(\d{1,18})")
"""The form of an entry's key, which is its id as a resource as well."""
Outcome = Literal["done", "refused", "failed"]
OUTCOMES: dict[Outcome, tuple[int, int]] = {"done": (0, 400), "refused": (400, 500), "failed": (500, 1000)}
"""Each with the HTTP statuses it stands for: from, and before."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the journal; all that is stated must hold.

    `patient` is "Patient/x" and means whoever was found to be one person with it, too; `agent` is that of the row
    ("Practitioner/x", "system:registry"); `interactions`: any of these; `type`, `organization`, `client` and
    `address` are those of the row; `entity` is "Type/id"; `since` (inclusive) and `until` (exclusive) are
    microseconds since the epoch, UTC; `key` names one entry. `writes`: only what changed something. `cursor` is
    that of the last entry of the page before.
    """

    patient: str | None = None
    agent: str | None = None
    work: str | None = None
    interactions: tuple[str, ...] = ()
    outcome: Outcome | None = None
    purpose: str | None = None
    type: str | None = None
    organization: str | None = None
    client: str | None = None
    address: str | None = None
    entity: str | None = None
    key: str | None = None
    writes: bool = False
    since: int = 0
    until: int = FOREVER
    limit: int = 100
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the audit. `at` is microseconds since the epoch by the database's clock.

    `role`, `organization`, `client` (the app between), `session` and `address` tell as whom the agent acted; all
    may be empty. `query` is what was asked, as it was understood; `entities` are "Type/id"; `patients` are
    "Patient/x", those that the record still knows by name, `hashes` all of them, as `Audited.patients` has them.
    `others`: when the journal was asked by patient, how many further people the row is about.
    """

    key: str
    at: int
    work: str
    agent: str
    purpose: str
    interaction: str
    type: str = ""
    query: str = ""
    entities: tuple[str, ...] = ()
    patients: tuple[str, ...] = ()
    because: str = ""
    outcome: int = 200
    role: str = ""
    organization: str = ""
    client: str = ""
    session: str = ""
    address: str = ""
    hashes: tuple[int, ...] = ()
    others: int = 0

    @property
    def cursor(self) -> str:
        """Where the page behind this entry begins; rows that come later change nothing about it."""
        return f"{self.at}.{self.key}"

    def about(self, patient: str) -> "Entry":
        """What of it may be told to the person it is about: nothing of anybody else, nor how the agent signed in.

        A query is the agent's own words, which may name others; so may the reason for what concerned several.
        """
        alone = self.others == 0
        return replace(
            self,
            query="",
            entities=self.entities if alone else (),
            patients=(patient,),
            because=self.because if alone else "",
            session="",
            address="",
            others=0,
        )


@dataclass(frozen=True, slots=True)
class Chain:
    """How the seal of the audit stands. `head` is the newest hash ("" before the first); `sealed` the time of the
    newest row under it, `unsealed` how many rows wait (no further counted than 10,000); `verified` when the chain was
    last computed again, up to `verified_upto`, and `damages` how many links did not hold then."""

    head: str = ""
    sealed: int | None = None
    unsealed: int = 0
    verified: int | None = None
    verified_upto: int | None = None
    damages: int = 0


class Journal(Protocol):
    """What can be asked of the audit. Whoever hands it out has asked for the permission, and audits the asking."""

    async def entries(self, asked: Asked) -> Sequence[Entry]:
        """Newest first, at most `limit`. Problem 400 for a cursor or key that is none, cw-too-costly when
        it takes too long."""

    async def chain(self) -> Chain:
        """How the seal stands now."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Sealed rows in order, each a JSON object as it is kept, and the seal behind the last of them where one is
    there: {"xid", "seq", "rows", "head"}. `begins` and `ends` are positions: (transaction, sequence)."""

    begins: tuple[int, int]
    ends: tuple[int, int]
    rows: Sequence[dict[str, Any]] = ()
    seal: dict[str, Any] | None = None


class Shipping(Protocol):
    """What leaves for a collector outside: rows once they are sealed, so that they are final, in their order."""

    async def batch(self, collector: str, limit: int) -> Batch | None:
        """The next rows for this collector, at most `limit`; None when it has all that is sealed."""

    async def shipped(self, collector: str, batch: Batch) -> bool:
        """It has these; False when somebody else has moved its position meanwhile."""
