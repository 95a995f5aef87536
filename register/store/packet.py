"""Statements that travel to PostgreSQL together: one packet out, one answer back, prepared once a connection.

psycopg's own pipeline sends each statement by itself and adapts each value: that took longer than PostgreSQL
takes to carry them out, and all of it while the head is locked. This is libpq's pipeline as psycopg.pq has
it.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from psycopg import Connection, DataError, InternalError
from psycopg.errors import error_from_result
from psycopg.generators import fetch_many, send
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

AT_ONCE: Final = 500
"""Statements in one packet: what they answer is kept until it is read."""
_WHOLE: Final = frozenset((20, 21, 23))  # int8, int2, int4
_TEXT: Final = frozenset((25, 1043))  # text, varchar


@dataclass(slots=True)
class Asked:
    """One statement, with what came back once it was sent. Values are text, whole numbers or None."""

    sql: str
    values: Sequence[str | int | None]
    rows: list[tuple[Any, ...]] = field(default_factory=list)


class Packet:
    """What is put aside to travel together."""

    def __init__(self, connection: Connection[Any], prepared: dict[str, bytes]) -> None:
        self._connection = connection
        self._prepared = prepared
        self._asked: list[Asked] = []

    def add(self, sql: str, values: Sequence[str | int | None]) -> Asked:
        """Put a statement aside; sql has its values as $1, $2 …"""
        asked = Asked(sql, values)
        self._asked.append(asked)
        if len(self._asked) >= AT_ONCE:
            self.send()
        return asked

    def send(self, *, commit: bool = False) -> None:
        """Send all of it, in a transaction that is begun where none is; raises psycopg's errors."""
        asked, self._asked = self._asked, []
        if asked or commit:
            with self._connection.lock:
                self._connection.wait(self._exchange(asked, commit))

    def _exchange(self, asked: list[Asked], commit: bool) -> Generator[Any, Any, None]:
        pgconn = self._connection.pgconn
        named = dict(self._prepared)
        whose = self._packed(asked, named, commit=commit)
        yield from send(pgconn)
        failed = None
        for about in whose:
            result = (yield from fetch_many(pgconn))[-1]
            if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
                failed = failed or result  # what comes behind it says only that something before it failed
            elif isinstance(about, str):
                self._prepared[about] = named[about]
            elif about is not None:
                about.rows = _rows(result)
        yield from fetch_many(pgconn)  # the sync
        pgconn.exit_pipeline_mode()
        if failed is not None:
            raise error_from_result(failed)
        if commit and result.command_status == b"ROLLBACK":  # what had failed before was passed over
            raise InternalError("the transaction had failed: it was rolled back, not committed")

    def _packed(
        self, asked: list[Asked], named: dict[str, bytes], *, commit: bool
    ) -> list[Asked | str | None]:
        """Put all into libpq's hands, and what has no name yet into `named`.

        Returns to what each answer will belong: to a statement, to a preparation, or to neither.
        """
        pgconn, sent = self._connection.pgconn, [[_sent(value) for value in one.values] for one in asked]
        pgconn.enter_pipeline_mode()
        whose: list[Asked | str | None] = []
        if pgconn.transaction_status == TransactionStatus.IDLE:
            pgconn.send_query_params(self._begin(), None)
            whose.append(None)
        for one, values in zip(asked, sent, strict=True):
            if one.sql not in named:
                named[one.sql] = b"muster_%d" % len(named)
                pgconn.send_prepare(named[one.sql], one.sql.encode())
                whose.append(one.sql)
            pgconn.send_query_prepared(named[one.sql], values)
            whose.append(one)
        if commit:
            pgconn.send_query_params(b"COMMIT", None)
            whose.append(None)
        pgconn.pipeline_sync()
        return whose

    def _begin(self) -> bytes:
        level = self._connection.isolation_level
        return b"BEGIN" if level is None else f"BEGIN ISOLATION LEVEL {level.name.replace('_', ' ')}".encode()


def _sent(value: str | int | None) -> bytes | None:
    if value is None:
        return None
    sent = str(value).encode()
    if b"\0" in sent:  # libpq would send what stands before it, and say nothing
        raise DataError("PostgreSQL text cannot contain NUL (0x00) bytes")
    return sent


def _rows(result: PGresult) -> list[tuple[Any, ...]]:
    readers = [_READ[result.ftype(column)] for column in range(result.nfields)]
    return [
        tuple(
            None if (value := result.get_value(row, column)) is None else read(value)
            for column, read in enumerate(readers)
        )
        for row in range(result.ntuples)
    ]


_READ: Final = dict.fromkeys(_WHOLE, int) | dict.fromkeys(_TEXT, bytes.decode)
