"""Provisional numbers: ~1 is what waits in a spool until the register gives it a number."""

from __future__ import annotations

from typing import Final

SIGN: Final = "~"


def is_provisional(number: str | None) -> bool:
    """Whether this is ~1 and the like."""
    return number is not None and number[:1] == SIGN and number[1:].isascii() and number[1:].isdigit()
