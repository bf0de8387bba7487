"""How much one body may hold, so that no input costs unbounded time or memory."""

from dataclasses import dataclass


@dataclass(slots=True)
class Limits:
    """`boot` may set these once at start; everything that reads input asks here."""

    resource_bytes: int = 5_000_000
    bundle_bytes: int = 50_000_000
    depth: int = 64
    """Levels of JSON: thirty nested groups fit; far deeper would exhaust recursive readers."""
    values: int = 2_500_000
    """Objects, arrays and members in one body: 50 MB of usual resources hold 2 million, hostile ones 25."""
    entries: int = 10_000
    """Resources directly inside one resource: of a Bundle, contained, of Parameters."""
    composites: int = 32_767
    """Groups of elements of one resource that a search looks at as one; the store numbers them in 16 bits."""
    issues: int = 100
    """After so many, no more is told about one body."""


LIMITS = Limits()
