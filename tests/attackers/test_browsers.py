"""Other sites in the browser of somebody who is signed in"""

import re
from urllib.parse import quote, urljoin, urlsplit

import pytest

from commonweal.web.language import ENGLISH
from commonweal.web.viewer import Viewer
from tests.attackers.conftest import Target

PAGES = (
    "/",
    "/sign-in",
    "/status",
    "/record",
    "/services",
    "/me",
    "/nowhere",
    "/fhir/metadata",
    "/fhir/Patient",
)
ELSEWHERE = (
    "https://evil.example", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
    "/\t/evil.example", "/%09/evil.example", "http:evil.example", "javascript:alert(1)", "data:text/html,x",
    "/\r\nLocation: https://evil.example", "https:/evil.example", " //evil.example", "/x//evil.example@", "evil",
)  # fmt: skip


def form_token(session: str) -> str:
    return Viewer(None, ENGLISH, session=session).form_token()


async def test_a_page_in_a_frame(target: Target) -> None:
    """A site that lays a page of ours under its own buttons (clickjacking) | frames any page | the browser refuses: \
    `frame-ancestors 'none'` and `X-Frame-Options` on every answer, faults included"""
    async with target.client(session=target.token()) as person:
        for path in PAGES:
            headers = (await person.get(path)).headers
            assert "frame-ancestors 'none'" in headers["content-security-policy"], path
            assert headers["x-frame-options"] == "DENY", path
            assert headers["cross-origin-opener-policy"] == "same-origin", path


async def test_a_form_from_another_site(target: Target) -> None:
    """A site with a hidden form (CSRF) | posts it to ours with the person's cookie | 403, and the session goes on"""
    session = target.token()
    async with target.client(session=session) as person:
        good = form_token(session)
        for headers in (
            {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"},
        ):  # fmt: skip
            answer = await person.post("/sign-out", data={"form": good}, headers=headers)
            assert answer.status_code == 403, headers
            assert "set-cookie" not in answer.headers
        assert (await person.get("/status")).status_code in (200, 501)


@pytest.mark.parametrize(
    "form", [{}, {"form": ""}, {"form": "00" * 32}, {"form": "zz"}, {"form": form_token("another session")}]
)
async def test_a_form_without_its_token(target: Target, form: dict[str, str]) -> None:
    """A site whose form looks like ours (CSRF) | sends no token, a made-up one, or one of their own session | 403"""
    async with target.client(session=target.token()) as person:
        answer = await person.post("/sign-out", data=form, headers={"sec-fetch-site": "same-origin"})
        assert answer.status_code == 403
        assert (await person.get("/status")).status_code in (200, 501)


async def test_a_form_as_something_else(target: Target) -> None:
    """A site that sends what is no form (CSRF by a simple request) | posts JSON as text/plain | 403"""
    async with target.client(session=target.token()) as person:
        for media in ("text/plain", "application/json", "application/x-www-form-urlencoded; charset=utf-16"):
            answer = await person.post("/sign-out", content=b'{"form":"x"}', headers={"content-type": media})
            assert answer.status_code in (400, 403), media


async def test_a_picture_that_signs_out(target: Target) -> None:
    """A site with pictures (CSRF by GET) | names addresses that change something | a GET changes nothing: 405"""
    async with target.client(session=target.token()) as person:
        answer = await person.get("/sign-out")
        assert answer.status_code in (404, 405) and "set-cookie" not in answer.headers
        for name in ("_method", "X-HTTP-Method-Override"):
            await person.get("/status", params={name: "POST"}, headers={name: "DELETE"})
        assert (await person.get("/status")).status_code in (200, 501)


async def test_the_cookie_at_the_machines_door(target: Target) -> None:
    """A site that scripts the FHIR interface (CSRF on an API) | sends requests with the person's cookie | 401: \
    machines come with a token in a header or not at all"""
    async with target.client(session=target.token()) as person:
        assert (await person.get("/fhir/Patient")).status_code == 401
        made = await person.post("/fhir/Patient", json={"resourceType": "Patient"})
        assert made.status_code == 401


async def test_a_page_that_reads_the_record_by_script(target: Target) -> None:
    """A site that nobody registered | asks by script, with a stolen token even | its browser does not hand it over: \
    no CORS for its origin"""
    async with target.client(target.token(), origin="https://evil.example") as page:
        answer = await page.get("/fhir/Patient")
        assert answer.status_code == 200
        assert "access-control-allow-origin" not in answer.headers
        preflight = await page.options("/fhir/Patient", headers={"access-control-request-method": "DELETE"})
        assert "access-control-allow-origin" not in preflight.headers


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
async def test_a_link_that_leads_elsewhere(target: Target, elsewhere: str) -> None:
    """A swindler with a link to our sign-in (open redirect) | puts their site where one is led afterwards | \
    one stays here"""
    session = target.token()
    async with target.client(session=session) as person:
        signed_in = await person.get(f"/sign-in?next={quote(elsewhere)}")
        assert _stays(signed_in.headers.get("location", "/"))
        chosen = await person.get(f"/record?language=zh-Hans&x={quote(elsewhere)}")
        assert _stays(chosen.headers.get("location", "/"))
    async with target.client() as person:
        answer = await person.post("/sign-in", data={"code": session, "next": elsewhere})
        assert _stays(answer.headers.get("location", "/"))
        asked = await person.get("/record?" + quote(elsewhere))
        assert _stays(asked.headers.get("location", "/"))


def _stays(location: str) -> bool:
    """Would a browser stay here? It drops tabs and line ends, and takes a backslash for a slash."""
    seen = re.sub(r"[\t\r\n]", "", location).strip().replace("\\", "/")
    return urlsplit(urljoin("http://localhost/sign-in", seen)).netloc == "localhost"


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "//evil.example/%2e%2e", "/%2f%2fevil.example"]
)
async def test_a_path_that_is_another_site(target: Target, path: str) -> None:
    """A swindler with an odd path | asks for `//evil.example?language=zh-Hans`, to be sent on to it | 400"""
    said = await raw(target, path, path.encode(), b"language=zh-Hans")
    assert said[0] == 400 and b"location" not in said[1]


