"""Why what is on its way to suppliers waits, and how that is mended. Pure."""

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


def repair(health: VendorHealth | None) -> tuple[str, str] | None:
    """Return what keeps a supplier from being sent to, and what to do in a shell; None where all is well."""
    why = hindrance(health).rstrip(".")
    if health is None or not why:
        return None
    name = health.name
    if health.paused_by:
        return (
            f"{name} is held back by a person: {why}. Nothing is sent to it; nothing is lost",
            f"`muster vendors unpause {name} REASON` lets it go on",
        )
    if health.paused_why:
        return (
            f"{name} is paused: {why}. Nothing is sent to it; nothing is lost",
            f"mend that, then `muster vendors check {name}`, or store another credential:"
            f" `muster vendors login {name}`",
        )
    return f"{name} is in trouble: {why}", f"`muster vendors check {name}` asks it from here"
