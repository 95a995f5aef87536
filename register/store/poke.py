"""Waking the other processes of this host after a commit: a datagram to each listening socket.

Only a hint. Every error is ignored, and a slow look at the head is the net beneath it.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
from pathlib import Path
from typing import Final

from register.store.shared import FILE_MODE, is_shared, make_folder_beside

_LONGEST: Final = 100
"""Bytes of a socket's path; the kernel takes 107."""


def folder_of(register: Path) -> Path:
    return register.with_name(register.name + ".poke")


def poke(register: Path) -> int:
    """Tell every listener that something was committed; return how many live ones there are."""
    try:
        names = os.listdir(folder_of(register))
    except OSError:
        return 0
    if not names:
        return 0
    dead = 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        for name in names:
            path = str(folder_of(register) / name)
            try:
                sender.sendto(b"!", socket.MSG_DONTWAIT, path)
            except ConnectionRefusedError:
                dead += 1
                with contextlib.suppress(OSError):
                    os.unlink(path)
            except OSError:
                continue
    return len(names) - dead


class Listener:
    """A socket beside the register that commits poke. Where it cannot be made, waiting is just slow."""

    def __init__(self, register: Path) -> None:
        self._socket: socket.socket | None = None
        folder = folder_of(register)
        self._path = folder / f"{os.getpid():x}{os.urandom(3).hex()}"
        if len(os.fsencode(self._path)) > _LONGEST:
            return
        try:
            make_folder_beside(register, folder)
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
            self._socket.bind(os.fspath(self._path))
            if is_shared(register):
                self._path.chmod(FILE_MODE)  # who may not write to it cannot poke it
        except OSError:
            self.close()

    def wait(self, seconds: float) -> bool:
        """Return as soon as there was a poke, True; or after `seconds`, False."""
        if self._socket is None:
            select.select([], [], [], seconds)
            return False
        ready, _, _ = select.select([self._socket], [], [], seconds)
        if not ready:
            return False
        with contextlib.suppress(OSError):
            while self._socket.recv(16):
                pass
        return True

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        with contextlib.suppress(OSError):
            os.unlink(self._path)
