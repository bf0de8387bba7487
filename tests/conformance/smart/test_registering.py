"""Registration by an operator: https://www.rfc-editor.org/rfc/rfc7591."""

from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey

from commonweal.fhir.outcome import Problem
from commonweal.identity.oauth import clients
from tests.conformance.smart.smart_world import BOSS, YEAR, World, public

OPERATOR = {"authorization": "Bearer boss"}
GOOD = {
    "client_name": "An app",
    "token_endpoint_auth_method": "none",
    "redirect_uris": ["https://app.example/back"],
}


async def register(world: World, told: Any, headers: dict[str, str] = OPERATOR) -> Any:
    return await world.http.post("/oauth/register", json=told, headers=headers)


async def test_an_app_gets_an_id_and_its_registration_back(world: World) -> None:
    told = {**GOOD, "scope": "launch/patient patient/*.rs", "software_version": "ignored"}
    answer = await register(world, told)
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    client = await clients.find(world.identity, found.pop("client_id"))
    assert client is not None and client.made_by == "operator"
    assert found == {
        "client_id_issued_at": world.micro // 1_000_000,
        "client_name": "An app",
        "token_endpoint_auth_method": "none",
        "redirect_uris": ["https://app.example/back"],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "scope": "launch/patient patient/*.rs",
        "id_token_signed_response_alg": "RS256",
        "origins": ["https://app.example"],
    }
    assert (world.audited[-1].interaction, world.audited[-1].agent) == ("client-register", "operator")


async def test_a_secret_is_shown_once(world: World) -> None:
    answer = (await register(world, {**GOOD, "token_endpoint_auth_method": "client_secret_basic"})).json()
    assert len(answer["client_secret"]) == 43
    assert answer["client_secret_expires_at"] == 0
    client = await clients.find(world.identity, answer["client_id"])
    assert client is not None and client.secret and client.secret != answer["client_secret"]


async def test_keys_are_kept_as_they_were_given(world: World, ec_key: ECKey) -> None:
    """The JWK Set is protected from corruption: encrypted and authenticated as a whole where it is kept."""
    keys = {"keys": [public(ec_key)]}
    told = {**GOOD, "token_endpoint_auth_method": "private_key_jwt", "jwks": keys}
    answer = (await register(world, told)).json()
    assert answer["jwks"] == keys
    assert "client_secret" not in answer
    client = await clients.find(world.identity, answer["client_id"])
    assert client is not None and client.jwks == keys
    row = world.drawers._rows[("client", client.id)]
    row.sealed = row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])
    with pytest.raises(Problem, match="changed from outside"):
        await clients.find(world.identity, client.id)


async def test_only_who_may_register_apps_can(world: World) -> None:
    _, session = await world.doctor(role="operator")
    client, _ = await world.client()
    token = (await world.tokens(client, session))["access_token"]
    _, clinician = await world.doctor("other")
    lesser = (await world.tokens(client, clinician))["access_token"]
    assert (await register(world, GOOD, {})).status_code == 401
    assert (await register(world, GOOD, {"authorization": "Bearer made-up"})).status_code == 401
    for each in (token, lesser):
        answer = await register(world, GOOD, {"authorization": f"Bearer {each}"})
        assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")


@pytest.mark.parametrize(
    "redirect",
    [
        "http://app.example/back",
        "https://app.example/*",
        "https://*.example/back",
        "https://app.example/back#fragment",
        "https://user@app.example/back",
        "https:///back",
        "https://app.example:port/back",
        "javascript:alert(1)",
        "data:text/html,x",
        "app:/back",
        "https://app.example/ back",
        "https://app.example/\\evil",
        "https://app.example/<script>",
        "/back",
        "",
        "https://app.example/" + "x" * 2000,
    ],
)
async def test_addresses_that_cannot_be_returned_to(world: World, redirect: str) -> None:
    answer = await register(world, {**GOOD, "redirect_uris": [redirect]})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize(
    "redirect",
    [
        "https://app.example/back?x=1",
        "http://127.0.0.1/back",
        "http://[::1]/back",
        "http://localhost:3000/",
        "org.example.app:/back",
    ],
)
async def test_addresses_that_can(world: World, redirect: str) -> None:
    answer = await register(world, {**GOOD, "redirect_uris": [redirect]})
    assert answer.json()["redirect_uris"] == [redirect]


