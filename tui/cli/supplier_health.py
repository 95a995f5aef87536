"""Whether suppliers can be sent to: for `muster doctor`, and for whoever has just asked for something."""

from __future__ import annotations

from collections.abc import Iterator

from register.desk import Receipt
from register.store import Store, outbox, vendors
from register.store.adopted import adopted
from tui.cli.finding import Finding
from tui.waiting import repair


def suppliers_of(store: Store) -> Iterator[Finding]:
    """Which suppliers with open tickets, or for which something waits, have trouble or are paused."""
    by_hand = _by_hand(store)
    for name, health in vendors.health(store).items():
        waiting = health.unsent + health.doubtful
        found = repair(health)
        if found is None or name in by_hand or not (waiting or health.open_bonds):
            continue
        why, todo = found
        held_back = bool(health.paused_by)  # whoever did it knows
        counts = f" ({waiting} to send, {health.open_bonds} open)"
        yield Finding("supplier", held_back, why + counts, todo)


def waits_of(store: Store, receipt: Receipt) -> list[str]:
    """Return why what a command asked of suppliers waits, a sentence for each of them that has trouble."""
    asked = {getattr(one.event, "bond", None) for one in receipt.events} - {None}
    if receipt.number is None or not asked:
        return []
    rows = outbox.unfinished(store, incident=receipt.number)
    names = {row.vendor for row in rows if row.bond in asked} - _by_hand(store)
    health = vendors.health(store) if names else {}
    found = (repair(health.get(name)) for name in sorted(names))
    return [f"It waits: {' → '.join(one)}" for one in found if one is not None]


def _by_hand(store: Store) -> frozenset[str]:
    """The suppliers to whom a person speaks."""
    known = adopted(store).policy.vendors
    return frozenset(name for name, facts in known.items() if facts.by_hand)
