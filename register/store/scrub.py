"""Seeing to it that what was wiped is not left in the register's files: journal, free pages, dead rows."""

from __future__ import annotations

import contextlib
import mmap
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from register.store import tables as t

PATIENCE: Final = 2.0
"""Seconds that readers are waited for at the end of a long work."""
_REWRITTEN: Final = (
    t.event,
    t.incident,
    t.person,
    t.sending,
    t.exchange,
    t.alert,
    t.attachment,
    t.blob,
    t.quarantine,
)
"""Tables of whose rows older versions lie about on PostgreSQL until they are vacuumed."""


def wipes(connection: Connection) -> None:
    """What this connection overwrites or gives back from now on is blanked in the file (SQLite)."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")


def scrub(engine: Engine, patience: float = 0.1) -> bool:
    """Write the journal back into the file and empty it (SQLite); False where a reader kept it from that.

    It holds pages as they were before, until it is emptied: by the next redaction, or by whoever closes the
    register last. patience: seconds that a reader is waited for; others wait meanwhile.
    """
    if engine.dialect.name != "sqlite":
        return True
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")  # there is one from the start
        before = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(1000 * patience)}")
        try:
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
        except DBAPIError:
            busy = 1
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(before)}")
        connection.exec_driver_sql("BEGIN")
    return not busy


def compact(engine: Engine) -> str:
    """Write everything anew, so that nothing is left of what was there before; return why not, or "".

    SQLite: the whole file. PostgreSQL: a plain VACUUM, which gives the place of dead rows away.
    """
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            why = ""
            try:
                connection.exec_driver_sql("VACUUM")
            except DBAPIError as error:
                why = str(error.orig or error)
            connection.exec_driver_sql("BEGIN")
        return why or (
            "" if scrub(engine, PATIENCE) else "another process was reading: its journal is not emptied yet"
        )
    return _vacuumed(engine)


def _vacuumed(engine: Engine) -> str:
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for name in (*(table.name for table in _REWRITTEN), "fulltext"):
            try:
                connection.exec_driver_sql(f"VACUUM {name}")
            except DBAPIError as error:
                return str(error.orig or error)
    return ""


def left_in_files(path: Path, names: Iterable[str]) -> int:
    """Count how often these names stand in an SQLite register's files, as words, whatever the capitals."""
    forms = {form for name in names for form in (name, name.lower(), name.upper(), name.title())}
    told = [re.escape(form.encode()) for form in sorted(forms) if form.strip()]
    if not told:
        return 0
    pattern = re.compile(rb"(?<![A-Za-z0-9_])(?:" + b"|".join(told) + rb")(?![A-Za-z0-9_])", re.IGNORECASE)
    found = 0
    for file in (path, path.with_name(f"{path.name}-wal")):
        with contextlib.suppress(FileNotFoundError), file.open("rb") as opened:
            if file.stat().st_size:
                with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as whole:
                    found += sum(1 for _ in pattern.finditer(whole))
    return found