@pytest.mark.parametrize(
    "more",
    [
        {"client_name": ""},
        {"client_name": "x" * 201},
        {"client_name": None},
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"grant_types": ["implicit"]},
        {"grant_types": ["password"]},
        {"grant_types": []},
        {"response_types": ["token"]},
        {"scope": "patient/Nonsense.rs"},
        {"scope": "patient/Observation.sr"},
        {"scope": "everything"},
        {"id_token_signed_response_alg": "none"},
        {"id_token_signed_response_alg": "HS256"},
        {"launch_uri": "http://app.example/launch"},
        {"client_uri": "javascript:alert(1)"},
        {"origins": ["https://app.example/path"]},
        {"origins": ["*"]},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []}},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [{"kty": "RSA"}]}},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {}},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "http://partner.example/keys"},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "file:///etc/passwd"},
        {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://u:p@partner.example/keys"},
        {"grant_types": ["client_credentials"]},
        {"grant_types": ["client_credentials"], "token_endpoint_auth_method": "client_secret_basic"},
    ],
)
async def test_metadata_that_are_not_right(world: World, more: dict[str, Any]) -> None:
    answer = await register(world, {**GOOD, **more})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


async def test_only_public_keys_are_taken(world: World, ec_key: ECKey) -> None:
    for key in (ec_key.as_dict(private=True), OctKey.generate_key(256).as_dict()):
        told = {**GOOD, "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [key]}}
        assert (await register(world, told)).json()["error"] == "invalid_client_metadata"


async def test_a_system_acts_for_an_organization(world: World, ec_key: ECKey) -> None:
    told = {
        **GOOD,
        "redirect_uris": [],
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [public(ec_key)]},
    }
    assert (await register(world, told)).json()["error"] == "invalid_client_metadata"
    agreement = {"until": world.micro + YEAR, "purposes": ["TREAT"], "because": "contract 7"}
    answer = await register(world, {**told, "organization": "Organization/o", "agreement": agreement})
    assert answer.json()["agreement"] == agreement


async def test_only_json_of_reasonable_size(world: World) -> None:
    for content, headers, status in (
        (b"not JSON", {"content-type": "application/json"}, 400),
        (b"[]", {"content-type": "application/json"}, 400),
        (b"\xff", {"content-type": "application/json"}, 400),
        (b"x" * 70_000, {"content-type": "application/json"}, 413),
        (b"client_name=x", {"content-type": "application/x-www-form-urlencoded"}, 400),
    ):
        answer = await world.http.post("/oauth/register", content=content, headers={**OPERATOR, **headers})
        assert answer.status_code == status


async def test_clients_are_listed_and_changed(world: World) -> None:
    made = [(await world.client(client_name=f"App {number}"))[0] for number in range(5)]
    found = await clients.page(world.identity, limit=3)
    found += await clients.page(world.identity, found[-1].id)
    assert {each.id for each in found} == {each.id for each in made}
    changed = await clients.change(world.identity, BOSS, made[0].id, name="Renamed", because="a wish")
    assert changed.name == "Renamed"
    assert (world.audited[-1].interaction, world.audited[-1].because) == ("client-change", "a wish")


async def test_origins_of_registered_apps_are_known(world: World) -> None:
    origins = clients.Origins(world.identity)
    client, _ = await world.client(origins=("https://pages.example",))
    assert not origins("https://app.example")
    await origins.look()
    assert origins("https://app.example") and origins("https://pages.example")
    assert not origins("https://evil.example") and not origins("null") and not origins("")
    await clients.change(world.identity, BOSS, client.id, enabled=False)
    await origins.look()
    assert not origins("https://app.example")
