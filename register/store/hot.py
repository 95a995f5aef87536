"""What runs at every write: compiled once for a database, then handed to the driver as text.

SQLAlchemy prepares a statement anew at each execution, which costs more than SQLite takes to carry it out.
On PostgreSQL what a transaction writes at its end travels together, without waiting for each answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.expression import ClauseElement


class Hot:
    """One statement, always run with the same names of values. Values are text, whole numbers or None."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._ready: dict[str, tuple[str, tuple[str, ...] | None]] = {}

    def __call__(self, connection: Connection, values: Mapping[str, Any]) -> None:
        """Run it once."""
        self._run(connection, values)

    def many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each of these rows, in one go."""
        if len(rows) < 2:
            for row in rows:
                self._run(connection, row)
            return
        sql, order = self._compiled(connection, rows[0])
        with as_sqlalchemy_says(connection, sql):
            driver(connection).cursor().executemany(sql, [_given(row, order) for row in rows])

    def ask(self, connection: Connection, values: Mapping[str, Any]) -> Answer:
        """Ask it. Inside `together` the answer can be read when all was asked."""
        return Answer(connection, self._run(connection, values))

    def _run(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        sql, order = self._ready.get(connection.dialect.name) or self._compiled(connection, values)
        with as_sqlalchemy_says(connection, sql):
            return driver(connection).execute(sql, _given(values, order))

    def _compiled(
        self, connection: Connection, values: Mapping[str, Any]
    ) -> tuple[str, tuple[str, ...] | None]:
        dialect = connection.dialect
        if dialect.name not in self._ready:
            compiled = self._statement.compile(dialect=dialect, column_keys=list(values))
            # positiontup: SQLCompiler's, which `compile` does not promise; psycopg takes names instead
            order = tuple(compiled.positiontup) if compiled.positiontup else None  # type: ignore[attr-defined]
            self._ready[dialect.name] = str(compiled), order
        return self._ready[dialect.name]


class Answer:
    """What a database says to a question."""

    def __init__(self, connection: Connection, cursor: Any) -> None:
        self._connection = connection
        self._cursor = cursor

    def rows(self) -> list[tuple[Any, ...]]:
        """The rows, as plain tuples. Once."""
        with as_sqlalchemy_says(self._connection, "fetch"):
            found: list[tuple[Any, ...]] = self._cursor.fetchall()
            return found


def _given(values: Mapping[str, Any], order: tuple[str, ...] | None) -> Any:
    return values if order is None else tuple([values[name] for name in order])


def driver(connection: Connection) -> Any:
    """Return the driver's own connection, in the same transaction."""
    return connection.connection.driver_connection


@contextmanager
def together(connection: Connection, *, commit: bool = False) -> Iterator[None]:
    """What `Hot` runs in here travels at once where the database can: it is done, or fails, at the end.

    commit: end the transaction with it; SQLAlchemy's own commit finds nothing left to do.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    own = driver(connection)
    with as_sqlalchemy_says(connection, "pipeline"), own.pipeline():
        yield
        if commit:
            own.commit()


@contextmanager
def as_sqlalchemy_says(connection: Connection, sql: str) -> Iterator[None]:
    """Raise the driver's errors as SQLAlchemy would, so that one place tells people what they mean."""
    dialect = connection.dialect
    try:
        yield
    except dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(sql, None, error, dialect.loaded_dbapi.Error, dialect=dialect) from error
