"""Letting an app in, and giving people their roles: what each sees before and after."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from tests.journeys.household import PASSWORD, Household, sign_in, sign_in_by_phone
from tests.journeys.test_pages import faults_of
from tests.journeys.visitor import PHONE, Visitor

Make = Callable[..., Visitor]
ASKS = "launch/patient openid fhirUser offline_access patient/Observation.rs patient/MedicationRequest.rs"


def answer(me: Visitor) -> dict[str, list[str]]:
    """What the app is told at the address to which it returns."""
    me.page.wait_for_url("**/sign-in/desk?*")
    return parse_qs(urlsplit(me.page.url).query)


def test_a_resident_lets_an_app_see_some_of_their_data(guest: Make, household: Household) -> None:
    path = household.is_asked_by_an_app(ASKS)
    me = sign_in_by_phone(guest(**PHONE), household, "13600136000", path)
    me.when_i_write("Identity number", "110101195103080024").when_i_write("Birth date", "1951-03-08")
    me.when_i_write("Name", "欧阳秀英").when_i_press("Bind my record")
    me.then_the_page_is("May Growth Charts use your data?").then_i_see(
        "Hankou Community Clinic", "growth.example.org"
    )
    me.then_i_see("Read, search: Observation", "Come back without you", "欧阳")
    me.when_i_no_longer_choose("Read, search: Medication request").when_i_press("Allow")
    told = answer(me)
    assert told["code"] and told["state"] == ["a-state"] and "error" not in told

    me.when_i_open("/apps").then_i_see("You have let in no app")  # until the app redeems its code


def test_an_app_that_is_not_allowed_hears_no_more_than_that(guest: Make, household: Household) -> None:
    account = household.has_staff("xu.lan", "Xu Lan", "clinician")
    path = household.is_asked_by_an_app("openid user/Patient.rs user/Observation.rs")
    me = sign_in(guest(), household, "xu.lan", household.has_second_factor(account), path)
    me.then_i_see("of everybody whose record you may see").when_i_press("Do not allow")
    assert answer(me)["error"] == ["access_denied"]


def test_only_the_page_that_asks_may_lead_to_the_app(guest: Make, household: Household) -> None:
    account = household.has_staff("shi.lei", "Shi Lei", "clinician")
    me = sign_in(guest(), household, "shi.lei", household.has_second_factor(account))
    asking = household.is_asked_by_an_app("openid user/Patient.rs")
    forms = {path: form_action(me, path) for path in ("/me", asking, "/apps")}
    assert forms == {"/me": "'self'", "/apps": "'self'", asking: f"'self' {household.address}"}


def form_action(me: Visitor, path: str) -> str:
    """Where the forms of a page may lead."""
    answer = me.page.goto(me.address + path)
    policy = answer.headers["content-security-policy"] if answer else ""
    return policy.partition("form-action ")[2].partition(";")[0]


def test_nothing_chosen_is_asked_again(guest: Make, household: Household) -> None:
    account = household.has_staff("tang.yi", "Tang Yi", "clinician")
    path = household.is_asked_by_an_app("openid launch/patient patient/Observation.rs")
    me = sign_in(guest(), household, "tang.yi", household.has_second_factor(account), path)
    me.when_i_no_longer_choose("Know that it is you").when_i_no_longer_choose("Read, search: Observation")
    me.when_i_press("Allow").then_i_see("Choose what to allow", "Choose whose data the app may see")


def test_an_app_is_opened_from_a_record(guest: Make, household: Household, axe: str) -> None:
    me = sign_in_by_phone(guest(), household, "13500135000")
    me.when_i_write("Identity number", "110101199405060018").when_i_write("Birth date", "1994-05-06")
    me.when_i_write("Name", "Ana Silva").when_i_press("Bind my record").when_i_open("/people/silva/apps")
    me.then_i_see("No registered app can be opened")
    household.has_an_app_to_open()
    me.when_i_open("/people/silva").when_i_follow("Apps").then_i_see("Pain Chart")
    assert not faults_of(me, axe, "apps of a person")
    me.when_i_press("Open Pain Chart")
    told = answer(me)
    assert told["launch"] and told["iss"] == [f"{household.address}/fhir"]


def test_a_request_that_is_over_is_not_there(guest: Make, household: Household) -> None:
    account = household.has_staff("luo.na", "Luo Na", "clinician")
    sign_in(guest(), household, "luo.na", household.has_second_factor(account)).when_i_open(
        "/apps/consent?request=over"
    ).then_the_page_is("There is nothing here")


def test_a_manager_adds_a_doctor_who_then_signs_in(guest: Make, household: Household) -> None:
    account = household.has_staff("ma.chao", "Ma Chao", "access-manager")
    boss = sign_in(guest(), household, "ma.chao", household.has_second_factor(account), "/access")
    boss.when_i_follow("Add a person").when_i_press("Add").then_i_see("Enter the name to sign in with")
    boss.when_i_write("Name", "Deng Hua").when_i_write("Name to sign in with", "deng.hua").when_i_press("Add")
    boss.then_the_page_is("Deng Hua can sign in")
    password = boss.page.locator("#shown").inner_text()
    boss.when_i_follow("Give a role").then_i_see("this person cannot sign in")

    doctor = (
        guest()
        .when_i_open("/me")
        .when_i_write("Name to sign in with", "deng.hua")
        .when_i_write("Password", password)
    )
    doctor.when_i_press("Sign in").then_the_page_is("Set up your second factor")

    boss.page.get_by_label("Role", exact=True).select_option("clinician")
    boss.when_i_press("Give this role").then_i_see("This role acts for an organization")
    boss.when_i_write("Organization", "Hanyang").when_i_press("Give this role").then_i_see(
        "Nothing in the record"
    )
    boss.when_i_write("Organization", "Hankou").when_i_write("Because", "contract 17")
    boss.when_i_press("Give this role").then_i_see("Hankou Community Clinic", "contract 17")

    secret = doctor.page.locator(".secret").inner_text().replace(" ", "")
    doctor.when_i_write("Six digits of the app", household.code_of(secret)).when_i_press("Go on")
    doctor.when_i_follow("I have kept them").when_i_write("New password", PASSWORD).when_i_write(
        "Once more", PASSWORD
    )
    doctor.when_i_press("Save and go on").then_the_page_is("My account").then_i_see("Doctor or nurse")

    boss.when_i_open("/access?who=deng").when_i_follow("Deng Hua").when_i_press("Switch off")
    boss.then_i_see("switched off")
    doctor.when_i_open("/me").then_the_page_is("Sign in")


def test_nobody_changes_what_they_themselves_may_do(guest: Make, household: Household) -> None:
    account = household.has_staff("yu.ping", "Yu Ping", "access-manager")
    me = sign_in(
        guest(), household, "yu.ping", household.has_second_factor(account), f"/access/people/{account.id}"
    )
    me.then_i_see("This is your own account").then_i_do_not_see("Give this role")


def test_an_app_is_registered_and_its_secret_is_shown_once(guest: Make) -> None:
    me = guest().given_i_am_signed_in("access-manager").when_i_open("/access/apps/new")
    me.when_i_press("Register").then_i_see("Enter the name that people will read")
    me.when_i_write("Name", "Heart Diary").when_i_choose("App with a server of its own")
    me.when_i_write("The most it may ask for", "patient/Observation.rs openid")
    me.when_i_write("Addresses to which it returns", "ftp://nowhere").when_i_press("Register")
    me.then_i_see("There is a problem", "cannot be an address to return to")
    me.when_i_write("Addresses to which it returns", "https://heart.example.org/back").when_i_press(
        "Register"
    )
    me.then_the_page_is("The secret of Heart Diary")
    secret = me.page.locator("#shown").inner_text()
    me.when_i_follow("Open this app").then_i_see("patient/Observation.rs").then_i_do_not_see(secret)
    me.when_i_press("Switch off").then_i_see("switched off").when_i_press("Switch on again").then_i_see(
        "in use"
    )


def test_the_matrix_says_who_may_what(guest: Make) -> None:
    me = guest().given_i_am_signed_in("auditor").when_i_open("/access/matrix").then_i_see("access.manage")
    me.page.get_by_label("Role", exact=True).select_option("registrar")
    me.when_i_press("Show").then_i_see("Help residents in person to sign in")
    me.then_i_do_not_see("access.manage")
