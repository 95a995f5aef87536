"""Their words read back: which of our priorities one of theirs may stand for."""

from __future__ import annotations

from collections.abc import Mapping

from register.incident import Priority


def priorities_meant(
    table: Mapping[Priority, str] | Mapping[Priority, int], raw: str
) -> tuple[Priority, ...]:
    """Ours that stand for their word, the highest first: two of ours may be one of theirs, or none."""
    return tuple(sorted(ours for ours, theirs in table.items() if str(theirs) == raw))
