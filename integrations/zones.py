"""Times as suppliers tell them: each in UTC, and none whose zone nobody knows.

A system that tells "2026-11-27 14:02" means its own zone: vendors.toml says which. Without that the time is
refused, for a guess would skip changes in silence, or hear them an hour late.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ValidationInfo
from pydantic_core import PydanticCustomError

NO_ZONE: Final = "no_zone"
"""The kind of error of a time that names no zone where vendors.toml names none either."""
SAYS: Final = 'tells times without a time zone, and vendors.toml has none: set zone = "Europe/Oslo" or theirs'


def zoned(zone: str) -> Mapping[str, str]:
    """The context in which a model with times is to be validated."""
    return {"zone": zone}


def in_utc(told: datetime, zone: str) -> datetime:
    """A time in UTC. One that the clock shows twice in autumn is the first of them: rather heard twice."""
    if told.tzinfo is None:
        told = told.replace(tzinfo=ZoneInfo(zone), fold=0)
    return told.astimezone(UTC)


def _aware(told: datetime, info: ValidationInfo) -> datetime:
    context: Any = info.context
    zone = context.get("zone", "") if isinstance(context, Mapping) else ""
    if told.tzinfo is None and not zone:
        raise PydanticCustomError(NO_ZONE, "has no time zone: set `zone` in vendors.toml")
    return in_utc(told, zone)


TheirTime = Annotated[datetime, AfterValidator(_aware)]
"""A time of theirs, aware and in UTC."""


def gap_of(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How far their clock is ahead of ours, to the second, by an answer's Date; None where it has none."""
    try:
        told = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return None if told.tzinfo is None else told - now