async def raw(
    target: Target, path: str, raw_path: bytes, query: bytes = b""
) -> tuple[int, dict[bytes, bytes]]:
    """A request with a path that client libraries would repair."""
    said: list[dict[str, object]] = []
    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": raw_path, "query_string": query, "scheme": "http",
        "headers": [(b"host", b"localhost"), (b"authorization", f"Bearer {target.token()}".encode())],
        "client": ("203.0.113.9", 1), "root_path": "", "http_version": "1.1", "server": ("localhost", 80),
    }  # fmt: skip

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        said.append(message)

    await target.app(scope, receive, send)  # type: ignore[arg-type]
    return said[0]["status"], dict(said[0]["headers"])  # type: ignore[return-value, call-overload]


async def test_a_session_chosen_by_another(target: Target) -> None:
    """Somebody who plants a cookie in a victim's browser (session fixation) | waits until the victim signs in | the \
    planted session was never one, and signing in opens another"""
    planted = "chosen-by-the-attacker"
    async with target.client(session=planted) as victim:
        assert (await victim.get("/status")).status_code == 303
        answer = await victim.post("/sign-in", data={"code": target.token(), "next": "/status"})
        assert answer.status_code == 303
        assert planted not in answer.headers["set-cookie"]
    async with target.client(session=planted) as attacker:
        assert (await attacker.get("/status")).status_code == 303


async def test_a_cookie_of_a_neighbouring_site(target: Target) -> None:
    """A neighbour below the same domain (cookie tossing) | sets a cookie for all of it | by https ours has the \
    prefix `__Host-`, which only this host can set, and the other does not count"""
    async with target.client(session=target.token()) as person:
        answer = await person.get("https://localhost/status")
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")


async def test_a_cookie_that_scripts_could_read(target: Target) -> None:
    """A script that got into a page | reads the session's cookie | it is HttpOnly, SameSite, for this host alone, \
    and Secure by https"""
    async with target.client() as person:
        answer = await person.post("https://localhost/sign-in", data={"code": target.token(), "next": "/"})
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("__host-") and "domain=" not in cookie
    assert all(each in cookie for each in ("httponly", "secure", "samesite=lax", "path=/"))
