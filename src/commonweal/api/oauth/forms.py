"""What apps send: forms in UTF-8, each parameter once: https://www.rfc-editor.org/rfc/rfc6749#appendix-B."""

from urllib.parse import parse_qsl

from starlette.requests import Request

from commonweal.identity.oauth.refused import Refused

BYTES = 65_536
PARAMETERS = 50
FORM = "application/x-www-form-urlencoded"


async def form(request: Request) -> dict[str, str]:
    """The parameters of a form. Refused when there is none, it is too long, or one was given more than once."""
    found = await pairs(request)
    told = dict(found)
    if len(told) != len(found):
        raise Refused("invalid_request", "a parameter was given more than once")
    return told


async def pairs(request: Request) -> list[tuple[str, str]]:
    """The same, as they came; of a GET, those of the address."""
    if request.method != "POST":
        return _parsed(request.scope["query_string"])
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Refused("invalid_request", f"send {FORM}")
    return _parsed(await body(request))


async def body(request: Request) -> bytes:
    """The body of a request, of 64 KiB at most."""
    whole = b""
    async for chunk in request.stream():
        whole += chunk
        if len(whole) > BYTES:
            raise Refused("invalid_request", f"the body is longer than {BYTES} bytes", 413)
    return whole


def _parsed(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS
        )
    except ValueError:
        raise Refused("invalid_request", "the parameters are too many, or not UTF-8") from None
