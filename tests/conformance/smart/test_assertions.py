"""Clients with keys: https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html."""

import asyncio
from typing import Any

import msgspec
import pytest
from joserfc.jwk import ECKey, RSAKey

from commonweal.identity.oauth.keysets import Fetched
from tests.conformance.smart.smart_world import ASSERTED, BASE, TOKEN, World, by_hand, claims_of, public

KEYS = "https://partner.example/keys"
CACHED = "public, max-age=300"


def keyset(*keys: ECKey | RSAKey, cache_control: str = CACHED) -> Fetched:
    return Fetched(200, msgspec.json.encode({"keys": [public(each) for each in keys]}), cache_control)


async def test_es384_and_rs384_by_a_registered_key_set(world: World, ec_key: ECKey, rsa_key: RSAKey) -> None:
    for key in (ec_key, rsa_key):
        client = await world.system(key)
        assert (await world.asserted(world.assertion(client, key))).status_code == 200


async def test_a_person_may_use_such_an_app_too(world: World, ec_key: ECKey) -> None:
    _, session = await world.resident()
    client, _ = await world.client(
        token_endpoint_auth_method="private_key_jwt", jwks={"keys": [public(ec_key)]}
    )
    form = {"client_assertion_type": ASSERTED, "client_assertion": world.assertion(client, ec_key)}
    assert (await world.redeem(client, await world.code(client, session), **form)).status_code == 200
    without = await world.redeem(client, await world.code(client, session))
    assert (without.status_code, without.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "another"},
        {"iss": None},
        {"sub": "another"},
        {"sub": None},
        {"aud": BASE},
        {"aud": f"{TOKEN}?x=1"},
        {"aud": "https://elsewhere.example/oauth/token"},
        {"aud": None},
        {"aud": []},
        {"exp": None},
        {"exp": "later"},
        {"exp": -1},
        {"exp": 331},
        {"exp": 3600},
        {"nbf": 120},
        {"iat": 120},
        {"jti": None},
        {"jti": ""},
        {"jti": 5},
        {"jti": "j" * 300},
    ],
)
async def test_claims_that_are_not_right(world: World, ec_key: ECKey, claims: dict[str, Any]) -> None:
    client = await world.system(ec_key)
    now = world.micro // 1_000_000
    timed = {
        name: now + value if isinstance(value, int) and name in ("exp", "nbf", "iat") else value
        for name, value in claims.items()
    }
    answer = await world.asserted(world.assertion(client, ec_key, **timed))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_several_audiences_may_be_named(world: World, ec_key: ECKey) -> None:
    client = await world.system(ec_key)
    answer = await world.asserted(world.assertion(client, ec_key, aud=["https://other.example", TOKEN]))
    assert answer.status_code == 200


async def test_a_jti_is_good_once(world: World, ec_key: ECKey, rsa_key: RSAKey) -> None:
    client, other = await world.system(ec_key), await world.system(rsa_key)
    assertion = world.assertion(client, ec_key, jti="once")
    assert (await world.asserted(assertion)).status_code == 200
    again = await world.asserted(assertion)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
    other_jwt = await world.asserted(
        world.assertion(client, ec_key, jti="once", exp=world.micro // 1_000_000 + 60)
    )
    assert other_jwt.status_code == 401
    assert (await world.asserted(world.assertion(other, rsa_key, jti="once"))).status_code == 200


async def test_of_many_at_once_with_one_jti_one_is_taken(world: World, ec_key: ECKey) -> None:
    client = await world.system(ec_key)
    assertion = world.assertion(client, ec_key)
    answers = await asyncio.gather(*(world.asserted(assertion) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "unknown"},
        {"kid": None},
        {"typ": "at+jwt"},
        {"jku": "https://evil.example/keys"},
    ],
)
async def test_headers_that_are_not_right(world: World, ec_key: ECKey, header: dict[str, Any]) -> None:
    client = await world.system(ec_key)
    answer = await world.asserted(world.assertion(client, ec_key, header))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_key_that_the_assertion_brings_counts_for_nothing(world: World, ec_key: ECKey) -> None:
    client = await world.system(ec_key)
    thief = ECKey.generate_key("P-384", {"kid": ec_key.kid})
    header = {"jwk": thief.as_dict(private=False)}
    assert (await world.asserted(world.assertion(client, thief, header))).status_code == 401
    assert (await world.asserted(world.assertion(client, thief))).status_code == 401


async def test_other_algorithms_are_refused(world: World, ec_key: ECKey, rsa_key: RSAKey) -> None:
    client = await world.system(ec_key, jwks={"keys": [public(ec_key), public(rsa_key)]})
    assert (await world.asserted(world.assertion(client, rsa_key, {"alg": "RS256"}))).status_code == 401
    told = claims_of(world.assertion(client, ec_key))
    keyed = by_hand({"alg": "HS256", "kid": ec_key.kid, "typ": "JWT"}, told, ec_key.as_pem(private=False))
    assert (await world.asserted(keyed)).status_code == 401
    unsigned = world.assertion(client, ec_key).rpartition(".")[0] + "."
    assert (await world.asserted(unsigned)).status_code == 401


