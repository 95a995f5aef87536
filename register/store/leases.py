"""Leases: which process does the sending for a vendor, and whether any worker is there at all."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, or_, select

from register.canon import moment, stamp
from register.store import tables as t
from register.store.store import Store

WORKER = "worker"
"""The lease that any worker of the register keeps; boards look at it."""
ENGINE = "engine"
"""The lease of the one worker that takes what falls due."""


class Lease(NamedTuple):
    """A lease as it stands; `until` is as its holder's clock had it."""

    holder: str
    until: str


def take(
    store: Store, name: str, holder: str, now: datetime, until: datetime, *, from_anyone: bool = False
) -> bool:
    """Take or keep a lease; False while another holder's is running, unless it is known to be dead."""
    row = t.lease
    with store.rows_only() as connection:
        free = or_(row.c.holder == holder, row.c.until <= stamp(now))
        values = {"holder": holder, "until": stamp(until)}
        if connection.execute(
            row.update().where(row.c.name == name if from_anyone else and_(row.c.name == name, free)), values
        ).rowcount:
            return True
        if connection.execute(select(row.c.name).where(row.c.name == name)).first() is not None:
            return False
        new = t.insert(connection, row).values(name=name, **values).on_conflict_do_nothing()
        made = connection.execute(new.returning(row.c.name)).first()
        return made is not None  # another worker may have been first just now


def seen(store: Store, name: str) -> Lease | None:
    """Return how a lease stands; None where nobody has it."""
    with store.read() as connection:
        query = select(t.lease.c.holder, t.lease.c.until).where(t.lease.c.name == name)
        found = connection.execute(query).first()
    return None if found is None else Lease(*found)


def take_from(store: Store, name: str, holder: str, until: datetime, before: Lease | None) -> bool:
    """Take or renew a lease if it stands as it was seen; False where another was first."""
    row, values = t.lease, {"holder": holder, "until": stamp(until)}
    with store.rows_only() as connection:
        if before is None:
            new = t.insert(connection, row).values(name=name, **values).on_conflict_do_nothing()
            return connection.execute(new.returning(row.c.name)).first() is not None
        as_seen = and_(row.c.name == name, row.c.holder == before.holder, row.c.until == before.until)
        return bool(connection.execute(row.update().where(as_seen), values).rowcount)


def release(store: Store, holder: str) -> None:
    """Let go of everything this holder has."""
    with store.rows_only() as connection:
        connection.execute(t.lease.delete().where(t.lease.c.holder == holder))


def running_until(store: Store, name: str) -> datetime | None:
    """When the lease of that name runs out, if anybody has it."""
    with store.read() as connection:
        found = connection.execute(select(t.lease.c.until).where(t.lease.c.name == name)).scalar_one_or_none()
    return None if found is None else moment(found)
