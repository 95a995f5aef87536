"""Waiting for commits of other processes: pokes on SQLite, LISTEN on PostgreSQL, a slow look at the head."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Final

from register.store.engine import RegisterAway
from register.store.poke import Listener

if TYPE_CHECKING:
    from register.store.store import Store

CHANNEL: Final = "muster"
RUNG: Final = "rung"
"""What a notice says when somebody rang for a supplier; that of a commit says nothing."""
SLOW: Final = 1.0
"""Seconds between two looks at the head when nothing pokes: nobody promises that a poke arrives."""
SLOWER: Final = 3.0
"""The same on PostgreSQL, whose notices arrive as long as their connection stands."""


class Watcher:
    """Tells when the feed has moved. One a thread; raises RegisterUnavailable.

    bells: return as well when somebody rang for a supplier (`store.hooks`); `rang` says so until it is reset.
    """

    def __init__(self, store: Store, *, bells: bool = False) -> None:
        self._store = store
        self._bells = bells
        self.rang = False
        self._listener = Listener(store.path) if store.path is not None else None
        self._notices: Any = None
        self._slow = SLOWER if self._listener is None else SLOW
        self._known = -1  # what the head was at the last look
        self._look_at = 0.0  # when to look again though nothing poked

    def wait(self, after: int, seconds: float) -> bool:
        """Return True as soon as an event past `after` is there, False after `seconds` or at a bell."""
        end = time.monotonic() + seconds
        if self._listener is None and self._notices is None:
            self._notices = self._store.listen(CHANNEL)  # before the first look: nothing falls between
            self._look_at = 0.0
        while True:
            now = time.monotonic()
            if now >= self._look_at:
                self._known = self._store.seq()
                self._look_at = now + self._slow
            if self._known > after:
                return True
            if now >= end or (self.rang and self._bells):
                return False
            if self._poked(min(end, self._look_at) - now):
                self._look_at = 0.0

    def _poked(self, seconds: float) -> bool:
        """Whether somebody said within so many seconds, or since the last time, that there is news."""
        if self._listener is not None:
            return self._listener.wait(seconds)
        from psycopg import Error

        try:
            told = [notice.payload for notice in self._notices.notifies(timeout=seconds, stop_after=1)]
        except Error as error:
            self.close()
            raise RegisterAway(
                "The connection to the database was lost. What was written is safe; it is tried again."
            ) from error
        self.rang = self.rang or RUNG in told
        return bool(told)

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()
        if self._notices is not None:
            with contextlib.suppress(Exception):
                self._notices.close()
            self._notices = None
