"""The lock by which a register's file has one worker. PostgreSQL has leases instead."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from register.disk import lock_now
from register.store import RegisterUnavailable
from register.store.shared import open_beside


class Kind(Enum):
    """What holds the lock for long, as the lock's file tells it beside the process' id."""

    SERVES = "serves"  # a service, or a person's
    BY_ITSELF = "by-itself"  # started in the background for somebody who asked for something


def lock_of(register: Path) -> Path:
    """The lock's file, beside the register."""
    return register.with_name(register.name + ".worker.lock")


@contextlib.contextmanager
def alone(register: Path | None, kind: Kind | None = None) -> Iterator[bool]:
    """Hold the lock of a file's one worker; False when another has it. Raises OSError where there is none.

    kind: is told to others as long as it is held.
    """
    if register is None:
        yield True
        return
    handle = open_beside(register, lock_of(register), os.O_RDWR)
    try:
        free = lock_now(handle)
        if free and kind is not None:
            _tell(handle, f"{os.getpid()} {kind.value}\n")
        yield free
        if free and kind is not None:
            _tell(handle, "")
    finally:
        os.close(handle)


def _tell(handle: int, words: str) -> None:
    with contextlib.suppress(OSError):  # the disk may be full: it is held all the same
        os.ftruncate(handle, 0)
        os.pwrite(handle, words.encode(), 0)


@contextlib.contextmanager
def alone_or_told(register: Path | None, kind: Kind | None = None) -> Iterator[bool]:
    """The same for who would serve; where there can be no lock, RegisterUnavailable says so."""
    with contextlib.ExitStack() as held:
        try:
            free = held.enter_context(alone(register, kind))
        except OSError as error:
            raise RegisterUnavailable(
                f"{register}: the worker's lock beside it cannot be made ({error.strerror}). Nothing is sent:"
                " see that its folder can be written, and start it again."
            ) from error
        yield free
