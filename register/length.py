"""Lengths of wall-clock time as a policy writes them: `45m`, `1h30m`, `5d`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainSerializer

_PART: Final = re.compile(r"(\d{1,9})\s*([dhm])\s*", re.ASCII)
_UNIT: Final = {"d": "days", "h": "hours", "m": "minutes"}
_LONGEST: Final = timedelta(days=36_525)


def period(text: str) -> timedelta:
    """Return `45m`, `1h30m` or `5d` as a length of wall-clock time; ValueError says how to write it."""
    found = _PART.findall(text.strip())
    whole = "".join(f"{number}{unit}" for number, unit in found)
    length = sum((timedelta(**{_UNIT[unit]: int(number)}) for number, unit in found), timedelta())
    if not found or whole != re.sub(r"\s", "", text):
        raise ValueError("is no length of time: write it like 45m, 1h30m or 5d")
    if not timedelta() < length <= _LONGEST:
        raise ValueError("is no time at all, or over a hundred years: write it like 45m, 1h30m or 5d")
    return length


def told(length: timedelta) -> str:
    """Return a length of time as `period` reads it."""
    minutes = int(length.total_seconds()) // 60
    parts = ((minutes // 1440, "d"), (minutes % 1440 // 60, "h"), (minutes % 60, "m"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0m"


def _period(given: Any) -> Any:
    if isinstance(given, timedelta):
        return given
    if not isinstance(given, str):
        raise ValueError("must be text in quotes, like 45m, 1h30m or 5d")  # noqa: TRY004 - pydantic's
    return period(given)


Period = Annotated[timedelta, BeforeValidator(_period), PlainSerializer(told)]
"""A length of time by the wall clock, as `45m`, `1h30m`, `5d`."""
