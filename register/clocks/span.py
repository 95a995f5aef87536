"""Lengths of time as people write them into a matrix: 15m, 4h, 1h30m, 2 working days."""

from __future__ import annotations

import re
from typing import Final

_PART: Final = re.compile(r"(\d+)\s*(s|m|min|h)(?=\d|\s|$)", re.ASCII)
_WHOLE: Final = re.compile(r"(?:\d+\s*(?:s|m|min|h)\s*)+", re.ASCII)
_WORKING: Final = re.compile(r"(\d+)\s*(?:working\s+days?|wd)", re.ASCII)
_DAYS: Final = re.compile(r"\d+\s*d(?:ays?)?\b", re.ASCII)
_RELATIVE: Final = re.compile(
    r"\bnext\b|\bend of\b|\bby\b|\bbefore\b|\buntil\b|\btomorrow\b|\d:\d|\b(mon|tue|wed|thu|fri|sat|sun)"
)
_SECONDS: Final = {"s": 1, "m": 60, "min": 60, "h": 3600}
LONGEST: Final = 10 * 366 * 86_400


def seconds_or_days(text: str) -> tuple[int, int]:
    """Return (seconds, working days), one of them 0; raises ValueError with what to write instead."""
    typed = text.strip().lower()
    days = _WORKING.fullmatch(typed)
    if days:
        found = 0, int(days[1])
    elif _WHOLE.fullmatch(typed):
        found = sum(int(n) * _SECONDS[unit] for n, unit in _PART.findall(typed)), 0
    elif _RELATIVE.search(typed):
        raise ValueError(
            f"{text!r} is a time of the day, no length of time: it could not be paused."
            " Write how long it may take, as 4h or 2 working days"
        )
    elif _DAYS.fullmatch(typed):
        raise ValueError(
            f"{text!r} can be meant in two ways: write hours round the clock (48h), or 2 working days"
        )
    else:
        raise ValueError(f"{text!r} is no length of time: write 15m, 4h, 1h30m or 2 working days")
    if not 0 < found[0] + found[1] * 86_400 <= LONGEST:
        raise ValueError(f"{text!r} is no time at all, or more than ten years")
    return found


def told(seconds: int) -> str:
    """Return seconds as `1h30m`, exactly; a day is no unit of business time."""
    hours, rest = divmod(abs(seconds), 3600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{n}{unit}" for n, unit in ((hours, "h"), (minutes, "m"), (rest, "s")) if n]
    return ("-" if seconds < 0 else "") + ("".join(parts) or "0s")
