"""What the register keeps of suppliers' webhooks: that one rang, until it was answered; those refused.

A webhook may come in on one host while another one listens to that supplier: it rings in the register.
Counted, not timed, for two hosts' clocks differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, and_, select

from register.canon import moment, stamp
from register.store import tables as t
from register.store.store import Store
from register.store.watcher import CHANNEL, RUNG

_DELIVERY: Final = "webhook "
_NOTHING: Final[Mapping[str, Any]] = {"rung": 0, "answered": 0, "refused": 0, "refused_why": ""}


@dataclass(frozen=True, slots=True)
class Bell:
    """How it stands with a supplier's webhooks. refused: how many since the last good one."""

    rung: int = 0
    answered: int = 0
    rung_at: datetime | None = None
    refused: int = 0
    refused_why: str = ""
    refused_since: datetime | None = None

    @property
    def waits(self) -> bool:
        """Whether one came since the supplier was last asked for news."""
        return self.rung != self.answered


NEVER: Final = Bell()
"""No webhook of theirs ever came."""


def bell(store: Store, vendor: str) -> Bell:
    """How it stands with the webhooks of one supplier."""
    with store.read() as connection:
        row = connection.execute(select(t.hook).where(t.hook.c.vendor == vendor)).first()
    return NEVER if row is None else _bell(row)


def bells(store: Store) -> dict[str, Bell]:
    """The same of every supplier of whom any webhook came, by name."""
    with store.read() as connection:
        return {row.vendor: _bell(row) for row in connection.execute(select(t.hook))}


def unanswered(store: Store) -> list[str]:
    """The suppliers of whom a webhook came that nobody has followed so far."""
    h = t.hook.c
    with store.read() as connection:
        return list(connection.execute(select(h.vendor).where(h.rung != h.answered)).scalars())


def ring(store: Store, vendor: str, now: datetime, delivery: str = "") -> bool:
    """Note that a supplier says that there is news; False where this very delivery was noted before.

    Once it returns, whoever listens to that supplier will ask it, whatever dies meanwhile.
    """
    with store.rows_only() as connection:
        if delivery:
            told = {"vendor": vendor, "change_id": _DELIVERY + delivery, "at": stamp(now)}
            new = t.insert(connection, t.heard).values(**told).on_conflict_do_nothing()
            if connection.execute(new.returning(t.heard.c.vendor)).first() is None:
                return False
        good = {"rung_at": stamp(now), "refused": 0, "refused_why": "", "refused_since": None}
        row = t.insert(connection, t.hook).values(**{**_NOTHING, "vendor": vendor, **good, "rung": 1})
        more = {**good, "rung": t.hook.c.rung + 1}
        connection.execute(row.on_conflict_do_update(index_elements=["vendor"], set_=more))
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"NOTIFY {CHANNEL}, '{RUNG}'")
    return True


def answered(store: Store, vendor: str, rung: int) -> None:
    """Note that a supplier was asked for news after it had rung so often."""
    with store.rows_only() as connection:
        connection.execute(t.hook.update().where(t.hook.c.vendor == vendor).values(answered=rung))


def refused(store: Store, vendor: str, since: datetime, why: str, count: int) -> None:
    """Note that webhooks in a supplier's name are refused: how many more, from when on, and why."""
    told = {"refused_why": why, "refused_since": stamp(since)}
    with store.rows_only() as connection:
        row = t.insert(connection, t.hook).values(**{**_NOTHING, "vendor": vendor, **told, "refused": count})
        before = t.hook.c.refused
        more = {**told, "refused": before + count}
        connection.execute(row.on_conflict_do_update(index_elements=["vendor"], set_=more))


def forget_deliveries(store: Store, before: datetime) -> None:
    """Know the names no more of webhooks that came before then."""
    h = t.heard.c
    old = and_(h.change_id.startswith(_DELIVERY), h.at < stamp(before))
    with store.rows_only() as connection:
        connection.execute(t.heard.delete().where(old))


def _bell(row: Row[Any]) -> Bell:
    return Bell(
        row.rung,
        row.answered,
        _moment(row.rung_at),
        row.refused,
        row.refused_why,
        _moment(row.refused_since),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else moment(text)
