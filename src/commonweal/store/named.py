"""SQL kept in files of a room's `sql/`, with names for its arguments: `:name` stands for a numbered one. The part
"where the type grants" is only written for types that can tie somebody to a patient or rule who sees what."""

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

from commonweal.access.relationship import GRANTING

_NAME = re.compile(r"(?<!:):([a-z_]+)")
_GRANTS = re.compile(r"^--- where the type grants\n(.*?)^--- end\n", re.MULTILINE | re.DOTALL)
_REMARK = re.compile(r"^--.*\n", re.MULTILINE)


class Statement:
    """A statement and the order of its arguments."""

    def __init__(self, text: str) -> None:
        self._order = list(dict.fromkeys(_NAME.findall(text)))
        numbers = {name: f"${number}" for number, name in enumerate(self._order, 1)}
        self.text = _NAME.sub(lambda match: numbers[match[1]], text)

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        return [values[name] for name in self._order]


@lru_cache(maxsize=2048)
def statement(room: str, name: str, type: str = "") -> Statement:
    """The file `<room>/sql/<name>.sql`, written for one resource type."""
    text = (resources.files(f"commonweal.store.{room}") / "sql" / f"{name}.sql").read_text("utf-8")
    text = _GRANTS.sub(r"\1" if type in GRANTING else "", text)
    return Statement(_REMARK.sub("", text).replace("{type}", type))
