"""What access and audit cost, apart and together: the same requests with neither, with one, and with both.

Access is somebody with care relationships, whose every row is judged, instead of the operator, who sees everything;
all ask about the same people. Without audit no row is written at all (bench/unaudited), which no installation can do.
"""

import os
from itertools import product
from pathlib import Path

from bench.measuring import Driving, Measured, hold_token, measured, say, serving, table
from bench.world import doctor

UNAUDITED = Path(__file__).parent / "unaudited"
READS = ("read by id", "search patient+code+date", "search patient, 20 newest")
WRITES = ("create",)
FLOORS = {"create": 85}
FLOOR = 70
"""Percent of the rate with neither that must remain with both (issue 3)."""
WAYS = ((False, False), (True, False), (False, True), (True, True))
"""(access, audit), in the order of the columns."""
HEADINGS = [
    "operation", "neither", "access", "audit", "both", "remains",
    "CPU µs neither", "access", "audit", "both", "failed",
]  # fmt: skip
Found = dict[tuple[str, bool, bool], Measured]


def told(data: Path, workers: int, driving: Driving, only: str = "") -> str:
    """The table; each server is started with and without audit. All reads come first: what is created adds to the
    same people, whose searches would cost more each time."""
    found: Found = {}
    for operations, audit in product((READS, WRITES), (False, True)):
        names = [name for name in operations if only in name]
        with serving(data, workers, None if audit else _without_audit()) as (root, port):
            for access, name in product((False, True), names):
                hold_token(data, *((doctor(driving.world.doctor or 0), "clinician") if access else ()))
                found[name, access, audit] = measured(data, root, port, name, driving)
                say(
                    f"{name}, access {access}, audit {audit}: {found[name, access, audit].rate:,.0f} a second"
                )
    return table(HEADINGS, [_row(name, found) for name in (*READS, *WRITES) if only in name])


def _without_audit() -> dict[str, str]:
    before = os.environ.get("PYTHONPATH", "")
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(UNAUDITED), before)))}


def _row(name: str, found: Found) -> list[str]:
    each = [found[name, access, audit] for access, audit in WAYS]
    remains = 100 * each[-1].rate / each[0].rate
    floor = FLOORS.get(name, FLOOR)
    return [
        name,
        *(f"{way.rate:,.0f}" for way in each),
        f"{remains:.0f} % {'≥' if remains >= floor else '<'} {floor}",
        *(f"{way.application + way.database:.0f}" for way in each),
        str(sum(way.failed for way in each)),
    ]
