"""The outbox's rows: who may send what now, for how long, and what waits.

Claiming and leasing update rows alone and take no head lock. What became of a sending is an event and
goes through the desk; only a wait (nothing happened, try later) is written here.
"""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from register.canon import moment, stamp
from register.store import tables as t
from register.store.hot import Hot
from register.store.store import Store
from register.store.unfinished import UNFINISHED


@dataclass(frozen=True, slots=True)
class Sending:
    """One row of the outbox. `deadline_at` is when the last request must have ended."""

    row_id: str
    op_id: str
    incident: str
    bond: str
    vendor: str
    kind: str
    payload: str
    position: int
    state: str
    on_ambiguous: str
    tries: int
    lookups: int
    next_at: datetime | None
    lease_until: datetime | None
    first_tried_at: datetime | None
    deadline_at: datetime | None
    why: str
    created_at: datetime
    remote_id: str | None = None  # the bond's ticket, where it is known


_ROW: Final = select(t.sending, t.bond.c.remote_id).outerjoin(t.bond, t.bond.c.id == t.sending.c.bond)
# what is asked at every turn of a courier is put together once
_Row = namedtuple("_Row", [one.name for one in _ROW.selected_columns])  # type: ignore[misc]  # as above


def _named(row: tuple[Any, ...]) -> Any:
    return _Row._make(row)


def _sending(row: Any) -> Sending:
    def time(text: str | None) -> datetime | None:
        return None if text is None else moment(text)

    return Sending(
        row_id=row.row_id,
        op_id=row.op_id,
        incident=row.incident,
        bond=row.bond,
        vendor=row.vendor,
        kind=row.kind,
        payload=row.payload,
        position=row.position,
        state=row.state,
        on_ambiguous=row.on_ambiguous,
        tries=row.tries,
        lookups=row.lookups,
        next_at=time(row.next_at),
        lease_until=time(row.lease_until),
        first_tried_at=time(row.first_tried_at),
        deadline_at=time(row.deadline_at),
        why=row.why,
        created_at=moment(row.created_at),
        remote_id=row.remote_id,
    )


def unfinished(store: Store, vendor: str | None = None, incident: str | None = None) -> list[Sending]:
    """What is on its way to suppliers or waits, in the order it was asked for: all, or of one of them or of
    one incident.
    """
    query = _ROW.where(and_(t.sending.c.lane == "bonds", t.sending.c.state.in_(UNFINISHED)))
    query = query.order_by(t.sending.c.position)
    if vendor is not None:
        query = query.where(t.sending.c.vendor == vendor)
    if incident is not None:
        query = query.where(t.sending.c.incident == incident)
    with store.read() as connection:
        return [_sending(row) for row in connection.execute(query)]


def latest(store: Store, most: int, incident: str | None = None) -> list[Sending]:
    """What was ever to go to suppliers, the newest first: all, or of one incident; `most` at most."""
    query = _ROW.where(t.sending.c.lane == "bonds").order_by(t.sending.c.position.desc()).limit(most)
    if incident is not None:
        query = query.where(t.sending.c.incident == incident)
    with store.read() as connection:
        return [_sending(row) for row in connection.execute(query)]


def unfinished_count(store: Store) -> int:
    """How many sendings are on their way to suppliers or wait."""
    query = select(func.count()).where(and_(t.sending.c.lane == "bonds", t.sending.c.state.in_(UNFINISHED)))
    with store.read() as connection:
        return int(connection.execute(query).scalar_one())


def _one_of(*states: str) -> ColumnElement[bool]:
    return t.sending.c.state.in_([literal_column(f"'{state}'") for state in states])


_AHEAD: Final = t.sending.alias()
_FIRST: Final = ~exists().where(
    and_(
        _AHEAD.c.bond == t.sending.c.bond,
        _AHEAD.c.position < t.sending.c.position,
        _AHEAD.c.state.in_([literal_column(f"'{state}'") for state in UNFINISHED]),
    )
)
"""Whether a row is the first unfinished one of its bond: those behind it need what comes of it."""
_S: Final = t.sending.c
_EDGE: Final[BindParameter[Any]] = bindparam("edge")
_OF_VENDOR: Final = _S.vendor == bindparam("vendor")
_PAUSED: Final = exists().where(and_(t.vendor.c.name == _S.vendor, t.vendor.c.paused_at.is_not(None)))
_CLAIMABLE: Final = Hot(
    _ROW.where(
        and_(
            _OF_VENDOR,
            or_(_one_of("queued"), and_(_one_of("waiting"), _S.next_at <= _EDGE)),
            _FIRST,
            ~_PAUSED,
        )
    )
    .order_by(_S.position)
    .limit(bindparam("most"))
    .offset(literal_column("0"))  # SQLAlchemy adds one of its own on SQLite
    .with_for_update(skip_locked=True, of=t.sending)
)
_TAKE: Final = Hot(t.sending.update().where(_S.row_id == bindparam("row")))
_OVERDUE: Final = Hot(
    _ROW.where(
        and_(
            _OF_VENDOR,
            or_(
                and_(_one_of("sending"), _S.lease_until <= _EDGE),
                and_(_one_of("ambiguous"), _S.next_at <= _EDGE, _FIRST),
            ),
        )
    ).order_by(_S.position)
)
_TIMES: Final = Hot(
    select(_S.next_at, _S.lease_until).where(
        and_(_OF_VENDOR, _one_of("waiting", "ambiguous", "sending"), _FIRST)
    )
)


