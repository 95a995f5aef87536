"""The lock by which a register's file has one worker. PostgreSQL has leases instead."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from register.disk import lock_now
from register.store import RegisterUnavailable
from register.store.shared import open_beside


@contextlib.contextmanager
def alone(register: Path | None) -> Iterator[bool]:
    """Hold the lock of a file's one worker; False when another has it. Raises OSError where there is none."""
    if register is None:
        yield True
        return
    handle = open_beside(register, register.with_name(register.name + ".worker.lock"), os.O_RDWR)
    try:
        yield lock_now(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def alone_or_told(register: Path | None) -> Iterator[bool]:
    """The same for who would serve; where there can be no lock, RegisterUnavailable says so."""
    with contextlib.ExitStack() as held:
        try:
            free = held.enter_context(alone(register))
        except OSError as error:
            raise RegisterUnavailable(
                f"{register}: the worker's lock beside it cannot be made ({error.strerror}). Nothing is sent:"
                " see that its folder can be written, and start it again."
            ) from error
        yield free
