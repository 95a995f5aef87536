"""A terminal that has gone, noticed even where no SIGHUP comes: a line of its own in the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import select
import sys
from collections.abc import Callable


def watch_terminal(gone: Callable[[], object]) -> None:
    """Call `gone` once the terminal that we read from is hung up. Costs nothing until then.

    The kernel tells the leader of a session alone, and not every leader passes it on (`make` waits for us).
    Textual's reader then finds the end of its input for ever, which takes a whole core.
    """
    if sys.__stdin__ is None or not sys.__stdin__.isatty():
        return
    loop, line = asyncio.get_running_loop(), select.epoll()
    line.register(sys.__stdin__.fileno(), 0)  # a hang-up is told whatever is asked for

    def heard() -> None:
        loop.remove_reader(line.fileno())
        with contextlib.closing(line):
            gone()

    loop.add_reader(line.fileno(), heard)
