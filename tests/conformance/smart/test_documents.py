"""Discovery: https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html."""

import pytest

from tests.conformance.smart.smart_world import BASE, World

SMART = "/fhir/.well-known/smart-configuration"


@pytest.mark.parametrize(
    "accept", ["application/json", "application/fhir+xml", "text/html", "*/*", "nonsense"]
)
async def test_it_is_json_whatever_is_asked(world: World, accept: str) -> None:
    answer = await world.http.get(SMART, headers={"accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"


async def test_what_smart_configuration_says(world: World) -> None:
    told = (await world.http.get(SMART)).json()
    assert told["issuer"] == BASE
    assert told["jwks_uri"] == f"{BASE}/oauth/keys"
    assert told["authorization_endpoint"] == f"{BASE}/oauth/authorize"
    assert told["token_endpoint"] == f"{BASE}/oauth/token"
    assert set(told["grant_types_supported"]) == {"authorization_code", "refresh_token", "client_credentials"}
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert "private_key_jwt" in told["token_endpoint_auth_methods_supported"]
    assert set(told["token_endpoint_auth_signing_alg_values_supported"]) == {"RS384", "ES384"}
    assert {"openid", "launch", "patient/*.rs", "system/*.rs"} <= set(told["scopes_supported"])
    assert "user_access_brand_bundle" not in told
    assert told == (await world.http.get("/.well-known/smart-configuration")).json()


async def test_every_address_is_absolute_and_answers(world: World) -> None:
    told = (await world.http.get(SMART)).json()
    addresses = {
        name: told[name] for name in told if name.endswith(("_endpoint", "_uri")) or name == "issuer"
    }
    assert all(each.startswith("https://") for each in addresses.values())
    for name, address in addresses.items():
        if address.startswith(f"{BASE}/oauth/"):
            status = (await world.http.request("GET" if name == "jwks_uri" else "POST", address)).status_code
            assert status in (200, 400, 401), name


async def test_capabilities_are_those_that_are_there(world: World) -> None:
    """A capability is listed here exactly as long as a test of it is named in requirements.yaml."""
    told = set((await world.http.get(SMART)).json()["capabilities"])
    assert told == {
        "launch-ehr", "launch-standalone", "authorize-post", "client-public", "client-confidential-symmetric",
        "client-confidential-asymmetric", "sso-openid-connect", "context-banner", "context-ehr-patient",
        "context-ehr-encounter", "context-standalone-patient", "permission-offline", "permission-online",
        "permission-patient", "permission-user", "permission-v1", "permission-v2",
    }  # fmt: skip


@pytest.mark.parametrize(
    "needed",
    [
        {"launch-standalone", "client-public", "context-standalone-patient", "permission-patient"},
        {"launch-ehr", "client-public", "context-ehr-patient", "permission-patient"},
        {"launch-standalone", "client-confidential-symmetric", "permission-user", "permission-patient"},
        {
            "launch-ehr", "client-confidential-symmetric", "context-ehr-patient", "context-ehr-encounter",
            "permission-user", "permission-patient",
        },
    ],
)  # fmt: skip
async def test_the_sets_of_capabilities_are_whole(world: World, needed: set[str]) -> None:
    assert needed <= set((await world.http.get(SMART)).json()["capabilities"])


async def test_what_openid_configuration_says(world: World) -> None:
    told = (await world.http.get("/.well-known/openid-configuration")).json()
    assert told["issuer"] == BASE
    assert told["subject_types_supported"] == ["public"]
    assert "RS256" in told["id_token_signing_alg_values_supported"]
    assert told["response_types_supported"] == ["code"]
    assert told == (await world.http.get("/.well-known/oauth-authorization-server")).json()


async def test_other_methods_and_addresses_are_refused(world: World) -> None:
    assert (await world.http.post(SMART)).status_code == 405
    assert (await world.http.get("/oauth/token")).status_code == 405
    assert (await world.http.get("/oauth/nothing")).status_code == 404
    assert (await world.http.get("/fhir/.well-known/nothing")).status_code == 404
