"""Wiping redacted data, and making anew what was made of it: rows, board rows, full text, file names."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from register.row import number_of
from register.store import tables as t
from register.store.carry import Writing, carry
from register.store.exchanges import forget
from register.store.folding import events_of, fold_all
from register.store.scrub import wipes
from register.store.unfinished import UNFINISHED
from register.topics.paging import LANE
from register.topics.privacy import Wipe

_AT_ONCE: Final = 500


@carry.register
def _(effect: Wipe, transaction: Writing, now: str) -> None:
    connection = transaction.connection
    wipes(connection)
    transaction.wiped = True
    for some in _batches(effect.seqs):
        gone = t.event.update().where(and_(t.event.c.stream == effect.stream, t.event.c.seq.in_(some)))
        connection.execute(gone, {"data": None, "salt": None})
    _forget_sent(connection, effect)
    if effect.whole:
        _mark_caller(connection, effect.stream, now)
    forget(connection, select(t.sending.c.row_id).where(t.sending.c.incident == effect.stream))
    if not effect.stream.startswith("INC-"):
        return
    from register.store.files import made_anew  # both import the store
    from register.store.fulltext import reindex

    reindex(connection, [effect.stream])
    events = events_of(connection, effect.stream)
    made_anew(connection, effect.stream, events)
    incident = fold_all(events)
    if incident is not None:
        transaction.anew[effect.stream] = incident


def _forget_sent(connection: Connection, effect: Wipe) -> None:
    """What has arrived, or never will, needs its text no more."""
    row = t.sending.c
    asked: list[ColumnElement[bool]] = [row.op_id.in_(some) for some in _batches(effect.sent)]
    if effect.whole:
        asked = [row.incident == effect.stream]
    if asked:
        to_nobody = and_(row.lane == LANE, row.state == "dead")  # it will not be sent either
        over = and_(or_(*asked), or_(row.state.not_in(UNFINISHED), to_nobody))
        connection.execute(t.sending.update().where(over), {"payload": "{}", "why": ""})


def _mark_caller(connection: Connection, stream: str, now: str) -> None:
    """Whoever called is looked at later: of whom nothing else is on record goes as well."""
    row = t.incident.c
    caller = select(row.caller).where(row.n == number_of(stream)).scalar_subquery()
    connection.execute(t.person.update().where(t.person.c.id == caller), {"retired_at": now})


def _batches(several: Sequence[Any]) -> list[tuple[Any, ...]]:
    rest = iter(several)
    return list(iter(lambda: tuple(islice(rest, _AT_ONCE)), ()))
