"""The same rows written by plain psycopg under the same lock: what `many_writers` is measured beside.

No rule is asked, nothing is folded, hashed, or checked: each transaction locks one head, puts down the bytes
that a Log, a Take or a Note had put down, and moves the head. The tables have the register's columns and
indexes.
"""

from __future__ import annotations

import sys
import time
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from register.core import Principal, Role
from register.desk import ServiceDesk
from register.store import open_store
from register.store.tables import event, head, incident
from register.topics.intake import Log
from register.topics.notes import Note
from register.topics.ownership import Take

TABLES: Final = (head.name, event.name, incident.name)
Line = psycopg.Connection[dict[str, Any]]


def prepare(register: str) -> None:
    """Make the tables, and in the register the rows whose bytes are written again."""
    store = open_store(register)
    desk, who = ServiceDesk(store), Principal("sample", Role.RESPONDER, "benchmark")
    number = desk.do(who, Log(title="Replica is behind", service="database")).number or ""
    desk.do(who, Take(target=number))
    desk.do(who, Note(target=number, text="Seen. Sample data."))
    store.close()
    with psycopg.connect(register) as connection:
        for name in TABLES:
            bare = sql.Identifier(f"bare_{name}")
            connection.execute(
                sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(bare, sql.Identifier(name))
            )
        connection.execute("INSERT INTO bare_head SELECT * FROM head")
        connection.execute("UPDATE bare_head SET seq = 0, incident = 0")


def write(register: str, seconds: float) -> int:
    """Write for so long, once somebody says go; how many transactions that were."""
    with psycopg.connect(register, autocommit=True, row_factory=dict_row) as connection:
        events = connection.execute("SELECT * FROM event ORDER BY seq DESC LIMIT 3").fetchall()[::-1]
        (row,) = connection.execute("SELECT * FROM incident WHERE n = 1").fetchall()
        for _ in range(10):
            _three(connection, events, row)
        print("ready", flush=True)
        sys.stdin.readline()
        done, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            _three(connection, events, row)
            done += 3
    return done


def _three(connection: Line, events: list[dict[str, Any]], row: dict[str, Any]) -> None:
    number = 0
    for step, one in enumerate(events):
        with connection.transaction():
            (at,) = connection.execute("SELECT * FROM bare_head FOR UPDATE").fetchall()
            seq, logged = at["seq"] + 1, at["incident"] + (step == 0)
            number = number or logged
            stream = f"INC-{number}"
            new = one | {
                "seq": seq,
                "stream": stream,
                "n": step + 1,
                "command_id": f"{one['command_id']}{seq}",
            }
            _put(connection, "INSERT INTO bare_event ({}) VALUES ({})", new)
            about = row | {"n": number, "seq": seq}
            if step == 0:
                _put(connection, "INSERT INTO bare_incident ({}) VALUES ({})", about)
            else:
                _put(connection, "UPDATE bare_incident SET ({}) = ({}) WHERE n = %(n)s", about)
            connection.execute("UPDATE bare_head SET seq = %s, incident = %s", [seq, logged])
            connection.execute("NOTIFY bare")


def _put(connection: Line, statement: str, row: dict[str, Any]) -> None:
    """Put a row down. The text is put together once."""
    known = _TEXTS.get(statement)
    if known is None:
        names, values = ", ".join(row), ", ".join(f"%({name})s" for name in row)
        known = _TEXTS[statement] = statement.format(names, values)
    connection.execute(known.encode(), row)


_TEXTS: Final[dict[str, str]] = {}
