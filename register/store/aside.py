"""What of suppliers could not be taken in, as it came, until a person has decided about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, select

from register.canon import moment
from register.core import AsideFacts
from register.store import tables as t
from register.store.store import Store

_Q = t.quarantine.c
_FACTS = select(_Q.vendor, _Q.change_id, _Q.incident, _Q.bond, _Q.raw, _Q.why)


@dataclass(frozen=True, slots=True)
class Aside:
    """One change that waits, and since when."""

    facts: AsideFacts
    at: datetime


def aside_of(connection: Connection, vendor: str, change_id: str) -> AsideFacts | None:
    """Return one change that waits, or None."""
    query = _FACTS.where(and_(_Q.vendor == vendor, _Q.change_id == change_id))
    row = connection.execute(query).first()
    return None if row is None else AsideFacts(**row._mapping)


def asides(store: Store, incident: str | None = None) -> list[Aside]:
    """Return all that waits, or what waits of one incident, oldest first."""
    query = _FACTS.add_columns(_Q.at).order_by(_Q.at, _Q.vendor, _Q.change_id)
    if incident is not None:
        query = query.where(_Q.incident == incident)
    with store.read() as connection:
        rows = [dict(row._mapping) for row in connection.execute(query)]
    return [Aside(at=moment(row.pop("at")), facts=AsideFacts(**row)) for row in rows]
