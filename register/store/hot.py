"""What runs at every write: compiled once for a database, then handed to the driver as text.

SQLAlchemy prepares a statement anew at each execution, which costs more than SQLite takes to carry it out.
To PostgreSQL what a transaction writes at its end travels in one packet, without waiting for each answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.expression import ClauseElement

if TYPE_CHECKING:
    from register.store.packet import Asked


class Hot:
    """One statement, always run with the same names of values. Values are text, whole numbers or None."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._ready: dict[str, tuple[str, tuple[str, ...]]] = {}

    def __call__(self, connection: Connection, values: Mapping[str, Any]) -> None:
        """Run it once."""
        self.ask(connection, values)

    def many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each of these rows, in one go."""
        if connection.dialect.name == "postgresql":
            with together(connection):
                for row in rows:
                    self.ask(connection, row)
        elif rows:
            sql, order = self._compiled(connection, rows[0])
            with as_sqlalchemy_says(connection, sql):
                driver(connection).executemany(sql, [[row[name] for name in order] for row in rows])

    def ask(self, connection: Connection, values: Mapping[str, Any]) -> Answer:
        """Ask it. Inside `together` the answer can be read when all was asked."""
        sql, order = self._ready.get(connection.dialect.name) or self._compiled(connection, values)
        given = [values[name] for name in order]
        if connection.dialect.name == "postgresql":
            with together(connection):
                return Answer(connection, asked=driver(connection).packet.add(sql, given))
        with as_sqlalchemy_says(connection, sql):
            return Answer(connection, cursor=driver(connection).execute(sql, given))

    def _compiled(self, connection: Connection, values: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
        name = connection.dialect.name
        if name not in self._ready:
            compiled = self._statement.compile(dialect=_speaks(connection), column_keys=list(values))
            places = compiled.positiontup  # type: ignore[attr-defined]  # `compile` promises no SQLCompiler
            self._ready[name] = str(compiled), tuple(places or ())
        return self._ready[name]


class Answer:
    """What a database says to a question."""

    def __init__(self, connection: Connection, *, asked: Asked | None = None, cursor: Any = None) -> None:
        self._connection = connection
        self._asked = asked
        self._cursor = cursor

    def rows(self) -> list[tuple[Any, ...]]:
        """The rows, as plain tuples. Once."""
        if self._asked is not None:
            return self._asked.rows
        with as_sqlalchemy_says(self._connection, "fetch"):
            found: list[tuple[Any, ...]] = self._cursor.fetchall()
            return found


def _speaks(connection: Connection) -> Dialect:
    """Return the dialect as which a statement is written: libpq wants $1 where psycopg wants %s."""
    if connection.dialect.name != "postgresql":
        return connection.dialect
    from sqlalchemy.dialects.postgresql.psycopg import dialect

    return dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]  # SQLAlchemy's


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
    if own.packet is not None:  # it travels with what is put aside already
        yield
        return
    from register.store.packet import Packet

    own.packet = Packet(own, own.prepared)
    try:
        with as_sqlalchemy_says(connection, "packet"):
            yield
            own.packet.send(commit=commit)
            own.writes = own.writes or commit
    finally:
        own.packet = None


@contextmanager
def as_sqlalchemy_says(connection: Connection, sql: str) -> Iterator[None]:
    """Raise the driver's errors as SQLAlchemy would, so that one place tells people what they mean."""
    dialect = connection.dialect
    try:
        yield
    except dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(sql, None, error, dialect.loaded_dbapi.Error, dialect=dialect) from error
