"""An installation in memory with people, apps and a clock set by hand, reached over HTTP as apps reach it."""

import asyncio
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import extract_compact

from commonweal import api
from commonweal.access.agent import OPERATOR, Agent
from commonweal.access.roles import CLINICIAN
from commonweal.api import oauth
from commonweal.identity import accounts, sessions
from commonweal.identity.account import RESIDENT, STAFF, Account
from commonweal.identity.drawers import Entry
from commonweal.identity.house import Identity
from commonweal.identity.oauth import bearer, deciding, registering
from commonweal.identity.oauth.clients import Agreement, Client
from commonweal.identity.oauth.keysets import Fetched
from commonweal.identity.oauth.registering import Metadata
from commonweal.identity.sessions import Session
from commonweal.platform.platform import Platform
from commonweal.store.drawers.memory import MemoryDrawers
from commonweal.store.drawers.sealing import Sealer, SingleKey

BASE = "https://record.example"
FHIR = f"{BASE}/fhir"
TOKEN = f"{BASE}/oauth/token"
BACK = "https://app.example/back"
SCOPE = "launch/patient patient/*.rs openid fhirUser offline_access"
ALLOWED = (
    "launch launch/patient launch/encounter openid fhirUser profile offline_access online_access "
    "patient/*.cruds user/*.cruds"
)
VERIFIER = "a-verifier-of-at-least-forty-three-characters-it-is"
BOSS = Agent("operator", frozenset({OPERATOR}), name="operator")
YEAR = 365 * 24 * 3600 * 1_000_000
ASSERTED = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Crowded(MemoryDrawers):
    """Others come in between whenever something is read or written, as they do on a database."""

    async def get(self, kind: str, id: str) -> Entry | None:
        await asyncio.sleep(0)
        return await super().get(kind, id)

    async def put(self, kind: str, id: str, data: bytes, **how: Any) -> int:
        await asyncio.sleep(0)
        return await super().put(kind, id, data, **how)

    async def take(self, kind: str, id: str) -> Entry | None:
        await asyncio.sleep(0)
        return await super().take(kind, id)


