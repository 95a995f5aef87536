"""Carrying out effects: each kind's rows, written in the transaction of what asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch
from typing import Any, Final, Protocol

from sqlalchemy import Connection, and_, bindparam

from register.canon import stamp
from register.clocks.book import Timeline
from register.effect import (
    CancelRest,
    Effect,
    Enqueue,
    Forget,
    MoveCursor,
    Pause,
    Quarantine,
    ReadAnew,
    Remember,
    Settle,
    TryNow,
    WholeRead,
)
from register.incident import Incident
from register.store import tables as t
from register.store.hot import Hot
from register.topics.credentials import Ends

NEW_VENDOR: Final[Mapping[str, Any]] = {
    "paused_why": "",
    "trouble": "",
    "failures": 0,
    "not_before_why": "",
    "poll_every": 0,
    "poll_why": "",
}
"""A supplier's row before anything is known of it."""


_SETTLE: Final = Hot(t.sending.update().where(t.sending.c.row_id == bindparam("row")))
_SETTLE_ANEW: Final = Hot(t.sending.update().where(t.sending.c.row_id == bindparam("row")))  # other columns


class Writing(Protocol):
    """The transaction that is under way, as far as an effect needs it."""

    @property
    def connection(self) -> Connection:
        """The connection; what was said so far can be read there."""

    @property
    def beside(self) -> Connection:
        """The same, for rows of which no event or incident is asked: what was said is written later."""

    timeline: Timeline  # by which clocks are counted
    anew: dict[str, Incident]  # incidents that the effect folded anew: their rows are to be written
    wiped: bool  # whether anything must not be left in the file

    @property
    def seq(self) -> int:
        """The seq of the event written last."""

    def forget(self, person: str) -> None:
        """Have every process look up anew who bears the name that this person had."""


@singledispatch
def carry(effect: Effect, transaction: Writing, now: str) -> None:
    """Write what an effect asks for. `now` is the transaction's time as `stamp` writes it."""
    raise TypeError(f"nothing writes {type(effect).__name__}")


@carry.register
def _(effect: Enqueue, transaction: Writing, now: str) -> None:
    transaction.connection.execute(
        t.sending.insert(),
        {
            "row_id": effect.row_id,
            "op_id": effect.op_id,
            "incident": effect.incident,
            "bond": effect.bond,
            "vendor": effect.vendor,
            "lane": "bonds",
            "person": "",
            "kind": effect.kind,
            "payload": effect.payload,
            "position": transaction.seq if effect.position is None else effect.position,
            "state": "queued",
            "on_ambiguous": "ask",
            "tries": 0,
            "lookups": 0,
            "why": "",
            "created_at": now,
            "updated_at": now,
        },
    )


@carry.register
def _(effect: Settle, transaction: Writing, now: str) -> None:
    next_at = now if effect.resend else None if effect.next_at is None else stamp(effect.next_at)
    values: dict[str, Any] = {
        "state": effect.state,
        "why": effect.why,
        "next_at": next_at,
        "lease_holder": None,
        "lease_until": None,
        "updated_at": now,
    }
    if effect.resend or effect.state == "queued":
        anew = {"on_ambiguous": "resend" if effect.resend else "key" if effect.by_key else "ask"}
        _SETTLE_ANEW(transaction.beside, {**values, **anew, "row": effect.row_id})
    else:
        _SETTLE(transaction.beside, {**values, "row": effect.row_id})
    if effect.state == "ambiguous" and effect.next_at is not None:
        # a try may have ended later than its deadline (a suspended machine): settling counts from its end
        late = t.sending.update().where(
            and_(t.sending.c.row_id == effect.row_id, t.sending.c.deadline_at < now)
        )
        transaction.beside.execute(late, {"deadline_at": now})


@carry.register
def _(effect: CancelRest, transaction: Writing, now: str) -> None:
    query = t.sending.update().where(
        and_(t.sending.c.bond == effect.bond, t.sending.c.state.in_(("queued", "waiting", "dead")))
    )
    transaction.connection.execute(query, {"state": "cancelled", "why": effect.why, "updated_at": now})


@carry.register
def _(effect: Remember, transaction: Writing, now: str) -> None:
    for change_id in effect.change_ids:
        query = t.insert(transaction.connection, t.heard).values(
            vendor=effect.vendor, change_id=change_id, at=now
        )
        transaction.connection.execute(query.on_conflict_do_nothing())


@carry.register
def _(effect: MoveCursor, transaction: Writing, now: str) -> None:
    _put_vendor(transaction.connection, effect.vendor, cursor=effect.cursor, heard_at=now, trouble="")


@carry.register
def _(effect: Quarantine, transaction: Writing, now: str) -> None:
    query = t.insert(transaction.connection, t.quarantine).values(
        vendor=effect.vendor,
        change_id=effect.change_id,
        raw=effect.raw,
        why=effect.why,
        at=now,
        incident=effect.incident,
        bond=effect.bond,
    )
    transaction.connection.execute(query.on_conflict_do_nothing())


@carry.register
def _(effect: Forget, transaction: Writing, now: str) -> None:
    for table in (t.quarantine, t.heard) if effect.heard else (t.quarantine,):
        transaction.connection.execute(
            table.delete().where(and_(table.c.vendor == effect.vendor, table.c.change_id == effect.change_id))
        )


@carry.register
def _(effect: Pause, transaction: Writing, now: str) -> None:
    values: dict[str, Any] = {"paused_at": now if effect.why else None, "paused_why": effect.why}
    if effect.by or not effect.why:  # what a person holds back stays held back by them, whatever else fails
        values["paused_by"] = effect.by or None
    _put_vendor(transaction.connection, effect.vendor, **values)


@carry.register
def _(effect: Ends, transaction: Writing, now: str) -> None:
    _put_vendor(transaction.connection, effect.vendor, expires=effect.day or None)


@carry.register
def _(effect: WholeRead, transaction: Writing, now: str) -> None:
    _put_whole(transaction.connection, effect.bond, effect.part, whole=1)


@carry.register
def _(effect: ReadAnew, transaction: Writing, now: str) -> None:
    _put_whole(transaction.connection, effect.bond, effect.part, whole=0)


def _put_whole(connection: Connection, bond: str, part: str, *, whole: int) -> None:
    """Note of a bond's ticket, or of a further one (part), whether it was read from its beginning."""
    table, which = t.bond, t.bond.c.id == bond
    if part:
        r = t.bond_ref.c
        table, which = t.bond_ref, and_(r.bond == bond, r.remote_id == part, r.former == 0)
    connection.execute(table.update().where(which), {"whole": whole})


@carry.register
def _(effect: TryNow, transaction: Writing, now: str) -> None:
    _put_vendor(transaction.connection, effect.vendor, not_before=None, not_before_why="")


def _put_vendor(connection: Connection, name: str, **values: Any) -> None:
    query = t.insert(connection, t.vendor).values(**({**NEW_VENDOR, "name": name, **values}))
    connection.execute(query.on_conflict_do_update(index_elements=["name"], set_=values))
