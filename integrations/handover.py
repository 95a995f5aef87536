"""A worker that was started by itself gives way to `muster serve`, which a person runs: that may have the key
which the other lacks.

No signal is sent and no process id believed: who would serve holds a second lock beside the register's, and
the worker looks whether anybody does. What a killed process leaves asks for nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from integrations.lock import Kind, alone_or_told, lock_of
from register.disk import lock_now
from register.store.shared import open_beside

LOOK: Final = 1.0
"""Seconds between two looks whether somebody would serve."""
PATIENCE: Final = 75.0
"""Seconds for a worker to end: what it has in the air is waited for."""
WITH_KEY: Final = "With the key of the encrypted file: `MUSTER_KEYRING=file muster serve`."
_AGAIN: Final = 0.1


@dataclass(frozen=True, slots=True)
class Holder:
    """Who serves a file. pid: 0 where it did not say."""

    pid: int = 0
    gives_way: bool = False

    def __str__(self) -> str:
        who = "A worker that was started by itself" if self.gives_way else "Another worker"
        return f"{who} serves this register already" + (f" (process {self.pid})" if self.pid else "")

    @property
    def how_to_end(self) -> str:
        """What a person does who wants another one in its place."""
        end = f"`kill {self.pid}`" if self.pid else "end it"
        return f"Where it lacks a key or a credential: {end}, then start this again."


def holder(register: Path | None) -> Holder | None:
    """Who serves a register's file; None where nobody does, or where there is no such lock."""
    with alone_or_told(register) as free:
        if free or register is None:
            return None
        words = lock_of(register).read_text(errors="replace").split()
    pid = int(words[0]) if words and words[0].isascii() and words[0].isdecimal() else 0
    return Holder(pid, words[1:] == [Kind.BY_ITSELF.value])


@contextlib.contextmanager
def alone_after(register: Path | None, before: Holder | None, kind: Kind) -> Iterator[bool]:
    """Hold the lock of a file's one worker, after one that gives way has ended; False when another has it."""
    with contextlib.ExitStack() as held:
        if register is None or before is None:
            yield held.enter_context(alone_or_told(register, kind))
            return
        with contextlib.ExitStack() as asking:
            handle = open_beside(register, _next_of(register), os.O_RDWR)
            asking.callback(os.close, handle)
            until, asked, free = time.monotonic() + PATIENCE, False, False
            while not free and time.monotonic() < until:
                asked = asked or lock_now(handle)  # the worker looks by taking it for a moment
                with contextlib.ExitStack() as trying:
                    free = trying.enter_context(alone_or_told(register, kind))
                    if free:
                        held.push(trying.pop_all())
                if not free:
                    time.sleep(_AGAIN)
        yield free


async def keep_looking(register: Path, give_way: Callable[[], None], tell: Callable[[str], None]) -> None:
    """Call `give_way` as soon as somebody would serve this register."""
    while True:
        await asyncio.sleep(LOOK)
        if _is_wanted(register):
            tell("`muster serve` was started: this worker, which was started by itself, ends.")
            give_way()
            return


def _next_of(register: Path) -> Path:
    return register.with_name(register.name + ".worker.next")


def _is_wanted(register: Path) -> bool:
    try:
        handle = os.open(_next_of(register), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not lock_now(handle)
    finally:
        os.close(handle)
