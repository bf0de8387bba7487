"""The token endpoint: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-access-token."""

import asyncio
from base64 import b64encode
from urllib.parse import quote

import msgspec
import pytest

from commonweal.fhir.outcome import Problem
from commonweal.identity import accounts, sessions
from commonweal.identity.account import ACCOUNTS
from commonweal.identity.oauth import clients, grants, mine
from tests.conformance.smart.smart_world import BACK, BASE, BOSS, FHIR, SCOPE, World, claims_of

ONLINE = "patient/*.rs online_access"


async def test_a_token_response_says_all_that_it_must(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    answer = await world.redeem(client, await world.code(client, session))
    told = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert told["token_type"] == "Bearer"
    assert told["scope"] == SCOPE
    assert told["expires_in"] == 300
    assert told["patient"] == "p"
    assert all("!" <= each <= "~" for each in told["access_token"])
    assert set(told) == {
        "access_token", "token_type", "scope", "expires_in", "patient", "need_patient_banner", "refresh_token",
        "id_token",
    }  # fmt: skip


async def test_errors_say_what_is_wrong_in_json(world: World) -> None:
    client, _ = await world.client()
    answer = await world.redeem(client, "made-up")
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password", "username": "u", "password": "p"}, "unsupported_grant_type"),
        ({"client_id": "nobody"}, "unsupported_grant_type"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "client_id": "nobody"}, "invalid_client"),
    ],
)
async def test_other_ways_are_not_known(world: World, form: dict[str, str], error: str) -> None:
    assert (await world.token(form)).json()["error"] == error


async def test_only_one_form_in_utf8_is_taken(world: World) -> None:
    client, _ = await world.client()
    good = f"grant_type=authorization_code&client_id={client.id}"
    form = {"content-type": "application/x-www-form-urlencoded"}
    for body, headers in (
        (f"{good}&client_id={client.id}", form),
        (f"{good}&code=%ff", form),
        ("&".join(f"p{number}=1" for number in range(60)), form),
        (good, {"content-type": "application/json"}),
        ("x=" + "y" * 70_000, form),
    ):
        answer = await world.http.post("/oauth/token", content=body, headers=headers)
        assert answer.status_code in (400, 413)
        assert answer.json()["error"] == "invalid_request"


