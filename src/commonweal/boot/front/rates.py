"""How often one caller may ask: a bucket that fills at a steady rate, as one number for each caller.

The number is the time at which the bucket will be full again (the generic cell rate algorithm, ITU-T I.371). Buckets
live in one process: with several workers each has its own, and what is allowed is at most their sum.
"""

import time
from collections import Counter
from collections.abc import Callable

REMEMBERED = 100_000


class Rates:
    """`a_second` requests on average, `at_once` of them in one moment. `a_second` 0: no limit."""

    def __init__(self, a_second: float, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._step = 1 / a_second if a_second else 0.0
        self._room = self._step * max(at_once, 1)
        self._clock = clock
        self._full: dict[str, float] = {}

    def wait(self, caller: str) -> float:
        """0 when the caller may ask now, which is counted; else the seconds until it may."""
        if not self._step:
            return 0.0
        now = self._clock()
        full = self._full.get(caller, now)
        if full < now:
            full = now
        full += self._step
        if full - now > self._room:
            return full - now - self._room
        self._full[caller] = full
        if len(self._full) > REMEMBERED:
            self._forget(now)
        return 0.0

    def _forget(self, now: float) -> None:
        """Callers whose buckets are full again are as if they had never asked; of the others half must do."""
        busy = {caller: full for caller, full in self._full.items() if full > now}
        if len(busy) > REMEMBERED // 2:
            busy = dict(sorted(busy.items(), key=lambda each: each[1])[-REMEMBERED // 2 :])
        self._full = busy


class Crowds:
    """How many requests of one caller may be open at a time. 0: no limit."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    def enter(self, caller: str) -> bool:
        """False: there are too many already. Else `leave` must follow."""
        if self._most and self._open[caller] >= self._most:
            return False
        self._open[caller] += 1
        return True

    def leave(self, caller: str) -> None:
        self._open[caller] -= 1
        if not self._open[caller]:
            del self._open[caller]
