"""A provider of OpenID Connect that speaks HTTP on loopback and can be told to misbehave."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET, REDIRECT = "commonweal", "p@ss:word", "http://127.0.0.1:9/sign-in/provider"


class Wicked:
    """What it does wrong: claims to change, how it signs, what its discovery says."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.signs = "own"
        self.document: dict[str, Any] = {}
        self.subject = "subject-1"


class OpenProvider:
    """Codes are good once, for the verifier whose challenge began them."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.wicked = Wicked()
        self._codes: dict[str, dict[str, str]] = {}

    def signed_in(self, address: str) -> dict[str, str]:
        """What somebody brings back who was sent to that address and signed in."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["redirect_uri"] == REDIRECT and asked["code_challenge_method"] == "S256"
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            } | self.wicked.document
        if path == "/keys":
            return 200, {"keys": [self.key.as_dict(private=False)]}
        asked = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        login = base64.b64encode(f"{CLIENT}:p%40ss%3Aword".encode()).decode()
        if asked is None or asked["code_challenge"] != challenge or authorization != f"Basic {login}":
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": self._token(asked["nonce"])}

    def _token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": self.wicked.subject, "nonce": nonce, "iat": now}
        claims |= {
            "exp": now + 60,
            "email": "operator@example.org",
            "amr": ["pwd", "mfa"],
        } | self.wicked.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        kid = self.key.kid
        if self.wicked.signs == "none":
            return _coded({"alg": "none", "typ": "JWT"}) + "." + _coded(claims) + "."
        if self.wicked.signs == "with the public key as a secret":
            said = _coded({"alg": "HS256", "kid": kid}) + "." + _coded(claims)
            proof = hmac.digest(self.key.as_pem(private=False), said.encode(), "sha256")
            return said + "." + base64.urlsafe_b64encode(proof).rstrip(b"=").decode()
        key = RSAKey.generate_key(2048) if self.wicked.signs == "another's key" else self.key
        return jwt.encode({"alg": "RS256", "kid": kid}, claims, key)


def _coded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


@contextmanager
def provider() -> Iterator[OpenProvider]:
    """One at work."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            self._answer({name: values[0] for name, values in parse_qs(body).items()})

        def _answer(self, form: dict[str, str]) -> None:
            status, told = made.answer(self.path, form, self.headers.get("authorization", ""))
            content = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = OpenProvider(server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
