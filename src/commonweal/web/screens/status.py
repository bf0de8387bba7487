"""How the installation is doing; every number with its time, every estimate said to be one."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from commonweal.platform.work import Work
from commonweal.web import page, site

MEMORY = Path("/proc/self/status")
DISPATCHER = "seal"
"""The lease that every background worker tries to hold."""


async def show(work: Work, request: Request) -> Response:
    """What the store tells, and the memory of the process that answers."""
    told = await site.of(request).status()
    seen = next((each for each in told.leases if each.name == DISPATCHER), None)
    return page.render(request, "status.html", told=told, seen=seen, memory=resident())


def resident() -> int | None:
    """Bytes of memory of this process; None where the system does not say."""
    if not MEMORY.is_file():
        return None
    lines = MEMORY.read_text("ascii", "replace").splitlines()
    size = next((line.split()[1] for line in lines if line.startswith("VmRSS:")), None)
    return int(size) * 1024 if size else None
