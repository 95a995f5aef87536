"""A wall clock that never goes back: where the system's does, time goes on by the monotonic clock.

Else nobody would be told of anything for as long as the clock was set back: what is due is a wall time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from time import monotonic
from typing import Final

STEP: Final = timedelta(seconds=1)
"""Less than this is how clocks differ anyway."""
NONE: Final = timedelta()


class SteadyClock:
    """Call it for the time. `behind`: by how much the wall clock is set back now; set forward again, by none.

    For several threads.
    """

    def __init__(self, wall: Callable[[], datetime], steady: Callable[[], float] = monotonic) -> None:
        self._wall = wall
        self._steady = steady
        self._last = wall()
        self._at = steady()
        self._lock = Lock()
        self.behind = NONE

    def __call__(self) -> datetime:
        with self._lock:
            return self._now()

    def _now(self) -> datetime:
        wall, at = self._wall(), self._steady()
        expected = self._last + timedelta(seconds=at - self._at)
        now = wall + self.behind
        if now < self._last - STEP:  # it was set back
            self.behind += expected - now
            now = expected
        elif self.behind and now > expected + STEP:  # it was set forward again
            self.behind = max(NONE, self.behind - (now - expected))
            now = wall + self.behind
        self._last, self._at = max(now, self._last), at
        return self._last

    def not_before(self, known: datetime) -> None:
        """Begin no earlier than at a time that is on record."""
        with self._lock:
            if known > self._last + STEP:
                self.behind += known - self._last
                self._last = known
