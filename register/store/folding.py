"""Folding an incident from its events again: as it is, or as it was known at an earlier event.

Where data was redacted, what the `redacted` event kept of it takes its place: facts without texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import orjson
from sqlalchemy import Connection, and_, select

from register.canon import ENVELOPE
from register.core import Recorded, Written, fold
from register.incident import Incident
from register.store import tables as t
from register.store.reading import recorded

REDACTED: Final = "redacted"
"""The kind of event that says what was redacted."""
AT_ONCE: Final = 500
"""Streams that are read with one question."""

_READ: Final = tuple(t.event.c[name] for name in (*ENVELOPE, "data"))
"""What of an event's row makes a value, in the order of the table."""
_STREAM: Final = ENVELOPE.index("stream")
_DATA: Final = len(ENVELOPE)

Kept = Mapping[int, str]
"""What redactions kept of events' data, as JSON, by seq."""


def kept_of(connection: Connection, streams: Iterable[str]) -> Kept:
    """Return what was kept of the redacted events of these streams."""
    query = select(t.event.c.data).where(
        and_(t.event.c.stream.in_(list(streams)), t.event.c.kind == REDACTED, t.event.c.data.is_not(None))
    )
    kept: dict[int, str] = {}
    for data in connection.execute(query.order_by(t.event.c.seq)).scalars():
        for seq, rest in orjson.loads(data)["kept"].items():
            kept[int(seq)] = orjson.dumps(rest).decode()
    return kept


def stories_of(connection: Connection, streams: Iterable[str]) -> dict[str, tuple[Written, ...]]:
    """Return the events of each of these streams as they stand, oldest first."""
    event, found = t.event.c, {}
    for stream in streams:
        query = select(event.seq, event.kind, event.v, event.command_id, event.data)
        rows = connection.execute(query.where(event.stream == stream).order_by(event.n)).all()
        kept = kept_of(connection, [stream]) if any(row.data is None for row in rows) else {}
        found[stream] = tuple(
            Written(seq, kind, v, command_id, kept.get(seq) if data is None else data, data is None)
            for seq, kind, v, command_id, data in rows
        )
    return found


def events_of(connection: Connection, stream: str, upto: int | None = None) -> list[Recorded]:
    """Return the events of one stream, oldest first; with `upto`, those known at that seq."""
    return next((events for _, events in _by_stream(connection, [stream], upto)), [])


def timelines_of(connection: Connection, streams: Iterable[str]) -> dict[str, list[Recorded]]:
    """Return the events of each of these streams, oldest first: with one question, so let them be few."""
    return dict(_by_stream(connection, list(streams), None))


def folded(
    connection: Connection, numbers: Iterable[str], upto: int | None = None
) -> Iterator[tuple[str, Incident]]:
    """Yield incidents as their events say; with `upto`, as they were known at that seq."""
    wanted = list(numbers)
    for at in range(0, len(wanted), AT_ONCE):
        for number, events in _by_stream(connection, wanted[at : at + AT_ONCE], upto):
            incident = fold_all(events)
            if incident is not None:
                yield number, incident


def fold_all(events: Iterable[Recorded]) -> Incident | None:
    """Return the incident that these events make. What cannot be read changes nothing but the time."""
    incident: Incident | None = None
    for one in events:
        if one.event is not None:
            incident = fold(one.event, incident, one.at, one.recorded_at)
        elif incident is not None:
            incident = incident.but(updated_at=one.recorded_at)
    return incident


def _by_stream(
    connection: Connection, streams: list[str], upto: int | None
) -> Iterator[tuple[str, list[Recorded]]]:
    event = t.event.c
    query = select(*_READ).where(event.stream.in_(streams)).order_by(event.stream, event.n)
    if upto is not None:
        query = query.where(event.seq <= upto)
    rows: list[Any] = list(connection.execute(query))
    # a redaction reaches back: what it wiped is gone at every earlier moment too
    gone = {row[_STREAM] for row in rows if row[_DATA] is None}
    kept = kept_of(connection, gone) if gone else {}
    for stream, some in groupby(rows, key=itemgetter(_STREAM)):
        yield stream, [recorded(row, kept) for row in some]
