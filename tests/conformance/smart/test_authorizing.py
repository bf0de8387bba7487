"""Obtaining an authorization code: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-authorization-code."""

import pytest

from commonweal.fhir.outcome import Problem
from commonweal.identity.oauth import clients, deciding, launches
from tests.conformance.smart.smart_world import BACK, BASE, BOSS, FHIR, SCOPE, World, challenge, told_in

OTHER = "http://127.0.0.1/back"


async def test_a_code_and_the_exact_state_go_to_the_registered_address(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    handle = await world.handle(client, state="exactly this: ü&=?")
    address = await deciding.decide(world.identity, handle, session, SCOPE.split(), "p")
    assert address.startswith(f"{BACK}?")
    told = told_in(address)
    assert told["state"] == "exactly this: ü&=?"
    assert told["iss"] == BASE
    assert len(told["code"]) == 43


async def test_a_query_of_the_registered_address_stays(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client(redirect_uris=(f"{BACK}?tenant=1",))
    handle = await world.handle(client, redirect_uri=f"{BACK}?tenant=1")
    address = await deciding.decide(world.identity, handle, session, SCOPE.split(), "p")
    assert address.startswith(f"{BACK}?tenant=1&code=")


async def test_who_refuses_is_told_to_the_app_as_access_denied(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    address = await deciding.decide(world.identity, await world.handle(client), session, None)
    told = told_in(address)
    assert (told["error"], told["state"]) == ("access_denied", "s t&te")
    assert "code" not in told


async def test_nothing_allowed_is_refused(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    told = await world.answered(await world.handle(client), session, [])
    assert told["error"] == "access_denied"


async def test_a_form_may_ask_too(world: World) -> None:
    client, _ = await world.client()
    answer = await world.http.post("/oauth/authorize", data=world.asked(client))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/apps/consent?request=")


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"state": None}, "invalid_request"),
        ({"state": ""}, "invalid_request"),
        ({"state": "s" * 3000}, "invalid_request"),
        ({"aud": None}, "invalid_request"),
        ({"aud": "https://elsewhere.example/fhir"}, "invalid_request"),
        ({"aud": f"{BASE}/fhir@elsewhere.example"}, "invalid_request"),
        ({"aud": BASE}, "invalid_request"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "nonsense"}, "invalid_scope"),
        ({"scope": "system/*.rs"}, "invalid_scope"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://app.example/request"}, "request_not_supported"),
        ({"prompt": "none"}, "interaction_required"),
        ({"launch": "made-up"}, "invalid_request"),
    ],
)
async def test_what_is_wrong_is_told_to_the_app(
    world: World, more: dict[str, str | None], error: str
) -> None:
    client, _ = await world.client()
    answer = await world.authorize(client, **more)
    assert answer.headers["location"].startswith(f"{BACK}?")
    told = told_in(answer.headers["location"])
    assert told["error"] == error
    assert told.get("state", "") == ("s t&te" if "state" not in more else (more["state"] or ""))


@pytest.mark.parametrize(
    "more",
    [
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge": None},
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": "short"},
        {"code_challenge": challenge("x") + "="},
    ],
)
async def test_pkce_cannot_be_left_out_or_made_plain(world: World, more: dict[str, str | None]) -> None:
    client, _ = await world.client()
    answer = await world.authorize(client, **more)
    assert told_in(answer.headers["location"])["error"] == "invalid_request"


async def test_a_parameter_given_twice_is_refused(world: World) -> None:
    client, _ = await world.client()
    pairs = [*world.asked(client).items(), ("scope", "user/*.cruds")]
    answer = await world.http.get("/oauth/authorize", params=pairs)
    assert told_in(answer.headers["location"])["error"] == "invalid_request"


@pytest.mark.parametrize(
    "redirect",
    [
        "https://evil.example/back",
        "https://app.example/back/",
        "https://app.example/back?x=1",
        "https://app.example/back#x",
        "https://app.example/BACK",
        "https://app.example:8443/back",
        "http://app.example/back",
        "https://app.example/back/../evil",
        "https://app.example@evil.example/back",
        "//app.example/back",
        "javascript:alert(1)",
        "",
        None,
    ],
)
async def test_nobody_is_sent_to_an_unregistered_address(world: World, redirect: str | None) -> None:
    client, _ = await world.client()
    for more in ({}, {"response_type": "token"}, {"scope": "nonsense"}):
        answer = await world.authorize(client, redirect_uri=redirect, **more)
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert answer.headers["content-type"].startswith("text/html")
        assert "evil" not in answer.text


@pytest.mark.parametrize(
    ("redirect", "fits"),
    [
        ("http://127.0.0.1/back", True),
        ("http://127.0.0.1:51004/back", True),
        ("http://127.0.0.1:51004/other", False),
        ("http://127.0.0.1:51004/back?x=1", False),
        ("https://127.0.0.1:51004/back", False),
        ("http://127.0.0.1:80@evil.example/back", False),
        ("http://127.0.0.1.evil.example/back", False),
        ("http://127.0.0.1:1\\@evil.example/back", False),
        ("http://localhost:51004/back", False),
        ("http://[::1]:51004/back", False),
        ("http://127.0.0.1:999999/back", False),
    ],
)
async def test_on_this_very_machine_only_the_port_is_free(world: World, redirect: str, fits: bool) -> None:
    client, _ = await world.client(redirect_uris=(OTHER,))
    answer = await world.authorize(client, redirect_uri=redirect)
    assert answer.status_code == (303 if fits else 400)


