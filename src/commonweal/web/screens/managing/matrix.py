"""Which role may do what: made from what the record and every service declare."""

from starlette.requests import Request
from starlette.responses import Response

from commonweal.access.matrix import matrix
from commonweal.access.roles import ROLES
from commonweal.platform.work import Work
from commonweal.web import names, page, site


async def show(work: Work, request: Request) -> Response:
    """The whole table, or what one role may do."""
    policy = site.of(request).platform.catalogue.policy
    table = matrix(policy.permissions.values(), policy.roles)
    asked = request.query_params.get("role", "")
    role = asked if asked in table.roles else ""
    return page.render(
        request,
        "managing/matrix.html",
        table=table,
        role=role,
        masks=ROLES[role].masks if role in ROLES else (),
        names=names,
    )
