"""Where a Bundle of requests comes in."""

from commonweal.api.answer import Answer
from commonweal.api.entries.batch import batch
from commonweal.api.entries.envelope import opened
from commonweal.api.entries.transaction import transaction
from commonweal.api.negotiate import check_media
from commonweal.api.request import Request
from commonweal.platform.work import Work


async def bundle(request: Request, work: Work) -> Answer:
    """POST [base]: https://hl7.org/fhir/R4/http.html#transaction."""
    check_media(request.headers.get(b"content-type", b""))
    kind, steps = opened(request)
    return await (transaction(request, steps, work) if kind == "transaction" else batch(request, steps))