async def test_an_unknown_or_closed_app_is_sent_nowhere(world: World) -> None:
    client, _ = await world.client()
    assert (await world.authorize(client, client_id="nobody")).status_code == 400
    await clients.change(world.identity, BOSS, client.id, enabled=False)
    answer = await world.authorize(client)
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_a_request_is_answered_once(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    handle = await world.handle(client)
    await world.answered(handle, session)
    with pytest.raises(Problem) as raised:
        await deciding.decide(world.identity, handle, session, SCOPE.split(), "p")
    assert raised.value.status == 404


async def test_a_request_waits_a_quarter_of_an_hour(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    handle = await world.handle(client)
    world.pass_(15 * 60 + 1)
    with pytest.raises(Problem):
        await deciding.question(world.identity, handle, session)


async def test_a_patient_is_chosen_where_scopes_need_one(world: World) -> None:
    _, session = await world.doctor()
    client, _ = await world.client()
    handle = await world.handle(client, scope="patient/Observation.rs")
    assert (await deciding.question(world.identity, handle, session)).needs_patient
    with pytest.raises(Problem) as raised:
        await deciding.decide(world.identity, handle, session, ["patient/Observation.rs"])
    assert raised.value.status == 400
    told = await world.answered(handle, session, ["patient/Observation.rs"], "someone")
    answer = (await world.redeem(client, told["code"])).json()
    assert answer["patient"] == "someone"


async def test_an_ehr_launch_carries_what_was_open(world: World) -> None:
    _, session = await world.doctor()
    client, _ = await world.client()
    launch = await launches.open(
        world.identity, session, client.id, "p1", "e1", intent="reconcile", banner=False
    )
    address = await launches.address(world.identity, client.id, launch)
    assert address.startswith("https://app.example/launch?")
    assert told_in(address) == {"iss": FHIR, "launch": launch}
    scope = "launch patient/*.rs openid fhirUser"
    told = await world.tokens(client, session, launch=launch, scope=scope)
    assert (told["patient"], told["encounter"], told["intent"]) == ("p1", "e1", "reconcile")
    assert told["need_patient_banner"] is False
    again = await world.authorize(client, launch=launch, scope=scope)
    assert told_in(again.headers["location"])["error"] == "invalid_request"


async def test_apps_that_can_be_opened_from_the_record(world: World) -> None:
    one, _ = await world.client(client_name="B")
    two, _ = await world.client(client_name="A")
    await world.client(client_name="C", launch_uri="")
    await world.client(client_name="D", scope="launch/patient patient/*.rs")
    off, _ = await world.client(client_name="E")
    await clients.change(world.identity, BOSS, off.id, enabled=False)
    assert [each.id for each in await launches.offered(world.identity)] == [two.id, one.id]
    with pytest.raises(ValueError, match="cannot be opened"):
        closed, _ = await world.client(launch_uri="")
        await launches.address(world.identity, closed.id, "handle")


async def test_a_launch_is_of_its_app_and_its_person_and_soon_over(world: World) -> None:
    _, session = await world.doctor()
    _, colleague = await world.doctor("colleague")
    client, _ = await world.client()
    other, _ = await world.client()
    launch = await launches.open(world.identity, session, client.id, "p1")
    scope = "launch patient/*.rs"
    stolen = await world.authorize(other, launch=launch, scope=scope)
    assert told_in(stolen.headers["location"])["error"] == "invalid_request"
    without = await world.authorize(client, launch=launch, scope="patient/*.rs")
    assert told_in(without.headers["location"])["error"] == "invalid_request"
    handle = await world.handle(client, launch=launch, scope=scope)
    with pytest.raises(Problem) as raised:
        await deciding.decide(world.identity, handle, colleague, ["patient/*.rs"], "p1")
    assert raised.value.status == 404
    world.pass_(601)
    late = await world.authorize(client, launch=launch, scope=scope)
    assert told_in(late.headers["location"])["error"] == "invalid_request"


async def test_the_patient_of_a_launch_cannot_be_exchanged(world: World) -> None:
    _, session = await world.doctor()
    client, _ = await world.client()
    launch = await launches.open(world.identity, session, client.id, "p1")
    handle = await world.handle(client, launch=launch, scope="launch patient/*.rs")
    told = await world.answered(handle, session, None, patient="another")
    assert (await world.redeem(client, told["code"])).json()["patient"] == "p1"


async def test_without_a_launch_its_scopes_are_left_out(world: World) -> None:
    _, session = await world.doctor()
    client, _ = await world.client()
    told = await world.tokens(client, session, scope="launch launch/encounter user/Patient.rs")
    assert told["scope"] == "user/Patient.rs"
    assert "patient" not in told and "encounter" not in told


async def test_a_banner_is_needed_unless_said_otherwise(world: World) -> None:
    _, session = await world.resident()
    client, _ = await world.client()
    assert (await world.tokens(client, session))["need_patient_banner"] is True


async def test_who_has_not_signed_in_lets_no_app_in(world: World) -> None:
    from commonweal.identity import sessions

    value = await sessions.open(world.identity, None, patient="Patient/p")
    session = await sessions.session(world.identity, value)
    assert session is not None
    client, _ = await world.client()
    handle = await world.handle(client)
    with pytest.raises(Problem) as raised:
        await deciding.decide(world.identity, handle, session, SCOPE.split(), "p")
    assert raised.value.status == 401


async def test_every_answer_is_audited(world: World) -> None:
    account, session = await world.resident()
    client, _ = await world.client()
    await world.answered(await world.handle(client), session)
    row = world.audited[-1]
    assert (row.agent, row.interaction) == ("Patient/p", "app-allowed")
    assert row.entities == (f"client-{client.id}", "Patient/p")
    assert row.because == SCOPE
    await world.answered(await world.handle(client), session, [])
    assert world.audited[-1].interaction == "app-refused"
    assert account.reference == "Patient/p"
