"""Filters on the command line: read with who is here and when; a mistake is pointed at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from rich.cells import cell_len

from register.filter import FilterError, Meaning, Reader, meant, parse
from register.plain import clip, one_line
from register.store import Store
from register.store.fulltext import catch_up
from tui.cli.here import Here
from tui.cli.progress import bar
from tui.cli.trouble import WrongUse

_SEEN: Final = 72
"""Signs of a filter that are shown around the place of a mistake."""


def meaning_of(at: Here, typed: Sequence[str], now: datetime, *, as_of: bool = False) -> Meaning:
    """Return what the words of a command line mean as one filter; raises WrongUse.

    as_of: whether the past is looked at: what was written then cannot be asked for.
    """
    text = " ".join(typed)
    reader = Reader(int(now.timestamp()), at.me, at.people, at.logins, texts=not as_of, as_of=as_of)
    try:
        return meant(parse(text), reader)
    except FilterError as error:
        raise WrongUse(pointed(error), "filter") from error


def take_in(store: Store) -> None:
    """Bring the full-text index up to the events; where that takes long it is seen."""
    with bar("Indexing") as progress:
        catch_up(store, progress=progress)


def pointed(error: FilterError) -> str:
    """Return the filter, a sign below the place of its mistake, and what is wrong."""
    shown = "".join(" " if sign.isspace() else one_line(sign) or "?" for sign in error.text)
    start = max(0, error.column - 1 - _SEEN // 2)
    before, rest = shown[start : error.column - 1], shown[error.column - 1 :]
    line = clip(f"{'…' if start else ''}{before}{rest}", _SEEN + 8)
    place = " " * (cell_len(before) + bool(start))
    return f"  {line}\n  {place}^\n{error}. Nothing was listed."
