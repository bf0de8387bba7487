"""Who people are: staff with two factors, residents with a phone, and what each may do with their own account."""

from collections.abc import Callable

from tests.journeys.household import PASSWORD, Household, sign_in, sign_in_by_phone
from tests.journeys.visitor import PHONE, Visitor

Make = Callable[..., Visitor]
KEY = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip
"""A passkey device that agrees to everything."""


def bind(me: Visitor) -> Visitor:
    """Say whose record it is."""
    me.then_the_page_is("Bind my record").when_i_write("Identity number", "110101195103080024")
    return (
        me.when_i_write("Birth date", "1951-03-08")
        .when_i_write("Name", "欧阳秀英")
        .when_i_press("Bind my record")
    )


def test_the_first_sign_in_sets_up_a_second_factor(guest: Make, household: Household) -> None:
    household.has_staff("wang.fang", "Wang Fang", "clinician")
    me = guest().when_i_open("/me").then_the_page_is("Sign in")
    me.when_i_write("Name to sign in with", "wang.fang").when_i_write("Password", PASSWORD).when_i_press(
        "Sign in"
    )
    me.then_the_page_is("Set up your second factor")
    secret = me.page.locator(".secret").inner_text().replace(" ", "")
    me.when_i_write("Six digits of the app", "000000").when_i_press("Go on").then_i_see("There is a problem")
    me.when_i_write("Six digits of the app", household.code_of(secret)).when_i_press("Go on")
    me.then_the_page_is("Keep these codes")
    kept = me.page.locator("#recovery li").all_inner_texts()
    assert len(kept) == 10
    me.when_i_follow("I have kept them").then_the_page_is("My account").then_i_am_at("/me")
    me.then_i_see("Doctor or nurse", "10 are left").when_i_press("Sign out").then_the_page_is(
        "You are signed out"
    )

    me.when_i_follow("Sign in again").when_i_write("Name to sign in with", "wang.fang").when_i_write(
        "Password", PASSWORD
    )
    me.when_i_press("Sign in").then_the_page_is("Show that it is you")
    me.when_i_write("Code of your authenticator app", "123456").when_i_press("Go on")
    me.then_i_see("This does not prove who you are")
    me.when_i_unfold("My phone or key is lost").when_i_write("Recovery code", kept[3]).when_i_press(
        "Use this code"
    )
    me.when_i_open("/me").then_i_see("9 are left")


def test_a_password_of_somebody_else_is_changed_at_the_first_sign_in(
    guest: Make, household: Household
) -> None:
    login, password = household.has_invited("zhao.min", "Zhao Min", "registrar")
    me = (
        guest()
        .when_i_open("/me")
        .when_i_write("Name to sign in with", login)
        .when_i_write("Password", password)
    )
    me.when_i_press("Sign in")
    secret = me.page.locator(".secret").inner_text().replace(" ", "")
    me.when_i_write("Six digits of the app", household.code_of(secret)).when_i_press("Go on")
    me.when_i_follow("I have kept them").then_the_page_is("Choose a password of your own")
    me.when_i_write("New password", "passwordpassword").when_i_write("Once more", "passwordpassword")
    me.when_i_press("Save and go on").then_i_see("everybody tries first")
    me.when_i_write("New password", PASSWORD).when_i_write("Once more", PASSWORD).when_i_press(
        "Save and go on"
    )
    me.then_the_page_is("My account")


def test_a_wrong_password_and_an_unknown_name_are_told_alike(guest: Make, household: Household) -> None:
    household.has_staff("chen.jie", "Chen Jie", "clinician")
    for login in ("chen.jie", "nobody.at.all"):
        me = guest().when_i_open("/sign-in").when_i_write("Name to sign in with", login)
        me.when_i_write("Password", "not the password").when_i_press("Sign in")
        me.then_i_see("There is a problem", "The name or the password is not right")


def test_a_passkey_is_both_factors_at_once(guest: Make, household: Household) -> None:
    account = household.has_staff("liu.yang", "Liu Yang", "clinician")
    me = guest()
    device = me.page.context.new_cdp_session(me.page)
    device.send("WebAuthn.enable")
    device.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
    sign_in(me, household, "liu.yang", household.has_second_factor(account))
    me.when_i_open("/me/passkey").when_i_write("Your password now", PASSWORD).when_i_press("Go on")
    me.when_i_write("Name of this passkey", "ward tablet").when_i_press("Make a passkey")
    me.then_the_page_is("My account").then_i_see("The passkey is added", "ward tablet")
    me.when_i_press("Sign out").when_i_open("/me/sessions").when_i_follow("With a passkey")
    me.when_i_press("Use my passkey").then_the_page_is("My account").then_i_am_at("/me/sessions")
    me.when_i_open("/me").when_i_follow("Remove the passkey ward tablet").when_i_write(
        "Your password now", PASSWORD
    )
    me.when_i_press("Remove").then_i_see("The passkey is removed").then_i_do_not_see("ward tablet")
    me.when_i_follow("Make new ones").when_i_write("Your password now", PASSWORD).when_i_press("Go on")
    me.then_the_page_is("Keep these codes").when_i_follow("I have kept them")
    me.when_i_follow("Set up another app").when_i_write("Your password now", PASSWORD).when_i_press("Go on")
    secret = me.page.locator(".secret").inner_text().replace(" ", "")
    me.when_i_write("Six digits of the app", household.code_of(secret)).when_i_press("Go on")
    me.then_the_page_is("Keep these codes")


