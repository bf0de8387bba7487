"""The map of services and how the installation is doing."""

from collections.abc import Callable

from tests.journeys.visitor import Visitor

Make = Callable[..., Visitor]


def test_the_services_say_what_they_own_and_allow(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in().when_i_open("/services").then_the_page_is("Services")
    me.then_i_see("The record itself", "record.read", "Who has it")


def test_the_status_says_each_number_with_its_time_and_whether_it_is_exact(visitor: Make) -> None:
    me = visitor().given_i_am_signed_in().when_i_open("/status").then_the_page_is("Status")
    me.then_i_see("As of", "UTC", "PostgreSQL", "at work", "sealed until", "Observation", "counted", "MB")
