"""What the register keeps of the listening to a supplier: when it was asked last, how often, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Integer, and_, cast, func, select

from register.canon import moment, stamp
from register.incident import Priority
from register.store import tables as t
from register.store.carry import NEW_VENDOR
from register.store.store import Store

URGENT: Final = Priority.HIGH
"""The least urgent priority that is urgent."""
_NUMBER_FROM: Final = len("INC-") + 1


@dataclass(frozen=True, slots=True)
class Listening:
    """How a supplier was listened to when that was last written down. every: seconds."""

    polled_at: datetime | None = None
    every: int = 0
    why: str = ""
    active_at: datetime | None = None


def listening(store: Store, vendor: str) -> Listening:
    """Return how a supplier is listened to; empty where it never was."""
    v = t.vendor.c
    query = select(v.polled_at, v.poll_every, v.poll_why, v.active_at).where(v.name == vendor)
    with store.read() as connection:
        row = connection.execute(query).first()
    if row is None:
        return Listening()
    return Listening(_moment(row.polled_at), row.poll_every, row.poll_why, _moment(row.active_at))


def put_listening(store: Store, vendor: str, now: Listening) -> None:
    """Keep how often a supplier is asked from now on, for people and for a restart."""
    values: dict[str, Any] = {
        "poll_every": now.every,
        "poll_why": now.why,
        "active_at": None if now.active_at is None else stamp(now.active_at),
    }
    with store.rows_only() as connection:
        new = t.insert(connection, t.vendor).values(**{**NEW_VENDOR, "name": vendor, **values})
        connection.execute(new.on_conflict_do_update(index_elements=["name"], set_=values))


def has_open_bonds(store: Store, vendor: str) -> bool:
    """Whether any ticket is open with a supplier."""
    b = t.bond.c
    with store.read() as connection:
        query = select(b.id).where(and_(b.vendor == vendor, b.live == 1)).limit(1)
        return connection.execute(query).first() is not None


def has_urgent(store: Store, vendor: str) -> bool:
    """Whether an open incident of ours that is urgent waits for a supplier."""
    b, i = t.bond.c, t.incident.c
    number = cast(func.substr(b.incident, _NUMBER_FROM), Integer)
    query = (
        select(b.id)
        .join(t.incident, i.n == number)
        .where(and_(b.vendor == vendor, b.live == 1, i.open == 1, i.priority <= int(URGENT)))
        .limit(1)
    )
    with store.read() as connection:
        return connection.execute(query).first() is not None


def _moment(text: str | None) -> datetime | None:
    return None if text is None else moment(text)
