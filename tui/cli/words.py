"""From what was typed to values: numbers of incidents, times, text from standard input."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Final

from register.core import NotFound
from register.provisional import is_provisional
from register.text import clip, one_line
from tui.cli.trouble import WrongUse
from tui.forms import earlier, moment, period
from tui.typed_time import on_the_wall, within_reach

MAX_INPUT: Final = 1 << 20
"""Bytes that are read of standard input; no text of the register is nearly as long."""
_NUMBER: Final = re.compile(r"(?:INC-)?0*(\d{1,40})", re.ASCII | re.IGNORECASE)
_AHEAD: Final = "+2h, 30m, 16:30, or 2030-05-01T16:30+02:00"
_BEHIND: Final = "2h for two hours ago, 16:30, or 2030-05-01T16:30+02:00"
_LARGEST: Final = 10**9


def number(typed: str) -> str:
    """Return INC-7 for INC-7, inc-7 and 7."""
    found = _NUMBER.fullmatch(typed.strip())
    if found is None:
        raise WrongUse(
            f"{clip(one_line(typed), 40)!r} is no number of an incident: write INC-7, or 7.", "number"
        )
    n = int(found[1])
    if not 0 < n < _LARGEST:
        raise NotFound(f"There is no INC-{n}. `muster list` shows the open ones.")
    return f"INC-{n}"


def target(typed: str) -> str:
    """Return what a verb is about: INC-7, or ~1 for what waits in the spool."""
    name = typed.strip()
    return name if is_provisional(name) else number(name)


def when(typed: str, now: datetime, field: str) -> datetime:
    """Return `+2h`, `30m`, `16:30`, `2030-05-01 16:30` or an ISO time; without a zone it is this host's."""
    ahead = period(typed.strip())
    return _time(typed, now, field, lambda: moment(typed, now) if ahead is None else now + ahead, _AHEAD)


def before(typed: str, now: datetime, field: str) -> datetime:
    """Return `2h` (ago), the last `16:30`, `2030-05-01 16:30` or an ISO time; without a zone this host's.

    An ISO time may lie ahead: clocks differ.
    """
    return _time(typed, now, field, lambda: earlier(typed, now), _BEHIND)


def _time(
    typed: str, now: datetime, field: str, read: Callable[[], datetime | None], example: str
) -> datetime:
    typed = typed.strip()
    try:
        found = read() or datetime.fromisoformat("" if typed.isdigit() else typed)  # it takes 5,000 digits
        return within_reach(found if found.tzinfo is not None else on_the_wall(found, now))
    except (ValueError, OverflowError):
        raise WrongUse(
            f"{field.capitalize()} {clip(one_line(typed), 40)!r} is no time: write {example}.", field
        ) from None


def text(typed: str, field: str) -> str:
    """Return what was typed; for a single -, what standard input holds."""
    if typed != "-":
        return typed
    raw = sys.stdin.buffer.read(MAX_INPUT + 1)
    if len(raw) > MAX_INPUT:
        raise WrongUse(
            f"{field.capitalize()}: standard input has more than {MAX_INPUT:,} bytes. Nothing was done; give"
            " less.",
            field,
        )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise WrongUse(
            f"{field.capitalize()}: standard input is not UTF-8 text. Nothing was done.", field
        ) from None
