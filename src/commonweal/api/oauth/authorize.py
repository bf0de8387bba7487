"""The authorization endpoint: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-authorization-code."""

from html import escape

from starlette.requests import Request
from starlette.responses import Response

from commonweal.api.oauth.answers import UNKEPT
from commonweal.api.oauth.desk import desk
from commonweal.api.oauth.forms import pairs
from commonweal.identity.oauth import asking
from commonweal.identity.oauth.refused import Refused

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
</head><body><main><h1>{title}</h1><p>{what}</p><p lang="zh-Hans">{zh}</p><p><code>{error}</code></p></main></body>
</html>
"""
TITLE = "This app cannot be let in · 无法允许此应用"
ZH = "应用未登记，或其返回地址未登记。请联系应用的提供者。"


async def begin(request: Request) -> Response:
    """To the page that asks the person, or back to the app with an error. Where the app or its address is not known,
    the error is shown here: nobody is sent to an address that was not registered."""
    try:
        address = await asking.begin(desk(request).identity, await pairs(request))
    except Refused as refused:
        return _shown(refused)
    return Response(status_code=303, headers={**UNKEPT, "location": address})


def _shown(refused: Refused) -> Response:
    what = f"{refused.description[:1].upper()}{refused.description[1:]}. Ask whoever made the app."
    page = PAGE.format(title=TITLE, what=escape(what), zh=ZH, error=escape(refused.error))
    return Response(page, 400, UNKEPT, "text/html")
