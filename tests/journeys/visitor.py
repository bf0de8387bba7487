"""A person with a browser, in whose words the journeys are told: given, when, then."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, expect

DESKTOP = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
EXPECTED = "Failed to load resource: the server responded with a status of"
"""What the browser says of every page whose status is not 200; such pages are part of the journeys."""


class Visitor:
    """`complaints` gathers what the browser objected to: violations of the content security policy, script errors."""

    def __init__(self, browser: Browser, address: str, code: Callable[..., str], **context: Any) -> None:
        self.address = address
        self.complaints: list[str] = []
        self._code = code
        self._context = browser.new_context(**{"locale": "en-GB", **DESKTOP, **context})
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(EXPECTED):
            self.complaints.append(message.text)

    def leave(self) -> None:
        self._context.close()

    # given

    def given_i_am_signed_in(self, role: str = "operator") -> "Visitor":
        url = self.address
        self._context.add_cookies([{"name": "commonweal", "value": self._code(role), "url": url}])
        return self

    def given_i_read(self, language: str) -> "Visitor":
        self._context.add_cookies([{"name": "language", "value": language, "url": self.address}])
        return self

    def given_i_like_it(self, theme: str) -> "Visitor":
        self._context.add_cookies([{"name": "theme", "value": theme, "url": self.address}])
        return self

    # when

    def when_i_open(self, path: str) -> "Visitor":
        self.page.goto(self.address + path)
        return self

    def when_i_write(self, label: str, text: str) -> "Visitor":
        self.page.get_by_label(label, exact=True).first.fill(text)
        return self

    def when_i_press(self, button: str) -> "Visitor":
        self.page.get_by_role("button", name=button, exact=True).click()
        return self

    def when_i_follow(self, link: str) -> "Visitor":
        self.page.get_by_role("link", name=link).first.click()
        return self

    def when_i_choose(self, label: str) -> "Visitor":
        self.page.get_by_label(label).first.check()
        return self

    def when_i_no_longer_choose(self, label: str) -> "Visitor":
        self.page.get_by_label(label).first.uncheck()
        return self

    def when_i_unfold(self, summary: str) -> "Visitor":
        self.page.locator("summary", has_text=summary).click()
        return self

    def when_i_sign_in_with_the_code(self) -> "Visitor":
        if self.page.locator("summary").count():
            self.when_i_unfold("With a token from the command line")
        label = self.page.locator("#code")
        label.fill(self._code("operator"))
        label.press("Enter")
        return self

    # then

    def then_i_see(self, *texts: str) -> "Visitor":
        for text in texts:
            expect(self.page.get_by_text(text).first).to_be_visible()
        return self

    def then_i_do_not_see(self, *texts: str) -> "Visitor":
        for text in texts:
            expect(self.page.get_by_text(text)).to_have_count(0)
        return self

    def then_the_page_is(self, heading: str) -> "Visitor":
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(heading)
        return self

    def then_i_am_at(self, path: str) -> "Visitor":
        expect(self.page).to_have_url(self.address + path)
        return self

    def then_nothing_sticks_out(self) -> "Visitor":
        width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert self.page.evaluate(width) <= 0, f"{self.page.url} is wider than its window"
        return self

    def then_it_is(self, theme: str) -> "Visitor":
        colour = self.page.evaluate("getComputedStyle(document.body).backgroundColor")
        red = int(colour.removeprefix("rgb(").partition(",")[0])
        assert (red < 80) == (theme == "dark"), f"{theme}, but the background is {colour}"
        return self
