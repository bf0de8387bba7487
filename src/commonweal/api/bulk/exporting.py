"""Kick-off, status, cancellation and files of an export: https://hl7.org/fhir/uv/bulkdata/STU2/export.html."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from commonweal.access.agent import OPERATOR, Agent
from commonweal.api.answer import Answer, http_date, told
from commonweal.api.bulk.asking import Asked, Reader, is_exported
from commonweal.api.bulk.downloading import streamed
from commonweal.api.bulk.permitted import EXPORT, permitted
from commonweal.api.bulk.shelf import Job, Json, Order, Part, Progress, Shelf
from commonweal.api.bundles import instant
from commonweal.api.negotiate import check_media
from commonweal.api.request import Request
from commonweal.api.rest.instance import checked_id
from commonweal.fhir import codec
from commonweal.fhir.elements import RESOURCE_TYPES
from commonweal.fhir.outcome import Issue, Problem, issue, outcome
from commonweal.fhir.search.dates import span
from commonweal.platform.ports import Audited
from commonweal.platform.work import Work

MILLISECOND = 1000


async def of_system(request: Request, work: Work) -> Answer:
    """GET or POST [base]/$export."""
    return await _kicked_off(request, work, "system")


async def of_patients(request: Request, work: Work) -> Answer:
    """GET or POST [base]/Patient/$export."""
    return await _kicked_off(request, work, "patient")


async def of_group(request: Request, work: Work) -> Answer:
    """GET or POST [base]/Group/id/$export."""
    return await _kicked_off(request, work, "group")


async def status(request: Request, work: Work) -> Answer:
    """GET [base]/_export/id: 202 while it runs, then the manifest."""
    job, order = await _own(request, work)
    progress = job.progress()
    if progress.failed is not None:
        raise Problem.of("cw-exception", why=f"the export could not be completed: {progress.failed}")
    if progress.ended is None:
        return _in_progress(request, work, job, progress)
    answer = Answer(200, msgspec.json.encode(_manifest(request, order, progress)), b"application/json")
    answer.headers.append((b"expires", http_date((progress.ended + _keep(request)) // 1_000_000)))
    return answer


async def cancel(request: Request, work: Work) -> Answer:
    """DELETE [base]/_export/id: it stops, and its files are gone; 404 from now on."""
    job, _ = await _own(request, work)
    job.remove()
    return told([Issue("information", "informational", f"The export {job.id} is removed.")], 202)


async def file(request: Request, work: Work) -> Answer:
    """GET [base]/_export/id/name: one file, packed when the caller takes gzip."""
    job, _ = await _own(request, work)
    progress, name = job.progress(), request.segments[2]
    part = next((each for each in progress.parts if each.name == name), None)
    if part is None or progress.ended is None:
        raise Problem.of("cw-unknown-address", address="/".join(request.segments)[:200])
    await _audit(request, work, "export-file", f"{job.id}/{name}")
    return streamed(job.folder / part.name, part.size, "gzip" in request.header(b"accept-encoding"))


async def _kicked_off(request: Request, work: Work, level: str) -> Answer:
    shelf = _shelf(request)
    await permitted(request.site.platform, work, EXPORT)
    if not request.preference.asynchronous:
        raise Problem.invalid("an export runs in the background: say 'Prefer: respond-async'")
    if request.body:
        check_media(request.headers.get(b"content-type", b""))
    reader = Reader(request, level)
    asked = reader.read()
    members = await _members(request, work, level, reader)
    if shelf.unfinished(work.agent.id) >= shelf.most:
        raise Problem.of("cw-throttled", why=f"{shelf.most} exports of yours are not complete yet")
    order = await _order(request, work, level, asked, members)
    await _audit(request, work, "export", f"{order.url} as {order.id}")
    shelf.add(order)
    answer = told([Issue("information", "informational", f"The export {order.id} has begun.")], 202)
    answer.headers.append((b"content-location", f"{request.base}/_export/{order.id}".encode("ascii")))
    return answer


async def _order(
    request: Request, work: Work, level: str, asked: Asked, members: Sequence[str] | None
) -> Order:
    """Its time is the store's, in whole milliseconds, since that is what most clients keep of an instant."""
    platform, agent = request.site.platform, work.agent
    now = await platform.store.now()
    policy = platform.catalogue.policy
    types = asked.types or tuple(each for each in sorted(RESOURCE_TYPES) if is_exported(each, level))
    query = f"?{request.query.decode('ascii', 'replace')}" if request.query else ""
    return Order(
        platform.new_id(),
        agent,
        f"{request.base}/{'/'.join(request.segments)}{query}",
        -(-now // MILLISECOND) * MILLISECOND,
        level,
        tuple(each for each in types if policy.may(agent, f"{each}.search")),
        asked.filters,
        asked.since,
        asked.elements,
        None if members is None else tuple(members),
        asked.patients is not None,
        tuple(outcome([each]) for each in asked.remarks),
    )


async def _members(request: Request, work: Work, level: str, reader: Reader) -> Sequence[str] | None:
    """The patients it is about: those of the group, those named, or those named of the group."""
    asked = reader.asked.patients
    if level == "group":
        group = checked_id("Group", request.segments[1])
        inside = members_of(codec.parse((await work.read("Group", group)).body), work.now())
        known = inside if asked is None else [id for id in asked if id in set(inside)]
    elif asked is None:
        return None
    else:
        found = await work.read_all([("Patient", id) for id in asked])
        known = [stored.id for stored in found if stored is not None]
    missing = next((id for id in asked or () if id not in set(known)), None)
    if missing is not None:
        what = "in this group" if level == "group" else "here"
        reader.leave_out(
            issue("cw-bad-parameter", name="patient", why=f"there is no Patient/{missing} {what}")
        )
    return known


def members_of(group: Json, now: datetime) -> list[str]:
    """Ids of the patients who are in a group now: https://hl7.org/fhir/R4/group.html.

    Problem 422 when its members are not told one by one, or are something else than patients.
    """
    if not group.get("actual"):
        raise Problem.of(
            "cw-business-rule", "Group.actual", why="This group describes people; it has no members."
        )
    found: dict[str, None] = {}
    for number, member in enumerate(group.get("member", ())):
        if member.get("inactive") or _is_over(member, now):
            continue
        text = member["entity"].get("reference", "")
        type, _, id = text.rpartition("/")
        if type.rpartition("/")[2] != "Patient":
            why = f"Only groups of patients can be exported, and '{text[:100]}' is none; nested groups are not opened."
            raise Problem.of("cw-business-rule", f"Group.member[{number}].entity", why=why)
        found[id] = None
    return list(found)


def _is_over(member: Json, now: datetime) -> bool:
    end = member.get("period", {}).get("end")
    return end is not None and span(end)[1] < int(now.timestamp() * 1_000_000)


def _in_progress(request: Request, work: Work, job: Job, progress: Progress) -> Answer:
    patience = _shelf(request).patience
    if job.was_polled(work.now(), patience / 2):
        answer = told([issue("cw-throttled", why="the status was asked for a moment ago")], 429)
    else:
        answer = Answer(202)
        done = f"{progress.step} of {progress.steps} steps" if progress.steps else "waiting"
        answer.headers.append((b"x-progress", f"{done}, {progress.count} resources".encode()))
    seconds = -(-patience // timedelta(seconds=1))
    answer.headers.append((b"retry-after", b"%d" % max(1, seconds)))
    return answer


def _manifest(request: Request, order: Order, progress: Progress) -> Json:
    """https://hl7.org/fhir/uv/bulkdata/STU2/export.html#response---complete-status"""

    def items(section: str) -> list[Json]:
        return [_item(request, order, part) for part in progress.parts if part.section == section]

    return {
        "transactionTime": instant(order.at),
        "request": order.url,
        "requiresAccessToken": True,
        "output": items("output"),
        "deleted": items("deleted"),
        "error": items("error"),
    }


def _item(request: Request, order: Order, part: Part) -> Json:
    return {"type": part.type, "url": f"{request.base}/_export/{order.id}/{part.name}", "count": part.count}


async def _own(request: Request, work: Work) -> tuple[Job, Order]:
    """The export and what was asked; Problem 404 for whoever neither asked for it nor runs the installation."""
    await permitted(request.site.platform, work, EXPORT)
    id = request.segments[1]
    job = _shelf(request).find(id)
    order = job.order() if job is not None else None
    if job is None or order is None or not _is_theirs(order, work.agent):
        raise Problem.of("cw-unknown-address", address=f"_export/{id[:64]}")
    return job, order


def _shelf(request: Request) -> Shelf:
    shelf = request.site.exports
    if not isinstance(shelf, Shelf):
        raise Problem.not_supported("this installation has no folder for exports")
    return shelf


def _keep(request: Request) -> int:
    return _shelf(request).keep // timedelta(microseconds=1)


async def _audit(request: Request, work: Work, interaction: str, query: str) -> None:
    row = Audited.by(work.agent, work.id, interaction, query=query[:2000])
    await request.site.platform.store.audit(row)


def _is_theirs(order: Order, agent: Agent) -> bool:
    """Whoever asked for it, through the same app if any; and the operator in person."""
    asked = (order.asker.id, order.asker.client) == (agent.id, agent.client)
    return asked or (agent.has(OPERATOR) and agent.scopes is None)
