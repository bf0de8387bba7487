"""Sign-in at an external provider: by an explicit link only, and nothing a provider or a browser forges is believed."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import RSAKey

from commonweal.access.agent import Agent
from commonweal.external import oidc
from commonweal.external.oidc import begin, finish
from commonweal.external.provider import Provider
from commonweal.fhir.outcome import Problem
from commonweal.identity import accounts
from commonweal.identity.house import Identity, Message
from commonweal.platform.ports import Audited
from commonweal.store.drawers import MemoryDrawers, Sealer, SingleKey
from tests.external.provider import CLIENT, REDIRECT, SECRET, OpenProvider, provider

BY = Agent("Practitioner/manager", frozenset({"operator"}))


class World:
    """Our side of the sign-in, with what was audited and a clock set by hand."""

    def __init__(self) -> None:
        self.now = int(time.time()) * 1_000_000
        self.audited: list[Audited] = []
        drawers = MemoryDrawers(Sealer(SingleKey(b"d" * 32)), lambda: self.now)
        self.identity = Identity(
            drawers, lambda: self.now, b"k" * 32, self._audit, self._send, self._aside, "http://127.0.0.1:9"
        )

    async def _audit(self, row: Audited) -> None:
        self.audited.append(row)

    async def _send(self, message: Message) -> None:
        raise AssertionError("nothing is sent here")

    async def _aside(self, run: Callable[..., Any], *arguments: Any) -> Any:
        return run(*arguments)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def at() -> Iterator[OpenProvider]:
    with provider() as made:
        yield made


@pytest.fixture
async def ours(at: OpenProvider) -> AsyncIterator[Provider]:
    at.wicked.__init__()  # type: ignore[misc]
    made = Provider(at.issuer, CLIENT, SECRET, REDIRECT)
    yield made
    await made.close()


async def linked(world: World, at: OpenProvider, login: str = "zhang.wei", subject: str = "subject-1") -> str:
    account = await accounts.create(world.identity, BY, login=login, reference=f"Practitioner/{login}")
    await oidc.link(world.identity, BY, account.id, at.issuer, subject)
    return account.id


async def arrive(world: World, ours: Provider, at: OpenProvider, **changed: str) -> oidc.Arrival:
    leave = await begin(ours, world.identity, following="/people")
    params = at.signed_in(leave.address) | changed
    return await finish(ours, world.identity, params, leave.browser)


async def refused(arriving: Awaitable[object], status: int = 401) -> str:
    with pytest.raises(Problem) as problem:
        await arriving
    assert problem.value.status == status
    return str(problem.value)


async def test_somebody_who_is_linked_arrives(world: World, ours: Provider, at: OpenProvider) -> None:
    account = await linked(world, at)
    arrival = await arrive(world, ours, at)
    assert (arrival.account.id, arrival.following, arrival.factors) == (account, "/people", 2)
    at.wicked.claims = {"amr": ["pwd"]}
    assert (await arrive(world, ours, at)).factors == 1


async def test_a_right_e_mail_or_login_makes_nobody_anyone(
    world: World, ours: Provider, at: OpenProvider
) -> None:
    await accounts.create(world.identity, BY, login="operator@example.org")
    at.wicked.claims = {"preferred_username": "operator@example.org", "email_verified": True}
    await refused(arrive(world, ours, at), 403)
    assert (world.audited[-1].interaction, world.audited[-1].outcome) == ("sign-in", 403)


async def test_another_subject_is_another_person(world: World, ours: Provider, at: OpenProvider) -> None:
    await linked(world, at)
    at.wicked.subject = "subject-2"
    await refused(arrive(world, ours, at), 403)


async def test_a_disabled_account_does_not_arrive(world: World, ours: Provider, at: OpenProvider) -> None:
    await accounts.disable(world.identity, BY, await linked(world, at))
    await refused(arrive(world, ours, at), 403)


WICKED = [
    ("iss", {"iss": "https://evil.example"}, "own"),
    ("aud", {"aud": "another-client"}, "own"),
    ("aud without azp", {"aud": [CLIENT, "another-client"]}, "own"),
    ("azp", {"aud": [CLIENT, "another-client"], "azp": "another-client"}, "own"),
    ("exp", {"exp": 1_000_000_000}, "own"),
    ("exp", {"exp": None}, "own"),
    ("iat", {"iat": 9_999_999_999}, "own"),
    ("nonce", {"nonce": "another"}, "own"),
    ("nonce", {"nonce": None}, "own"),
    ("sub", {"sub": ""}, "own"),
    ("not signed", {}, "none"),
    ("not signed", {}, "with the public key as a secret"),
    ("not signed", {}, "another's key"),
]


@pytest.mark.parametrize(("what", "claims", "signs"), WICKED)
async def test_an_id_token_that_is_not_right_is_refused_and_audited(
    world: World, ours: Provider, at: OpenProvider, what: str, claims: dict[str, Any], signs: str
) -> None:
    await linked(world, at)
    at.wicked.claims, at.wicked.signs = claims, signs
    said = await refused(arrive(world, ours, at))
    assert what not in said, "whoever forges is not told what was wrong"
    assert what in world.audited[-1].because and world.audited[-1].outcome == 401


async def test_rotated_keys_of_the_provider_are_found(world: World, at: OpenProvider, ours: Provider) -> None:
    account = await linked(world, at)
    await arrive(world, ours, at)
    at.key = RSAKey.generate_key(2048, {"kid": "two"})
    ours._asked["keys"] -= 60
    assert (await arrive(world, ours, at)).account.id == account


async def test_an_answer_is_good_once_and_in_one_browser(
    world: World, ours: Provider, at: OpenProvider
) -> None:
    await linked(world, at)
    leave = await begin(ours, world.identity)
    params = at.signed_in(leave.address)
    await refused(finish(ours, world.identity, params, "another browser's cookie"))
    await refused(finish(ours, world.identity, params, leave.browser))
    leave = await begin(ours, world.identity)
    params = at.signed_in(leave.address)
    await finish(ours, world.identity, params, leave.browser)
    await refused(finish(ours, world.identity, params, leave.browser))


async def test_an_answer_that_comes_too_late_is_refused(
    world: World, ours: Provider, at: OpenProvider
) -> None:
    await linked(world, at)
    leave = await begin(ours, world.identity)
    world.now += oidc.LONGEST
    await refused(finish(ours, world.identity, at.signed_in(leave.address), leave.browser))


@pytest.mark.parametrize(
    "changed",
    [
        {"state": "made-up"},
        {"state": ""},
        {"code": "made-up"},
        {"iss": "https://evil.example"},
        {"error": "x"},
    ],
)
async def test_an_answer_that_was_changed_is_refused(
    world: World, ours: Provider, at: OpenProvider, changed: dict[str, str]
) -> None:
    await linked(world, at)
    await refused(arrive(world, ours, at, **changed))


async def test_a_stolen_code_is_of_no_use_in_another_sign_in(
    world: World, ours: Provider, at: OpenProvider
) -> None:
    await linked(world, at)
    victim = at.signed_in((await begin(ours, world.identity)).address)
    await refused(arrive(world, ours, at, code=victim["code"]))


async def test_a_signed_in_person_links_their_own_account(
    world: World, ours: Provider, at: OpenProvider
) -> None:
    account = await accounts.create(world.identity, BY, login="li.na", reference="Practitioner/li.na")
    at.wicked.subject = "li-na-there"
    for signed_in in ("", "another-account"):
        leave = await begin(ours, world.identity, account=account.id)
        params = at.signed_in(leave.address)
        await refused(finish(ours, world.identity, params, leave.browser, signed_in=signed_in))
    leave = await begin(ours, world.identity, account=account.id)
    arrival = await finish(
        ours, world.identity, at.signed_in(leave.address), leave.browser, signed_in=account.id
    )
    assert arrival.linked
    assert [each.subject for each in await oidc.links(world.identity, account.id)] == ["li-na-there"]
    assert world.audited[-1].interaction == "account-link"
    assert not (await arrive(world, ours, at)).linked
    await oidc.unlink(world.identity, BY, account.id, at.issuer, "li-na-there")
    await refused(arrive(world, ours, at), 403)


async def test_a_subject_is_one_account(world: World, at: OpenProvider) -> None:
    await linked(world, at)
    other = await accounts.create(world.identity, BY, login="another")
    await refused(oidc.link(world.identity, BY, other.id, at.issuer, "subject-1"), 409)


async def test_what_is_sent_in_the_address_tells_no_secret(world: World, ours: Provider) -> None:
    leave = await begin(ours, world.identity)
    asked = parse_qs(urlsplit(leave.address).query)
    assert asked["scope"] == ["openid"] and asked["response_type"] == ["code"]
    assert leave.browser not in leave.address and SECRET not in leave.address
    entries = await world.identity.drawers.page(oidc.LEAVING.kind)
    assert asked["state"][0] not in [entry.id for entry in entries]


async def test_a_document_of_another_issuer_is_refused(
    world: World, ours: Provider, at: OpenProvider
) -> None:
    at.wicked.document = {"issuer": "https://evil.example"}
    await refused(begin(ours, world.identity), 503)


async def test_an_endpoint_without_tls_is_not_asked(world: World, ours: Provider, at: OpenProvider) -> None:
    at.wicked.document = {"token_endpoint": "http://evil.example/token"}
    await linked(world, at)
    await refused(arrive(world, ours, at))


def test_an_issuer_must_have_tls_and_the_settings_must_go_together() -> None:
    with pytest.raises(ValueError, match="https"):
        Provider("http://sso.example.org", CLIENT, SECRET, REDIRECT)
    assert Provider.opened("", "", "", "") is None
    with pytest.raises(ValueError, match="COMMONWEAL_OIDC_CLIENT"):
        Provider.opened("https://sso.example.org", "", "", "https://x.example")
