"""Replies to mailed pages, as rows: which were dealt with, who is still to be answered, how far was read.

A mail is dealt with once, whatever dies meanwhile: its row is written with what it came to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, and_, func, select

from register.canon import moment, stamp
from register.store import page_tables as t
from register.store import tables
from register.store.store import Store

KEPT: Final = timedelta(days=8)
"""So long a mail is known again: longer than a token counts, and than a mailbox is read again."""
_R = t.page_reply.c


@dataclass(frozen=True, slots=True)
class Replied:
    """A reply that was dealt with. became: what came of it, perhaps with an id. person: who is told."""

    id: str
    incident: str
    person: str
    became: str
    at: datetime
    tries: int = 0


def put(connection: Connection, one: Replied) -> bool:
    """Note what became of a reply, to be answered at once; False where it was dealt with before."""
    row = {
        "id": one.id,
        "incident": one.incident,
        "person": one.person,
        "became": one.became,
        "at": stamp(one.at),
        "next_at": stamp(one.at),
        "tries": 0,
    }
    connection.execute(t.page_reply.delete().where(_R.at <= stamp(one.at - KEPT)))
    new = tables.insert(connection, t.page_reply).values(**row).on_conflict_do_nothing()
    return connection.execute(new.returning(_R.id)).first() is not None


def is_known(store: Store, id_: str) -> bool:
    """Whether this reply was dealt with."""
    with store.read() as connection:
        return connection.execute(select(_R.id).where(_R.id == id_)).first() is not None


def how_many(store: Store, incident: str, person: str, since: datetime) -> int:
    """How many replies somebody has sent about an incident since then."""
    mine = and_(_R.incident == incident, _R.person == person, _R.at > stamp(since))
    with store.read() as connection:
        return connection.execute(select(func.count()).where(mine)).scalar_one()


def unanswered(store: Store, now: datetime) -> list[Replied]:
    """Those of which somebody is to be told now."""
    due = select(_R.id, _R.incident, _R.person, _R.became, _R.at, _R.tries).where(_R.next_at <= stamp(now))
    with store.read() as connection:
        rows = connection.execute(due.order_by(_R.next_at, _R.id).limit(20)).all()
    return [Replied(row.id, row.incident, row.person, row.became, moment(row.at), row.tries) for row in rows]


def tried(store: Store, one: Replied, again: datetime | None) -> None:
    """Note that they were tried to be told. again: when next; None: they were, or it is given up."""
    values = {"tries": one.tries + 1, "next_at": None if again is None else stamp(again)}
    with store.rows_only() as connection:
        connection.execute(t.page_reply.update().where(_R.id == one.id), values)


def place(store: Store, name: str) -> tuple[int, int] | None:
    """How far a mailbox was read: (validity, uid); None where it never was."""
    box = t.page_box.c
    with store.read() as connection:
        row = connection.execute(select(box.validity, box.uid).where(box.name == name)).first()
    return None if row is None else (row.validity, row.uid)


def put_place(store: Store, name: str, validity: int, uid: int) -> None:
    """Note how far it was read."""
    told = {"validity": validity, "uid": uid}
    with store.rows_only() as connection:
        row = tables.insert(connection, t.page_box).values(name=name, **told)
        connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=told))
