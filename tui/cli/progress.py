"""A bar on stderr for long work: only on a terminal, only when it takes more than a moment."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Final

_WIDTH: Final = 30
_FIRST: Final = 0.5
"""Seconds that work may take without a bar."""
_EACH: Final = 0.2
"""Seconds between two drawings."""


@contextmanager
def bar(what: str, stream: IO[str] | None = None) -> Iterator[Callable[[int, int], None]]:
    """Give a function that is told (done, total); the bar is wiped away at the end, however it ends."""
    out = sys.stderr if stream is None else stream
    if not out.isatty():
        yield lambda done, total: None
        return
    begun = time.monotonic()
    drawn = begun + _FIRST - _EACH
    seen = False

    def show(done: int, total: int) -> None:
        nonlocal drawn, seen
        now = time.monotonic()
        if now - drawn < _EACH:
            return
        drawn, seen = now, True
        share = min(1.0, done / total) if total else 1.0
        filled = int(share * _WIDTH)
        speed = f"{done / max(now - begun, 0.001):,.0f}/s"
        print(
            f"\r{what} [{'#' * filled}{'.' * (_WIDTH - filled)}] {int(100 * share):3} % {speed}\x1b[K",
            end="",
            file=out,
            flush=True,
        )

    try:
        yield show
    finally:
        if seen:
            print("\r\x1b[K", end="", file=out, flush=True)
