"""What a rule may know of the outbox: the rows that it is about, as of the transaction that will write."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, and_, bindparam, literal_column, select

from register.core import SendingFacts
from register.store import tables as t
from register.store.hot import Hot

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
    t.sending.c.lane,
    t.sending.c.person,
    t.sending.c.on_ambiguous,
)

_NAMES: Final = tuple(column.name for column in _FACTS.selected_columns)
_OF_ROW: Final = Hot(_FACTS.where(t.sending.c.row_id == bindparam("row")).with_for_update())
_WAITING: Final = _FACTS.where(
    and_(
        t.sending.c.incident == bindparam("number"),
        t.sending.c.lane == literal_column("'bonds'"),
        t.sending.c.state.in_([literal_column(f"'{state}'") for state in UNFINISHED]),
    )
)
_OF_INCIDENT: Final = Hot(_WAITING)
_LOCKED: Final = Hot(_WAITING.with_for_update())


def facts_of_sendings(
    connection: Connection, row_id: str | None, numbers: Iterable[str], *, lock: bool = False
) -> dict[str, SendingFacts]:
    """Return the row of that id, finished or not, and the unfinished ones to suppliers of these incidents.

    lock: these stay as they are until this transaction ends, whatever couriers would claim.
    """
    rows = [] if row_id is None else _OF_ROW.ask(connection, {"row": row_id}).rows()
    of_incident = _LOCKED if lock else _OF_INCIDENT
    for number in numbers:
        rows += of_incident.ask(connection, {"number": number}).rows()
    return {row[0]: SendingFacts(**dict(zip(_NAMES, row, strict=True))) for row in rows}
