"""Times as a described system writes and reads them, each made one of ours in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from integrations.zones import in_utc

_MILLISECONDS: Final = 10**11
"""An epoch from here on is told in milliseconds."""


class NoTime(ValueError):
    """It is no time, or none whose zone is known."""


def read_time(told: Any, form: str, zone: str) -> datetime:
    """A time of theirs in UTC: an epoch in seconds or milliseconds, ISO 8601, or as `form` says."""
    try:
        if isinstance(told, str) and not form and told.isascii() and told.isdecimal():
            told = int(told)
        if isinstance(told, int | float) and not isinstance(told, bool):
            return datetime.fromtimestamp(told / 1_000 if told >= _MILLISECONDS else told, UTC)
        if isinstance(told, str):
            at = datetime.strptime(told, form) if form else datetime.fromisoformat(told)  # noqa: DTZ007 - just below
            if at.tzinfo is not None or zone:
                return in_utc(at, zone)
    except (ValueError, OverflowError, OSError):
        raise NoTime("is no time that can be read: say how they write it in `read_format`") from None
    if isinstance(told, str):
        raise NoTime('has no time zone: set zone = "Europe/Oslo" or theirs')
    raise NoTime("is no time")


def written(at: datetime, form: str, zone: str) -> str | int:
    """A time as they take it in their filters: by strftime, or as a number."""
    if form == "epoch":
        return int(at.timestamp())
    if form == "epoch_ms":
        return int(at.timestamp() * 1_000)
    return at.astimezone(ZoneInfo(zone)).strftime(form)
