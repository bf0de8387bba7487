"""A batch: each entry is a request by itself, and fails by itself. https://hl7.org/fhir/R4/http.html#brules"""

from collections.abc import Sequence

import structlog

from commonweal.api import bundles
from commonweal.api.answer import Answer, refusal
from commonweal.api.entries.envelope import Step
from commonweal.api.request import Request
from commonweal.fhir.outcome import Problem

logger = structlog.get_logger("commonweal.api")


async def batch(request: Request, steps: Sequence[Step]) -> Answer:
    """Every entry's own answer, in the order asked."""
    entries = [entry_of(await _performed(step)) for step in steps]
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


async def _performed(step: Step) -> Answer:
    inner = step.request
    try:
        if inner.segments == ():
            raise Problem.not_supported("a batch holds no batch or transaction")
        return await inner.site.perform(inner, None)
    except Problem as problem:
        return refusal(problem)
    except Exception:
        logger.exception("entry failed", request=inner.id, index=step.index)
        return refusal(Problem.of("cw-exception", why=f"please quote request {inner.id}"))
