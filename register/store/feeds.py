"""How it stands with the calendar feeds of rotas: when each was read, and what is wrong with it.

What they say is on record (register.topics.feeds); this is not, and may be lost without harm.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, and_, or_, select

from register.canon import moment, stamp
from register.feed_health import FeedState
from register.store import tables as t
from register.store.store import Store

_LACKING: Final = 2
"""How grave it is that no worker knows where a calendar is."""
_NOTHING: Final[dict[str, Any]] = {"version": "", "failures": 0, "trouble": "", "grave": 0, "lost": ""}


def feeds(store: Store) -> dict[str, FeedState]:
    """How it stands with every calendar that anybody asked for, by rota."""
    with store.read() as connection:
        return {row.rota: _feed(row) for row in connection.execute(select(t.feed))}


def due(store: Store, versions: dict[str, str], now: datetime) -> list[str]:
    """The rotas of these whose calendar is to be asked for now: by time, or for what is said of it is new."""
    f = t.feed.c
    with store.read() as connection:
        known = {row.rota: row for row in connection.execute(select(f.rota, f.version, f.next_at))}
    at = stamp(now)
    return [
        rota
        for rota, version in versions.items()
        if (row := known.get(rota)) is None
        or row.version != version
        or row.next_at is None
        or row.next_at <= at
    ]


def claim(store: Store, rota: str, version: str, now: datetime, until: datetime) -> bool:
    """Take it upon oneself to ask for a calendar; False where another worker is at it. until: its time."""
    f = t.feed
    told = {"version": version, "tried_at": stamp(now), "next_at": stamp(until)}
    free = or_(f.c.version != version, f.c.next_at.is_(None), f.c.next_at <= stamp(now))
    with store.rows_only() as connection:
        if connection.execute(f.update().where(and_(f.c.rota == rota, free)).values(**told)).rowcount:
            return True
        new = t.insert(connection, f).values(**_NOTHING | told, rota=rota).on_conflict_do_nothing()
        return connection.execute(new.returning(f.c.rota)).first() is not None


def heard(store: Store, rota: str, now: datetime, next_at: datetime, lost: str | None) -> None:
    """It was read. lost: what of it is nobody's or could not be read; None where it is as it was before."""
    told = {"heard_at": stamp(now), "next_at": stamp(next_at), "failures": 0, "trouble": "", "grave": 0}
    with store.rows_only() as connection:
        more = {} if lost is None else {"lost": lost}
        connection.execute(t.feed.update().where(t.feed.c.rota == rota).values(**told, **more))


def failed(store: Store, rota: str, next_at: datetime, why: str, *, grave: bool) -> None:
    """It could not be read, and what it said last holds."""
    f = t.feed
    told = {"next_at": stamp(next_at), "trouble": why, "grave": int(grave)}
    with store.rows_only() as connection:
        connection.execute(f.update().where(f.c.rota == rota).values(**told, failures=f.c.failures + 1))


def lacks(store: Store, rota: str, why: str, unless_heard_since: datetime) -> None:
    """A worker does not know where it is. No matter, while another worker does."""
    f = t.feed
    told = {"trouble": why, "grave": _LACKING}
    old = or_(f.c.heard_at.is_(None), f.c.heard_at < stamp(unless_heard_since))
    with store.rows_only() as connection:
        new = t.insert(connection, f).values(**_NOTHING | told, rota=rota)
        connection.execute(new.on_conflict_do_update(index_elements=["rota"], set_=told, where=old))


def ask_now(store: Store, rota: str) -> None:
    """Have it asked for as soon as a worker looks: where it is was just stored."""
    with store.rows_only() as connection:
        connection.execute(t.feed.update().where(t.feed.c.rota == rota).values(next_at=None))


def _feed(row: Row[Any]) -> FeedState:
    return FeedState(
        None if row.heard_at is None else moment(row.heard_at),
        None if row.tried_at is None else moment(row.tried_at),
        row.failures,
        row.trouble,
        bool(row.grave),
        row.lost,
        row.grave == _LACKING,
    )
