"""Steps that were due and that nobody fired: the register looks after its own engine."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, select

from register.audit import OVERDUE
from register.canon import moment, stamp
from register.store import Store
from register.store import tables as t


class Forgotten(NamedTuple):
    """A step of an open incident that was due then, and is to come still."""

    number: str
    due: datetime

    def says(self, now: datetime) -> str:
        minutes = int((now - self.due).total_seconds() // 60)
        return f"a step of {self.number} was due {minutes:,} min ago and nobody fired it"


def forgotten(store: Store, now: datetime) -> list[Forgotten]:
    """Return what is overdue, the oldest first. Looks at when a step is due, not at what wakes the engine."""
    row = t.incident.c
    query = select(row.n, row.step_at).where(
        and_(row.open == 1, row.paging != "", row.step_at < stamp(now - OVERDUE))
    )
    with store.read() as connection:
        return [
            Forgotten(f"INC-{n}", moment(at)) for n, at in connection.execute(query.order_by(row.step_at))
        ]
