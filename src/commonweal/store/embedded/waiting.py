"""Waiting for a database: patient, with a word now and then, and ended at once when told."""

import threading
import time
from collections.abc import Callable

from commonweal.store.embedded.failure import DatabaseUnavailable

_FIRST_WORD, _NEXT_WORD = 3.0, 10.0
_STEPS = (0.005, 0.01, 0.02, 0.05)


class Waiting:
    """Pauses that grow a little, and messages that grow rare."""

    def __init__(self, say: Callable[[str], None], given_up: threading.Event) -> None:
        self._say = say
        self._given_up = given_up
        self._since = time.monotonic()
        self._next_word = _FIRST_WORD
        self._pauses = 0

    def pause(self, what_for: str) -> None:
        """A short pause; raises once the caller has given up."""
        step = _STEPS[min(self._pauses // 20, len(_STEPS) - 1)]
        self._pauses += 1
        if self._given_up.wait(step):
            raise DatabaseUnavailable("Gave up waiting for the database.")
        waited = time.monotonic() - self._since
        if waited >= self._next_word:
            self._next_word = waited + _NEXT_WORD
            self._say(f"Waiting for {what_for} ({waited:.0f} s) …")
