"""Why what is on its way to suppliers waits. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from register.store.outbox import Sending
    from register.store.vendors import VendorHealth


def reasons(rows: Iterable[Sending], health: Mapping[str, VendorHealth]) -> dict[str, str]:
    """Return a sentence for each of these unfinished sendings, or empty, by row id.

    What stands behind another one of its ticket waits for that; what was not tried, for its supplier.
    """
    told: dict[str, str] = {}
    ahead: set[str] = set()
    for row in sorted(rows, key=lambda row: row.position):
        told[row.row_id] = row.why
        if row.bond in ahead:
            told[row.row_id] = "behind an earlier one to the same ticket"
        elif row.state == "queued":
            told[row.row_id] = hindrance(health.get(row.vendor)) or row.why
        ahead.add(row.bond)
    return told


def hindrance(health: VendorHealth | None) -> str:
    """Return why nothing goes to a supplier as things stand, a sentence; empty where all is well."""
    return "" if health is None else health.paused_why or health.trouble
