"""Making again what is derived from events: rows with their clocks, bonds, alerts, the index of the texts.

In batches, each in a transaction of its own under the head: others write between them, and whatever stops it
in the middle leaves rows that are either as they were or as they should be. Done again, it changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import select

from register.refold import refold
from register.store import Store
from register.store import tables as t
from register.store.alerts import rebuild_alerts
from register.store.fulltext import rebuild_index
from register.store.promises import timeline_of
from register.store.refill import refill

AT_ONCE = 500
"""Incidents of one batch."""
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Rebuilt:
    """What came of it. mended: numbers whose row was not what its events say; unproved: left as they are."""

    incidents: int = 0
    mended: list[str] = field(default_factory=list)
    unproved: list[str] = field(default_factory=list)


def rebuild(store: Store, progress: Progress | None = None) -> Rebuilt:
    """Fold every incident again and write what differs; then the alerts' rows and the index of the texts."""
    done = Rebuilt()
    with store.read() as connection:
        total = int(connection.execute(select(t.head.c.incident)).scalar_one())
    for first in range(1, total + 1, AT_ONCE):
        last = min(first + AT_ONCE - 1, total)
        streams = [f"INC-{n}" for n in range(first, last + 1)]
        with store.write() as transaction:
            connection = transaction.connection
            made = list(refold(connection, t.event.c.stream.in_(streams)))
            done.mended += refill(connection, made, timeline_of(connection))
        done.incidents += len(made)
        done.unproved += [one.number for one in made if not one.proved or one.faults]
        if progress is not None:
            progress(last, total)
    with store.write() as transaction:
        rebuild_alerts(transaction.connection)
        rebuild_index(transaction.connection)
    return done
