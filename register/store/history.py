"""The register as it was known at an earlier time: recorded at T or before ⇔ a seq up to S.

Times of recording grow with seq, so S is found by the index. An incident that has not changed since
takes its row as it is; only what changed later is folded from its events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select

from register.canon import moment, stamp
from register.clocks.due import due_of
from register.core import Principal, Recorded
from register.incident import Incident
from register.row import board_row, mask, number_of
from register.store import tables as t
from register.store.folding import events_of, folded
from register.store.promises import timeline_of
from register.store.reading import incident_of
from register.store.sight import Sight, sight_of, visible


@dataclass(frozen=True, slots=True)
class Then:
    """A moment of the register: the newest event known at `at`, and how many incidents there were."""

    at: datetime
    seq: int
    incidents: int

    @property
    def empty(self) -> bool:
        return self.seq == 0


def then(connection: Connection, at: datetime) -> Then:
    """Return what was known at that time."""
    event = t.event.c
    edge = stamp(at)
    newest = select(event.recorded_at).where(event.recorded_at <= edge).order_by(event.recorded_at.desc())
    last = connection.execute(newest.limit(1)).scalar_one_or_none()
    if last is None:
        return Then(at, 0, 0)
    seq = connection.execute(select(func.max(event.seq)).where(event.recorded_at == last)).scalar_one()
    return Then(at, int(seq), _numbers_at(connection, int(seq)))


def first_recorded(connection: Connection, stream: str | None = None) -> datetime | None:
    """Return when the register's first event, or that of a stream, was recorded."""
    query = select(t.event.c.recorded_at).order_by(t.event.c.seq).limit(1)
    if stream is not None:
        query = select(t.event.c.recorded_at).where(and_(t.event.c.stream == stream, t.event.c.n == 1))
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else moment(found)


def _numbers_at(connection: Connection, seq: int) -> int:
    """Return the last number that was given by that seq: numbers are given in order and never skipped."""
    low, high = 0, int(connection.execute(select(t.head.c.incident)).scalar_one())
    while low < high:
        middle = (low + high + 1) // 2
        query = select(t.event.c.seq).where(and_(t.event.c.stream == f"INC-{middle}", t.event.c.n == 1))
        first = connection.execute(query).scalar_one_or_none()
        low, high = (middle, high) if first is not None and first <= seq else (low, middle - 1)
    return low


def incidents_then(connection: Connection, when: Then, *, everything: bool = False) -> Iterator[Incident]:
    """Yield the incidents that were open then, or all that were known, by number."""
    incident = t.incident.c
    same = select(incident.n, incident.doc).where(
        and_(incident.n <= when.incidents, incident.seq <= when.seq)
    )
    if not everything:
        same = same.where(incident.open == 1)
    found = {}
    for n, doc in connection.execute(same):
        found[n] = incident_of(doc, n)
    later = select(incident.n).where(and_(incident.n <= when.incidents, incident.seq > when.seq))
    later = later.order_by(incident.n)
    numbers = [f"INC-{n}" for n in connection.execute(later).scalars()]
    for number, one in folded(connection, numbers, when.seq):
        if everything or one.is_open:
            found[number_of(number)] = one
    for n in sorted(found):
        yield found[n]


def incident_then(connection: Connection, when: Then, number: str) -> Incident | None:
    """Return one incident as it was known then; None where it was not known."""
    if number_of(number) > when.incidents:
        return None
    return next((one for _, one in folded(connection, [number], when.seq)), None)


def timeline_then(connection: Connection, when: Then, number: str) -> list[Recorded]:
    """Return the events of one incident that were known then."""
    return events_of(connection, number, when.seq)


def rows_then(connection: Connection, when: Then, viewer: Principal | None) -> list[dict[str, Any]]:
    """Return the board's rows of then, as this viewer may see them now."""
    sight = sight_of(connection, viewer)
    secret = secret_now(connection, sight)
    rows, timeline = [], timeline_of(connection)
    for one in incidents_then(connection, when):
        row = board_row(one, due_of(one, timeline))
        rows.append(mask(row) if one.number in secret else row)
    return rows


def secret_now(connection: Connection, sight: Sight) -> frozenset[str]:
    """Return the numbers of what this reader may not see now: the past shows no more than the present."""
    query = select(t.incident.c.n).where(and_(t.incident.c.restricted == 1, ~visible(sight)))
    return frozenset(f"INC-{n}" for n in connection.execute(query).scalars())
