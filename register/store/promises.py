"""What this register has promised since when: the timeline by which clocks are counted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, and_, select

from register.clocks.book import DEFAULT_TIMELINE, Timeline
from register.core import Recorded
from register.store import tables as t
from register.store.reading import recorded
from register.topics.adoption import STREAM, BookAdopted

_ADOPTED: Final = (
    select(t.event)
    .where(and_(t.event.c.stream == STREAM, t.event.c.kind == BookAdopted.kind))
    .order_by(t.event.c.n)
)


def timeline_of(connection: Connection) -> Timeline:
    """Return every version of what is promised, oldest first; the built-in one where none was adopted."""
    return timeline_from(recorded(row) for row in connection.execute(_ADOPTED))


def timeline_from(events: Iterable[Recorded]) -> Timeline:
    """What is built in held first; a version holds from the first full second behind its adoption.

    So what was decided before the adoption is decided the same when it is worked out again.
    """
    since = [
        (int(one.recorded_at.timestamp()) + 1, one.event.book)
        for one in events
        if isinstance(one.event, BookAdopted)
    ]
    return (*DEFAULT_TIMELINE, *since)
