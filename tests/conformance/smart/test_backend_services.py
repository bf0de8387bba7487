"""Systems that act by themselves: https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html."""

import pytest
from joserfc.jwk import ECKey

from commonweal.fhir.outcome import Problem
from commonweal.identity.oauth import bearer, clients
from commonweal.identity.oauth.clients import Agreement
from tests.conformance.smart.smart_world import ASSERTED, BOSS, YEAR, World


async def test_a_token_for_what_was_agreed(world: World, ec_key: ECKey) -> None:
    client = await world.system(ec_key, scope="system/Patient.rs system/Observation.rs")
    answer = await world.asserted(
        world.assertion(client, ec_key), "system/Patient.r system/Observation.cruds"
    )
    told = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert set(told) == {"access_token", "token_type", "expires_in", "scope"}
    assert told["token_type"] == "Bearer"
    assert told["expires_in"] == 300
    assert told["scope"] == "system/Patient.r system/Observation.rs"
    agent = await bearer.agent_of(world.identity, told["access_token"])
    assert (agent.id, agent.roles, agent.purpose) == (f"client:{client.id}", {"backend"}, "TREAT")
    assert (agent.organization, agent.client) == ("Organization/o", client.id)


async def test_scopes_beyond_those_agreed_are_left_out_and_alone_refused(world: World, ec_key: ECKey) -> None:
    client = await world.system(ec_key, scope="system/Patient.rs")
    for scope in ("system/Observation.rs", "user/Patient.rs", "patient/*.rs", "offline_access", "launch", ""):
        answer = await world.asserted(world.assertion(client, ec_key), scope)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope"), scope
    mixed = await world.asserted(world.assertion(client, ec_key), "system/*.cruds user/*.rs openid")
    assert mixed.json()["scope"] == "system/Patient.rs"


async def test_the_first_version_of_scopes_is_understood(world: World, ec_key: ECKey) -> None:
    client = await world.system(ec_key)
    told = (await world.asserted(world.assertion(client, ec_key), "system/Patient.read")).json()
    assert told["scope"] == "system/Patient.read"


async def test_without_an_agreement_there_is_no_token(world: World, ec_key: ECKey) -> None:
    for agreement in (None, Agreement(world.micro + YEAR, ())):
        client = await world.system(ec_key, agreement=agreement)
        answer = await world.asserted(world.assertion(client, ec_key))
        assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


async def test_an_agreement_that_is_over_ends_everything(world: World, ec_key: ECKey) -> None:
    client = await world.system(ec_key, agreement=Agreement(world.micro + 200_000_000, ("TREAT",)))
    told = (await world.asserted(world.assertion(client, ec_key))).json()
    assert told["expires_in"] == 200
    world.pass_(199)
    await bearer.agent_of(world.process(), told["access_token"])
    world.pass_(1)
    with pytest.raises(Problem):
        await bearer.agent_of(world.identity, told["access_token"])
    assert (await world.asserted(world.assertion(client, ec_key))).json()["error"] == "invalid_client"


async def test_an_agreement_ended_early_ends_tokens_within_seconds(world: World, ec_key: ECKey) -> None:
    client = await world.system(ec_key)
    told = (await world.asserted(world.assertion(client, ec_key))).json()
    await bearer.agent_of(world.identity, told["access_token"])
    over = Agreement(world.micro, ("TREAT",))
    await clients.change(world.identity, BOSS, client.id, agreement=over)
    with pytest.raises(Problem):
        await bearer.agent_of(world.identity, told["access_token"])


async def test_tokens_are_short_lived_and_not_renewed(world: World, ec_key: ECKey) -> None:
    client = await world.system(ec_key)
    told = (await world.asserted(world.assertion(client, ec_key))).json()
    assert "refresh_token" not in told
    world.pass_(300)
    with pytest.raises(Problem):
        await bearer.agent_of(world.identity, told["access_token"])


async def test_a_secret_is_not_enough_for_a_system(world: World) -> None:
    """client-confidential-symmetric is not intended for Backend Services."""
    from commonweal.identity.oauth.refused import Refused

    with pytest.raises(Refused) as raised:
        await world.client(
            token_endpoint_auth_method="client_secret_basic",
            grant_types=("client_credentials",),
            organization="Organization/o",
        )
    assert raised.value.error == "invalid_client_metadata"


async def test_a_system_has_no_way_of_people(world: World, ec_key: ECKey) -> None:
    client = await world.system(ec_key)
    form = {"client_assertion_type": ASSERTED, "client_assertion": world.assertion(client, ec_key)}
    answer = await world.token({"grant_type": "authorization_code", "code": "c", **form})
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


async def test_every_token_is_audited(world: World, ec_key: ECKey) -> None:
    client = await world.system(ec_key)
    await world.asserted(world.assertion(client, ec_key))
    row = world.audited[-1]
    assert (row.agent, row.interaction, row.organization) == (
        f"client:{client.id}",
        "token",
        "Organization/o",
    )