def test_a_resident_signs_in_by_a_code_and_binds_their_record(guest: Make, household: Household) -> None:
    me = guest(**PHONE)
    sign_in_by_phone(me, household, "138 0013 8000")
    me.when_i_write("Identity number", "110101195103080024")
    me.when_i_write("Birth date", "1951-03-09").when_i_write("Name", "欧阳秀英").when_i_press(
        "Bind my record"
    )
    me.then_i_see("No record could be bound by these")
    bind(me).then_i_see("Your record is bound to this account")
    me.when_i_open("/").then_the_page_is("My records").then_i_see("欧阳").then_i_do_not_see("Meyer")
    me.when_i_follow("欧阳").then_i_see("Timeline")
    me.when_i_open("/people/other").then_the_page_is("There is nothing here")
    me.when_i_open("/access").then_the_page_is("You may not see this page")


def test_a_wrong_code_is_told_and_a_call_reads_out_another(guest: Make, household: Household) -> None:
    me = guest().when_i_open("/sign-in/phone").when_i_write("Phone number", "hello")
    me.when_i_press("Send me the code").then_i_see("This is not a phone number")
    household.trial.now += household.a_while
    me.when_i_write("Phone number", "13900139000").when_i_press("Send me the code")
    right = household.code_sent()
    me.when_i_write("Code", "000001" if right == "000000" else "000000").when_i_press("Sign in")
    me.then_i_see("There is a problem", "The code is not right")
    me.when_i_press("Call me and read it out").then_i_see("Too many tries. Wait")
    household.trial.now += household.a_while
    me.when_i_press("Call me and read it out").then_i_see("We are calling you now")
    assert household.trial.messages[-1].channel == "voice"
    me.when_i_write("Code", household.code_sent()).when_i_press("Sign in").then_the_page_is("Bind my record")


def test_the_help_desk_gives_a_code_by_hand(guest: Make, household: Household) -> None:
    desk = guest().given_i_am_signed_in("operator").when_i_open("/desk")
    desk.when_i_press("Give a code").then_i_see("Enter the phone number", "Say what you looked at")
    desk.when_i_write("Phone number", "13700137000").when_i_write("Whose record", "other")
    desk.when_i_choose("Identity card").when_i_write("Why", "new number").when_i_press("Give a code")
    code = desk.page.locator("#shown").inner_text()
    me = guest().when_i_open("/sign-in/phone").when_i_follow("I have a code from a help desk")
    me.when_i_write("Phone number", "13700137000").when_i_write("Code", "aaaaa-aaaaa").when_i_press("Sign in")
    me.then_i_see("do not belong together")
    me.when_i_write("Code", code).when_i_press("Sign in").then_the_page_is("My records").then_i_see("Meyer")


def test_a_session_ended_elsewhere_is_over_here(guest: Make, household: Household) -> None:
    account = household.has_staff("sun.li", "Sun Li", "clinician")
    secret = household.has_second_factor(account)
    ward, office = guest(), guest()
    sign_in(ward, household, "sun.li", secret)
    sign_in(office, household, "sun.li", secret, "/me/sessions").then_the_page_is("My account")
    office.when_i_press("End all others").then_i_see("You are signed in nowhere else")
    ward.when_i_open("/me").then_the_page_is("Sign in").then_i_see("Your session has ended")


def test_a_person_with_two_roles_acts_in_one_at_a_time(guest: Make, household: Household) -> None:
    account = household.has_staff("he.jing", "He Jing", "clinician", "access-manager")
    me = sign_in(guest(), household, "he.jing", household.has_second_factor(account), "/me")
    me.then_the_page_is("As whom do you act now?").when_i_choose("Doctor or nurse")
    me.when_i_press("Act in this role").then_i_am_at("/me").then_i_see("Doctor or nurse")
    me.when_i_open("/access").then_the_page_is("You may not see this page")
    me.when_i_follow("Doctor or nurse").when_i_choose("Manager of people and roles")
    me.when_i_press("Act in this role").when_i_open("/access").then_the_page_is("Access")


def test_a_password_is_changed_with_the_old_one(guest: Make, household: Household) -> None:
    account = household.has_staff("gao.bo", "Gao Bo", "clinician")
    me = sign_in(guest(), household, "gao.bo", household.has_second_factor(account))
    me.when_i_follow("Change the password").when_i_write("Your password now", "something else")
    me.when_i_write("New password", f"{PASSWORD} too").when_i_write("Once more", f"{PASSWORD} too")
    me.when_i_press("Save").then_i_see("That is not your password")
    me.when_i_write("Your password now", PASSWORD)
    me.when_i_write("New password", f"{PASSWORD} too").when_i_write("Once more", f"{PASSWORD} too")
    me.when_i_press("Save").then_i_see("Your password is changed")
