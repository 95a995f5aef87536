"""What was asked of a supplier for a sending last, and what came back: kept beside the row, for a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Select, select

from register.canon import moment
from register.effect import KeepExchange
from register.store import tables as t
from register.store.carry import Writing, carry
from register.store.store import Store


@dataclass(frozen=True, slots=True)
class Exchange:
    """The requests of one try, in order, each with its answer, and when it was over."""

    at: datetime
    said: tuple[dict[str, Any], ...]


def put(connection: Connection, row_id: str, said: str, now: str) -> None:
    """Keep these; they take the place of an earlier try's."""
    query = t.insert(connection, t.exchange).values(row_id=row_id, at=now, said=said)
    connection.execute(query.on_conflict_do_update(index_elements=["row_id"], set_={"at": now, "said": said}))


@carry.register
def _(effect: KeepExchange, transaction: Writing, now: str) -> None:
    put(transaction.connection, effect.row_id, effect.said, now)


def exchange_of(store: Store, row_id: str) -> Exchange | None:
    """Return what was kept of that sending, or None."""
    kept = t.exchange.c
    with store.read() as connection:
        row = connection.execute(select(kept.at, kept.said).where(kept.row_id == row_id)).first()
    return None if row is None else Exchange(moment(row.at), tuple(orjson.loads(row.said)))


def forget(connection: Connection, of: Select[Any]) -> None:
    """Take out what was kept of these sendings, a select of their ids."""
    connection.execute(t.exchange.delete().where(t.exchange.c.row_id.in_(of)))
