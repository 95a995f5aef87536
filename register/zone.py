"""Time zones as people write them."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("is no time zone: write one like Europe/Oslo, or UTC") from None
    return name


Zone = Annotated[str, AfterValidator(_zone)]
"""The IANA name of a time zone that this host knows."""