async def test_a_code_used_twice_ends_all_that_came_of_it(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    code = await world.code(client, session)
    told = (await world.redeem(client, code)).json()
    again = await world.redeem(client, code)
    assert again.json()["error"] == "invalid_grant"
    assert (await world.refresh(client, told["refresh_token"])).json()["error"] == "invalid_grant"
    assert not await _is_good(world, told["access_token"])


async def test_of_two_who_use_a_code_at_once_none_keeps_anything(world: World) -> None:
    account, session = await world.resident()
    client, _ = await world.client()
    code = await world.code(client, session)
    answers = await asyncio.gather(*(world.redeem(client, code) for _ in range(5)))
    assert sum(answer.status_code == 200 for answer in answers) <= 1
    assert await grants.of(world.identity, account.id) == []


async def test_a_code_is_good_for_a_minute(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    code = await world.code(client, session)
    world.pass_(60)
    assert (await world.redeem(client, code)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "more",
    [
        {"code_verifier": "another-verifier-that-is-long-enough-to-be-one-1"},
        {"code_verifier": ""},
        {"code_verifier": "short"},
        {"redirect_uri": "https://app.example/other"},
        {"redirect_uri": ""},
    ],
)
async def test_a_code_without_its_proof_is_spoilt(world: World, more: dict[str, str]) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    code = await world.code(client, session)
    assert (await world.redeem(client, code, **more)).json()["error"] == "invalid_grant"
    assert (await world.redeem(client, code)).json()["error"] == "invalid_grant"


async def test_a_code_is_of_the_app_that_asked(world: World) -> None:
    account, session = await world.resident()
    client, _ = await world.client()
    other, _ = await world.client()
    code = await world.code(client, session)
    assert (await world.redeem(other, code)).json()["error"] == "invalid_grant"
    assert await grants.of(world.identity, account.id) == []


async def test_a_refresh_gives_the_same_scopes_and_a_new_token(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    first = await world.tokens(client, session)
    answer = await world.refresh(client, first["refresh_token"])
    second = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert second["token_type"] == "Bearer"
    assert second["expires_in"] == 300
    assert second["scope"] == first["scope"]
    assert second["patient"] == "p"
    assert second["access_token"] != first["access_token"]
    assert second["refresh_token"] != first["refresh_token"]
    assert await _is_good(world, second["access_token"])


async def test_a_refresh_may_ask_for_less_and_never_for_more(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    first = await world.tokens(client, session)
    more = await world.refresh(client, first["refresh_token"], scope="patient/*.cruds")
    assert more.json()["error"] == "invalid_scope"
    less = (await world.refresh(client, first["refresh_token"], scope="patient/Observation.r")).json()
    assert less["scope"] == claims_of(less["access_token"])["scope"] == "patient/Observation.r"
    again = (await world.refresh(client, less["refresh_token"])).json()
    assert again["scope"] == SCOPE


async def test_a_refresh_token_is_of_its_client(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    other, _ = await world.client()
    told = await world.tokens(client, session)
    assert (await world.refresh(other, told["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await world.refresh(client, told["refresh_token"])).status_code == 200


async def test_a_public_app_may_renew_without_naming_itself(world: World) -> None:
    """As in app-launch.html#refresh-access-token; one that has a secret must show it."""
    _, session = await world.resident()
    client, _ = await world.client()
    told = await world.tokens(client, session)
    form = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]}
    assert (await world.token(form)).status_code == 200
    closed, secret = await world.client(token_endpoint_auth_method="client_secret_post")
    answer = await world.redeem(closed, await world.code(closed, session), secret)
    form = {"grant_type": "refresh_token", "refresh_token": answer.json()["refresh_token"]}
    assert (await world.token(form)).json()["error"] == "invalid_client"
    assert (await world.token({**form, "refresh_token": "made-up"})).json()["error"] == "invalid_client"
    right = {"client_id": closed.id, "client_secret": secret}
    assert (await world.token({**form, **right})).status_code == 200


async def test_a_refresh_token_used_twice_ends_the_family(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    first = await world.tokens(client, session)
    second = (await world.refresh(client, first["refresh_token"])).json()
    stolen = await world.refresh(client, first["refresh_token"])
    assert stolen.json()["error"] == "invalid_grant"
    assert (await world.refresh(client, second["refresh_token"])).json()["error"] == "invalid_grant"
    assert not await _is_good(world, second["access_token"])
    assert await mine.of(world.identity, session.account) == []


async def test_a_refresh_token_used_at_once_by_two_ends_the_family(world: World) -> None:
    account, session = await world.resident()
    client, _ = await world.client()
    told = await world.tokens(client, session)
    answers = await asyncio.gather(*(world.refresh(client, told["refresh_token"]) for _ in range(2)))
    assert sum(answer.status_code == 200 for answer in answers) <= 1
    assert await grants.of(world.identity, account.id) == []


async def test_offline_access_outlives_the_session(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    told = await world.tokens(client, session)
    await sessions.end_all(world.identity, session.account)
    world.pass_(100 * 86400)
    assert (await world.refresh(client, told["refresh_token"])).status_code == 200
    told = (await world.tokens(client, (await world.resident("q"))[1], scope=SCOPE)) | {}
    world.pass_(181 * 86400)
    assert (await world.refresh(client, told["refresh_token"])).json()["error"] == "invalid_grant"


async def test_online_access_ends_with_the_session(world: World) -> None:
    _, session = await world.doctor()
    client, _ = await world.client()
    told = await world.tokens(client, session, scope=ONLINE)
    told = (await world.refresh(client, told["refresh_token"])).json()
    assert await _is_good(world, told["access_token"])
    await sessions.end_all(world.identity, session.account)
    assert not await _is_good(world, told["access_token"])
    assert (await world.refresh(client, told["refresh_token"])).json()["error"] == "invalid_grant"


async def test_without_such_a_scope_there_is_no_refresh_token(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    told = await world.tokens(client, session, scope="patient/*.rs")
    assert "refresh_token" not in told
    never, _ = await world.client(grant_types=("authorization_code",))
    assert "refresh_token" not in await world.tokens(never, session)


async def test_a_closed_account_gets_nothing_more(world: World) -> None:
    account, session = await world.resident()
    client, _ = await world.client()
    told = await world.tokens(client, session)
    await accounts.disable(world.identity, BOSS, account.id)
    assert not await _is_good(world, told["access_token"])
    assert (await world.refresh(client, told["refresh_token"])).json()["error"] == "invalid_grant"


async def test_an_account_that_is_just_being_closed_gives_nothing(world: World) -> None:
    """Before its grants and sessions are ended as well."""
    account, session = await world.resident()
    client, _ = await world.client()
    told, handle = await world.tokens(client, session), await world.handle(client)
    closed = msgspec.structs.replace(account, disabled=True)
    await ACCOUNTS.put(world.drawers, account.id, closed)
    assert not await _is_good(world, told["access_token"])
    assert (await world.refresh(client, told["refresh_token"])).json()["error"] == "invalid_grant"
    with pytest.raises(Problem) as raised:
        await world.answered(handle, session)
    assert raised.value.status == 401


async def test_an_assignment_that_ends_takes_its_apps_along(world: World) -> None:
    account, session = await world.doctor()
    client, _ = await world.client()
    told = await world.tokens(client, session)
    await accounts.unassign(world.identity, BOSS, account.id, account.assignments[0].id)
    assert not await _is_good(world, told["access_token"])
    assert (await world.refresh(client, told["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_secret_by_header_or_form(world: World) -> None:
    _, session = await world.resident()
    client, secret = await world.client(token_endpoint_auth_method="client_secret_basic")
    assert (await world.redeem(client, await world.code(client, session), secret)).status_code == 200
    basic = b64encode(f"{quote(client.id)}:{quote(secret)}".encode()).decode()
    form = {
        "grant_type": "authorization_code",
        "code": await world.code(client, session),
        "redirect_uri": BACK,
        "code_verifier": "a-verifier-of-at-least-forty-three-characters-it-is",
    }
    answer = await world.token(form, headers={"authorization": f"Basic {basic}"})
    assert answer.status_code == 200


async def test_a_secret_is_never_kept_as_it_is(world: World) -> None:
    client, secret = await world.client(token_endpoint_auth_method="client_secret_post")
    entry = await world.drawers.get("client", client.id)
    assert entry is not None
    assert secret.encode() not in entry.data
    assert secret not in repr(client)


async def test_whoever_does_not_prove_who_they_are_gets_401(world: World) -> None:
    _, session = await world.resident()
    client, secret = await world.client(token_endpoint_auth_method="client_secret_basic")
    public, _ = await world.client()
    code = await world.code(client, session)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    right = b64encode(f"{client.id}:{secret}".encode()).decode()
    for more, headers in (
        ({"client_id": client.id}, {}),
        ({"client_id": client.id, "client_secret": "wrong"}, {}),
        ({"client_id": client.id, "client_secret": ""}, {}),
        ({"client_id": public.id, "client_secret": secret}, {}),
        ({"client_id": public.id}, {"authorization": f"Basic {right}"}),
        ({}, {"authorization": "Basic !!!"}),
        ({}, {"authorization": f"Basic {b64encode(client.id.encode()).decode()}"}),
        ({}, {"authorization": f"Bearer {right}"}),
        ({}, {}),
    ):
        answer = await world.token({**form, **more}, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), more
        assert "www-authenticate" in answer.headers
    assert (await world.redeem(client, code, secret)).status_code == 200


async def test_one_way_of_authentication_at_a_time(world: World) -> None:
    client, secret = await world.client(token_endpoint_auth_method="client_secret_basic")
    basic = b64encode(f"{client.id}:{secret}".encode()).decode()
    form = {"grant_type": "authorization_code", "client_id": client.id, "client_secret": secret}
    answer = await world.token(form, headers={"authorization": f"Basic {basic}"})
    assert answer.json()["error"] == "invalid_request"


async def test_a_new_secret_replaces_the_old_one(world: World) -> None:
    _, session = await world.resident()
    client, old = await world.client(token_endpoint_auth_method="client_secret_post")
    fresh = await clients.new_secret(world.identity, BOSS, client.id)
    code = await world.code(client, session)
    assert (await world.redeem(client, code, old)).status_code == 401
    assert (await world.redeem(client, code, fresh)).status_code == 200


async def test_a_client_may_only_what_it_was_registered_for(world: World) -> None:
    client, _ = await world.client()
    answer = await world.token({"grant_type": "client_credentials", "client_id": client.id, "scope": "x"})
    assert answer.json()["error"] == "unauthorized_client"


async def test_id_tokens_are_signed_by_a_published_key(world: World) -> None:
    from joserfc import jwt
    from joserfc.jwk import KeySet

    account, session = await world.doctor()
    keys = KeySet.import_key_set((await world.http.get("/oauth/keys")).json())
    for algorithm in ("RS256", "RS384", "ES384"):
        client, _ = await world.client(id_token_signed_response_alg=algorithm)
        told = await world.tokens(client, session, nonce="once", scope="openid fhirUser profile")
        read = jwt.decode(told["id_token"], keys, algorithms=[algorithm])
        assert read.claims == {
            "iss": BASE,
            "aud": client.id,
            "sub": account.id,
            "iat": world.micro // 1_000_000,
            "exp": world.micro // 1_000_000 + 300,
            "nonce": "once",
            "fhirUser": f"{FHIR}/Practitioner/d",
            "name": "Somebody",
        }


async def test_identity_is_told_only_where_it_was_granted(world: World) -> None:
    _, session = await world.doctor()
    client, _ = await world.client()
    assert "id_token" not in await world.tokens(client, session, scope="user/*.rs fhirUser")
    told = await world.tokens(client, session, scope="openid")
    assert {"fhirUser", "name"}.isdisjoint(claims_of(told["id_token"]))


async def test_who_is_nobody_in_the_record_has_no_fhir_user(world: World) -> None:
    account = await accounts.create(world.identity, BOSS, login="operator")
    await accounts.assign(world.identity, BOSS, account.id, "operator")
    value = await sessions.open(world.identity, await accounts.get(world.identity, account.id))
    session = await sessions.session(world.identity, value)
    assert session is not None
    client, _ = await world.client()
    told = await world.tokens(client, session, scope="openid fhirUser user/*.rs")
    assert told["scope"] == "openid user/*.rs"
    assert "fhirUser" not in claims_of(told["id_token"])


async def test_every_refusal_is_audited(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    told = await world.tokens(client, session)
    await world.refresh(client, told["refresh_token"])
    await world.refresh(client, told["refresh_token"])
    row = world.audited[-1]
    assert (row.agent, row.interaction, row.outcome) == (f"client:{client.id}", "token-refused", 400)
    assert "used before" in row.because and told["refresh_token"] not in row.because
    await world.token({"grant_type": "refresh_token", "client_id": "<a made up name>"})
    assert (world.audited[-1].agent, world.audited[-1].outcome) == ("anonymous", 401)


async def _is_good(world: World, token: str) -> bool:
    """Does another process, which remembers nothing, take it?"""
    from commonweal.identity.oauth import bearer

    try:
        await bearer.agent_of(world.process(), token)
    except Problem:
        return False
    return True
