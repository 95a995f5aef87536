"""Folding incidents again from their events, one after the other, in memory that does not grow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, Connection, select, true

import register.topics  # noqa: F401 - registers every event and how it folds
from register.canon import moment
from register.core import EVENTS, Event, evolve, fold, moved
from register.incident import Incident
from register.row import number_of
from register.store import tables as t
from register.store.folding import REDACTED

_E: Final = t.event.c
_COLUMNS: Final = (
    _E.stream,
    _E.n,
    _E.seq,
    _E.kind,
    _E.v,
    _E.at,
    _E.recorded_at,
    _E.data,
)
AT_ONCE: Final = 1000
"""Rows that are fetched together."""


@dataclass(slots=True)
class Refolded:
    """One incident as its events say. `incident` None, or not `proved`: they do not say enough of it."""

    number: str
    version: int = 0
    seq: int = 0
    incident: Incident | None = None
    proved: bool = True
    faults: list[str] = field(default_factory=list)

    @property
    def n(self) -> int:
        return number_of(self.number)


def refold(connection: Connection, only: ColumnElement[bool] | None = None) -> Iterator[Refolded]:
    """Yield every incident folded from its events, in no promised order.

    only: which events; whoever gives it sees to it that an incident's events are chosen together.
    """
    query = select(*_COLUMNS).where(true() if only is None else only).order_by(_E.stream, _E.n)
    rows = connection.execute(query.execution_options(yield_per=AT_ONCE))
    for stream, events in groupby(rows, itemgetter(0)):
        if stream.startswith("INC-"):
            yield _of_one(stream, events)


def _kept(rows: Iterable[Any]) -> tuple[dict[int, str], set[int]]:
    """Return what a stream's redactions kept of its events, as `folding.kept_of` reads it from the table;
    and the events that they say they wiped."""
    found, wiped = dict[int, str](), set[int]()
    for row in rows:
        if row[3] != REDACTED or row[-1] is None:
            continue
        try:
            told = orjson.loads(row[-1])
            found |= {int(seq): orjson.dumps(rest).decode() for seq, rest in told["kept"].items()}
            wiped.update(map(int, told["wiped"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # the fold below tells of it
    return found, wiped | found.keys()


def _changes(kind: type[Event]) -> bool:
    """Whether events of that kind change anything of an incident."""
    return any(does.dispatch(kind) is not does.dispatch(Event) for does in (evolve, moved))


def _of_one(stream: str, events: Iterable[Any]) -> Refolded:
    """Fold one stream. Of redacted data what was kept is folded; where nothing was, and with kinds of a
    newer program, the fold proves nothing."""
    made = Refolded(stream)
    rows = list(events)
    empty = [row[2] for row in rows if row[-1] is None]
    kept, wiped = _kept(rows) if empty else ({}, set[int]())
    gone = (seq for seq in empty if seq not in wiped)
    made.faults += [f"Event {seq} of {stream}: its data is gone, and no redaction took it." for seq in gone]
    for _, n, seq, name, v, at, recorded_at, written in rows:
        data = kept.get(seq) if written is None else written
        if n != made.version + 1 or not isinstance(n, int):
            made.faults.append(f"Event {seq}: {stream} goes from {made.version} to {n}.")
        if seq < made.seq:
            made.faults.append(f"Event {seq}: {stream} has it behind event {made.seq}.")
        made.version, made.seq = n if isinstance(n, int) else made.version + 1, seq
        kind = EVENTS.get((name, v))
        if kind is None or data is None:
            if kind is None or _changes(kind):
                made.proved = False
            if made.incident is not None:
                made.incident = made.incident.but(updated_at=moment(recorded_at))
            continue
        if not made.proved:
            continue
        try:
            said = kind.model_validate_json(data)
            when = moment(at)
            known = when if recorded_at == at else moment(recorded_at)
            after = fold(said, made.incident, when, known)
        except (ValueError, AttributeError) as error:
            made.faults.append(f"Event {seq} of {stream} cannot be folded: {type(error).__name__}.")
            continue
        made.incident = made.incident if after is None else after
    return made
