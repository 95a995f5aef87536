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
SLOW: Final = 1.0
"""Seconds between two looks at the head when nothing pokes."""


class Watcher:
    """Tells when the feed has moved. One a thread; raises RegisterUnavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listener = Listener(store.path) if store.path is not None else None
        self._notices: Any = None

    def wait(self, after: int, seconds: float) -> bool:
        """Return True as soon as an event past `after` is there, False after `seconds` without one."""
        end = time.monotonic() + seconds
        if self._listener is None and self._notices is None:
            self._notices = self._store.listen(CHANNEL)  # before the first look: nothing falls between
        while True:
            if self._store.seq() > after:
                return True
            left = end - time.monotonic()
            if left <= 0:
                return False
            self._sleep(min(left, SLOW))

    def _sleep(self, seconds: float) -> None:
        if self._listener is not None:
            self._listener.wait(seconds)
            return
        from psycopg import Error

        try:
            for _ in self._notices.notifies(timeout=seconds, stop_after=1):
                break
        except Error as error:
            self.close()
            raise RegisterAway(
                "The connection to the database was lost. What was written is safe; it is tried again."
            ) from error

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()
        if self._notices is not None:
            with contextlib.suppress(Exception):
                self._notices.close()
            self._notices = None
