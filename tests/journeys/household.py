"""An installation in memory with accounts, whose clock stands still and whose messages to phones can be read."""

import asyncio
import re
import socket
import threading
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import pyotp
import uvicorn

from commonweal.access.agent import Agent
from commonweal.access.roles import ACCESS_MANAGER, OPERATOR, SYSTEM
from commonweal.boot.trial import Trial
from commonweal.identity import accounts, onetime, passwords
from commonweal.identity.account import Account
from commonweal.identity.oauth import asking, registering
from commonweal.identity.oauth.clients import Agreement, Client
from commonweal.identity.oauth.registering import Metadata
from tests.journeys.visitor import Visitor

Result = TypeVar("Result")
PASSWORD = "wisteria over the garden wall"
SETTING_UP = Agent("system:setting-up", frozenset({SYSTEM}), "HOPERAT")
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
"""Of RFC 7636, appendix B."""
PATIENTS = (
    {"resourceType": "Patient", "id": "xiuying", "gender": "female", "birthDate": "1951-03-08",
     "identifier": [{"value": "110101195103080024"}], "name": [{"family": "欧阳", "given": ["秀英"]}]},
    {"resourceType": "Patient", "id": "other", "gender": "male", "birthDate": "1980-01-02",
     "identifier": [{"value": "110101198001020016"}], "name": [{"family": "Meyer", "given": ["Jonas"]}]},
    {"resourceType": "Patient", "id": "silva", "gender": "female", "birthDate": "1994-05-06",
     "identifier": [{"value": "110101199405060018"}], "name": [{"family": "Silva", "given": ["Ana"]}]},
    {"resourceType": "Organization", "id": "hankou", "name": "Hankou Community Clinic"},
)  # fmt: skip


