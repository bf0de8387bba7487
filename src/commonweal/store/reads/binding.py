"""The values of a statement while it is written: each gets its number, equal ones the same."""

from typing import Any


class Binding:
    """Call it with a value and its SQL type; it gives the place to put into the text."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def __call__(self, value: Any, type: str) -> str:
        self.values.append(value)
        return f"${len(self.values)}::{type}"
