"""A person's record: the summary on top, the timeline, and measurements over time."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from commonweal.platform.work import Work
from commonweal.web import page
from commonweal.web.record import kinds, trend
from commonweal.web.record.person import HEEDED, Person, Summary, person, summary
from commonweal.web.record.series import Series, latest, series
from commonweal.web.record.timeline import Asked, entries
from commonweal.web.record.timeline import timeline as arranged
from commonweal.web.record.values import Json
from commonweal.web.screens import loading

VITALS = 6
"""Measurements whose latest value stands in the summary."""
OLDEST = 200
"""Values of one series that are listed; the chart has them all."""


async def timeline(work: Work, request: Request) -> Response:
    """Newest first, by day and encounter, filtered by chapter and text."""
    head = await head_of(work, request)
    asked = _asked(request)
    loaded = await loading.record_of(
        work, request, head.person.id, kinds.types_of(asked.chapters | kinds.usual())
    )
    await loading.name_references(work, loaded.resources)
    shown = arranged(entries(loaded.resources), asked)
    return page.render(
        request,
        "timeline.html",
        head=head,
        asked=asked,
        shown=shown,
        whole=loaded.whole,
        most=loading.MOST,
        chapters=kinds.CHAPTERS,
        title=kinds.title,
        vitals=latest(series(loaded.resources), VITALS),
        spark=trend.spark,
        link=_links(head.person.id, asked),
    )


async def measurements(work: Work, request: Request) -> Response:
    """All numeric measurements, and one of them as a chart and a table."""
    head = await head_of(work, request)
    loaded = await loading.record_of(work, request, head.person.id, ("Observation",))
    found = series(loaded.resources)
    chosen = _chosen(found, request.query_params.get("of", ""))
    return page.render(
        request,
        "measurements.html",
        head=head,
        series=found,
        chosen=chosen,
        chart=trend.trend(chosen.points, left=56) if chosen else None,
        points=list(reversed(chosen.points))[:OLDEST] if chosen else [],
        spark=trend.spark,
        whole=loaded.whole,
        most=loading.MOST,
    )


class Head:
    """Who it is and what must be heeded; `whole` False when even that was too long to be read."""

    def __init__(self, person_: Person, summary_: Summary, whole: bool) -> None:
        self.person = person_
        self.summary = summary_
        self.whole = whole


async def head_of(work: Work, request: Request) -> Head:
    """The head of the pages of the person in the address."""
    type, id = loading.named(request)
    _, patient = await loading.read(work, type, id)
    heeded = await loading.record_of(work, request, id, HEEDED)
    await loading.name_references(work, heeded.resources)
    own = _about(heeded.resources, f"Patient/{id}")
    return Head(person(patient, work.now().date().isoformat()), summary(own), heeded.whole)


def _about(resources: Sequence[Json], patient: str) -> list[Json]:
    """Those whose subject this person is: one who asserted another's allergy has none by that."""
    return [each for each in resources if patient in _subjects(each)]


def _subjects(resource: Json) -> list[str]:
    return [resource.get(key, {}).get("reference", "") for key in ("subject", "patient")]


def _asked(request: Request) -> Asked:
    query = request.query_params
    known = {chapter.name for chapter in kinds.CHAPTERS}
    chosen = frozenset(query.getlist("show")) & known
    return Asked(chosen or kinds.usual(), query.get("text", "").strip()[:100], query.get("before", ""))


def _links(id: str, asked: Asked) -> Any:
    """Addresses of this timeline with something changed."""
    chosen = sorted(asked.chapters) if asked.chapters != kinds.usual() else []

    def link(**changed: Any) -> str:
        return page.address(f"/people/{id}", **({"show": chosen, "text": asked.text} | changed))

    return link


def _chosen(found: Sequence[Series], key: str) -> Series | None:
    return next((each for each in found if each.key == key), found[0] if found else None)