async def test_the_key_must_be_of_the_kind_of_the_algorithm(
    world: World, ec_key: ECKey, rsa_key: RSAKey
) -> None:
    """kid is that of the RSA key, the signature that of an EC key."""
    client = await world.system(rsa_key)
    answer = await world.asserted(world.assertion(client, ec_key, {"kid": rsa_key.kid}))
    assert answer.status_code == 401


async def test_one_kid_may_name_keys_of_two_kinds(world: World, ec_key: ECKey, rsa_key: RSAKey) -> None:
    """The algorithm says which of them is meant."""
    keys = {"keys": [{**public(rsa_key), "kid": ec_key.kid}, public(ec_key)]}
    client = await world.system(ec_key, jwks=keys)
    assert (await world.asserted(world.assertion(client, ec_key))).status_code == 200
    assert (await world.asserted(world.assertion(client, rsa_key, {"kid": ec_key.kid}))).status_code == 200


async def test_two_keys_of_one_kid_are_none(world: World, ec_key: ECKey) -> None:
    twin = ECKey.generate_key("P-384", {"kid": ec_key.kid})
    client = await world.system(ec_key, jwks={"keys": [public(ec_key), public(twin)]})
    assert (await world.asserted(world.assertion(client, ec_key))).status_code == 401


async def test_keys_by_their_address(world: World, ec_key: ECKey) -> None:
    client = await world.system(ec_key, jwks=None, jwks_uri=KEYS)
    world.pages[KEYS] = keyset(ec_key)
    assert (await world.asserted(world.assertion(client, ec_key))).status_code == 200
    assert (await world.asserted(world.assertion(client, ec_key, {"jku": KEYS}))).status_code == 200
    assert world.fetched == [KEYS]
    other = await world.asserted(world.assertion(client, ec_key, {"jku": f"{KEYS}/"}))
    assert other.status_code == 401
    assert world.fetched == [KEYS]


@pytest.mark.parametrize(
    ("cache_control", "seconds"),
    [
        (CACHED, 300),
        ("max-age=10", 10),
        ("no-store", 0),
        ("no-cache, max-age=60", 0),
        ("", 60),
        ("max-age=99999", 3600),
    ],
)
async def test_keys_are_kept_no_longer_than_their_server_says(
    world: World, ec_key: ECKey, cache_control: str, seconds: int
) -> None:
    client = await world.system(ec_key, jwks=None, jwks_uri=KEYS)
    world.pages[KEYS] = keyset(ec_key, cache_control=cache_control)
    await world.asserted(world.assertion(client, ec_key))
    if seconds:
        world.pass_(seconds - 1)
        await world.asserted(world.assertion(client, ec_key))
        assert len(world.fetched) == 1
        world.pass_(1)
    await world.asserted(world.assertion(client, ec_key))
    assert len(world.fetched) == 2


async def test_a_key_withdrawn_at_its_address_is_good_no_more(world: World, ec_key: ECKey) -> None:
    client = await world.system(ec_key, jwks=None, jwks_uri=KEYS)
    world.pages[KEYS] = keyset(ec_key)
    assert (await world.asserted(world.assertion(client, ec_key))).status_code == 200
    world.pages[KEYS] = keyset(ECKey.generate_key("P-384", {"kid": "fresh"}))
    world.pass_(300)
    assert (await world.asserted(world.assertion(client, ec_key))).status_code == 401


@pytest.mark.parametrize(
    "page",
    [
        None,
        Fetched(404, b"{}"),
        Fetched(302, b""),
        Fetched(200, b"not JSON"),
        Fetched(200, b"[]"),
        Fetched(200, b"{}"),
        Fetched(200, b'{"keys": 1}'),
        Fetched(200, b'{"keys": [1, {"kid": "an-ec-key", "kty": "EC"}]}'),
        Fetched(200, b" " * 200_000),
    ],
)
async def test_keys_that_cannot_be_had(world: World, ec_key: ECKey, page: Fetched | None) -> None:
    client = await world.system(ec_key, jwks=None, jwks_uri=KEYS)
    if page is not None:
        world.pages[KEYS] = page
    for _ in range(2):
        answer = await world.asserted(world.assertion(client, ec_key))
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert len(world.fetched) == 1
    world.pages[KEYS] = keyset(ec_key)
    world.pass_(60)
    assert (await world.asserted(world.assertion(client, ec_key))).status_code == 200


async def test_a_key_set_that_is_too_large_is_not_read(world: World, ec_key: ECKey) -> None:
    client = await world.system(ec_key, jwks=None, jwks_uri=KEYS)
    good = keyset(ec_key)
    world.pages[KEYS] = Fetched(200, good.body + b" " * 100_000)
    assert (await world.asserted(world.assertion(client, ec_key))).status_code == 401


async def test_client_id_beside_the_assertion_must_agree(world: World, ec_key: ECKey) -> None:
    client = await world.system(ec_key)
    wrong = await world.asserted(world.assertion(client, ec_key), client_id="another")
    assert wrong.json()["error"] == "invalid_client"
    right = await world.asserted(world.assertion(client, ec_key), client_id=client.id)
    assert right.status_code == 200


async def test_the_kind_of_assertion_is_said(world: World, ec_key: ECKey) -> None:
    client = await world.system(ec_key)
    answer = await world.asserted(world.assertion(client, ec_key), client_assertion_type="saml2-bearer")
    assert answer.json()["error"] == "invalid_client"
