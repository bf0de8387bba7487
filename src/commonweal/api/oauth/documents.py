"""The documents that lead apps here, in JSON whatever they say they take."""

from starlette.requests import Request
from starlette.responses import Response

from commonweal.api.oauth.answers import json
from commonweal.api.oauth.desk import desk
from commonweal.identity.oauth import documents
from commonweal.identity.oauth import keys as signing

KEPT = {"cache-control": "public, max-age=300"}
"""Less than a key is published after it has signed for the last time."""


async def smart(request: Request) -> Response:
    """https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#using-well-known"""
    return json(documents.smart_configuration(desk(request).identity), headers=KEPT)


async def openid(request: Request) -> Response:
    """https://openid.net/specs/openid-connect-discovery-1_0.html, also as RFC 8414 has it."""
    return json(documents.openid_configuration(desk(request).identity), headers=KEPT)


async def keys(request: Request) -> Response:
    """The keys that our signatures are checked with: https://www.rfc-editor.org/rfc/rfc7517#section-5."""
    return json(await signing.published(desk(request).identity), headers=KEPT)
