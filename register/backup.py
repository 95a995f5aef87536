"""Backups: a whole register in one file, as of one moment, made while others write.

The file is an SQLite database whichever database the register is in, sealed so that nobody opens it as a
register, with the digest of each of its tables. It bears its name only once it is written and proved.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import orjson
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from register.canon import stamp
from register.core import NotFound, Refused
from register.disk import sync_folder
from register.store import Store
from register.store import tables as t
from register.store.copying import (
    TABLES,
    Progress,
    Told,
    count_rows,
    digests_of,
    mirror,
    tables_there,
)
from register.store.engine import RegisterUnavailable, connect, told
from register.store.mishaps import BESIDE
from register.store.seal import BACKUP, MOVED, Seal, put_seal, seal_of
from register.verify import verify

_STEPS: Final = 200_000
"""Steps of SQLite's between two looks at how far it is."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was written and proved."""

    path: Path
    events: int
    incidents: int
    seq: int
    hash: str
    size: int


def back_up(
    store: Store, path: Path, now: datetime, *, force: bool = False, progress: Progress | None = None
) -> Backup:
    """Write the register into a new file; raises Refused or RegisterUnavailable and leaves none half-made."""
    if path.exists() and not force:
        raise Refused(
            f"{path} is there already. Nothing was written: name another file, or say --force.", "force"
        )
    if store.path is not None and path.exists() and path.samefile(store.path):
        raise Refused(f"{path} is the register itself. Nothing was written: name another file.")
    if not path.parent.is_dir():
        raise NotFound(f"There is no folder {path.parent}. Nothing was written: make it first.", "file")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise Refused(f"You may not write to the folder {path.parent}. Nothing was written: name another.")
    with store.read() as connection:
        seal = seal_of(connection)
    if seal is not None and seal.kind == MOVED:
        raise Refused(f"This register has moved to {seal.place}. Nothing was written: back it up there.")
    with told(f"sqlite:///{path}"), part_of(path) as part:
        made = _fill(store, part, now, progress)
        os.replace(part, path)
        sync_folder(path.parent)
    return Backup(path, made.events, made.incidents, made.seq, made.hash, path.stat().st_size)


@contextmanager
def part_of(path: Path) -> Iterator[Path]:
    """Give a new empty file of mine alone beside `path`; nothing of it is left unless it got another name."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW, 0o600))
    try:
        yield part
    finally:
        for end in (*BESIDE, "-journal"):
            with suppress(FileNotFoundError):
                os.unlink(part.with_name(part.name + end))


@dataclass(frozen=True, slots=True)
class _Made:
    events: int
    incidents: int
    seq: int
    hash: str


def _fill(store: Store, part: Path, now: datetime, progress: Progress | None) -> _Made:
    copy = _copy_file if store.path is not None else _copy_tables
    copy(store, part, progress)
    engine = connect(f"sqlite:///{part}")
    try:
        with writing(engine) as connection:
            digests = orjson.dumps(digests_of(connection, tables_there(connection))).decode()
            put_seal(connection, Seal(BACKUP, "", stamp(now), store.register_id, digests))
        try:
            verdict = verify(Store(f"sqlite:///{part}", engine, store.register_id), progress=progress)
        except RegisterUnavailable as error:
            name = str(store.path or "The register on PostgreSQL")
            raise RegisterUnavailable(str(error).replace(str(part), name)) from error
        if not verdict.ok:
            raise RegisterUnavailable(
                f"The register does not hold: {verdict.faults[0]} No backup was kept of it: `muster verify`"
                " names all that is wrong; keep the backups that you have."
            )
    finally:
        engine.dispose()
    settle(part)
    return _Made(verdict.events, verdict.incidents, verdict.seq, verdict.hash)


def _copy_file(store: Store, part: Path, progress: Progress | None) -> None:
    """Have SQLite write what it sees at one moment; others write on meanwhile."""
    with store.engine.connect() as connection:
        raw = connection.connection.driver_connection
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        size = int(pages) * int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())
        connection.rollback()  # VACUUM takes a transaction of its own

        def look() -> int:
            if progress is not None:
                progress(min(part.stat().st_size, size), size)
            return 0

        assert raw is not None  # noqa: S101 - it was just connected
        raw.set_progress_handler(look, _STEPS)
        try:
            raw.execute("VACUUM INTO ?", (str(part),))
        finally:
            raw.set_progress_handler(None, 0)


def _copy_tables(store: Store, part: Path, progress: Progress | None) -> None:
    engine = connect(f"sqlite:///{part}")
    try:
        with writing(engine) as target:
            t.metadata.create_all(target)

            @contextmanager
            def write() -> Iterator[Connection]:
                yield target

            with store.read() as source:
                counted = Told(progress, count_rows(source))
                for table in TABLES:
                    mirror(source, write, table, counted)
    finally:
        engine.dispose()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that locks for writing from its beginning."""
    with engine.connect().execution_options(muster_writes=True) as connection, connection.begin():
        yield connection


def settle(path: Path) -> None:
    """Have all of an SQLite file in the file itself, on the disk, with nothing beside it."""
    engine = connect(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.rollback()
        raw = connection.connection.driver_connection
        assert raw is not None  # noqa: S101 - it was just connected
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        raw.execute("PRAGMA journal_mode=DELETE").fetchall()
    engine.dispose()
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def proved(path: Path, named: Path | None = None) -> Seal:
    """Return the seal of a backup that is whole; raises RegisterUnavailable where it is not.

    named: what a person calls it, where `path` is a copy.
    """
    shown = named or path
    with path.open("rb") as opened:
        if opened.read(16) != b"SQLite format 3\x00":
            raise RegisterUnavailable(f"{shown} is no backup of a register. Nothing was changed.")
    engine = connect(f"sqlite:///{path}")
    try:
        with engine.connect() as connection:
            whole = connection.execute(text("PRAGMA integrity_check(1)")).scalar_one() == "ok"
            seal = seal_of(connection)
            whole = whole and (seal is None or _is_as_sealed(connection, seal))
    except (SQLAlchemyError, ValueError):  # what does not even read as a database, or as our own lines
        whole, seal = False, None
    finally:
        engine.dispose()
    if not whole:
        raise RegisterUnavailable(
            f"{shown} is damaged: it is not what was backed up. Nothing was changed: take another backup."
        )
    if seal is None or seal.kind != BACKUP:
        raise RegisterUnavailable(f"{shown} is no backup that `muster backup` made. Nothing was changed.")
    return seal


def _is_as_sealed(connection: Connection, seal: Seal) -> bool:
    found = digests_of(connection, tables_there(connection))
    return bool(found == orjson.loads(seal.digests))
