"""What a rule may know of the outbox: the rows that it is about, as of the transaction that will write."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, and_, select

from register.core import SendingFacts
from register.store import tables as t

UNFINISHED: Final = ("queued", "sending", "waiting", "ambiguous", "dead")
"""States of what is on its way, or waits for a person."""
_FACTS: Final = select(
    t.sending.c.row_id,
    t.sending.c.op_id,
    t.sending.c.bond,
    t.sending.c.kind,
    t.sending.c.state,
    t.sending.c.incident,
    t.sending.c.vendor,
    t.sending.c.payload,
    t.sending.c.position,
    t.sending.c.tries,
)


def facts_of_sendings(
    connection: Connection, row_id: str | None, numbers: Iterable[str], *, lock: bool = False
) -> dict[str, SendingFacts]:
    """Return the row of that id, finished or not, and the unfinished ones of these incidents.

    lock: these stay as they are until this transaction ends, whatever couriers would claim.
    """
    found = {}
    if row_id is not None:
        for row in connection.execute(_FACTS.where(t.sending.c.row_id == row_id).with_for_update()):
            found[row.row_id] = SendingFacts(**row._mapping)
    wanted = list(numbers)
    if wanted:
        query = _FACTS.where(and_(t.sending.c.incident.in_(wanted), t.sending.c.state.in_(UNFINISHED)))
        for row in connection.execute(query.with_for_update() if lock else query):
            found[row.row_id] = SendingFacts(**row._mapping)
    return found
