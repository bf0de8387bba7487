"""Asking about tokens and ending them: https://hl7.org/fhir/smart-app-launch/STU2.2/token-introspection.html."""

from typing import Any

from commonweal.identity.oauth import launches
from commonweal.identity.oauth.clients import Client
from tests.conformance.smart.smart_world import BASE, FHIR, SCOPE, World, claims_of


async def asking(world: World) -> tuple[Client, str]:
    return await world.client(token_endpoint_auth_method="client_secret_post", introspects=True)


async def told(world: World, by: tuple[Client, str], token: str) -> dict[str, Any]:
    form = {"token": token, "client_id": by[0].id, "client_secret": by[1]}
    answer = await world.http.post("/oauth/introspect", data=form)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_good_token_is_told_with_all_that_its_response_said(world: World) -> None:
    account, session = await world.doctor()
    client, _ = await world.client()
    launch = await launches.open(world.identity, session, client.id, "p1", "e1", intent="reconcile")
    scope = "launch patient/*.rs openid fhirUser"
    given = await world.tokens(client, session, launch=launch, scope=scope)
    found = await told(world, await asking(world), given["access_token"])
    assert found["active"] is True
    assert found["scope"] == given["scope"] == scope
    assert found["client_id"] == client.id
    assert found["exp"] == world.micro // 1_000_000 + given["expires_in"]
    assert isinstance(found["exp"], int)
    assert (found["patient"], found["encounter"], found["intent"]) == ("p1", "e1", "reconcile")
    assert found["need_patient_banner"] is True
    identity = claims_of(given["id_token"])
    assert (found["iss"], found["sub"]) == (identity["iss"], identity["sub"]) == (BASE, account.id)
    assert found["fhirUser"] == identity["fhirUser"] == f"{FHIR}/Practitioner/d"


async def test_of_what_is_not_good_nothing_else_is_told(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    given = await world.tokens(client, session)
    by = await asking(world)
    await world.refresh(client, given["refresh_token"])
    for token in ("", "made-up", given["refresh_token"], given["id_token"]):
        assert await told(world, by, token) == {"active": False}
    world.pass_(300)
    assert await told(world, by, given["access_token"]) == {"active": False}


async def test_a_refresh_token_is_told_too(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    given = await world.tokens(client, session)
    found = await told(world, await asking(world), given["refresh_token"])
    assert (found["active"], found["client_id"], found["scope"]) == (True, client.id, SCOPE)


async def test_only_clients_that_may_ask_are_answered(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    other, secret = await world.client(token_endpoint_auth_method="client_secret_post")
    token = (await world.tokens(client, session))["access_token"]
    nobody = await world.http.post("/oauth/introspect", data={"token": token})
    assert (nobody.status_code, nobody.json()["error"]) == (401, "invalid_client")
    public = await world.http.post("/oauth/introspect", data={"token": token, "client_id": client.id})
    assert public.status_code == 403
    form = {"token": token, "client_id": other.id, "client_secret": secret}
    assert (await world.http.post("/oauth/introspect", data=form)).status_code == 403
    bearer = {"authorization": f"Bearer {token}"}
    assert (
        await world.http.post("/oauth/introspect", data={"token": token}, headers=bearer)
    ).status_code == 403
    forged = {"authorization": f"Bearer {token}x"}
    answer = await world.http.post("/oauth/introspect", data={"token": token}, headers=forged)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_an_access_token_of_its_own_lets_a_client_ask_about_those_of_any(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    token = (await world.tokens(client, session))["access_token"]
    _, theirs = await world.doctor()
    asks, _ = await world.client(introspects=True)
    own = (await world.tokens(asks, theirs))["access_token"]
    answer = await world.http.post(
        "/oauth/introspect", data={"token": token}, headers={"authorization": f"Bearer {own}"}
    )
    assert answer.json()["client_id"] == client.id
    assert answer.headers["cache-control"] == "no-store"


async def test_a_client_ends_its_own_tokens(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    by = await asking(world)
    for which in ("refresh_token", "access_token"):
        given = await world.tokens(client, session)
        form = {"token": given[which], "client_id": client.id}
        assert (await world.http.post("/oauth/revoke", data=form)).status_code == 200
        assert await told(world, by, given["access_token"]) == {"active": False}
        assert (await world.refresh(client, given["refresh_token"])).json()["error"] == "invalid_grant"
        assert (await world.http.post("/oauth/revoke", data=form)).status_code == 200


async def test_nobody_ends_the_tokens_of_another_client(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    other, _ = await world.client()
    given = await world.tokens(client, session)
    for token in (given["refresh_token"], given["access_token"], "made-up"):
        form = {"token": token, "client_id": other.id}
        assert (await world.http.post("/oauth/revoke", data=form)).status_code == 200
    assert (await told(world, await asking(world), given["access_token"]))["active"] is True
    assert (await world.http.post("/oauth/revoke", data={"token": given["access_token"]})).status_code == 401
    form = {"client_id": client.id}
    assert (await world.http.post("/oauth/revoke", data=form)).json()["error"] == "invalid_request"
