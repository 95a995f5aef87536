"""A connection to PostgreSQL that does not wait for ever: keep-alive sees a cut line, not a frozen server.

A long question is silent, too. So after a while of silence another connection is tried: a server that lets
nobody in, nor says why, is taken to be away.
"""

from __future__ import annotations

from collections.abc import Generator
from time import monotonic
from typing import Any, Final

from psycopg import Connection, OperationalError
from psycopg.errors import ConnectionTimeout

from register.store.engine import REACHED
from register.store.mishaps import WAIT_SECONDS

SILENT: Final = WAIT_SECONDS + 5.0
"""Seconds of silence until it is asked whether anybody is there: a lock is waited for less long."""


class Patient(Connection[Any]):
    """Raises OperationalError where the server has been silent for long and lets nobody else in either."""

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        return super().wait(self._watched(gen), *args, **kwargs)

    def _watched(self, gen: Any) -> Generator[Any, Any, Any]:
        """Hand on what a piece of talk waits for; end it when nobody is there any more."""
        heard = monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready:
                    heard = monotonic()
                elif monotonic() - heard > SILENT:
                    if self._is_nobody_there():
                        self.pgconn.finish()  # half a sentence hangs in it
                        raise OperationalError("the connection was lost: the server does not answer")
                    heard = monotonic()
                wanted = gen.send(ready)
        except StopIteration as done:
            return done.value

    def _is_nobody_there(self) -> bool:
        try:
            Connection.connect(self.info.dsn, **REACHED).close()
        except ConnectionTimeout:
            return True
        except OperationalError:  # who says no is there; a broken line is heard of without us
            return False
        return False
