"""Copying a register's tables into another database, row by row, in memory that does not grow with it.

What is there already is kept where it is the same: so a copy that was broken off goes on, and one that has
been overtaken is brought up to its source by running it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    String,
    Table,
    and_,
    collate,
    func,
    inspect,
    literal,
    select,
    tuple_,
)

from register.store import tables as t

Progress = Callable[[int, int], None]
Write = Callable[[], AbstractContextManager[Connection]]
"""Gives a transaction of the target; perhaps always the same one."""

AT_ONCE: Final = 1_000
CONTENT: Final = tuple(table for table in t.metadata.sorted_tables if table is not t.head)
"""Every table but the head, which is written last."""
TABLES: Final = (*CONTENT, t.head)


def _at_once(table: Table) -> int:
    return 1 if table.name == t.blob.name else AT_ONCE  # a file's bytes may be many


def _key(table: Table) -> list[Any]:
    return list(table.primary_key.columns)


def _compared(table: Table) -> list[Any]:
    """The columns that tell whether a row is the same; a file's bytes are told by their digest."""
    return [column for column in table.columns if not isinstance(column.type, LargeBinary)]


def _stream(
    connection: Connection, table: Table, columns: Sequence[Any], where: ColumnElement[bool] | None = None
) -> Iterator[list[Any]]:
    query = select(*columns) if where is None else select(*columns).where(where)
    options = {"yield_per": _at_once(table)}
    with connection.execute(query.execution_options(**options)) as found:
        for rows in found.partitions():
            yield list(rows)


def _by_key(
    connection: Connection, table: Table, columns: Sequence[Any], keys: Sequence[tuple[Any, ...]]
) -> list[Any]:
    return list(connection.execute(select(*columns).where(_is_one_of(table, keys))))


def _is_one_of(table: Table, keys: Sequence[tuple[Any, ...]]) -> ColumnElement[bool]:
    key = _key(table)
    if len(key) == 1:
        found: ColumnElement[bool] = key[0].in_([one for (one,) in keys])
        return found
    return tuple_(*key).in_(keys)


def _keys_in(table: Table, rows: Sequence[Any]) -> list[tuple[Any, ...]]:
    names = [column.name for column in _key(table)]
    return [tuple(row._mapping[name] for name in names) for row in rows]


def count_rows(connection: Connection, tables: Sequence[Table] = TABLES) -> int:
    """Return how many rows the tables have together."""
    counts = (connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables)
    return sum(int(count) for count in counts)


def mirror(
    source: Connection,
    write: Write,
    table: Table,
    told: Callable[[int], None],
    where: ColumnElement[bool] | None = None,
) -> int:
    """Make the target's table what the source's is; return how many rows were written.

    where: look at these rows alone, on both sides. told: how many rows were looked at.
    """
    with write() as target:
        query = select(literal(1)).select_from(table)
        there = target.execute((query if where is None else query.where(where)).limit(1)).first()
    if there is not None:
        _drop_others(source, write, table, where)
    written = 0
    for rows in _stream(source, table, list(table.columns), where):
        new = rows
        with write() as target:
            if there is not None:
                known = set(map(tuple, _by_key(target, table, _key(table), _keys_in(table, rows))))
                new = [row for row, key in zip(rows, _keys_in(table, rows), strict=True) if key not in known]
            if new:
                target.execute(table.insert(), [dict(row._mapping) for row in new])
        written += len(new)
        told(len(rows))
    return written


def _drop_others(source: Connection, write: Write, table: Table, where: ColumnElement[bool] | None) -> None:
    """Delete the target's rows that the source has not, or has otherwise."""
    columns, last = _compared(table), None
    while True:
        with write() as target:
            rows = _page(target, table, columns, last, where)
            if not rows:
                return
            keys = _keys_in(table, rows)
            last = keys[-1]
            same = set(map(tuple, _by_key(source, table, columns, keys)))
            others = [key for key, row in zip(keys, rows, strict=True) if tuple(row) not in same]
            if others:
                target.execute(table.delete().where(_is_one_of(table, others)))


def _page(
    connection: Connection,
    table: Table,
    columns: Sequence[Any],
    last: tuple[Any, ...] | None,
    where: ColumnElement[bool] | None,
) -> list[Any]:
    """The next rows by the key's order, whichever that is in this database."""
    key = _key(table)
    wanted = [] if where is None else [where]
    if last is not None:
        wanted.append(key[0] > last[0] if len(key) == 1 else tuple_(*key) > tuple_(*map(literal, last)))
    return list(connection.execute(select(*columns).where(and_(True, *wanted)).order_by(*key).limit(AT_ONCE)))


def digest_of(
    connection: Connection,
    table: Table,
    where: ColumnElement[bool] | None = None,
    told: Callable[[int], None] | None = None,
) -> str:
    """Return one digest of all rows, the same in every database that has the same rows."""
    made = hashlib.sha256()
    columns = sorted(_compared(table), key=lambda column: str(column.name))
    query = select(*columns).order_by(*(_in_bytes(connection, column) for column in _key(table)))
    query = query if where is None else query.where(where)
    with connection.execute(query.execution_options(yield_per=AT_ONCE)) as found:
        for rows in found.partitions():
            made.update(b"".join(orjson.dumps(list(row)) + b"\n" for row in rows))
            if told is not None:
                told(len(rows))
    return made.hexdigest()


def _in_bytes(connection: Connection, column: Any) -> Any:
    """The column in the order of its bytes, which is SQLite's own."""
    if connection.dialect.name == "postgresql" and isinstance(column.type, String):
        return collate(column, "C")
    return column


def digests_of(
    connection: Connection, tables: Sequence[Table] = TABLES, told: Callable[[int], None] | None = None
) -> dict[str, str]:
    """Return the digest of each table by its name."""
    return {str(table.name): digest_of(connection, table, None, told) for table in tables}


def tables_there(connection: Connection) -> tuple[Table, ...]:
    """Return a register's tables as they stand in a database of perhaps an older program."""
    from sqlalchemy import MetaData

    names = [name for name in inspect(connection).get_table_names() if name in t.metadata.tables]
    found = MetaData()
    found.reflect(connection, only=names)
    return tuple(found.tables[name] for name in sorted(names))


class Told:
    """Counts rows, and tells how many of how many."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def __call__(self, rows: int) -> None:
        self._done += rows
        if self._progress is not None:
            self._progress(min(self._done, self._total), self._total)