def claim(
    store: Store,
    vendor: str,
    holder: str,
    now: datetime,
    deadline: datetime,
    lease_until: datetime,
    most: int,
) -> list[Sending]:
    """Take up to `most` rows of a vendor for sending now: the first unfinished one of each bond.

    deadline: when the request must have ended; lease_until: from when on others take the row for lost.
    """
    edge = stamp(now)
    with store.rows_only() as connection:
        asked = {"vendor": vendor, "edge": edge, "most": most}
        found = [_named(row) for row in _CLAIMABLE.ask(connection, asked).rows()]
        taken = [
            {
                "state": "sending",
                "lease_holder": holder,
                "lease_until": stamp(lease_until),
                "deadline_at": stamp(deadline),
                "next_at": None,
                "updated_at": edge,
                "tries": row.tries + 1,
                "first_tried_at": row.first_tried_at or edge,
            }
            for row in found
        ]
        _TAKE.many(
            connection, [{**values, "row": row.row_id} for row, values in zip(found, taken, strict=True)]
        )
    return [_sending(row._replace(**values)) for row, values in zip(found, taken, strict=True)]


def expired(store: Store, vendor: str, now: datetime) -> list[Sending]:
    """Rows whose sender died or lost its lease: a byte may have gone out."""
    query = _ROW.where(
        and_(
            t.sending.c.vendor == vendor,
            t.sending.c.state == "sending",
            t.sending.c.lease_until <= stamp(now),
        )
    )
    with store.read() as connection:
        return [_sending(row) for row in connection.execute(query)]


def overdue(store: Store, vendor: str, now: datetime) -> tuple[list[Sending], list[Sending]]:
    """What is `expired`, and doubtful rows that are due for a look-up; a message's ticket before it."""
    with store.read() as connection:
        found = _OVERDUE.ask(connection, {"vendor": vendor, "edge": stamp(now)}).rows()
    rows = [_sending(_named(row)) for row in found]
    return [r for r in rows if r.state == "sending"], [r for r in rows if r.state == "ambiguous"]


def wait(store: Store, row: Sending, until: datetime, why: str, now: datetime, exchange: str = "") -> None:
    """Nothing reached the supplier: try this row again later. No other worker's claim is touched.

    exchange: what was asked and what came back, if anything was.
    """
    from register.store.exchanges import put  # imports the store

    s = t.sending
    query = s.update().where(and_(s.c.row_id == row.row_id, s.c.state == "sending", s.c.tries == row.tries))
    with store.rows_only() as connection:
        connection.execute(
            query,
            {
                "state": "waiting",
                "next_at": stamp(until),
                "why": why,
                "lease_holder": None,
                "lease_until": None,
                "updated_at": stamp(now),
            },
        )
        if exchange:
            put(connection, row.row_id, exchange, stamp(now))


def look_again(store: Store, row: Sending, at: datetime, why: str, now: datetime, *, counts: bool) -> None:
    """A look-up did not settle it: look again later. One that was not answered does not count."""
    s = t.sending
    query = s.update().where(and_(s.c.row_id == row.row_id, s.c.state == "ambiguous", s.c.tries == row.tries))
    with store.rows_only() as connection:
        connection.execute(
            query.values(lookups=s.c.lookups + int(counts)),
            {"next_at": stamp(at), "why": why, "updated_at": stamp(now)},
        )


def next_due(store: Store, vendor: str) -> datetime | None:
    """When something of this vendor falls due that is not due yet, if anything does."""
    with store.read() as connection:
        found = _TIMES.ask(connection, {"vendor": vendor}).rows()
    times = [text for row in found for text in row if text is not None]
    return moment(min(times)) if times else None
