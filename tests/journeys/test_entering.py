"""Signing in and out, without a way around it: no token in an address, no foreign form, no leading elsewhere."""

from collections.abc import Callable

import httpx
import pyotp
import pytest

from tests.journeys.conftest import Installation, command
from tests.journeys.visitor import Visitor

Make = Callable[..., Visitor]
OWN = "four horses under the moon"


def test_signing_in_leads_back_to_where_i_was_going(visitor: Make) -> None:
    me = visitor().when_i_open("/people/ouyang-xiuying?text=sodium").then_the_page_is("Sign in")
    me.when_i_sign_in_with_the_code().then_the_page_is("欧阳秀英").then_i_am_at(
        "/people/ouyang-xiuying?text=sodium"
    )


def test_a_link_signs_in_and_its_code_is_sent_to_no_server(visitor: Make, installation: Installation) -> None:
    code = installation.token()
    me = visitor()
    asked: list[str] = []
    me.page.on("request", lambda request: asked.append(request.url.partition("#")[0]))
    me.when_i_open(f"/sign-in#code={code}").then_the_page_is("Find a person").then_i_am_at("/")
    assert not any(code in url for url in asked)
    assert code not in installation.printed.read_text()


def test_a_wrong_code_is_told(visitor: Make) -> None:
    me = visitor().when_i_open("/sign-in").when_i_unfold("With a token from the command line")
    me.when_i_write("Code", "not a code").when_i_press("Sign in with the code")
    me.then_the_page_is("Sign in").then_i_see("There is a problem", "This code is not valid")
    me.when_i_press("Sign in with the code").then_i_see("Enter the code")


def test_signing_out_ends_the_session(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in().when_i_open("/status").when_i_press("Sign out")
    me.then_the_page_is("You are signed out").when_i_open("/status").then_the_page_is("Sign in")


def test_everything_works_without_scripts(visitor: Make) -> None:
    me = visitor(java_script_enabled=False).when_i_open("/").when_i_sign_in_with_the_code()
    me.then_the_page_is("Find a person").when_i_write("Name", "guilan").when_i_press("Search")
    me.when_i_follow("Guilan Li").then_i_see("Timeline", "Allergies")
    me.when_i_no_longer_choose("Encounters").when_i_press("Apply").then_the_page_is("Guilan Li")
    me.when_i_open("/record/Patient/ouyang-xiuying/versions").when_i_press("Compare").then_i_see(
        "telecom[0].value"
    )
    me.when_i_follow("Dark").then_i_see("Light").when_i_follow("简体中文").then_i_see("从版本 1 到版本 2")
    me.when_i_press("退出").then_the_page_is("您已退出")


def test_a_violation_of_the_policy_would_be_noticed(visitor: Make) -> None:
    me = visitor().when_i_open("/sign-in")
    me.page.evaluate("document.body.setAttribute('style', 'color: red')")
    me.page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: '1'}))")
    assert [line for line in me.complaints if "Content Security Policy" in line]
    me.complaints.clear()


@pytest.fixture
def machine(installation: Installation) -> httpx.Client:
    """Somebody who sends what no browser would."""
    return httpx.Client(base_url=installation.address, timeout=60)


def test_the_cookie_is_kept_from_scripts_and_other_sites(
    machine: httpx.Client, installation: Installation
) -> None:
    answer = machine.post("/sign-in", data={"code": installation.token(), "next": "/status"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/status")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "path=/" in cookie


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example/", "https://evil.example", "/\\evil.example", "/\t/evil.example", "evil", ""],
)
def test_nobody_is_led_to_another_site(
    machine: httpx.Client, installation: Installation, elsewhere: str
) -> None:
    answer = machine.post("/sign-in", data={"code": installation.token(), "next": elsewhere})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_form_is_taken_only_from_our_own_pages(machine: httpx.Client, installation: Installation) -> None:
    machine.cookies.set("commonweal", installation.token())
    assert machine.post("/sign-out").status_code == 403
    assert machine.post("/sign-out", data={"form": "00" * 32}).status_code == 403
    page = machine.get("/status").text
    token = page.partition('name="form" value="')[2].partition('"')[0]
    foreign = machine.post("/sign-out", data={"form": token}, headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403 and "set-cookie" not in foreign.headers
    ours = machine.post("/sign-out", data={"form": token}, headers={"sec-fetch-site": "same-origin"})
    assert ours.status_code == 303 and 'commonweal=""' in ours.headers["set-cookie"]


def test_every_page_carries_the_policy_and_is_kept_by_nobody(machine: httpx.Client) -> None:
    for path in ("/sign-in", "/", "/nowhere", "/static/nothing.css"):
        headers = machine.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        if not path.startswith("/static"):
            assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
            assert headers["cache-control"] == "no-store"


def test_what_is_not_taken_is_refused_calmly(machine: httpx.Client, installation: Installation) -> None:
    assert machine.delete("/sign-in").status_code == 405
    assert machine.post("/sign-in", content=b"x" * 2_000_000).status_code in (400, 413)
    assert machine.post("/sign-in", data={str(number): "" for number in range(2_000)}).status_code == 400
    boundless = {"content-type": "multipart/form-data"}
    assert machine.post("/sign-in", content=b"x", headers=boundless).status_code == 400
    machine.cookies.set("commonweal", "a.b.c")
    assert machine.get("/status").status_code == 303
    assert machine.get("/sign-in", headers={"accept-language": "zh;q=x, ,;;q=1"}).status_code == 200


def test_a_page_is_small(machine: httpx.Client, installation: Installation) -> None:
    machine.cookies.set("commonweal", installation.token())
    page = machine.get("/people/ouyang-xiuying")
    sizes = [int(page.headers["content-length"])]
    for name in ("app.css", "app.js"):
        stem, _, kind = name.partition(".")
        address = (
            page.text.partition(f"/static/{stem}-")[2]
            if kind == "css"
            else page.text.partition('src="/static/')[2]
        )
        address = (f"{stem}-" if kind == "css" else "") + address.partition('"')[0]
        sizes.append(int(machine.get(f"/static/{address}").headers["content-length"]))
    assert sum(sizes) < 60_000


def test_an_account_made_on_the_command_line_signs_in(visitor: Make, installation: Installation) -> None:
    data = ("--data", str(installation.data))
    login, password = command("user", "add", "deng.hua", "--name", "Deng Hua", *data).split()
    command("user", "assign", login, "auditor", *data)
    me = visitor().when_i_open("/").when_i_write("Name to sign in with", login)
    me.when_i_write("Password", password).when_i_press("Sign in").then_the_page_is(
        "Set up your second factor"
    )
    secret = me.page.locator(".secret").inner_text().replace(" ", "")
    me.when_i_write("Six digits of the app", pyotp.TOTP(secret).now()).when_i_press("Go on")
    me.when_i_follow("I have kept them").when_i_write("New password", OWN).when_i_write("Once more", OWN)
    me.when_i_press("Save and go on").then_i_see("Signed in as Deng Hua", "Auditor")
    me.when_i_open("/people/ouyang-xiuying").then_the_page_is("You may not see this page")
    me.when_i_press("Sign out").then_the_page_is("You are signed out")
    printed = installation.printed.read_text()
    assert password not in printed and secret not in printed and OWN not in printed
