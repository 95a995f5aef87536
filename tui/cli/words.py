"""From what was typed to values: numbers of incidents, times, text from standard input."""

from __future__ import annotations

import re
import sys
from datetime import datetime
from typing import Final

from register.core import NotFound
from register.provisional import is_provisional
from register.text import clip, one_line
from tui.cli.trouble import WrongUse
from tui.typed_time import earlier, moment

MAX_INPUT: Final = 1 << 20
"""Bytes that are read of standard input; no text of the register is nearly as long."""
_NUMBER: Final = re.compile(r"(?:INC-)?0*(\d{1,40})", re.ASCII | re.IGNORECASE)
_AHEAD: Final = "+2h, 30m, 16:30, tomorrow, or 2030-05-01T16:30+02:00"
_BEHIND: Final = "2h for two hours ago, 16:30, yesterday, or 2030-05-01T16:30+02:00"
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
    """Return the moment to come that was typed: `+2h`, `30m`, `16:30`, `tomorrow`, an ISO time."""
    return _time(typed, moment(typed, now), field, _AHEAD)


def before(typed: str, now: datetime, field: str) -> datetime:
    """Return the moment behind that was typed: `2h` (ago), the last `16:30`, `yesterday`, an ISO time.

    An ISO time may lie ahead: clocks differ.
    """
    return _time(typed, earlier(typed, now), field, _BEHIND)


def _time(typed: str, found: datetime | None, field: str, example: str) -> datetime:
    if found is None:
        shown = clip(one_line(typed), 40)
        raise WrongUse(f"{field.capitalize()} {shown!r} is no time: write {example}.", field)
    return found


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
