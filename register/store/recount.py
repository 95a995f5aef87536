"""Counting clocks anew where more than one incident's events decide: when another policy is adopted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, String, bindparam, cast, literal, or_, select

from register.clocks.book import Timeline
from register.store import tables as t
from register.store.carry import Writing, carry
from register.store.promises import timeline_of
from register.store.reading import incident_of
from register.store.transaction import columns_of
from register.topics.adoption import Recount

_COUNTED: Final = ("due_at", "wake_at", "clocks", "board")
_WITH_SUPPLIERS: Final = select(t.bond.c.incident).where(t.bond.c.live == 1)
_RUNNING: Final = select(t.incident.c.n, t.incident.c.doc, *(t.incident.c[name] for name in _COUNTED)).where(
    or_(t.incident.c.open == 1, literal("INC-").concat(cast(t.incident.c.n, String)).in_(_WITH_SUPPLIERS))
)
_WRITE: Final = t.incident.update().where(t.incident.c.n == bindparam("number"))


@carry.register
def _(effect: Recount, transaction: Writing, now: str) -> None:
    transaction.timeline = timeline_of(transaction.connection)
    recount(transaction.connection, transaction.timeline)


def recount(connection: Connection, timeline: Timeline) -> int:
    """Write anew when what still runs is due; return how many rows changed.

    What is over stays as it is: a version of the policy only holds from its adoption on.
    """
    changed, rows = 0, _differing(connection, timeline)
    while some := list(islice(rows, 500)):
        connection.execute(_WRITE, some)
        changed += len(some)
    return changed


def _differing(connection: Connection, timeline: Timeline) -> Iterator[dict[str, Any]]:
    for n, doc, *before in list(connection.execute(_RUNNING)):
        columns = columns_of(incident_of(doc, n), timeline)
        counted = {name: columns[name] for name in _COUNTED}
        if list(counted.values()) != before:
            yield {"number": n, **counted}