class Household:
    """Serves the pages of a trial on a socket of this machine, in a thread with a loop of its own."""

    a_moment = timedelta(seconds=onetime.STEP)
    a_while = timedelta(seconds=61)
    """Until a phone may be sent another code."""

    def __init__(self) -> None:
        self.trial = Trial()
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.address = f"http://localhost:{listener.getsockname()[1]}"
        self.trial.identity = replace(self.trial.identity, base_url=self.address)
        self._loop = asyncio.new_event_loop()
        self._server = uvicorn.Server(uvicorn.Config(self.trial.pages(), log_level="warning", lifespan="off"))
        serving = self._server.serve(sockets=[listener])
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(serving,), daemon=True)
        self._thread.start()
        self.do(self._record())

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)

    def do(self, asked: Coroutine[Any, Any, Result]) -> Result:
        """Run something where the server runs."""
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result(30)

    def has_staff(self, login: str, name: str, *roles: str, password: str = PASSWORD) -> Account:
        """An account of staff with these roles, and a password somebody else gave."""
        return self.do(self._staff(login, name, roles, password))

    def has_invited(self, login: str, name: str, role: str) -> tuple[str, str]:
        """An account with a password that somebody else knows: login and password."""
        return self.do(self._invited(login, name, role))

    def has_second_factor(self, account: Account) -> str:
        """The secret of an authenticator app that is set up for it."""
        return self.do(self._enrolled(account))

    def code_of(self, secret: str) -> str:
        """What the app shows now."""
        return pyotp.TOTP(secret).at(int(self.trial.now.timestamp()))

    def code_sent(self) -> str:
        """The six digits of the last message to a phone."""
        found = re.search(r"(?:\d[, ]*){6}", self.trial.messages[-1].text)
        assert found, "the last message holds no code"
        return re.sub(r"\D", "", found[0])

    def is_asked_by_an_app(self, scope: str, **more: str) -> str:
        """The path to which the browser of whoever uses the app is sent."""
        return self.do(self._asked(scope, more))

    def has_an_app_to_open(self) -> None:
        """An app that is opened from a record; it is at home on our own page for help desk codes."""
        self.do(self._opening())

    def has_an_app(self) -> Client:
        """A partner's system with an agreement."""
        return self.do(self._registered())

    async def _record(self) -> None:
        async with self.trial.work() as work:
            for each in PATIENTS:
                await work.save(dict(each))

    async def _staff(self, login: str, name: str, roles: tuple[str, ...], password: str) -> Account:
        house = self.trial.identity
        hashed = await passwords.hashed(house, password)
        account = await accounts.create(house, SETTING_UP, login=login, name=name, password=hashed)
        for role in roles:
            place = "" if role in (OPERATOR, ACCESS_MANAGER) else "Organization/hankou"
            await accounts.assign(house, SETTING_UP, account.id, role, organization=place)
        return await accounts.get(house, account.id)

    async def _invited(self, login: str, name: str, role: str) -> tuple[str, str]:
        house = self.trial.identity
        account, password = await accounts.invite(house, SETTING_UP, login=login, name=name)
        await accounts.assign(house, SETTING_UP, account.id, role, organization="Organization/hankou")
        return account.login, password

    async def _enrolled(self, account: Account) -> str:
        house = self.trial.identity
        enrolment = await onetime.enrol(house, account)
        earlier = int(self.trial.now.timestamp()) - onetime.STEP
        await onetime.confirm(house, account.id, pyotp.TOTP(enrolment.secret).at(earlier))
        return enrolment.secret

    async def _opening(self) -> None:
        back = f"{self.address}/sign-in/desk"
        metadata = Metadata(
            client_name="Pain Chart",
            token_endpoint_auth_method="none",
            redirect_uris=(back,),
            scope="launch patient/Observation.rs",
            launch_uri=back,
        )
        await registering.register(self.trial.identity, SETTING_UP, metadata)

    async def _registered(self) -> Client:
        metadata = Metadata(
            client_name="County Laboratory",
            token_endpoint_auth_method="private_key_jwt",
            grant_types=("client_credentials",),
            scope="system/Observation.cruds system/Patient.rs",
            organization="Organization/hankou",
            jwks_uri="https://laboratory.example.org/keys",
            agreement=Agreement(
                int(self.trial.now.timestamp() * 2) * 10**6, ("TREAT",), "contract 3 of 2026"
            ),
        )
        return (await registering.register(self.trial.identity, SETTING_UP, metadata))[0]

    async def _asked(self, scope: str, more: dict[str, str]) -> str:
        house, back = self.trial.identity, f"{self.address}/sign-in/desk"
        metadata = Metadata(
            client_name="Growth Charts",
            token_endpoint_auth_method="none",
            redirect_uris=(back,),
            scope=scope,
            organization="Organization/hankou",
            client_uri="https://growth.example.org/about",
        )
        client, _secret = await registering.register(house, SETTING_UP, metadata)
        asked = {
            "response_type": "code",
            "client_id": client.id,
            "redirect_uri": back,
            "scope": scope,
            "state": "a-state",
            "aud": f"{house.base_url}/fhir",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return await asking.begin(house, tuple((asked | more).items()))


def sign_in(me: Visitor, household: Household, login: str, secret: str, path: str = "/me") -> Visitor:
    """Password, then the code that the app shows a moment later."""
    household.trial.now += household.a_moment
    me.when_i_open(path).when_i_write("Name to sign in with", login).when_i_write(
        "Password", PASSWORD
    ).when_i_press("Sign in")
    return me.when_i_write("Code of your authenticator app", household.code_of(secret)).when_i_press("Go on")


def sign_in_by_phone(me: Visitor, household: Household, phone: str, path: str = "/") -> Visitor:
    """The number, then the code that came to it."""
    household.trial.now += household.a_while
    me.when_i_open(path).when_i_follow("I am a resident").when_i_write("Phone number", phone)
    me.when_i_press("Send me the code").then_the_page_is("Enter the code")
    return me.when_i_write("Code", household.code_sent()).when_i_press("Sign in")
