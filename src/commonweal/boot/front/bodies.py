"""A body must come in time, whoever reads it."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

from commonweal.boot.http import Receive
from commonweal.fhir.outcome import Problem


def in_time(receive: Receive, seconds: float) -> Receive:
    """The same body; Problem 408 when it is not whole `seconds` after it was first asked for."""
    ends, whole = 0.0, False
    late = Problem.of("cw-slow-body", seconds=seconds)

    async def receiving() -> MutableMapping[str, Any]:
        nonlocal ends, whole
        if whole:
            return await receive()  # the end of the connection may be waited for as long as it lasts
        clock = asyncio.get_running_loop().time
        ends = ends or clock() + seconds
        try:
            async with asyncio.timeout_at(ends):
                message = await receive()
        except TimeoutError:
            raise late from None
        whole = not message.get("more_body", False)
        if not whole and clock() > ends:  # it never had to wait, and so was never stopped
            raise late
        return message

    return receiving
