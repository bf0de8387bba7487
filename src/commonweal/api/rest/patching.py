"""PATCH by JSON Patch and FHIRPath Patch: https://hl7.org/fhir/R4/http.html#patch."""

from decimal import Decimal
from typing import Any

import msgspec

from commonweal.api.answer import Answer
from commonweal.api.negotiate import PATCH, check_media
from commonweal.api.request import Request
from commonweal.api.rest.instance import checked_id, if_match, saved
from commonweal.fhir import codec
from commonweal.fhir.outcome import Problem
from commonweal.fhir.patch import fhirpath_patch, json_patch
from commonweal.platform.ports import Stored
from commonweal.platform.work import Draft, Work

Json = dict[str, Any]
STEPS = msgspec.json.Decoder(list[Json], float_hook=Decimal)


async def patch(request: Request, work: Work) -> Answer:
    """PATCH [base]/Type/id."""
    type, id = request.segments
    return await patched(request, work, await work.read(type, checked_id(type, id)))


async def patched(request: Request, work: Work, there: Stored) -> Answer:
    """The next version of what is there; it must still be current when it is written."""
    return saved(request, (await work.save_all([draft_of(request, there)]))[0])


def draft_of(request: Request, there: Stored) -> Draft:
    """The update that a patch amounts to; Problem 412 when If-Match names another version."""
    wanted = if_match(request.header(b"if-match"))
    if wanted not in (None, there.version):
        raise Problem.precondition_failed(f"{there.reference} is at version {there.version}, not {wanted}.")
    media = check_media(request.headers.get(b"content-type", b""), PATCH, "application/fhir+json")
    after = _applied(media, codec.parse(there.body), request.body)
    if (after.get("resourceType"), after.get("id")) != (there.type, there.id):
        raise Problem.unprocessable(Problem.invalid("a patch may change neither type nor id").issues)
    return Draft(after, "update", there.type, there.id, there.version)


def _applied(media: str, before: Json, body: bytes) -> Json:
    if media == PATCH:
        try:
            steps = STEPS.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Problem.of("cw-not-json", why=f"a JSON Patch is an array of steps ({error})") from error
        return json_patch(before, steps)
    return fhirpath_patch(before, codec.check(body, "Parameters"))
