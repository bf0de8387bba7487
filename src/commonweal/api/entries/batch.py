"""A batch: each entry is a request by itself, and fails by itself. https://hl7.org/fhir/R4/http.html#brules"""

from collections.abc import Sequence

import structlog

from commonweal.api import bundles
from commonweal.api.answer import Answer, refusal
from commonweal.api.entries.envelope import Step
from commonweal.api.request import Request
from commonweal.fhir.outcome import Problem
from commonweal.platform.work import Work

logger = structlog.get_logger("commonweal.api")


class Room:
    """What the answers of one Bundle may hold together, so that a few bytes do not ask for gigabytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0

    async def perform(self, step: Step, work: Work | None) -> Answer:
        """The entry's answer; Problem too-costly, and nothing done, when there is no room for more."""
        if self._taken >= self._limit:
            raise Problem.too_costly(
                f"the answers before this one hold {self._limit} bytes; ask for it apart"
            )
        answer = await step.request.site.perform(step.request, work)
        self._taken += len(answer.body)
        return answer


async def batch(request: Request, steps: Sequence[Step]) -> Answer:
    """Every entry's own answer, in the order asked."""
    room = Room(request.site.limits.answer_bytes)
    entries = [entry_of(await _performed(step, room)) for step in steps]
    return Answer(200, bundles.bundle("batch-response", entries))


def entry_of(answer: Answer) -> bytes:
    """An answer as an entry: a failure's outcome stands in the response, anything else is the resource."""
    failed = answer.status >= 400
    said = bundles.response(
        answer.status,
        location=answer.location,
        etag=answer.etag,
        modified=answer.modified,
        outcome=answer.body if failed else b"",
    )
    return bundles.answered(said, b"" if failed else answer.body)


async def _performed(step: Step, room: Room) -> Answer:
    inner = step.request
    try:
        if inner.segments == ():
            raise Problem.not_supported("a batch holds no batch or transaction")
        return await room.perform(step, None)
    except Problem as problem:
        return refusal(problem)
    except Exception:
        logger.exception("entry failed", request=inner.id, index=step.index)
        return refusal(Problem.of("cw-exception", why=f"please quote request {inner.id}"))
