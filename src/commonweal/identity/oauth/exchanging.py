"""The token endpoint: https://www.rfc-editor.org/rfc/rfc6749#section-3.2."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from commonweal.access.agent import Agent
from commonweal.identity.agents import NOBODY
from commonweal.identity.house import SECOND, Identity
from commonweal.identity.oauth import authenticating, codes, grants, issuing, scopes, whose
from commonweal.identity.oauth.clients import Client
from commonweal.identity.oauth.grants import Grant
from commonweal.identity.oauth.keysets import Keysets
from commonweal.identity.oauth.refused import Refused

Json = dict[str, Any]
Form = Mapping[str, str]
CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


async def exchange(identity: Identity, keysets: Keysets, form: Form, authorization: str = "") -> Json:
    """The token response to what an app sends; `authorization` is that header. Refused else, which is audited."""
    try:
        return await _exchanged(identity, keysets, form, authorization)
    except Refused as refused:
        why = f"{refused.error}: {refused.description}"
        await identity.note(_claimed(form), "token-refused", because=why, outcome=refused.status)
        raise


def _claimed(form: Form) -> Agent:
    """Who says to be asking, whether or not it is."""
    id = form.get("client_id", "")
    return Agent(f"client:{id}", client=id) if CLIENT_ID.fullmatch(id) else NOBODY


async def _exchanged(identity: Identity, keysets: Keysets, form: Form, authorization: str) -> Json:
    granted = GRANTS.get(form.get("grant_type", ""))
    if granted is None:
        raise Refused("unsupported_grant_type", f"grant_type is one of {', '.join(GRANTS)}")
    form = await _named(identity, form)
    client = await authenticating.client_of(identity, keysets, form, authorization)
    if form["grant_type"] not in client.grants:
        raise Refused("unauthorized_client", "the app was not registered for this grant_type")
    return await granted(identity, client, form)


async def _named(identity: Identity, form: Form) -> Form:
    """Public apps renew without saying who they are, as SMART's own examples do: their refresh token says it."""
    if form["grant_type"] != "refresh_token" or "client_id" in form:
        return form
    found = await grants.of_refresh(identity, form.get("refresh_token", ""))
    return form if found is None else {**form, "client_id": found[0].client}


async def _code(identity: Identity, client: Client, form: Form) -> Json:
    told = (form.get("code", ""), form.get("redirect_uri", ""), form.get("code_verifier", ""))
    grant = await codes.redeem(identity, client, *told)
    grant, refresh = await _with_refresh(identity, client, grant)
    return await issuing.response(identity, client, grant, grant.scopes, refresh)


async def _with_refresh(identity: Identity, client: Client, grant: Grant) -> tuple[Grant, str]:
    await whose.agent(identity, client, grant, ())
    if not grant.renews or "refresh_token" not in client.grants:
        return grant, ""
    return await grants.new_refresh(identity, grant)


async def _refresh(identity: Identity, client: Client, form: Form) -> Json:
    token = form.get("refresh_token", "")
    found = await grants.of_refresh(identity, token)
    scope = _asked_again(form, found[0].scopes) if found else ()
    if found and found[0].client == client.id:
        await whose.agent(identity, client, found[0], scope)
    grant, fresh = await grants.renew(identity, token, client.id)
    return await issuing.response(identity, client, grant, scope, fresh)


def _asked_again(form: Form, given: tuple[str, ...]) -> tuple[str, ...]:
    """The same scopes, or fewer where the app says so."""
    if "scope" not in form:
        return given
    asked = form["scope"].split()
    left = scopes.intersection(asked, given)
    if not left or set(left) != set(asked):
        raise Refused("invalid_scope", "that is more than was given")
    return left


async def _system(identity: Identity, client: Client, form: Form) -> Json:
    """https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html; only within an agreement."""
    now = identity.now()
    if client.agreement is None or now >= client.agreement.until or not client.agreement.purposes:
        raise Refused("unauthorized_client", "there is no agreement with the organization of this system")
    if client.kind != "asymmetric" or not client.organization:
        raise Refused("unauthorized_client", "a system authenticates by private_key_jwt, for an organization")
    given = scopes.of_contexts(scopes.intersection(form.get("scope", "").split(), client.scopes), "system")
    given = tuple(each for each in given if each not in scopes.NAMED)
    if not given:
        raise Refused("invalid_scope", "nothing of what is asked can be given to this system")
    until = min(now + grants.ACCESS_SECONDS * SECOND, client.agreement.until)
    grant = await grants.open(identity, Grant(id="", client=client.id, scopes=given, until=until))
    await identity.note(whose.system(client), "token", f"client-{client.id}", because=" ".join(given))
    return await issuing.response(identity, client, grant, given)


GRANTS: dict[str, Callable[[Identity, Client, Form], Awaitable[Json]]] = {
    "authorization_code": _code,
    "refresh_token": _refresh,
    "client_credentials": _system,
}
