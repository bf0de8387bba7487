"""Opening any resource: its elements, its JSON, its versions, what changed, and what refers to it."""

from collections.abc import Callable

from tests.journeys.visitor import Visitor

Make = Callable[..., Visitor]
PATIENT = "/record/Patient/ouyang-xiuying"


def test_a_resource_is_shown_by_its_elements_with_links_both_ways(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in().when_i_open("/people/ouyang-xiuying").when_i_follow("Glucose")
    me.when_i_open("/record/Observation/test-0-2339-0").then_the_page_is("Glucose")
    me.then_i_see("valueQuantity", "http://loinc.org 2339-0", "Timeline of 欧阳秀英")
    me.when_i_follow("What refers to this").then_i_see(
        "Diagnostic report", "DiagnosticReport?result", "Blood tests"
    )
    me.when_i_follow("Blood tests").then_the_page_is("Blood tests").then_i_see("Observation/test-0-2339-0")


def test_the_json_is_shown_and_can_be_copied(visitor: Make) -> None:
    me = visitor(permissions=["clipboard-read", "clipboard-write"]).given_i_am_signed_in()
    me.when_i_open(PATIENT).when_i_follow("JSON").then_i_see('"birthDate": "1948-02-11"')
    me.when_i_press("Copy").then_i_see("Copied")
    assert '"resourceType": "Patient"' in me.page.evaluate("navigator.clipboard.readText()")


def test_what_changed_between_two_versions(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in().when_i_open(PATIENT).when_i_follow("Versions")
    me.then_i_see("created", "changed").when_i_press("Compare")
    me.then_i_see(
        "From version 1 to version 2", "telecom[0].value", "555-0177", "555-0188", "address[1]", "removed"
    )
    me.when_i_open(f"{PATIENT}/versions/1").then_i_see("This is version 1", "555-0177", "See the current one")


def test_a_deleted_resource_says_so_and_keeps_its_versions(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in().when_i_open("/record/Observation/weight-79")
    me.then_the_page_is("This record has been deleted").when_i_follow("See its versions")
    me.then_i_see("deleted", "created").when_i_follow("since version 1").then_i_see("removed")


def test_what_never_was_is_a_calm_page(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in()
    for path in (
        "/record/Patient/nobody",
        "/record/Nothing/1",
        "/record/Patient/nobody/versions",
        "/nowhere",
    ):
        me.when_i_open(path).then_the_page_is("There is nothing here").then_i_see("Check the address")
    me.given_i_read("zh-Hans").when_i_open("/nowhere").then_the_page_is("这里没有内容")


def test_whoever_may_not_is_told_what_to_do(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in(role="passer-by").when_i_open("/people/ouyang-xiuying")
    me.then_the_page_is("You may not see this page").then_i_see("ask the person who runs this installation")
    me.then_i_do_not_see("欧阳秀英")


def test_searching_any_type_by_any_parameter(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in().when_i_open("/record").when_i_follow("Observation")
    me.page.locator("#parameter-1").fill("code")
    me.page.locator("#value-1").fill("2339-0")
    me.page.locator("#parameter-2").fill("date")
    me.page.locator("#value-2").fill("ge2026-09")
    me.when_i_press("Search").then_i_see("Glucose", "欧阳秀英")
    me.when_i_open("/record/Observation?parameter=code&value=2339-0").when_i_follow("Next").then_i_see(
        "Glucose"
    )


def test_a_parameter_that_is_none_is_told_on_the_page(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in().when_i_open("/record/Observation?parameter=colour&value=red")
    me.then_i_see("There is a problem", "There is no search parameter 'colour' for Observation.")


def test_what_is_written_in_a_record_is_never_markup(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in()
    for path in (
        "/people/hostile",
        "/record/Patient/hostile",
        "/record/Patient/hostile/json",
        "/?name=%3Cscript%3E",
    ):
        me.when_i_open(path)
        assert me.page.locator("script:not([src])").count() == 0
    me.when_i_open("/people/hostile").then_the_page_is("<script>alert(1)</script> \"quoted\" & 'so'")
    assert me.page.locator("a[href^='javascript']").count() == 0
