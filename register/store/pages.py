"""The outbox's lane of pages: who is to be told something now, who may tell them, and what waits.

Beside the lane to suppliers, never before or behind it. What became of a page is an event and goes through
the desk; claiming, and a wait after a try that reached nobody, update rows alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, literal_column, or_, select

from register.canon import moment, stamp
from register.row import number_of
from register.store import tables as t
from register.store.carry import Writing, carry
from register.store.hot import Hot
from register.store.store import Store
from register.topics.paging import LANE, SendPage

_S: Final = t.sending.c
_NAMES: Final = (
    *("row_id", "incident", "person", "payload", "state", "tries", "next_at", "expires_at"),
    *("lease_until", "why", "created_at", "position"),
)
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class PageRow:
    """One page. payload: a register.topics.paging.About as JSON. After `expires_at` it is not sent."""

    row_id: str
    incident: str
    person: str
    payload: str
    state: str
    tries: int
    next_at: datetime | None
    expires_at: datetime
    lease_until: datetime | None
    why: str
    created_at: datetime


def _page(row: Any) -> PageRow:
    values = {name: row[name] for name in PageRow.__dataclass_fields__}
    for name in ("next_at", "expires_at", "lease_until", "created_at"):
        values[name] = None if values[name] is None else moment(values[name])
    return PageRow(**values)


def _in(*states: str) -> ColumnElement[bool]:
    """Pages in these states; the supplier that they have not is what the index begins with."""
    some = _S.state.in_([literal_column(f"'{state}'") for state in states])
    return and_(some, _S.vendor == literal_column("''"), _S.lane == literal_column(f"'{LANE}'"))


_WAITING: Final = Hot(
    select(_S.state, _S.created_at, _S.next_at, _S.lease_until).where(_in("queued", "waiting", "sending"))
)
_INSERT: Final = Hot(t.sending.insert())
_LOGIN: Final = Hot(
    select(t.person.c.login).where(and_(t.person.c.id == bindparam("person"), t.person.c.erased_at.is_(None)))
)
_DUE: Final = (
    select(*(_S[name] for name in _NAMES))
    .where(
        or_(
            _in("queued"),
            and_(_in("waiting"), _S.next_at <= bindparam("edge")),
            and_(_in("sending"), _S.lease_until <= bindparam("lost")),
        )
    )
    .order_by(_S.position, _S.row_id)
    .limit(_AT_ONCE)
    .with_for_update(skip_locked=True, of=t.sending)
)


@carry.register
def _(effect: SendPage, transaction: Writing, now: str) -> None:
    _INSERT(
        transaction.beside,
        {
            "row_id": effect.row_id,
            "op_id": effect.row_id,
            "incident": effect.incident,
            "bond": "",  # it stands in no bond's line: what is behind it there would wait for it
            "vendor": "",
            "lane": LANE,
            "person": effect.person,
            "kind": "page",
            "payload": effect.about,
            "position": transaction.seq,
            "state": "queued",
            "on_ambiguous": "resend",
            "expires_at": stamp(effect.expires_at),
            "tries": 0,
            "lookups": 0,
            "why": "",
            "created_at": now,
            "updated_at": now,
        },
    )


def next_due(store: Store) -> datetime | None:
    """When the next page falls due, or is lost by whoever sends it; in the past for one that is due."""
    with store.read() as connection:
        found = _WAITING.ask(connection, {}).rows()
    at = [{"queued": made, "waiting": next_, "sending": until}[state] for state, made, next_, until in found]
    return moment(min(at)) if at else None


def claim(
    store: Store,
    holder: str,
    now: datetime,
    deadline: datetime,
    lease_until: datetime,
    lost: datetime,
    most: int,
    each: int,
    busy: Mapping[str, int],
) -> list[PageRow]:
    """Take up to `most` pages that are due, to send them now; `each` of one person at the most.

    A page that was being sent when its lease ran out before `lost` is taken, too: it may have arrived, and a
    page that comes twice is better than one that does not come. busy: how many each person has in the air.
    """
    edge, flying = stamp(now), Counter(busy)
    full = sorted(person for person, count in flying.items() if count >= each)
    due = _DUE.where(_S.person.not_in(full)) if full else _DUE  # theirs may be more than are looked at
    taken: list[dict[str, Any]] = []
    with store.rows_only() as connection:
        asked = {"edge": edge, "lost": stamp(lost)}
        for row in connection.execute(due, asked).mappings().all():
            if len(taken) == most:
                break
            if flying[row["person"]] < each:
                flying[row["person"]] += 1
                taken.append({**row})
        for page in taken:
            changes = {"state": "sending", "tries": page["tries"] + 1, "next_at": None}
            changes["lease_until"] = stamp(lease_until)
            page.update(changes)
            more = {"lease_holder": holder, "deadline_at": stamp(deadline), "updated_at": edge}
            connection.execute(t.sending.update().where(_S.row_id == page["row_id"]), changes | more)
    return [_page(page) for page in taken]


def wait(store: Store, row: PageRow, until: datetime, why: str, now: datetime) -> None:
    """Nothing took it this time: try again later. No other worker's claim is touched."""
    mine = and_(_S.row_id == row.row_id, _S.state == "sending", _S.tries == row.tries)
    with store.rows_only() as connection:
        connection.execute(
            t.sending.update().where(mine),
            {
                "state": "waiting",
                "next_at": stamp(until),
                "why": why,
                "lease_holder": None,
                "lease_until": None,
                "updated_at": stamp(now),
            },
        )


def unfinished(store: Store) -> list[PageRow]:
    """What is to be sent or is being sent, and what reached nobody, of incidents that are open still."""
    query = select(*(_S[name] for name in _NAMES)).where(_in("queued", "waiting", "sending", "dead"))
    with store.read() as connection:
        rows = connection.execute(query.order_by(_S.position, _S.row_id)).mappings().all()
        numbers = sorted({number_of(row["incident"]) for row in rows if row["state"] == "dead"})
        still: set[str] = set()
        for at in range(0, len(numbers), _AT_ONCE):
            incident = t.incident.c
            mine = and_(incident.n.in_(numbers[at : at + _AT_ONCE]), incident.open == 1)
            still |= {f"INC-{n}" for n in connection.execute(select(incident.n).where(mine)).scalars()}
    return [_page(row) for row in rows if row["state"] != "dead" or row["incident"] in still]


def are_waiting(store: Store) -> bool:
    """Whether a page is still to be sent."""
    with store.read() as connection:
        return bool(_WAITING.ask(connection, {}).rows())


def login_of(connection: Connection, person: str) -> str | None:
    """The login of whoever is to be paged; None where nobody is known by that id, or they were erased."""
    found = _LOGIN.ask(connection, {"person": person}).rows()
    return str(found[0][0]) if found else None