class World:
    """One installation. `pages` are what a key set's address answers with; `platform` serves /fhir when given."""

    def __init__(self, platform: Platform | None = None) -> None:
        self.micro = 1_790_000_000_000_000
        self.audited: list[Any] = []
        self.pages: dict[str, Fetched] = {}
        self.fetched: list[str] = []
        self.numbers = count(1)
        self.platform = platform
        self.drawers = Crowded(Sealer(SingleKey(b"k" * 32)), lambda: self.micro)
        self.identity = self.process()
        self.oauth = oauth.app(self.identity, self.authenticate, self.registers, self.fetch)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.serve), base_url=BASE)

    def process(self) -> Identity:
        """Another process over the same drawers: it remembers nothing of what this one does."""
        return Identity(self.drawers, lambda: self.micro, b"h" * 32, self._audit, _unsent, _here, BASE)

    def pass_(self, seconds: float) -> None:
        self.micro += int(seconds * 1_000_000)

    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        """As boot hands requests out."""
        if oauth.is_here(scope["path"]):
            await self.oauth(scope, receive, send)
        elif self.platform is not None:
            await api.app(self.platform, self.authenticate, FHIR)(scope, receive, send)

    async def authenticate(self, scope: Any) -> Agent:
        """The operator's token of the command line, else an access token."""
        token = dict(scope["headers"]).get(b"authorization", b"").decode().partition(" ")[2]
        return BOSS if token == "boss" else await bearer.agent_of(self.identity, token)

    @staticmethod
    def registers(agent: Agent) -> bool:
        return OPERATOR in agent.roles

    async def fetch(self, address: str) -> Fetched:
        self.fetched.append(address)
        if address not in self.pages:
            raise OSError("nothing there")
        return self.pages[address]

    async def resident(self, patient: str = "p") -> tuple[Account, Session]:
        number = next(self.numbers)
        return await self._signed_in(RESIDENT, f"+8613800000{number:03}", f"Patient/{patient}")

    async def doctor(self, practitioner: str = "d", role: str = CLINICIAN) -> tuple[Account, Session]:
        return await self._signed_in(
            STAFF, f"doctor{next(self.numbers)}", f"Practitioner/{practitioner}", role
        )

    async def _signed_in(
        self, kind: Any, login: str, reference: str, role: str = ""
    ) -> tuple[Account, Session]:
        account = await accounts.create(
            self.identity, BOSS, kind=kind, login=login, name="Somebody", reference=reference
        )
        if role:
            await accounts.assign(self.identity, BOSS, account.id, role, organization="Organization/o")
        account = await accounts.get(self.identity, account.id)
        value = await sessions.open(self.identity, account)
        session = await sessions.session(self.identity, value)
        assert session is not None
        return account, session

    async def client(self, **metadata: Any) -> tuple[Client, str]:
        """A registered app, public unless said otherwise, that may have everything people can give."""
        told = {
            "client_name": "An app",
            "token_endpoint_auth_method": "none",
            "redirect_uris": (BACK,),
            "grant_types": ("authorization_code", "refresh_token"),
            "scope": ALLOWED,
            "launch_uri": "https://app.example/launch",
            **metadata,
        }
        return await registering.register(self.identity, BOSS, Metadata(**told))

    async def system(self, key: ECKey | RSAKey, **metadata: Any) -> Client:
        """A partner's system with this key and an agreement for a year."""
        told: dict[str, Any] = {
            "client_name": "A partner",
            "token_endpoint_auth_method": "private_key_jwt",
            "grant_types": ("client_credentials",),
            "redirect_uris": (),
            "scope": "system/*.rs",
            "organization": "Organization/o",
            "agreement": Agreement(self.micro + YEAR, ("TREAT",)),
            "launch_uri": "",
            "jwks": {"keys": [public(key)]},
            **metadata,
        }
        return (await self.client(**told))[0]

    def asked(self, client: Client, **more: str | None) -> dict[str, str]:
        """Parameters of a right authorization request, but for what is said (None: left out)."""
        told = {
            "response_type": "code",
            "client_id": client.id,
            "redirect_uri": BACK,
            "scope": SCOPE,
            "state": "s t&te",
            "aud": FHIR,
            "code_challenge": challenge(VERIFIER),
            "code_challenge_method": "S256",
            **more,
        }
        return {name: value for name, value in told.items() if value is not None}

    async def authorize(self, client: Client, **more: str | None) -> httpx.Response:
        return await self.http.get("/oauth/authorize", params=self.asked(client, **more))

    async def handle(self, client: Client, **more: str | None) -> str:
        """The handle of a request that the person is asked about."""
        answer = await self.authorize(client, **more)
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"].startswith("/apps/consent?request="), answer.headers["location"]
        return told_in(answer.headers["location"])["request"]

    async def answered(
        self, handle: str, session: Session, allowed: Sequence[str] | None = None, patient: str = "p"
    ) -> dict[str, str]:
        """What the app hears of an answer; without `allowed` everything is."""
        question = await deciding.question(self.identity, handle, session)
        texts = [each.text for each in question.scopes] if allowed is None else allowed
        return told_in(await deciding.decide(self.identity, handle, session, texts, patient))

    async def code(self, client: Client, session: Session, **more: str | None) -> str:
        return (await self.answered(await self.handle(client, **more), session))["code"]

    async def redeem(self, client: Client, code: str, secret: str = "", **more: str) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
            "client_id": client.id,
            **({"client_secret": secret} if secret else {}),
            **more,
        }
        return await self.token(form)

    async def token(self, form: Mapping[str, str], **how: Any) -> httpx.Response:
        return await self.http.post("/oauth/token", data=dict(form), **how)

    async def tokens(self, client: Client, session: Session, **more: str | None) -> dict[str, Any]:
        """The whole way to a token response."""
        answer = await self.redeem(client, await self.code(client, session, **more))
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def refresh(self, client: Client, token: str, **more: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client.id, **more}
        return await self.token(form)

    def assertion(
        self, client: Client, key: ECKey | RSAKey, header: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        """A right client assertion, but for what is said (None: left out)."""
        now = self.micro // 1_000_000
        algorithm = "ES384" if isinstance(key, ECKey) else "RS384"
        told = {
            "iss": client.id,
            "sub": client.id,
            "aud": TOKEN,
            "exp": now + 299,
            "jti": f"j{next(self.numbers)}",
            **claims,
        }
        named = {"alg": algorithm, "kid": key.kid, "typ": "JWT", **(header or {})}
        return jwt.encode(
            {name: value for name, value in named.items() if value is not None},
            {name: value for name, value in told.items() if value is not None},
            key,
            algorithms=[named["alg"]],
        )

    async def asserted(self, assertion: str, scope: str = "system/*.rs", **more: str) -> httpx.Response:
        """Ask for a token as a system."""
        form = {
            "grant_type": "client_credentials",
            "scope": scope,
            "client_assertion_type": ASSERTED,
            "client_assertion": assertion,
            **more,
        }
        return await self.token(form)

    async def _audit(self, row: Any) -> None:
        self.audited.append(row)


def challenge(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def told_in(address: str) -> dict[str, str]:
    """The query of an address."""
    return dict(parse_qsl(urlsplit(address).query))


def public(key: ECKey | RSAKey, **more: Any) -> dict[str, Any]:
    """The public half as a client registers it."""
    return {**key.as_dict(private=False), "kid": key.kid, **more}


def encoded(part: Any) -> str:
    """A part of a JWT."""
    return urlsafe_b64encode(msgspec.json.encode(part)).rstrip(b"=").decode()


def by_hand(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """A token with a keyed hash of SHA-256 as signature, as no good library makes it of a public key."""
    said = f"{encoded(header)}.{encoded(claims)}"
    digest = hmac.digest(secret, said.encode(), "sha256")
    return f"{said}.{urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, believed or not."""
    told: dict[str, Any] = msgspec.json.decode(extract_compact(token.encode()).payload)
    return told


async def _unsent(message: object) -> None:
    """Nobody has a phone here."""


async def _here(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)
