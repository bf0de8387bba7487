"""$import, an operation of our own: NDJSON in, kept under the ids of its source, unjudged, what is wrong told.

POST [base]/$import takes application/fhir+ndjson, one resource a line; the answer is a Parameters resource with
`created`, `updated`, `unchanged` and, for each wrong line, `wrong` with `line` (from 1) and `reason`.
"""

import io
from collections.abc import Iterator
from typing import Any

from commonweal.api.answer import Answer
from commonweal.api.bulk.permitted import IMPORT, permitted
from commonweal.api.bulk.settling import Settled, settle
from commonweal.api.request import RESOURCE_ID, Request
from commonweal.api.rest.instance import head_of
from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.platform.work import Draft, Work

Json = dict[str, Any]

BATCH = 200
"""Lines of one transaction; other requests of this process are answered between two."""
LINES = 100_000
"""Lines of one request."""
BECAUSE = "imported"


async def imported(request: Request, work: Work) -> Answer:
    """POST [base]/$import: a wrong line never keeps the others out; a repeated id becomes a version."""
    await permitted(request.site.platform, work, IMPORT)
    if request.body.count(b"\n") > LINES:
        raise Problem.of("cw-too-many", limit=LINES, what="lines")
    created = updated = unchanged = 0
    wrong: list[tuple[int, str]] = []
    for batch in _batches(request.body, wrong):
        settled = await _settled(request, work, batch)
        created, updated = created + settled.created, updated + settled.updated
        unchanged += settled.unchanged
        wrong += [(batch[index][0], why) for index, why in settled.wrong]
    return Answer(200, codec.encode(_told(created, updated, unchanged, sorted(wrong))))


async def _settled(request: Request, work: Work, batch: list[tuple[int, Draft]]) -> Settled:
    return await settle(request.site.platform, work.agent, [draft for _, draft in batch], BECAUSE, work.id)


def _batches(body: bytes, wrong: list[tuple[int, str]]) -> Iterator[list[tuple[int, Draft]]]:
    """Drafts with the numbers of their lines; no batch names a resource twice. Lines without a name go into
    `wrong`."""
    batch: list[tuple[int, Draft]] = []
    named: set[tuple[str, str | None]] = set()
    for number, line in enumerate(io.BytesIO(body), 1):
        if not (line := line.strip()):
            continue
        try:
            draft = _draft(line)
        except Problem as problem:
            wrong.append((number, str(problem)))
            continue
        if (draft.type, draft.id) in named or len(batch) >= BATCH:
            yield batch
            batch, named = [], set()
        batch.append((number, draft))
        named.add((draft.type, draft.id))
    if batch:
        yield batch


def _draft(line: bytes) -> Draft:
    head = head_of(line)
    if head is None or not head.resourceType:
        codec.check(line)  # says what is wrong with it
        raise Problem.of("cw-not-a-resource", why="there is no resourceType")
    if head.id is None or not RESOURCE_ID.fullmatch(head.id):
        raise Problem.invalid("there is no valid id; $import keeps the ids of its source")
    return Draft(line, "update", head.resourceType, head.id)


def _told(created: int, updated: int, unchanged: int, wrong: list[tuple[int, str]]) -> Json:
    counts = {"created": created, "updated": updated, "unchanged": unchanged}
    return {
        "resourceType": "Parameters",
        "parameter": [
            *({"name": name, "valueUnsignedInt": count} for name, count in counts.items()),
            *({"name": "wrong", "part": _parts(line, reason)} for line, reason in wrong),
        ],
    }


def _parts(line: int, reason: str) -> list[Json]:
    return [{"name": "line", "valuePositiveInt": line}, {"name": "reason", "valueString": reason[:2000]}]
