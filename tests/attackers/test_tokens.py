"""Tokens that are not ours, or no longer"""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from commonweal.boot.rings import Key, Ring, written
from commonweal.boot.tokens import ISSUER, Tokens
from tests.attackers.conftest import KEY, Target

CLAIMS = {"iss": ISSUER, "sub": "operator", "roles": ["operator"], "iat": 1, "exp": 4_000_000_000}


def coded(part: Any) -> str:
    content = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed(claims: Any, key: bytes = KEY, header: Any = None, digest: str = "sha256") -> str:
    said = f"{coded(header or {'alg': 'HS256', 'kid': 'only'})}.{coded(claims)}"
    return f"{said}.{coded(hmac.digest(key, said.encode(), digest))}"


async def refuses(target: Target, token: str) -> None:
    """On both sides, with nothing told that helps."""
    async with target.client(token) as machine:
        answer = await machine.get("/fhir/Patient")
    assert answer.status_code == 401, answer.text
    assert answer.headers["www-authenticate"] == "Bearer"
    assert token not in answer.text or not token
    async with target.client(session=token) as person:
        answer = await person.get("/status")
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")


async def test_the_forger_knows_how_tokens_are_made(target: Target) -> None:
    """Nobody | proves that the tests below would let a right token in | a good token is taken"""
    async with target.client(signed(CLAIMS)) as machine:
        assert (await machine.get("/fhir/Patient")).status_code == 200


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
async def test_an_unsigned_token(target: Target, alg: str) -> None:
    """Somebody without a key | sends a token of the algorithm `none`, in all spellings | 401"""
    for end in ("", coded(b"x")):
        await refuses(target, f"{coded({'alg': alg, 'typ': 'JWT', 'kid': 'only'})}.{coded(CLAIMS)}.{end}")


@pytest.mark.parametrize("key", [b"", b"\0" * 32, b"secret", b"commonweal", hashlib.sha256(b"").digest()])
async def test_a_token_signed_with_a_guessed_key(target: Target, key: bytes) -> None:
    """Somebody without a key | signs with an empty, zero or guessed one | 401"""
    await refuses(target, signed(CLAIMS, key))


async def test_a_token_that_was_changed(target: Target) -> None:
    """A clerk with a token of little right | changes the role in it, or puts its signature under other claims | 401"""
    head, claims, proof = target.token("auditor").split(".")
    await refuses(target, f"{head}.{coded(CLAIMS)}.{proof}")
    await refuses(target, f"{head}.{claims}.{proof[:-4]}AAAA")
    await refuses(target, f"{head}.{claims}.")
    await refuses(target, f"{head}.{claims}")


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "HS512", "kid": "only"}, {"alg": "RS256", "kid": "only"}, {"alg": ["HS256"], "kid": "only"},
        {"alg": "HS256", "kid": "../../../dev/null"}, {"alg": "HS256", "kid": "' or '1'='1"},
        {"alg": "HS256", "kid": {"a": 1}}, {"alg": "HS256", "kid": "only", "crit": ["x"], "x": 1},
        {"alg": "HS256", "kid": "x", "jwk": {"kty": "oct", "k": coded(KEY)}},
        {"alg": "HS256", "kid": "x", "jku": "https://evil.example/keys"},
    ],
)  # fmt: skip
async def test_a_header_that_chooses_its_own_key(target: Target, header: dict[str, Any]) -> None:
    """A forger | names another algorithm, a key of their own, or a path for a key's id | 401"""
    digest = "sha512" if header["alg"] == "HS512" else "sha256"
    await refuses(target, signed(CLAIMS, KEY, header, digest))


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": 1}, {"exp": None}, {"exp": "4000000000"}, {"exp": [4_000_000_000]}, {"iss": "another"},
        {"iss": None}, {"exp": int(time.time()) - 1},
    ],
)  # fmt: skip
async def test_a_token_whose_time_or_issuer_is_not_right(target: Target, changed: dict[str, Any]) -> None:
    """Somebody with an old token, or one of another installation with our key | uses it | 401"""
    await refuses(target, signed(CLAIMS | changed))


@pytest.mark.parametrize("token", ["x", "a.b.c", "....", "Bearer", coded(b"\xff" * 100), "é" * 50, "\t"])
async def test_what_is_no_token_at_all(target: Target, token: str) -> None:
    """A scanner | sends noise for a token | 401, never an error of ours"""
    async with target.client() as machine:
        header = b"Bearer " + token.encode("latin-1")
        answer = await machine.get("/fhir/Patient", headers={b"Authorization": header})
    assert answer.status_code == 401


async def test_a_token_in_the_address(target: Target) -> None:
    """Somebody who would leak tokens into logs | sends a good one as a parameter | it does not count: 401"""
    async with target.client() as machine:
        for name in ("access_token", "token", "code", "authorization"):
            answer = await machine.get("/fhir/Patient", params={name: target.token()})
            assert answer.status_code == 401
            assert (await machine.get("/status", params={name: target.token()})).status_code == 303


def test_a_token_whose_key_was_thrown_away() -> None:
    """A thief of a token | uses it after `commonweal keys rotate tokens --end-sessions` | refused within seconds"""
    now, content = 0.0, written([Key("old", b"o" * 32, 0)])
    tokens = Tokens(Ring(lambda: content, lambda: now))
    stolen = tokens.issue("operator", 60)
    assert tokens.agent(stolen)
    content, now = written([Key("new", b"n" * 32, 1)]), 60.0
    tokens._known = {each: (0.0, *rest) for each, (_, *rest) in tokens._known.items()}  # time goes by
    with pytest.raises(Exception, match="not one of ours"):
        tokens.agent(stolen)


async def test_a_good_token_for_what_its_role_may_not(target: Target) -> None:
    """An auditor | reads and changes a person's record with their own, good token | refused, and audited"""
    async with target.client(target.token()) as operator:
        await operator.put("/fhir/Patient/p1", json={"resourceType": "Patient", "id": "p1"})
    async with target.client(target.token("auditor")) as auditor:
        read = await auditor.get("/fhir/Patient/p1")
        assert read.status_code in (403, 404)
        assert target.refused_row("read").agent == "auditor"
        changed = await auditor.put(
            "/fhir/Patient/p1", json={"resourceType": "Patient", "id": "p1", "active": True}
        )
        assert changed.status_code in (403, 404)
    assert 400 <= target.rows()[-1].outcome < 500
    async with target.client(target.token()) as operator:
        assert "active" not in (await operator.get("/fhir/Patient/p1")).json()
