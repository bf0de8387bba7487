"""Ties: who has to do with whom, until when; read off the resources that grant them, in the same transaction."""

from dataclasses import dataclass

CARE = "care"
AREA = "area"
PROXY = "proxy"
EMERGENCY = "emergency"
KINDS = (CARE, AREA, PROXY, EMERGENCY)
FOREVER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Tie:
    """From a party ("Practitioner/x", "Organization/y", "Location/z" where somebody lives, "Patient/guardian") to a
    patient ("Patient/p"), holding from `since` until before `until` (microseconds since the epoch, UTC)."""

    kind: str
    party: str
    patient: str
    since: int = 0
    until: int = FOREVER
