"""The two languages of the pages: which one a person reads, and how texts, dates and numbers are said in it."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from babel import Locale
from babel.messages.pofile import read_po

Key = tuple[str | None, str]
"""(context, message); the context is None where the message says enough."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language of the pages. `tag` is its BCP 47 tag, `name` what it calls itself.

    A message that has no translation is shown as it is written, in English.
    """

    tag: str
    name: str
    locale: Locale
    messages: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)

    def find(self, message: str, context: str | None = None, form: int = 0) -> str | None:
        """The translation of a message; None where there is none."""
        forms = self.messages.get((context, message))
        return forms[min(form, len(forms) - 1)] if forms else None


ENGLISH = Language("en", "English", Locale.parse("en_GB"))
_current: ContextVar[Language] = ContextVar("language", default=ENGLISH)


class Languages:
    """English and Simplified Chinese, whose catalogues are read as they are written (.po): nothing is compiled.

    `folders` hold `zh_Hans/LC_MESSAGES/*.po`: the shell's own and one of each service that has any.
    """

    def __init__(self, folders: Iterable[Path], default: str = "en") -> None:
        chinese = Language(
            "zh-Hans", "简体中文", Locale.parse("zh_Hans_CN"), dict(_messages(folders, "zh_Hans"))
        )
        self.all = (ENGLISH, chinese)
        self.default = self.named(default) or ENGLISH

    def named(self, tag: str) -> Language | None:
        """The language a tag asks for; every kind of Chinese is answered in the one we have."""
        wanted = tag.strip().lower().replace("_", "-").partition("-")[0]
        return next((each for each in self.all if each.tag.partition("-")[0] == wanted), None)

    def accepted(self, header: str) -> Language:
        """By Accept-Language (RFC 9110, 12.5.4), else the installation's own."""
        ranked = sorted(_ranges(header[:500]), key=lambda each: -each[1])
        found = (self.named(tag) for tag, quality in ranked if quality > 0)
        return next((each for each in found if each), self.default)


def _ranges(header: str) -> Iterator[tuple[str, float]]:
    for part in header.split(","):
        tag, _, weight = part.partition(";")
        number = weight.strip().removeprefix("q=")
        yield tag, float(number) if number.replace(".", "", 1).isdecimal() else 1.0


def _messages(folders: Iterable[Path], locale: str) -> Iterator[tuple[Key, tuple[str, ...]]]:
    for path in (p for folder in folders for p in sorted(folder.glob(f"{locale}/LC_MESSAGES/*.po"))):
        with path.open("rb") as file:
            for message in read_po(file, locale=locale):
                texts = message.string if isinstance(message.string, tuple) else (message.string,)
                if message.id and all(texts):
                    id = message.id if isinstance(message.id, str) else message.id[0]
                    yield (message.context, id), tuple(str(text) for text in texts)


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """All that is said inside the block is said in this language."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Language:
    """The language spoken now."""
    return _current.get()


def gettext(message: str) -> str:
    """A text of ours in the language spoken now."""
    return _current.get().find(message) or message


def pgettext(context: str, message: str) -> str:
    """The same where one English word has several meanings."""
    return _current.get().find(message, context) or message


def ngettext(one: str, many: str, count: int) -> str:
    """The form for this number; English has two, Chinese one."""
    found = _current.get().find(one, form=0 if count == 1 else 1)
    return found or (one if count == 1 else many)


def npgettext(context: str, one: str, many: str, count: int) -> str:
    """Number and context together, for templates."""
    found = _current.get().find(one, context, 0 if count == 1 else 1)
    return found or (one if count == 1 else many)
