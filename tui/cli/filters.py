"""Filters on the command line: read with who is here and when; a mistake is pointed at."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rich.cells import cell_len

from register.filter import FilterError, Meaning, Reader, meant, parse, predicate
from register.plain import clip, one_line
from register.store import Store
from register.store.filtering import anything
from register.store.fulltext import catch_up
from tui.cli.here import Here
from tui.cli.progress import bar
from tui.cli.trouble import WrongUse
from tui.who import names_now

Row = Mapping[str, Any]
_NAMES: Final = re.compile("vendor|supplier|team|service|category", re.IGNORECASE)
"""What a filter has that asks for a name of the policy; without one no policy is looked for."""
_SEEN: Final = 72
"""Signs of a filter that are shown around the place of a mistake."""


def meaning_of(
    at: Here,
    typed: Sequence[str],
    now: datetime,
    *,
    then: Callable[[], Iterable[Mapping[str, Any]]] | None = None,
) -> Meaning:
    """Return what the words of a command line mean as one filter; raises WrongUse.

    then: reads the rows of a past that is looked at: what was written then cannot be asked for.
    """
    text, past = " ".join(typed), then is not None

    def has(meaning: Meaning) -> bool:
        with at.store.read() as connection:
            if anything(connection, meaning, at.store.sight(at.who)):
                return True
        return then is not None and any(map(predicate(meaning), then()))

    named = names_now(at.store, at.session, "cli") if _NAMES.search(text) else {}
    seconds = int(now.timestamp())
    reader = Reader(seconds, at.me, at.people, at.logins, texts=not past, as_of=past, named=named, has=has)
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
