"""A line to PostgreSQL that a test can cut and mend: a Unix socket that passes on what comes."""

from __future__ import annotations

import contextlib
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

_NAME = ".s.PGSQL.5432"


class Line:
    """Stands between a program and the server. `url` names the database through this line."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = f"{parse_qs(parts.query)['host'][0]}/{_NAME}"
        self.folder = Path(tempfile.mkdtemp(prefix="line"))
        self.url = f"postgresql://{parts.netloc}{parts.path}?host={self.folder}"
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._door: socket.socket | None = None
        self._flows = threading.Event()
        self._flows.set()
        self.mend()

    def mend(self) -> None:
        """Let programs through again."""
        door = socket.socket(socket.AF_UNIX)
        door.bind(str(self.folder / _NAME))
        door.listen(50)
        self._door = door
        threading.Thread(target=self._let_in, args=(door,), daemon=True).start()

    def cut(self) -> None:
        """Let nobody through, and break what is open."""
        door, self._door = self._door, None
        if door is not None:
            (self.folder / _NAME).unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)
            door.close()
        with self._lock:
            open_, self._open = self._open, set()
        for one in open_:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def freeze(self) -> None:
        """Pass nothing on, and break nothing: a host that hangs, a network gone dark."""
        self._flows.clear()

    def thaw(self) -> None:
        self._flows.set()

    def close(self) -> None:
        self.thaw()
        self.cut()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _let_in(self, door: socket.socket) -> None:
        while True:
            try:
                program, _ = door.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            with self._lock:
                self._open |= {program, server}
            for one, other in ((program, server), (server, program)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                self._flows.wait()
                other.sendall(data)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open -= {one, other}


@contextlib.contextmanager
def line_to(url: str) -> Iterator[Line]:
    line = Line(url)
    try:
        yield line
    finally:
        line.close()
