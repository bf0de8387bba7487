"""What the resource server takes as an access token, and what it does not: https://www.rfc-editor.org/rfc/rfc9068."""

import asyncio
from typing import Any

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from commonweal.access.scope import Scope
from commonweal.fhir.outcome import Problem
from commonweal.identity.house import Identity
from commonweal.identity.oauth import bearer, clients, grants, keys, mine
from tests.conformance.smart.smart_world import BASE, BOSS, World, by_hand, claims_of, encoded

RS = frozenset("rs")


async def token_of(world: World, patient: str = "p") -> str:
    _, session = await world.resident(patient)
    client, _ = await world.client()
    told: str = (await world.tokens(client, session))["access_token"]
    return told


async def refusal(identity: Identity, token: str) -> str:
    with pytest.raises(Problem) as raised:
        await bearer.agent_of(identity, token)
    assert raised.value.status == 401
    return str(raised.value)


async def test_the_agent_is_the_person_within_what_the_app_was_allowed(world: World) -> None:
    account, session = await world.doctor()
    client, _ = await world.client()
    scope = "launch/patient patient/Observation.rs?category=laboratory user/Practitioner.r openid"
    told = await world.tokens(client, session, scope=scope)
    agent = await bearer.agent_of(world.identity, told["access_token"])
    assert agent.id == "Practitioner/d"
    assert agent.roles == {"clinician"}
    assert agent.organization == "Organization/o"
    assert agent.client == client.id
    assert agent.patient == "Patient/p"
    assert agent.session == session.id
    assert agent.scopes == (
        Scope("patient", "Observation", RS, "category=laboratory"),
        Scope("user", "Practitioner", frozenset("r")),
    )
    assert account.id not in agent.id


async def test_a_token_without_scopes_for_resources_gives_none(world: World) -> None:
    _, session = await world.doctor()
    client, _ = await world.client()
    told = await world.tokens(client, session, scope="openid")
    assert (await bearer.agent_of(world.identity, told["access_token"])).scopes == ()


async def test_it_lives_five_minutes(world: World) -> None:
    token = await token_of(world)
    world.pass_(299)
    await bearer.agent_of(world.identity, token)
    world.pass_(1)
    assert "expired" in await refusal(world.identity, token)
    assert "expired" in await refusal(world.process(), token)


async def test_a_forged_token_is_refused(world: World) -> None:
    token = await token_of(world)
    header, body, signature = token.split(".")
    claims = claims_of(token)
    own = ECKey.generate_key("P-384")
    kid = (await keys.published(world.identity))["keys"][0]["kid"]
    published = ECKey.import_key((await keys.published(world.identity))["keys"][0])
    wider = encoded({**claims, "scope": "system/*.cruds"})
    forgeries = {
        "none": f"{encoded({'alg': 'none', 'typ': 'at+jwt', 'kid': kid})}.{body}.",
        "None": f"{encoded({'alg': 'None', 'typ': 'at+jwt', 'kid': kid})}.{body}.{signature}",
        "other claims": f"{header}.{wider}.{signature}",
        "no signature": f"{header}.{body}.",
        "own key": signed({"alg": "ES384", "kid": kid, "typ": "at+jwt"}, claims, own),
        "own key in the header": signed(
            {"alg": "ES384", "typ": "at+jwt", "kid": kid, "jwk": own.as_dict(private=False)}, claims, own
        ),
        "the public key as a secret": by_hand(
            {"alg": "HS256", "kid": kid, "typ": "at+jwt"}, claims, published.as_pem(private=False)
        ),
        "empty": "",
        "nonsense": "a.b.c",
        "not ASCII": f"{header}.{body}.ä",
        "very long": f"{header}.{body}.{'A' * 20_000}",
        "null": f"{encoded(None)}.{body}.{signature}",
    }
    for name, forged in forgeries.items():
        assert "not one of ours" in await refusal(world.identity, forged), name
    await bearer.agent_of(world.identity, token)


async def test_a_foreign_server_is_not_ours(world: World) -> None:
    """Even where its keys were ours (a copy of this installation), its name is another."""
    claims = claims_of(await token_of(world))
    for more in (
        {"iss": "https://elsewhere.example"},
        {"aud": "https://elsewhere.example/fhir"},
        {"aud": BASE},
    ):
        token = await keys.sign(world.identity, {**claims, **more}, type="at+jwt")
        assert "another server" in await refusal(world.identity, token)
    for more in ({"exp": None}, {"exp": "2090-01-01"}):
        token = await keys.sign(world.identity, {**claims, **more}, type="at+jwt")
        assert "expired" in await refusal(world.identity, token)
    for more in ({"grant": "made-up"}, {"client_id": "another"}):
        token = await keys.sign(world.identity, {**claims, **more}, type="at+jwt")
        assert "ended" in await refusal(world.identity, token)


async def test_other_things_we_sign_are_no_access_tokens(world: World) -> None:
    _, session = await world.resident()
    for algorithm in ("RS256", "ES384"):
        client, _ = await world.client(id_token_signed_response_alg=algorithm)
        told = await world.tokens(client, session)
        assert "not one of ours" in await refusal(world.identity, told["id_token"])
        assert "not one of ours" in await refusal(world.identity, told["refresh_token"])
    claims = claims_of(told["access_token"])
    assert "not one of ours" in await refusal(world.identity, await keys.sign(world.identity, claims))


