"""Apps and systems not written by us: a SMART client library in a browser, another for Backend Services."""

import asyncio
import shutil
import subprocess
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import pytest
from joserfc.jwk import RSAKey
from playwright.sync_api import expect

from commonweal.access.agent import OPERATOR, Agent
from commonweal.access.roles import CLINICIAN
from commonweal.boot.assembly import opened
from commonweal.boot.settings import Settings
from commonweal.identity import accounts, sessions
from commonweal.identity.house import Identity
from commonweal.identity.oauth import launches
from tests.journeys.conftest import Installation
from tests.journeys.visitor import Visitor

PAGES = Path(__file__).parent / "smart_app"
MINUTES = 3
BY = Agent("operator", frozenset({OPERATOR}), name="journey")
FAR = 4_000_000_000_000_000
DOCTOR = "smart-doctor"
RECORD: tuple[dict[str, Any], ...] = (
    {"resourceType": "Organization", "id": "smart-lab", "name": "Laboratory"},
    {"resourceType": "Practitioner", "id": DOCTOR, "name": [{"family": "Doctor"}]},
    {
        "resourceType": "Patient",
        "id": "smart-one",
        "name": [{"family": "Smartone"}],
        "generalPractitioner": [{"reference": f"Practitioner/{DOCTOR}"}],
    },
    {"resourceType": "Patient", "id": "smart-other", "name": [{"family": "Smartother"}]},
    {
        "resourceType": "Patient",
        "id": "smart-kept",
        "name": [{"family": "Kept"}],
        "managingOrganization": {"reference": "Organization/smart-lab"},
    },
    {
        "resourceType": "Encounter",
        "id": "smart-visit",
        "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": "Patient/smart-one"},
    },
    *(
        {
            "resourceType": "Observation",
            "id": f"smart-{number}",
            "status": "final",
            "code": {"text": "pulse"},
            "subject": {"reference": "Patient/smart-one"},
        }
        for number in range(3)
    ),
)
Result = TypeVar("Result")
Make = Callable[..., Visitor]


def apart(asked: Coroutine[Any, Any, Result]) -> Result:
    """Run it in a loop of its own, in a thread of its own: Playwright has this thread's."""
    found: list[Result] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(asked)))
    thread.start()
    thread.join()
    (result,) = found
    return result


@dataclass(frozen=True)
class Place:
    """The installation with people of its own for these journeys."""

    installation: Installation

    @property
    def fhir(self) -> str:
        return f"{self.installation.address}/fhir"

    def machine(self) -> httpx.Client:
        headers = {"authorization": f"Bearer {self.installation.token()}"}
        return httpx.Client(base_url=self.installation.address, headers=headers, timeout=60)

    def register(self, **metadata: Any) -> str:
        """A client's id."""
        with self.machine() as machine:
            answer = machine.post("/oauth/register", json=metadata)
        assert answer.status_code == 201, answer.text
        id: str = answer.json()["client_id"]
        return id

    def inside(self, work: Callable[[Identity], Coroutine[Any, Any, Result]]) -> Result:
        """Do something where only the installation itself can, beside it as it runs."""

        async def done() -> Result:
            settings = Settings.read(data=str(self.installation.data), base_url=self.installation.address)
            async with opened(settings, migrate=False) as assembly:
                return await work(assembly.identity)

        return apart(done())

    def session(self) -> tuple[str, sessions.Session]:
        """The doctor's cookie and session."""

        async def begun(identity: Identity) -> tuple[str, sessions.Session]:
            account = await accounts.by_login(identity, DOCTOR)
            assert account is not None
            value = await sessions.open(identity, account, ways=("password", "totp"))
            session = await sessions.session(identity, value)
            assert session is not None
            return value, session

        return self.inside(begun)


