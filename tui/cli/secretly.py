"""A secret on the command line: typed unseen, or read from standard input; and how it went out again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from integrations import secrets

_MOST: Final = 4 * secrets.MAX_SECRET
"""Bytes of standard input that are read."""


def asked(what: str) -> str:
    """Return what is typed for it, or all of standard input."""
    return _typed(what) if sys.stdin.isatty() else _given()


def answers(of: str, names: Sequence[str]) -> list[str]:
    """Return what is typed for each of several, or the lines of standard input. of: whose they are."""
    if sys.stdin.isatty():
        return [_typed(f"{name.replace('_', ' ').capitalize()} for {of}") for name in names]
    given = _given()
    return given.splitlines() if len(names) > 1 else [given]


def _typed(what: str) -> str:
    from getpass import getpass

    return getpass(f"{what} (not shown): ")


def _given() -> str:
    return sys.stdin.buffer.read(_MOST).decode("utf-8", "replace")


def taken_out(held: bool) -> str:
    """How a sentence ends that says of which secret: whether it was there to be taken out."""
    place = secrets.place()
    return f"was taken out of {place}" if held else f"is not in {place}: there was nothing to do"
