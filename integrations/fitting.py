"""What is too long for a supplier's system is refused here: many would cut it without a word."""

from __future__ import annotations

from integrations.errors import Rejected


def fitting(vendor: str, text: str, most: int, as_what: str = "") -> str:
    """Return the text; Rejected where it has more characters. as_what: " with its markup", if that counts."""
    if len(text) > most:
        raise Rejected(
            f"{vendor} takes {most:,} characters at most, and this has {len(text):,}{as_what}: "
            "nothing was sent. Make it shorter."
        )
    return text
