"""Files that outlive whoever writes them: replaced whole, their names on the disk, held by one at a time.

The first paint waits for it: the standard library alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from pathlib import Path


def replace_file(path: Path, data: bytes, prefix: str) -> None:
    """Put a new file of ours alone, mode 0600, in the place of the old one; raises OSError.

    Whoever reads finds the old one or the new one, whole; whatever ends this before its end leaves the old
    one. What a killed writer leaves has a name with that prefix.
    """
    os.close(_replaced(path, data, prefix, lock=False))


def replace_held(path: Path, data: bytes, prefix: str) -> int:
    """The same of a file that is held by its lock: return the new one's descriptor, locked already."""
    return _replaced(path, data, prefix, lock=True)


def _replaced(path: Path, data: bytes, prefix: str, *, lock: bool) -> int:
    handle, name = tempfile.mkstemp(prefix=prefix, dir=path.parent)  # mkstemp makes it 0600
    with contextlib.ExitStack() as undoing:
        undoing.callback(_forget, name)
        undoing.callback(os.close, handle)
        if lock:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with os.fdopen(handle, "wb", closefd=False) as file:
            file.write(data)
        os.fsync(handle)
        os.replace(name, path)
        undoing.pop_all()
    return handle


def _forget(name: str) -> None:
    with contextlib.suppress(OSError):  # what went wrong before says more
        os.unlink(name)


def sync_folder(folder: Path) -> None:
    """See to it that names made or taken away in a folder survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def open_lock(path: Path) -> int:
    """Open a file of ours alone that is there to be locked, and make it and its folder; raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def lock_now(handle: int) -> bool:
    """Lock a file at once and say so; False where another process holds it. Raises OSError."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
