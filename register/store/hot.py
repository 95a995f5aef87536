"""Inserts and updates that run at every write: compiled once for a database, then handed over as text.

SQLAlchemy prepares a statement anew at each execution, which costs more than SQLite takes to carry it out.
Questions stay with SQLAlchemy, which remembers what their answers look like.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult
from sqlalchemy.sql.expression import ClauseElement


class Hot:
    """One statement, always run with the same names of values. Values are text, whole numbers or None."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._ready: dict[str, tuple[str, tuple[str, ...] | None]] = {}

    def __call__(self, connection: Connection, values: Mapping[str, Any]) -> CursorResult[Any]:
        ready = self._ready.get(connection.dialect.name) or self._compiled(connection, values)
        sql, order = ready
        given: Any = dict(values) if order is None else tuple(values[name] for name in order)
        return connection.exec_driver_sql(sql, given)

    def many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it for each of these rows, in one go."""
        if len(rows) < 2:
            for row in rows:
                self(connection, row)
            return
        sql, order = self._ready.get(connection.dialect.name) or self._compiled(connection, rows[0])
        given = [dict(row) if order is None else tuple(row[name] for name in order) for row in rows]
        connection.exec_driver_sql(sql, given)

    def _compiled(
        self, connection: Connection, values: Mapping[str, Any]
    ) -> tuple[str, tuple[str, ...] | None]:
        dialect = connection.dialect
        compiled = self._statement.compile(dialect=dialect, column_keys=list(values))
        order = tuple(compiled.positiontup) if compiled.positiontup else None  # type: ignore[attr-defined]
        self._ready[dialect.name] = ready = (str(compiled), order)
        return ready
