"""What a process may remember of a session or a token: for seconds only, so that an end is known everywhere soon."""

from typing import Any

LONGEST = 5_000_000
"""Microseconds; whatever is ended stays ended for other processes after this long at most."""
MOST = 20_000


class Remembered:
    """Values by key, each for at most five seconds."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, Any]] = {}

    def get(self, key: str, now: int) -> Any:
        """What was remembered; None when nothing is, or no longer."""
        known = self._known.get(key)
        return known[1] if known and 0 <= now - known[0] < LONGEST else None

    def put(self, key: str, value: Any, now: int) -> None:
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[key] = (now, value)

    def forget(self) -> None:
        """Everything: something was ended here, and this process must not wait for it."""
        self._known.clear()
