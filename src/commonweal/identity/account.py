"""An account: how a person signs in, and the assignments in which they may act."""

from typing import Literal

import msgspec

from commonweal.access.agent import Agent
from commonweal.identity.drawers import FOREVER
from commonweal.identity.kept import Kept, Secret

STAFF: Literal["staff"] = "staff"
RESIDENT: Literal["resident"] = "resident"
Kind = Literal["staff", "resident"]


class Assignment(msgspec.Struct, frozen=True):
    """One role in which a person acts: for an organization ("Organization/x"), in areas ("Location/y"), from `since`
    until before `until` (microseconds); `clearances` are sensitivity labels, `because` the statute or order that
    justifies all this."""

    id: str
    role: str
    organization: str = ""
    areas: tuple[str, ...] = ()
    since: int = 0
    until: int = FOREVER
    clearances: tuple[str, ...] = ()
    because: str = ""

    def holds(self, now: int) -> bool:
        """Does its period hold now?"""
        return self.since <= now < self.until


class Totp(Secret, frozen=True):
    """A secret shared with an authenticator app; `last` is the time step of the last code that was accepted."""

    secret: str
    last: int


class Passkey(Secret, frozen=True):
    """A public key credential; `id` and `key` in base64url, `count` the authenticator's signature counter."""

    id: str
    key: str
    count: int
    name: str
    added: int


class Account(Secret, frozen=True):
    """Whoever can sign in. `login` is a name (staff) or a phone in E.164 (resident); `reference` names the
    Practitioner or Patient that this is, "" while nobody knows. `renew`: the password must be changed before anything
    else. `recovery`: keyed hashes of codes that stand in for a lost second factor. `provisional`: patients
    ("Patient/x") as whom this person acted before any sign-in. `signed`: when they signed in last."""

    id: str
    kind: Kind
    login: str
    name: str = ""
    reference: str = ""
    language: str = "en"
    disabled: bool = False
    password: str = ""
    renew: bool = False
    totp: Totp | None = None
    passkeys: tuple[Passkey, ...] = ()
    recovery: tuple[str, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    provisional: tuple[str, ...] = ()
    made: int = 0
    signed: int = 0

    def __repr__(self) -> str:
        return f"<Account {self.id}>"

    @property
    def party(self) -> str:
        """As whom the record and the audit know this person."""
        return self.reference or f"account-{self.id}"

    @property
    def has_second(self) -> bool:
        """Can they prove a second factor?"""
        return self.totp is not None or bool(self.passkeys)

    def acting(self, now: int) -> tuple[Assignment, ...]:
        """The assignments that hold now."""
        return tuple(each for each in self.assignments if each.holds(now))

    def is_of(self, agent: Agent) -> bool:
        """Is this the account of the person who asks?"""
        return agent.id in (self.party, f"account-{self.id}")


class Pointer(msgspec.Struct, frozen=True):
    """The account that a login or a reference leads to."""

    account: str


ACCOUNTS = Kept("account", Account)
LOGINS = Kept("login", Pointer)
"""By keyed hash of the login."""
REFERENCES = Kept("reference", Pointer)
"""By keyed hash of "Practitioner/x" or "Patient/y"."""
