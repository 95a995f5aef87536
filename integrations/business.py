"""Whether a worker that was started by itself still has anything to do."""

from __future__ import annotations

from datetime import UTC, datetime

from register.store import Store, outbox, pages, vendors
from register.store.adopted import adopted
from register.store.poke import poke
from register.watch import falls_due_soon


def is_busy(store: Store) -> bool:
    """Whether there is work, or anybody else who listens to this register; one listener is our own."""
    by_hand = _by_hand(store)
    if any(
        one.unsent or one.doubtful or one.open_bonds
        for name, one in vendors.health(store).items()
        if name not in by_hand
    ):
        return True
    if pages.are_waiting(store):
        return True
    return falls_due_soon(store, datetime.now(UTC)) or (store.path is not None and poke(store.path) > 1)


def _by_hand(store: Store) -> frozenset[str]:
    """The suppliers to whom no worker speaks."""
    known = adopted(store).policy.vendors
    return frozenset(name for name, facts in known.items() if facts.by_hand)


def nothing_left(store: Store) -> bool:
    by_hand = _by_hand(store)
    return not pages.are_waiting(store) and all(row.vendor in by_hand for row in outbox.unfinished(store))
