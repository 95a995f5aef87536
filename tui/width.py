"""How wide what is printed may be, and lines made to fit it. Light to import."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from typing import Final, TextIO

LEAST: Final = 20
"""A terminal that says it is narrower does not know."""
_PIECES: Final = re.compile(r"\s+|\S+")


def width_of(out: TextIO) -> int | None:
    """Return how many cells a line has on the terminal that `out` is; None where it is none.

    What goes into a pipe or a file stays whole: whoever reads it there looks for all of it.
    """
    try:
        if not out.isatty():
            return None
        size = os.get_terminal_size(out.fileno()).columns
    except (OSError, ValueError):
        return None
    return _told() or (size if size >= LEAST else None)


def width_around(otherwise: int) -> int:
    """Return the width of the terminal we were started from, wherever standard output goes."""
    widths = (width_of(stream) for stream in (sys.stdout, sys.stderr, sys.stdin))
    return _told() or next((width for width in widths if width is not None), otherwise)


def _told() -> int | None:
    said = os.environ.get("COLUMNS", "")
    return int(said) if re.fullmatch(r"[1-9]\d{1,3}", said, re.ASCII) and int(said) >= LEAST else None


def fitted(lines: Iterable[str], out: TextIO) -> list[str]:
    """Return lines broken between words so that they fit on `out`; as they are where that is no terminal."""
    width = width_of(out)
    if width is None:
        return list(lines)
    return [part for line in lines for inner in line.split("\n") for part in broken(inner, width)]


def broken(line: str, width: int) -> list[str]:
    """Return a line as several of at most `width` cells; a word that is longer stays whole.

    What goes on of a line with columns in it is set in; what goes on of a sentence is not.
    """
    from rich.cells import cell_len

    if len(line) <= width and cell_len(line) <= width:
        return [line]
    text = line.lstrip(" ")
    hang = " " * (len(line) - len(text) + (2 if "  " in text else 0))
    parts, now = [], line[: len(line) - len(text)]
    for piece in _PIECES.findall(text):
        if now.strip() and cell_len(now) + cell_len(piece) > width and not piece.isspace():
            parts.append(now.rstrip())
            now = hang
        now += piece
    return [*parts, now.rstrip()]
