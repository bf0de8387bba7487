"""Python takes this up wherever this folder is on PYTHONPATH: the platform then writes no audit rows.

So the bench can say what the audit costs. It is no setting: nothing that is installed knows of it, the platform's own
code has no branch for it, and the row of a write is left out of the very statement that writes.
"""

import sys
from collections.abc import Sequence
from typing import Any

from commonweal.platform.ports import Audited
from commonweal.store.audit.rows import Auditor
from commonweal.store.writes import batch

_audits, _audit = batch.audits, batch.audit


async def _written(self: Auditor, row: Audited) -> None:
    """As if it were."""


def _none(rows: Sequence[Audited]) -> dict[str, Any]:
    return _audits([])


def _nothing(row: Audited | None, cause: str) -> dict[str, Any]:
    return _audit(None, cause)


for owner, name, value in (
    (Auditor, "write", _written),
    (batch, "audits", _none),
    (batch, "audit", _nothing),
):
    setattr(owner, name, value)
print("THIS PROCESS WRITES NO AUDIT: it measures, and serves nobody", file=sys.stderr)
