"""A connection to PostgreSQL that does not wait for ever: keep-alive sees a cut line, not a frozen server.

A long question is silent, too. So after a while of silence another connection is tried: a server that lets
nobody in, nor says why, is taken to be away. One thread looks at all that wait: asking costs nothing.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from psycopg import Connection, OperationalError
from psycopg.errors import ConnectionTimeout

from register.store.engine import REACHED
from register.store.mishaps import WAIT_SECONDS

if TYPE_CHECKING:
    from register.store.packet import Packet

SILENT: Final = WAIT_SECONDS + 5.0
"""Seconds of silence until it is asked whether anybody is there: a lock is waited for less long."""


class Patient(Connection[Any]):
    """Raises OperationalError where the server has been silent for long and lets nobody else in either."""

    _waiting_since: float | None = None
    _given_up: bool = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.prepared: dict[str, bytes] = {}  # the names of the statements that this connection knows
        self.writes = (
            False  # whether it has committed anything: what was set for the session stays from then on
        )
        self.packet: Packet | None = None  # what is being put aside to travel together
        _watched(self)

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        self._waiting_since = monotonic()
        try:
            return super().wait(gen, *args, **kwargs)
        except OperationalError:
            if self._given_up:
                raise OperationalError("the connection was lost: the server does not answer") from None
            raise
        finally:
            self._waiting_since = None

    def _deallocate(self, name: bytes | None) -> Any:
        if name is None:  # psycopg lets go of all that is prepared, ours too, after a ROLLBACK or a DROP
            self.prepared.clear()
        return super()._deallocate(name)

    def look(self) -> None:
        """Cut the line where nobody is there any more: who waits at it is told."""
        since = self._waiting_since
        if since is None or monotonic() - since < SILENT:
            return
        nobody = self._is_nobody_there()
        if self._waiting_since != since:  # it was answered meanwhile
            return
        self._waiting_since = monotonic()
        if nobody:
            self._given_up = True
            with socket.socket(fileno=os.dup(self.pgconn.socket)) as line:
                line.shutdown(socket.SHUT_RDWR)

    def _is_nobody_there(self) -> bool:
        try:
            Connection.connect(self.info.dsn, **REACHED).close()
        except ConnectionTimeout:
            return True
        except OperationalError:  # who says no is there; a broken line is heard of without us
            return False
        return False


_ALL: Final[WeakSet[Patient]] = WeakSet()
_THREADS: Final[dict[int, threading.Thread]] = {}
"""The one thread that looks, by process: a fork has none of its parent's."""


def _watched(connection: Patient) -> None:
    _ALL.add(connection)
    if os.getpid() not in _THREADS:
        thread = threading.Thread(target=_look_now_and_then, name="patience", daemon=True)
        _THREADS[os.getpid()] = thread
        thread.start()


def _look_now_and_then() -> None:
    while True:
        sleep(SILENT / 3)
        for connection in list(_ALL):
            with contextlib.suppress(OperationalError, OSError):  # it was closed meanwhile
                connection.look()