@pytest.fixture(scope="module")
def place(installation: Installation) -> Place:
    """With a doctor, who cares for one patient and not for another."""
    here = Place(installation)
    entries = [
        {"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}}
        for each in RECORD
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    with here.machine() as machine:
        answer = machine.post("/fhir", json=bundle, headers={"content-type": "application/fhir+json"})
    assert answer.status_code == 200, answer.text

    async def employed(identity: Identity) -> None:
        account = await accounts.create(
            identity, BY, login=DOCTOR, name="Doctor Smart", reference=f"Practitioner/{DOCTOR}"
        )
        await accounts.assign(identity, BY, account.id, CLINICIAN, because="employed")

    here.inside(employed)
    return here


@dataclass(frozen=True)
class App:
    """Where it is served, and from which folder."""

    address: str
    folder: Path

    def asks(self, fhir: str) -> str:
        """Where it begins by itself, with that server."""
        return f"{self.address}/launch.html?fhir={quote(fhir, safe='')}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app: its pages and the library from npm, by the committed lock, at an origin of its own."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("NOT RUN: there is no npm on this machine")
    folder = tmp_path_factory.mktemp("smart-app")
    shutil.copytree(PAGES, folder, dirs_exist_ok=True)
    flags = ["--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        got = subprocess.run(
            [npm, "ci", *flags], cwd=folder, capture_output=True, text=True, timeout=MINUTES * 60
        )
    except subprocess.TimeoutExpired:
        pytest.skip("NOT RUN: npm gave no packages in time")
    if got.returncode:
        pytest.skip("NOT RUN: npm could give no packages")
    shutil.copy(folder / "node_modules/fhirclient/build/fhir-client.js", folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield App(f"http://localhost:{server.server_address[1]}", folder)
    server.shutdown()
    server.server_close()


class Quiet(SimpleHTTPRequestHandler):
    """Gives files away without telling."""

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def client(place: Place, site: App) -> str:
    """The id under which the app is registered, and which it knows from then on."""
    id = place.register(
        client_name="An app from elsewhere",
        token_endpoint_auth_method="none",
        grant_types=["authorization_code", "refresh_token"],
        redirect_uris=[f"{site.address}/back.html"],
        launch_uri=f"{site.address}/launch.html",
        scope="launch launch/patient openid fhirUser offline_access patient/*.rs",
    )
    (site.folder / "client.js").write_text(f"const clientId = '{id}';\n", "utf-8")
    _wait_until_pages_of(site.address, place)
    return id


def _wait_until_pages_of(origin: str, place: Place) -> None:
    """Its origin is allowed within seconds everywhere."""
    pause = threading.Event()
    with place.machine() as machine:
        for _ in range(300):
            answer = machine.get("/fhir/Patient", headers={"origin": origin})
            if "access-control-allow-origin" in answer.headers:
                return
            pause.wait(0.2)
    raise AssertionError(f"pages of {origin} may not ask")


def test_a_backend_service(place: Place) -> None:
    """cumulus-fhir-support finds the token endpoint, signs an assertion with RS384 and asks by SMART's first scopes."""
    from cumulus_fhir_support import FhirClient, http

    key = RSAKey.generate_key(2048, {"kid": "journey", "alg": "RS384", "key_ops": ["sign"]})
    id = place.register(
        client_name="A laboratory",
        token_endpoint_auth_method="private_key_jwt",
        grant_types=["client_credentials"],
        jwks={"keys": [{**key.as_dict(private=False, key_ops=["verify"])}]},
        scope="system/Organization.rs system/Patient.rs",
        organization="Organization/smart-lab",
        agreement={"until": FAR, "purposes": ["TREAT"], "because": "a journey"},
    )

    async def visited() -> tuple[str, list[str], int]:
        keys = {"keys": [key.as_dict(private=True)]}
        types = ["Organization", "Patient", "Observation"]
        async with FhirClient(place.fhir, types, smart_client_id=id, smart_jwks=keys) as client:
            own = await client.request("GET", "Organization/smart-lab")
            people = await client.request("GET", "Patient")
            with pytest.raises(http.FatalNetworkError) as refused:
                await client.request("GET", "Observation")
            ids = [each["resource"]["id"] for each in people.json()["entry"]]
            return own.json()["name"], ids, refused.value.response.status_code

    assert apart(visited()) == ("Laboratory", ["smart-kept"], 403)


def test_a_standalone_launch(visitor: Make, place: Place, site: App, client: str) -> None:
    """The app sends a doctor here, who chooses a patient; it reads that one's data, renews, and is shown out again."""
    me = _signed_in(visitor, place)
    me.page.goto(site.asks(place.fhir))
    me.then_the_page_is("An app from elsewhere")
    me.when_i_write("Find the person by name", "Smartone").when_i_press("Search")
    me.when_i_choose("Smartone").when_i_press("Allow")
    _reads(me, encounter="none")
    me.page.evaluate("client.refresh()")
    assert me.page.evaluate("client.request('Patient/smart-one').then(each => each.id)") == "smart-one"
    me.page.goto(f"{place.installation.address}/apps")
    me.page.get_by_role("button", name="End what An app from elsewhere may do").first.click()
    me.then_i_see("You have let in no app")
    me.page.goto(f"{site.address}/back.html")
    expect(me.page.locator("#fault")).not_to_be_empty()
    expect(me.page.locator("#patient")).to_be_empty()


def test_an_ehr_launch(visitor: Make, place: Place, client: str) -> None:
    """The record opens the app on the patient and the encounter that are open."""
    cookie, session = place.session()

    async def opened_on(identity: Identity) -> str:
        handle = await launches.open(identity, session, client, "smart-one", "smart-visit")
        return await launches.address(identity, client, handle)

    me = _signed_in(visitor, place, cookie)
    me.page.goto(place.inside(opened_on))
    me.then_the_page_is("An app from elsewhere").when_i_press("Allow")
    _reads(me, encounter="smart-visit")


def test_who_refuses_is_not_asked_twice(visitor: Make, place: Place, site: App, client: str) -> None:
    """The library hears of it and shows the app's page, without data."""
    me = _signed_in(visitor, place)
    me.page.goto(site.asks(place.fhir))
    me.when_i_press("Do not allow")
    expect(me.page.locator("#fault")).to_contain_text("access_denied")
    expect(me.page.locator("#patient")).to_be_empty()


def _signed_in(visitor: Make, place: Place, cookie: str = "") -> Visitor:
    me, url = visitor(), place.installation.address
    me.page.context.add_cookies([{"name": "commonweal", "value": cookie or place.session()[0], "url": url}])
    return me


def _reads(me: Visitor, encounter: str) -> None:
    me.then_the_page_is("An app reads")
    expect(me.page.locator("#patient")).to_have_text("Smartone")
    expect(me.page.locator("#observations")).to_have_text("3")
    expect(me.page.locator("#encounter")).to_have_text(encounter)
    expect(me.page.locator("#user")).to_contain_text(f"Practitioner/{DOCTOR}")
    expect(me.page.locator("#other")).to_have_text("404")
