"""A clinician finds a person and reads the record, on a desktop and on a phone."""

from collections.abc import Callable

from tests.journeys.visitor import PHONE, Visitor

Make = Callable[..., Visitor]


def test_finding_a_person_by_name(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in().when_i_open("/")
    me.then_the_page_is("Find a person")
    me.when_i_write("Name", "guilan li").when_i_press("Search")
    me.then_i_see("1 person found", "Guilan Li", "李桂兰", "8 Mar 1951")
    me.when_i_follow("Guilan Li").then_the_page_is("Guilan Li")


def test_finding_a_person_by_a_chinese_name_written_together_or_in_part(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in()
    for written in ("李桂兰", "桂兰", "李"):
        me.when_i_open("/").when_i_write("Name", written).when_i_press("Search").then_i_see("Guilan Li")
    me.when_i_open("/").when_i_write("Name", "欧阳秀英").when_i_press("Search").then_i_see("Ouyang Xiuying")


def test_many_people_are_shown_page_by_page(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in()
    for written in ("many", "多人"):
        me.when_i_open("/").when_i_write("Name", written).when_i_press("Search")
        me.then_i_see("The first 20 of those found")
        assert me.page.locator(".people li").count() == 20
        me.when_i_follow("Next people").then_i_see("5 further people")


def test_finding_a_person_by_number_birth_date_and_phone(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in()
    for label, written in (("Identifier", "MRN-000731"), ("Birth date", "1948-02-11"), ("Phone", "555-0188")):
        me.when_i_open("/").when_i_write(label, written).when_i_press("Search").then_i_see("Ouyang Xiuying")


def test_what_is_too_short_or_no_date_is_said_beside_the_field(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in().when_i_open("/")
    me.when_i_write("Name", "l").when_i_write("Birth date", "8 March").when_i_press("Search")
    me.then_i_see("There is a problem", "Enter at least two letters of the name", "such as 1951-03-08")


def test_nobody_found_says_what_to_try(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in().when_i_open("/").when_i_write("Name", "zzz").when_i_press("Search")
    me.then_i_see("Nobody was found", "Try fewer letters of the name")


def test_the_top_of_a_record_says_what_must_be_known_first(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in().when_i_open("/people/ouyang-xiuying")
    me.then_the_page_is("欧阳秀英").then_i_see(
        "female", "11 Feb 1948", "Allergies", "Penicillin", "high risk"
    )
    me.then_i_see(
        "Essential hypertension", "Metformin 500 mg tablet", "1 tablet twice a day", "Blood pressure"
    )


def test_an_unknown_never_looks_like_a_zero(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in().when_i_open("/people/zhang-wei")
    me.then_i_see("None recorded").then_i_do_not_see("No known allergies, as recorded")


def test_reading_a_long_record_page_by_page_and_by_year(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in().when_i_open("/people/ouyang-xiuying")
    me.then_i_see("Older entries", "reference 70–110 mg/dL")
    first = me.page.locator(".day h3").first.inner_text()
    me.when_i_follow("Older entries").then_i_see("Back to the newest")
    assert me.page.locator(".day h3").first.inner_text() != first
    me.when_i_follow("2019").then_the_page_is("欧阳秀英")
    assert "2019" in me.page.locator(".day h3").first.inner_text()


def test_filtering_the_timeline_by_words_and_chapters(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in().when_i_open("/people/ouyang-xiuying")
    me.when_i_write("Words in this record", "potassium").when_i_press("Apply").then_i_see("160 entries")
    me.when_i_no_longer_choose("Results").when_i_press("Apply").then_i_see("Nothing in this record matches.")


def test_a_value_out_of_range_is_a_word_not_only_a_colour(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in().when_i_open("/people/ouyang-xiuying")
    me.then_i_see("Above range", "Below range")


def test_measurements_over_time_are_a_chart_and_a_table(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in().when_i_open("/people/ouyang-xiuying").when_i_follow("Measurements")
    me.when_i_follow("Potassium").then_i_see("Reference range", "3.5–5.1 mmol/L")
    assert me.page.get_by_role("img", name="Potassium").count() == 1
    assert me.page.locator("tbody tr").count() == 80


def test_on_a_phone_nothing_sticks_out_and_filters_are_folded(visitor: Make) -> None:
    me = visitor(**PHONE).given_i_am_signed_in()
    for path in ("/", "/people/ouyang-xiuying", "/people/ouyang-xiuying/measurements", "/record", "/status"):
        me.when_i_open(path).then_nothing_sticks_out()
    me.when_i_open("/people/ouyang-xiuying")
    assert not me.page.get_by_label("Encounters").first.is_visible()


def test_in_chinese_on_a_phone_in_the_dark(visitor: Make) -> None:
    me = visitor(**PHONE, color_scheme="dark").given_i_am_signed_in().when_i_open("/people/ouyang-xiuying")
    me.then_it_is("dark").when_i_follow("简体中文").then_i_see("时间线", "过敏", "78 岁", "高于范围")
    assert me.page.locator("html").get_attribute("lang") == "zh-Hans"
    me.when_i_follow("浅色").then_it_is("light").when_i_open("/").then_it_is("light").then_the_page_is(
        "查找居民"
    )
    me.when_i_follow("English").then_the_page_is("Find a person")


def test_the_language_of_the_browser_is_heeded(visitor: Make) -> None:
    visitor(locale="zh-CN").when_i_open("/sign-in").then_the_page_is("登录")
    visitor(locale="fr-FR").when_i_open("/sign-in").then_the_page_is("Sign in")
