"""Every page about access: clean by axe in both languages and themes, on desktop and phone, and pictured."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.household import PASSWORD, Household, sign_in
from tests.journeys.test_pages import LOOKS, faults_of
from tests.journeys.visitor import Visitor

Make = Callable[..., Visitor]
OUTSIDE = {
    "sign-in": "/sign-in",
    "sign-in-phone": "/sign-in/phone",
    "sign-in-desk": "/sign-in/desk",
    "sign-in-passkey": "/sign-in/passkey",
    "signed-out": "/signed-out",
}
INSIDE = {
    "me": "/me",
    "me-sessions": "/me/sessions",
    "me-role": "/me/role",
    "me-password": "/me/password",
    "me-apps": "/apps",
    "access": "/access",
    "access-nobody": "/access?who=zzzz",
    "access-new": "/access/people/new",
    "access-person": "/access/people/{other}",
    "access-myself": "/access/people/{me}",
    "access-apps": "/access/apps",
    "access-app": "/access/apps/{app}",
    "access-add-app": "/access/apps/new",
    "access-matrix": "/access/matrix",
    "access-role": "/access/matrix?role=epidemiologist",
    "desk": "/desk",
}
looks = pytest.mark.parametrize(
    ("language", "theme", "size"), LOOKS, ids=[f"{tag}-{theme}" for tag, theme, _ in LOOKS]
)


@looks
def test_every_page_about_access_is_accessible(
    guest: Make,
    household: Household,
    axe: str,
    pictures: Path,
    language: str,
    theme: str,
    size: dict[str, object],
) -> None:
    me = guest(**size).given_i_like_it(theme)
    found: list[str] = []

    def look(name: str, path: str = "") -> None:
        """See the page in this language, and go back to the one the journey is told in."""
        me.given_i_read(language)
        me.when_i_open(path) if path else me.page.reload()
        found.extend(faults_of(me, axe, name))
        me.then_nothing_sticks_out()
        me.page.screenshot(path=pictures / f"access-{name}-{language}-{theme}.png", full_page=True)
        me.given_i_read("en")

    for name, path in OUTSIDE.items():
        look(name, path)
    mine, places = _staff(household, f"{language}-{theme}".lower())
    me.when_i_open("/sign-in").when_i_write("Name to sign in with", mine).when_i_write(
        "Password", PASSWORD
    ).when_i_press("Sign in")
    look("enrol", "/sign-in/enrol")
    me.page.reload()
    secret = me.page.locator(".secret").inner_text().replace(" ", "")
    me.when_i_write("Six digits of the app", household.code_of(secret)).when_i_press("Go on")
    found += faults_of(me, axe, "recovery")
    me.page.context.clear_cookies(name="commonweal")
    sign_in(me, household, mine, secret, "/me/role?next=/access")
    me.when_i_choose("Manager of people and roles").when_i_press("Act in this role")
    for name, path in INSIDE.items():
        look(name, path.format(**places))
    look(
        "consent",
        household.is_asked_by_an_app("launch/patient openid offline_access patient/Observation.rs?code=1"),
    )
    assert not found, "\n".join(found)


@looks
def test_what_residents_see_is_accessible(
    guest: Make,
    household: Household,
    axe: str,
    pictures: Path,
    language: str,
    theme: str,
    size: dict[str, object],
) -> None:
    me = guest(**size).given_i_like_it(theme)
    found: list[str] = []

    def look(name: str, path: str) -> None:
        me.given_i_read(language).when_i_open(path)
        found.extend(faults_of(me, axe, name))
        me.then_nothing_sticks_out()
        me.page.screenshot(path=pictures / f"access-{name}-{language}-{theme}.png", full_page=True)
        me.given_i_read("en")

    household.trial.now += household.a_while
    me.given_i_read("en").when_i_open("/sign-in/phone")
    me.when_i_write("Phone number", f"+86135000{LOOKS.index((language, theme, size)):05}")
    me.when_i_press("Send me the code").then_the_page_is("Enter the code")
    look("code", "/sign-in/code")
    me.page.reload()
    me.when_i_write("Code", household.code_sent()).when_i_press("Sign in").then_the_page_is("Bind my record")
    for name, path in {"record": "/me/record", "mine": "/", "resident": "/me"}.items():
        look(name, path)
    assert not found, "\n".join(found)


def _staff(household: Household, look: str) -> tuple[str, dict[str, str]]:
    """The login of somebody with two roles, and the ids that addresses need."""
    mine = household.has_staff(f"an.{look}", "An Yu", "clinician", "access-manager")
    other = household.has_staff(f"bo.{look}", "Bo Lin", "clinician", "officer")
    return mine.login, {"me": mine.id, "other": other.id, "app": household.has_an_app().id}
