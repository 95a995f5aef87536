"""The people's side table, and what names somebody outside of events: written when they are erased."""

from __future__ import annotations

from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select

from register.forgetting import GONE, Quoted
from register.row import number_of
from register.store import tables as t
from register.store.carry import Writing, carry
from register.store.scrub import wipes
from register.topics.erasure import EmptyPerson, TakeOut

_TEXTS: Final[tuple[tuple[Table, tuple[str, ...], tuple[str, ...]], ...]] = (
    (t.sending, ("row_id",), ("payload", "why")),
    (t.quarantine, ("vendor", "change_id"), ("raw", "why")),
    (t.vendor, ("name",), ("paused_why", "trouble")),
    (t.attachment, ("id",), ("name",)),
    (t.feed, ("rota",), ("trouble", "lost")),
)
"""Tables besides the events that hold texts: their keys, these texts. Folds are made anew of events."""


@carry.register
def _(effect: EmptyPerson, transaction: Writing, now: str) -> None:
    wipes(transaction.connection)
    transaction.wiped = True
    row = t.person.c
    emptied = {"login": f"erased/{effect.person}", "name": f"erased {effect.person}", "erased_at": now}
    mine = and_(row.id == effect.person, row.erased_at.is_(None))
    transaction.connection.execute(t.person.update().where(mine), emptied)
    transaction.forget(effect.person)


@carry.register
def _(effect: TakeOut, transaction: Writing, now: str) -> None:
    connection, quoted = transaction.connection, Quoted(effect.names)
    wipes(connection)
    transaction.wiped = True
    for table, keys, texts in _TEXTS:
        for row in _quoting(connection, table, keys, texts, quoted, effect.keep):
            mine = and_(*(table.c[key] == row[key] for key in keys))
            changed = {name: _text(name, row[name], quoted) for name in texts}
            connection.execute(table.update().where(mine), changed)
    _forget_exchanges(connection, quoted, effect.keep)


def _forget_exchanges(connection: Connection, quoted: Quoted, keep: tuple[str, ...]) -> None:
    """What was said to suppliers and quotes them goes whole: nothing hangs on it."""
    row = t.sending.c
    held = set(connection.execute(select(row.row_id).where(row.incident.in_(keep))).scalars())
    for kept in _quoting(connection, t.exchange, ("row_id",), ("said",), quoted, ()):
        if kept["row_id"] not in held:
            connection.execute(t.exchange.delete().where(t.exchange.c.row_id == kept["row_id"]))


def _quoting(
    connection: Connection,
    table: Table,
    keys: tuple[str, ...],
    texts: tuple[str, ...],
    quoted: Quoted,
    keep: tuple[str, ...],
) -> list[Any]:
    query = select(*(table.c[name] for name in (*keys, *texts)))
    if keep and "incident" in table.c:
        numbers = [number_of(one) for one in keep] if table is t.attachment else list(keep)
        query = query.where(table.c.incident.not_in(numbers))
    rows = (row._mapping for row in connection.execute(query))
    return [row for row in rows if any(quoted.in_json(row[name] or "") for name in texts)]


def _text(name: str, text: str, quoted: Quoted) -> str:
    """What is still to be sent goes without the name; what nobody could read goes whole."""
    if not text or not quoted.in_json(text):
        return text
    if name == "payload":
        return orjson.dumps(_walked(orjson.loads(text), quoted)).decode()
    return GONE if name == "raw" else quoted.taken_out(text)


def _walked(value: Any, quoted: Quoted) -> Any:
    if isinstance(value, str):
        return quoted.taken_out(value)
    if isinstance(value, dict):
        return {key: _walked(one, quoted) for key, one in value.items()}
    return [_walked(one, quoted) for one in value] if isinstance(value, list) else value


def find(connection: Connection, said: str) -> list[Any]:
    """Return the rows (id, kind, login, name, erased_at) of whoever is meant: by id, login or name."""
    row = t.person.c
    same: ColumnElement[bool] = or_(row.id == said, row.login == said, row.name == said)
    query = select(row.id, row.kind, row.login, row.name, row.erased_at).where(same)
    return list(connection.execute(query.order_by(row.id)))
