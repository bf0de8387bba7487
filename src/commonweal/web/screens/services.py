"""The map of services: what each owns, offers, may and hears, as the manifests say it."""

from starlette.requests import Request
from starlette.responses import Response

from commonweal.platform.service import Every, On, Service
from commonweal.platform.work import Work
from commonweal.web import page, site


async def show(work: Work, request: Request) -> Response:
    """Every service and the record's own permissions."""
    catalogue = site.of(request).platform.catalogue
    declared = {each.name for service in catalogue.services for each in service.permissions}
    own = [each for each in catalogue.policy.permissions.values() if each.name not in declared]
    return page.render(
        request,
        "services.html",
        services=[(each, _topics(each), _hears(each)) for each in catalogue.services],
        own=own,
    )


def _topics(service: Service) -> list[str]:
    """What it tells: the moves of its workflows that have a name, and what their deadlines tell."""
    moves = [move.topic for flow in service.workflows for move in flow.moves if move.topic]
    deadlines = [
        topic
        for flow in service.workflows
        for deadline in flow.deadlines
        for topic in (deadline.breach, deadline.warning)
        if topic
    ]
    plain = [f"{kind.type}.created / .updated / .deleted" for kind in service.owns]
    return list(dict.fromkeys([*plain, *moves, *deadlines]))


def _hears(service: Service) -> list[tuple[str, int]]:
    """Topics it reacts to, and how often what it does by the clock is done (seconds; 0 for a topic)."""
    topics = [(each.topic, 0) for each in service.reacts if isinstance(each, On)]
    return topics + [("", each.seconds) for each in service.reacts if isinstance(each, Every)]
