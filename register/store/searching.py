"""Searching the full-text index: the newest first, with what this reader may see.

The index is brought up to the events before it is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    String,
    and_,
    cast,
    column,
    func,
    select,
    table,
)
from sqlalchemy.types import UserDefinedType

from register.canon import moment
from register.core import Principal
from register.store import tables as t
from register.store.fulltext import catch_up, data_in, titles_of
from register.store.sight import sight_of, visible
from register.store.store import Store
from register.text import clip
from register.words import Term, said

WINDOW: Final = 60_000
"""Entries that are looked through one by one on PostgreSQL, which takes some 20 ms."""
_E: Final = t.event.c
_NUMBER: Final = cast(func.substr(_E.stream, len("INC-") + 1), Integer)


class _TsQuery(UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "TSQUERY"


@dataclass(frozen=True, slots=True)
class Hit:
    """The newest entry of an incident that has all that was looked for."""

    number: str
    seq: int
    kind: str
    at: datetime
    actor: str
    title: str
    text: str
    priority: int
    state: str
    called: str = ""  # its title in that entry, where it has another one by now


def match(connection: Connection, terms: Sequence[Term]) -> tuple[Any, Any, ColumnElement[bool]]:
    """Return the index's table, its key, and the condition that all terms are in an entry."""
    if connection.dialect.name == "sqlite":
        index = table("fulltext", column("rowid", Integer), column("words", String))
        return index, index.c.rowid, index.c.words.op("MATCH")(_fts5(terms))
    index = table("fulltext", column("seq", Integer), column("words", String))
    return index, index.c.seq, index.c.words.op("@@")(cast(_tsquery(terms), _TsQuery()))


def _fts5(terms: Sequence[Term]) -> str:
    return " AND ".join(f'"{" ".join(term.words)}"{" *" if term.beginning else ""}' for term in terms)


def _tsquery(terms: Sequence[Term]) -> str:
    def one(term: Term) -> str:
        quoted = [f"'{word}'" for word in term.words]
        return f"({' <-> '.join(quoted)}{':*' if term.beginning else ''})"

    return " & ".join(map(one, terms))


def numbers(connection: Connection, terms: Sequence[Term]) -> Select[int]:
    """Return the question for the `n` of all incidents of which an entry has all terms."""
    index, key, has = match(connection, terms)
    return select(_NUMBER).select_from(index.join(t.event, _E.seq == key)).where(has)


def search(
    store: Store, viewer: Principal | None, terms: Sequence[Term], *, limit: int = 50
) -> tuple[list[Hit], bool]:
    """Return the incidents of which an entry has all terms, the newest first; and whether there are more.

    What this reader may not see is not found.
    """
    catch_up(store)
    with store.read() as connection:
        found = _hits(connection, viewer, terms, limit + 1)
    return found[:limit], len(found) > limit


def _hits(connection: Connection, viewer: Principal | None, terms: Sequence[Term], limit: int) -> list[Hit]:
    allowed = visible(sight_of(connection, viewer))
    newest = _newest_on_sqlite if connection.dialect.name == "sqlite" else _newest_on_postgresql
    hits: dict[str, Hit] = {}
    before: int | None = None
    while len(hits) < limit:
        seqs = newest(connection, terms, before, 2 * limit)
        rows = _rows(connection, seqs, allowed)
        first = titles_of(connection, {row.stream for row in rows})
        for row in rows:
            if row.stream not in hits and len(hits) < limit:
                hits[row.stream] = _hit(row, first.get(row.stream, ""))
        if len(seqs) < 2 * limit:
            break
        before = seqs[-1]
    return list(hits.values())


def _rows(connection: Connection, seqs: Sequence[int], allowed: ColumnElement[bool]) -> Sequence[Any]:
    """Return those of these events that may be seen, the newest first."""
    query = (
        select(_E.seq, _E.stream, _E.kind, _E.at, _E.actor, _E.data, t.incident.c.board)
        .select_from(t.event.join(t.incident, t.incident.c.n == _NUMBER))
        .where(and_(_E.seq.in_(seqs), allowed))
        .order_by(_E.seq.desc())
    )
    return connection.execute(query).all() if seqs else []


def _newest_on_sqlite(
    connection: Connection, terms: Sequence[Term], before: int | None, most: int
) -> list[int]:
    """FTS5 walks its lists from the end, and no further than it is asked to."""
    index, key, has = match(connection, terms)
    query = select(key).select_from(index).where(has).order_by(key.desc()).limit(most)
    return list(connection.execute(query if before is None else query.where(key < before)).scalars())


def _newest_on_postgresql(
    connection: Connection, terms: Sequence[Term], before: int | None, most: int
) -> list[int]:
    """GIN gives all entries at once, in no order: good for words that are rare, and for no others.

    So the newest entries are looked through first, one by one. Only where they have not enough of it, which
    says that the words are rare, is the index asked. The planner has no figures of rare words to choose by.
    """
    index, key, has = match(connection, terms)
    end = (
        before
        or connection.execute(select(func.coalesce(func.max(key), 0)).select_from(index)).scalar_one() + 1
    )
    newest = select(key).select_from(index).where(has, key < end, key >= end - WINDOW)
    _plan(connection, bitmapscan="off", seqscan="off")
    found = list(connection.execute(newest.order_by(key.desc()).limit(most)).scalars())
    if len(found) < most and end > WINDOW:
        rest = select(key.label("seq")).select_from(index).where(has).offset(0).subquery()  # not to be mixed
        older = select(rest.c.seq).where(rest.c.seq < end - WINDOW).order_by(rest.c.seq.desc())
        _plan(connection, bitmapscan="on", indexscan="off", seqscan="off")
        found += connection.execute(older.limit(most - len(found))).scalars()
    _plan(connection, bitmapscan="on", indexscan="on", seqscan="on")
    return found


def _plan(connection: Connection, **ways: str) -> None:
    """Say which ways of reading the planner may choose until it is told otherwise, or this look ends."""
    for way, allowed in ways.items():
        connection.exec_driver_sql(f"SET LOCAL enable_{way} = {allowed}")


def _hit(row: Any, first: str) -> Hit:
    board = orjson.loads(row.board)
    data = data_in(row.data)
    own, texts = said(data)
    entry = own or first
    same = clip(entry, len(board["title"])) == board["title"]
    return Hit(
        number=row.stream,
        seq=row.seq,
        kind=row.kind,
        at=moment(row.at),
        actor=str(data.get("author") or row.actor),  # what a supplier wrote is brought by the collector
        title=entry if same else board["title"],
        text=texts,
        priority=board["p"],
        state=board["state"],
        called="" if same else entry,
    )
