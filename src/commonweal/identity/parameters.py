"""The numbers of identity as data, each with its source; [P] is a default of this product."""

from dataclasses import dataclass

from commonweal.access.roles import ANONYMOUS


@dataclass(frozen=True, slots=True)
class Argon2:
    """RFC 9106 section 4, second recommended option: 64 MiB, three passes, four lanes."""

    memory_kib: int = 65536
    passes: int = 3
    lanes: int = 4


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many in so many seconds."""

    name: str
    most: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Minutes a session lives unused, and in all."""

    idle: int
    absolute: int


@dataclass(frozen=True, slots=True)
class Parameters:
    """Of one installation; times in seconds where nothing else is said."""

    argon2: Argon2 = Argon2()
    password_shortest: int = 12
    """NIST SP 800-63B-4 3.1.1.2 asks for 15 where a password is the only factor, 8 beside another; 12 [P]."""
    password_longest: int = 256

    staff: Lifetime = Lifetime(idle=30, absolute=12 * 60)
    """NIST SP 800-63B-4 2.2.3 (AAL2): an hour idle, a day in all; a ward's shared machine wants less [P]."""
    resident: Lifetime = Lifetime(idle=30 * 24 * 60, absolute=90 * 24 * 60)
    anonymous: Lifetime = Lifetime(idle=24 * 60, absolute=7 * 24 * 60)

    step_seconds: int = 600
    """From the password to the second factor, and from a passkey's challenge to its answer."""
    step_tries: int = 5
    delays: tuple[int, ...] = (0, 0, 0, 0, 0, 30, 60, 120, 300, 900, 1800, 3600)
    """Before the next try, after so many that failed: it grows, and never locks for good [P]. At the last, 24 tries a
    day are left (NIST SP 800-63B-4 3.2.2 asks for a bound of a hundred)."""
    failures_seconds: int = 86400
    """Failures older than this are forgotten."""
    sign_ins_address: Limit = Limit("sign-in-address", 30, 60)

    calling_code: str = "86"
    """Country calling code (ITU-T E.164) of a phone number written without one."""
    code_seconds: int = 300
    code_tries: int = 5
    code_pause: Limit = Limit("code-phone-minute", 1, 60)
    codes_phone: tuple[Limit, ...] = (Limit("code-phone-hour", 5, 3600), Limit("code-phone-day", 10, 86400))
    codes_address: Limit = Limit("code-address-hour", 60, 3600)
    """A family or a village centre shares an address [P]."""
    proofs_address: Limit = Limit("code-proof-address", 60, 60)
    phone_trusted_days: int = 90
    """A phone that did not sign in for so long opens no record until its owner is known anew: numbers that were given
    back are given to others after about three months [U]."""
    in_person_seconds: int = 1800
    recovery_codes: int = 10
    bindings: Limit = Limit("binding", 5, 86400)

    def lifetime(self, kind: str) -> Lifetime:
        """How long a session of this kind lives: "staff", "resident" or "anonymous"."""
        return {"staff": self.staff, "resident": self.resident, ANONYMOUS: self.anonymous}[kind]
