"""Read, write and delete of one resource by its id: https://hl7.org/fhir/R4/http.html#read and #update."""

import re
from collections.abc import Sequence
from email.utils import parsedate_to_datetime

import msgspec

from commonweal.api.answer import Answer, of, told
from commonweal.api.negotiate import check_media
from commonweal.api.request import RESOURCE_ID, Request
from commonweal.api.subset import narrowed
from commonweal.fhir.outcome import Issue, Problem
from commonweal.platform.ports import Stored
from commonweal.platform.work import Draft, Work

ETAG = re.compile(r'(?:W/)?"(\d{1,18})"|(\d{1,18})')


class Head(msgspec.Struct):
    """What a body says it is, read without decoding the rest."""

    resourceType: str = ""
    id: str | None = None


async def read(request: Request, work: Work) -> Answer:
    """GET [base]/Type/id; 304 when the caller has it: https://hl7.org/fhir/R4/http.html#cread."""
    type, id = request.segments
    stored = await work.read(type, checked_id(type, id))
    answer = of(stored)
    if _is_known(request, stored):
        answer.status, answer.body = 304, b""
        return answer
    return narrowed(request, answer)


async def vread(request: Request, work: Work) -> Answer:
    """GET [base]/Type/id/_history/vid: https://hl7.org/fhir/R4/http.html#vread."""
    type, id, _, version = request.segments
    if not version.isascii() or not version.isdigit() or len(version) > 9:
        raise Problem.not_found(type, f"{id[:64]}/_history/{version[:64]}")
    return narrowed(request, of(await work.read(type, checked_id(type, id), int(version))))


async def update(request: Request, work: Work) -> Answer:
    """PUT [base]/Type/id, creating it where there is none: https://hl7.org/fhir/R4/http.html#upsert."""
    check_media(request.headers.get(b"content-type", b""))
    type, id = request.segments
    draft = update_of(type, id, request.body, if_match(request.header(b"if-match")))
    return saved(request, (await work.save_all([draft]))[0])


async def delete(request: Request, work: Work) -> Answer:
    """DELETE [base]/Type/id: https://hl7.org/fhir/R4/http.html#delete."""
    type, id = request.segments
    draft = Draft(None, "delete", type, checked_id(type, id), if_match(request.header(b"if-match")))
    return deleted(request, await work.save_all([draft]))


def update_of(type: str, id: str, body: bytes, version: int | None) -> Draft:
    """An update by id; Problem 400 unless the body names the same id."""
    if not RESOURCE_ID.fullmatch(id):
        raise Problem.invalid(f"'{id[:64]}' is not an id: 1 to 64 letters, digits, '-' and '.'")
    head = head_of(body)
    if head is not None and head.resourceType == type and head.id != id:
        raise Problem.of("cw-id-mismatch", f"{type}.id")
    return Draft(body, "update", type, id, version)


def head_of(body: bytes) -> Head | None:
    """Type and id of a body; None when it cannot be read, which the gate will say better."""
    try:
        return msgspec.json.decode(body, type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def checked_id(type: str, id: str) -> str:
    """The id when it is one; Problem 404 else, since no resource can have it."""
    if not RESOURCE_ID.fullmatch(id):
        raise Problem.not_found(type, id[:64])
    return id


def if_match(header: str) -> int | None:
    """The version an If-Match header asks for; Problem 412 for a tag that is none of ours."""
    if not header:
        return None
    found = ETAG.fullmatch(header.strip())
    if found is None:
        raise Problem.precondition_failed(f"'{header[:64]}' is not the tag of a version, such as W/\"1\".")
    return int(found[1] or found[2])


def saved(request: Request, stored: Stored) -> Answer:
    """The answer to a write, as Prefer wants it: https://hl7.org/fhir/R4/http.html#return."""
    created = stored.method == "create"
    answer = of(stored, 201 if created else 200)
    answer.location = f"{request.base}/{stored.reference}/_history/{stored.version}"
    returns = request.preference.returns
    if returns == "minimal":
        answer.body = b""
    elif returns == "operationoutcome":
        answer.body = told([_done(f"{stored.reference} is now version {stored.version}.")]).body
    return answer


def deleted(request: Request, versions: Sequence[Stored]) -> Answer:
    """The answer to a deletion; what was not there is deleted as well as can be."""
    if request.preference.returns == "operationoutcome":
        gone = ", ".join(each.reference for each in versions)
        return told([_done(f"Deleted: {gone or 'nothing'}.")])
    answer = Answer(204)
    if len(versions) == 1 and versions[0].version:
        answer.etag = f'W/"{versions[0].version}"'
    return answer


def _done(sentence: str) -> Issue:
    return Issue("information", "informational", sentence)


def _is_known(request: Request, stored: Stored) -> bool:
    """Has the caller this version already?"""
    tags = request.headers.get(b"if-none-match")
    if tags is not None:
        current = b'"%d"' % stored.version
        return any(tag.strip().removeprefix(b"W/") in (current, b"*") for tag in tags.split(b","))
    since = request.headers.get(b"if-modified-since")
    return since is not None and stored.updated // 1_000_000 <= _seconds(since)


def _seconds(date: bytes) -> float:
    """An HTTP date; one that cannot be read is as good as none."""
    try:
        return parsedate_to_datetime(date.decode("ascii")).timestamp()
    except (ValueError, UnicodeDecodeError, OverflowError):
        return float("-inf")
