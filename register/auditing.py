"""The audit of a register: every escalation on record, with the pages that its steps asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final

import orjson
from sqlalchemy import Connection, String, and_, cast, literal, or_, select

from register.audit import Fault, Page, audited
from register.audit.account import FIRST
from register.canon import stamp
from register.core import Recorded
from register.store import Store
from register.store import tables as t
from register.store.folding import timelines_of
from register.topics.paging import LANE

_AT_ONCE: Final = 200
"""Incidents that are read with one question."""


@dataclass(slots=True)
class Audit:
    """What was looked at and found. found: in the order of the log."""

    incidents: int = 0
    fired: int = 0
    found: list[Fault] = field(default_factory=list)

    @property
    def faults(self) -> list[Fault]:
        return [one for one in self.found if one.is_grave]


def audit(store: Store, now: datetime, since: datetime | None = None) -> Audit:
    """Look whether a step was forgotten, or taken twice or too early, in any escalation of a register.

    since: of what happened from then on, or is wrong still. Each incident is read from its beginning.
    """
    done = Audit()
    with store.read() as connection:
        streams = iter(_escalated(connection, since))
        while some := list(islice(streams, _AT_ONCE)):
            rows = _pages(connection, some)
            for number, events in timelines_of(connection, some).items():
                done.incidents += 1
                done.fired += _fired(events, since)
                faults = audited(number, events, now, rows.get(number, frozenset()))
                done.found += (one for one in faults if since is None or one.lasts or one.at >= since)
    done.found.sort(key=lambda fault: (fault.seq, fault.at))
    return done


def _fired(events: Sequence[Recorded], since: datetime | None) -> int:
    return sum(one.kind == "step_fired" and (since is None or one.at >= since) for one in events)


def _escalated(connection: Connection, since: datetime | None) -> list[str]:
    """The incidents that were ever escalated; with `since`, to which something happened or is due."""
    query = select(t.event.c.stream).distinct().where(t.event.c.kind == "escalation_started")
    if since is not None:
        row, event = t.incident.c, t.event.c
        lately = select(event.stream).where(event.recorded_at >= stamp(since))
        waiting = select(literal("INC-").concat(cast(row.n, String))).where(row.step_at.is_not(None))
        query = query.where(or_(event.stream.in_(lately), event.stream.in_(waiting)))
    found = connection.execute(query).scalars()
    return sorted(found, key=lambda number: int(number.removeprefix("INC-")))


def _pages(connection: Connection, numbers: Sequence[str]) -> dict[str, frozenset[Page]]:
    """The pages of steps that the outbox has, by incident."""
    row = t.sending.c
    query = select(row.incident, row.person, row.payload)
    found: dict[str, set[Page]] = {}
    for number, person, payload in connection.execute(
        query.where(and_(row.lane == LANE, row.incident.in_(numbers)))
    ):
        for page in _page(person, payload):
            found.setdefault(number, set()).add(page)
    return {number: frozenset(some) for number, some in found.items()}


def _page(person: str, payload: str | None) -> Iterator[Page]:
    about = orjson.loads(payload or "{}")
    if about.get("reason") == "step":
        loop, step, reminder = about.get("place") or FIRST
        yield Page(person, about["run"], about["cycle"], about["because"], (loop, step, reminder))
