"""Answers to apps: JSON that nobody keeps, and errors as RFC 6749 has them."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from commonweal.identity.oauth.refused import Refused

UNKEPT = {"cache-control": "no-store", "pragma": "no-cache"}


def json(told: Any, status: int = 200, headers: Mapping[str, str] = UNKEPT) -> Response:
    """Something as JSON."""
    return Response(msgspec.json.encode(told), status, headers, "application/json")


def refusal(refused: Refused, authorization: str = "") -> Response:
    """https://www.rfc-editor.org/rfc/rfc6749#section-5.2"""
    answer = json({"error": refused.error, "error_description": refused.description}, refused.status)
    if refused.status == 401:
        scheme = "Bearer" if authorization.lower().startswith("bearer") else "Basic"
        answer.headers["www-authenticate"] = f'{scheme} realm="commonweal"'
    return answer