async def test_keys_rotate_while_tokens_stay_good(world: World) -> None:
    token = await token_of(world)
    before = await published(world)
    await keys.rotate(world.identity)
    assert before < await published(world)
    await bearer.agent_of(world.process(), token)
    fresh = await token_of(world, "q")
    assert kid_of(fresh) not in before
    world.pass_(601)
    assert await published(world) & before == set()
    assert kid_of(fresh) in await published(world)


async def test_a_key_rotated_out_signs_nothing_more(world: World) -> None:
    token = await token_of(world)
    claims = claims_of(token)
    stolen = await world.drawers.get("signing-keys", "ES384")
    assert stolen is not None
    key = ECKey.import_key(msgspec.json.decode(stolen.data)[0]["jwk"])
    await keys.rotate(world.identity)
    world.pass_(601)
    later = {**claims, "exp": claims["exp"] + 3600}
    forged = signed({"alg": "ES384", "kid": key.kid, "typ": "at+jwt"}, later, key)
    assert "not one of ours" in await refusal(world.identity, forged)


async def test_a_stolen_key_is_thrown_away_at_once(world: World) -> None:
    token = await token_of(world)
    await keys.rotate(world.identity, at_once=True)
    assert "not one of ours" in await refusal(world.process(), token)
    assert kid_of(token) not in await published(world)


async def test_of_rotations_at_once_none_is_lost(world: World) -> None:
    token = await token_of(world)
    await asyncio.gather(keys.rotate(world.identity), keys.rotate(world.process(), at_once=True))
    assert kid_of(token) not in await published(world)


async def test_keys_are_made_once_and_renewed_in_time(world: World) -> None:
    first = await published(world)
    assert await published(world) == first
    assert not await keys.keep_fresh(world.identity)
    world.pass_(91 * 86400)
    assert await keys.keep_fresh(world.identity)
    assert first < await published(world)


async def test_of_processes_that_make_the_first_keys_one_prevails(world: World) -> None:
    found = await asyncio.gather(*(keys.published(world.process()) for _ in range(3)))
    assert found[0] == found[1] == found[2] == await keys.published(world.identity)


async def test_private_keys_are_never_published(world: World) -> None:
    told = (await world.http.get("/oauth/keys")).json()["keys"]
    assert {(each["kty"], each["alg"], each["use"]) for each in told} == {
        ("EC", "ES384", "sig"), ("RSA", "RS384", "sig"), ("RSA", "RS256", "sig"),
    }  # fmt: skip
    assert not any({"d", "p", "q", "dp", "dq", "qi"} & each.keys() for each in told)
    assert len({each["kid"] for each in told}) == 3


async def test_an_end_is_known_at_once_here_and_within_five_seconds_elsewhere(world: World) -> None:
    account, session = await world.resident()
    client, _ = await world.client()
    token = (await world.tokens(client, session))["access_token"]
    elsewhere = world.process()
    await bearer.agent_of(world.identity, token)
    await bearer.agent_of(elsewhere, token)
    (app,) = await mine.of(world.identity, account.id)
    assert await mine.revoke(world.identity, account.id, app.grant)
    assert "ended" in await refusal(world.identity, token)
    world.pass_(5)
    assert "ended" in await refusal(elsewhere, token)


async def test_a_client_switched_off_has_no_tokens(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    told = await world.tokens(client, session)
    await bearer.agent_of(world.identity, told["access_token"])
    await clients.change(world.identity, BOSS, client.id, enabled=False)
    assert "switched off" in await refusal(world.identity, told["access_token"])
    answer = await world.refresh(client, told["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_my_apps_are_mine_to_end(world: World) -> None:
    account, session = await world.resident()
    other, theirs = await world.resident("q")
    client, _ = await world.client(client_uri="https://app.example")
    told = await world.tokens(client, session)
    await world.tokens(client, theirs)
    world.pass_(60)
    await world.refresh(client, told["refresh_token"])
    (app,) = await mine.of(world.identity, account.id)
    assert (app.name, app.home, app.patient, app.renews) == (
        "An app", "https://app.example", "p", "offline_access",
    )  # fmt: skip
    assert app.last - app.since == 60_000_000
    assert [each.name or (each.context, each.type, each.letters) for each in app.scopes] == [
        "launch/patient", ("patient", "*", "rs"), "openid", "fhirUser", "offline_access",
    ]  # fmt: skip
    assert not await mine.revoke(world.identity, other.id, app.grant)
    assert await mine.revoke(world.identity, account.id, app.grant)
    assert await mine.of(world.identity, account.id) == []
    assert len(await mine.of(world.identity, other.id)) == 1
    await grants.end_all(world.identity, other.id)
    assert await mine.of(world.identity, other.id) == []


async def published(world: World) -> set[str]:
    return {each["kid"] for each in (await keys.published(world.identity))["keys"]}


def kid_of(token: str) -> str:
    from joserfc.jws import extract_compact

    kid: str = extract_compact(token.encode()).headers()["kid"]
    return kid


def signed(header: dict[str, Any], claims: dict[str, Any], key: ECKey | RSAKey) -> str:
    return jwt.encode(header, claims, key, algorithms=[header["alg"]])
