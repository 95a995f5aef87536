"""A small file that survives: TinyDB over one JSON file that is locked, read whole, and replaced whole.

Whoever holds the lock may write; whoever reads sees the file as it was or as it is, never half of it. The
lock is of the file itself and goes over to the one that takes its place, so a process that dies lets go.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tinydb import TinyDB
from tinydb.storages import Storage

from register.disk import lock_now, replace_held, sync_folder

MAX_BYTES: Final = 64 * 1024 * 1024
"""A larger file is not ours."""
TEMPORARY: Final = ".paper-"
_LEFT_OVER: Final = 60.0
"""Seconds after which a temporary file that nobody holds is one whose writer died."""
_LOOK_AGAIN: Final = 0.01

Tables = dict[str, dict[str, Any]]


class Unreadable(Exception):
    """The file is there and is no such file; the sentence says what is wrong with it."""


class Paper(Storage):
    """TinyDB's storage over a locked file. `handle` is its descriptor, which this storage owns."""

    def __init__(self, path: str, handle: int) -> None:
        self.path = Path(path)
        self._handle = handle
        self._data: Tables = _parsed(_all_of(handle), self.path)

    def read(self) -> Tables:
        return self._data

    def write(self, data: Tables) -> None:
        """Put a new file in the place of the old one; when this returns, it is on the disk."""
        self._data = data
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        old, self._handle = self._handle, replace_held(self.path, text, TEMPORARY)
        os.close(old)
        sync_folder(self.path.parent)

    def close(self) -> None:
        os.close(self._handle)


@contextlib.contextmanager
def held(path: Path, *, wait: float = 0.0, make: bool = True) -> Iterator[TinyDB | None]:
    """Hold a file for as long as the block lasts; None where another one holds it for longer than `wait`.

    make: whether one that is missing is made; otherwise that is None too. Raises OSError and Unreadable.
    """
    handle = _locked(path, wait, make)
    if handle is None:
        yield None
        return
    with contextlib.ExitStack() as open_:
        open_.callback(os.close, handle)
        paper = Paper(str(path), handle)
        open_.pop_all()
        open_.callback(paper.close)  # which closes the one that stands there by then
        yield TinyDB(storage=lambda: paper)


def look(path: Path) -> Tables:
    """Read a file as it is, without holding it; raises OSError and Unreadable."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _refuse_foreign(handle, path)
        return _parsed(_all_of(handle), path)
    finally:
        os.close(handle)


def _locked(path: Path, wait: float, make: bool) -> int | None:
    """Return the locked descriptor of the file that stands at that path; None where it is not to be had."""
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | (os.O_CREAT if make else 0)
    end = time.monotonic() + wait
    while True:
        try:
            handle = os.open(path, flags, 0o600)
        except FileNotFoundError:
            if make:
                raise
            return None
        with contextlib.ExitStack() as open_:
            open_.callback(os.close, handle)
            _refuse_foreign(handle, path)
            if not lock_now(handle):
                if time.monotonic() >= end:
                    return None
                time.sleep(_LOOK_AGAIN)
            elif _is_at(handle, path):
                open_.pop_all()
                return handle
            # else it was replaced or taken away between opening and locking: once more


def _is_at(handle: int, path: Path) -> bool:
    try:
        there = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    here = os.fstat(handle)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def _refuse_foreign(handle: int, path: Path) -> None:
    """Only a plain file of our own that nobody else may write is believed."""
    about = os.fstat(handle)
    if about.st_uid != os.geteuid():
        raise Unreadable(f"{path} is a file of somebody else's (uid {about.st_uid}): it was left alone.")
    if not stat.S_ISREG(about.st_mode) or about.st_mode & 0o022:
        raise Unreadable(f"{path} is no file that you alone can write: it was left alone.")
    if about.st_size > MAX_BYTES:
        raise Unreadable(f"{path} is larger than any file of ours: it was left alone.")


def _all_of(handle: int) -> bytes:
    os.lseek(handle, 0, os.SEEK_SET)
    parts = []
    while part := os.read(handle, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def _parsed(text: bytes, path: Path) -> Tables:
    if not text:
        return {}
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable(f"{path} cannot be read: it is damaged.") from None
    if not isinstance(data, dict) or not all(isinstance(table, dict) for table in data.values()):
        raise Unreadable(f"{path} cannot be read: it is no file of ours.")
    return data


def sweep(folder: Path) -> None:
    """Take away what writers that died have left: half-written files, and those they wrote nothing into."""
    for path in (*folder.glob(f"{TEMPORARY}*"), *folder.glob("[0-9]*.json")):
        with contextlib.suppress(OSError):
            handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                about = os.fstat(handle)
                old = time.time() - about.st_mtime > _LEFT_OVER
                if _is_at(handle, path) and (old if path.name.startswith(TEMPORARY) else not about.st_size):
                    path.unlink()
            finally:
                os.close(handle)
