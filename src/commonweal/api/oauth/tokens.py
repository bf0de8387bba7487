"""The endpoints that apps call themselves: tokens, questions about them, their end, and registration."""

from starlette.requests import Request
from starlette.responses import Response

from commonweal.api.oauth.answers import UNKEPT, json
from commonweal.api.oauth.desk import desk
from commonweal.api.oauth.forms import body, form
from commonweal.identity.oauth import exchanging, introspecting, registering
from commonweal.identity.oauth.refused import Refused


async def exchange(request: Request) -> Response:
    """https://www.rfc-editor.org/rfc/rfc6749#section-3.2"""
    here = desk(request)
    return json(
        await exchanging.exchange(here.identity, here.keysets, await form(request), _authorization(request))
    )


async def introspect(request: Request) -> Response:
    """https://www.rfc-editor.org/rfc/rfc7662"""
    here = desk(request)
    told = await introspecting.introspect(
        here.identity, here.keysets, await form(request), _authorization(request)
    )
    return json(told)


async def revoke(request: Request) -> Response:
    """https://www.rfc-editor.org/rfc/rfc7009"""
    here = desk(request)
    await introspecting.revoke(here.identity, here.keysets, await form(request), _authorization(request))
    return Response(status_code=200, headers=UNKEPT)


async def register(request: Request) -> Response:
    """https://www.rfc-editor.org/rfc/rfc7591, for who may register apps, by their own token."""
    here = desk(request)
    agent = await here.authenticate(request.scope)
    if agent.scopes is not None or not here.registers(agent):
        raise Refused("access_denied", "only who may register apps can do so, and no app for them", 403)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused("invalid_client_metadata", "send application/json")
    metadata = registering.read(await body(request))
    client, secret = await registering.register(here.identity, agent, metadata)
    return json(registering.told(client, secret), 201)


def _authorization(request: Request) -> str:
    return request.headers.get("authorization", "")
