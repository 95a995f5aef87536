"""Putting a backup back. What the outbox held then may have been sent since: nothing is sent on blindly.

The backup is copied, proved, and made a register of beside the place where it is to be; only then does it
take that place, at once. What was there is kept.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, and_, inspect, select, text

from register.backup import back_up, part_of, proved, settle, writing
from register.canon import moment, stamp
from register.core import NotFound, Principal, Refused, Role
from register.desk import ServiceDesk
from register.disk import sync_folder
from register.store import RegisterUnavailable, Store, as_url, open_store, sqlite_path
from register.store import tables as t
from register.store.copying import CONTENT, TABLES, Progress, Told, count_rows, mirror
from register.store.engine import connect, make_file, told
from register.store.fulltext import forget_index
from register.store.seal import NAME, take_seal
from register.store.unfinished import UNFINISHED
from register.topics.carrying import RecordRestore
from register.topics.delivery import DoubtSending, PauseVendor
from register.verify import Anchor, verify

_MAY_BE_SENT: Final = ("queued", "waiting", "sending")
_WHY: Final = "it was restored from a backup: it may have been sent since"
_PAUSED: Final = (
    "the register was restored from a backup: look what was sent since; `muster vendors check {}` goes on"
)
_IN_USE: Final = (
    "{}: it is in use. Nothing was changed: end its boards and `muster serve`, then restore again."
)
_BEGUN: Final = (
    "{}: somebody began a register there meanwhile. Nothing was changed: end its boards, then restore with"
    " --force, which keeps it aside."
)


@dataclass(frozen=True, slots=True)
class Back:
    """A register that was put back. aside: where what was there before is kept; anchor: of the backup."""

    made_at: datetime
    anchor: Anchor
    events: int
    incidents: int
    doubted: int
    paused: tuple[str, ...]
    aside: Path | None


def restore(
    backup: Path, named: str, login: str, now: datetime, *, force: bool, progress: Progress | None = None
) -> Back:
    """Make a backup the register at a path or URL; raises Refused or RegisterUnavailable."""
    url = as_url(named)
    path = sqlite_path(url)
    if not backup.is_file():
        raise NotFound(f"There is no file {backup}. Nothing was changed: name a backup.", "file")
    with told(url), _room_for(path) as part:
        if path is not None and path.exists() and path.samefile(backup):
            raise Refused(f"{backup} is where the register is to be. Nothing was changed.")
        live = _is_there(url, path)
        if live and not force:
            raise Refused(
                f"{path or 'The database'} holds a register already. Nothing was changed: with --force the"
                " backup takes its place, and what is there now is kept aside.",
                "force",
            )
        shutil.copyfile(backup, part)
        made_at = moment(proved(part, backup).made_at)
        found = _made_ready(part, login, now, made_at, progress)
        if path is not None:
            aside = _take_place(part, path, now, live=live)
        else:
            kept = backup.with_name(f"{backup.name}.before-{now:%Y%m%dT%H%M%SZ}")
            aside = _pour(part, url, kept if live else None, now, progress)
    return Back(made_at, *found, aside=aside)


@contextmanager
def _room_for(path: Path | None) -> Iterator[Path]:
    """Give a file for the register in the making: on the disk where it is to be."""
    if path is None:
        with tempfile.TemporaryDirectory(prefix="muster-") as folder:
            yield Path(folder) / "register.db"
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with part_of(path) as part:
        yield part


def _is_there(url: str, path: Path | None) -> bool:
    if path is not None:
        return path.exists() and path.stat().st_size > 0
    engine = connect(url)
    try:
        return bool(set(inspect(engine).get_table_names()) & {*t.metadata.tables, NAME})
    finally:
        engine.dispose()


def _made_ready(
    part: Path, login: str, now: datetime, made_at: datetime, progress: Progress | None
) -> tuple[Anchor, int, int, int, tuple[str, ...]]:
    """Make a register of the copy: unsealed, of this program's tables, proved, with nothing to be sent."""
    engine = connect(f"sqlite:///{part}")
    with writing(engine) as connection:
        take_seal(connection)
    engine.dispose()
    store = open_store(str(part))
    try:
        verdict = verify(store, progress=progress)
        if not verdict.ok:
            raise RegisterUnavailable(
                f"The backup does not hold: {verdict.faults[0]} Nothing was changed: take another backup."
            )
        anchor = Anchor(verdict.seq, verdict.hash)
        doubted, paused = _hold_sendings(store, login, now, anchor, made_at)
    finally:
        store.close()
    settle(part)
    return anchor, verdict.events, verdict.incidents, doubted, paused


def _hold_sendings(
    store: Store, login: str, now: datetime, anchor: Anchor, made_at: datetime
) -> tuple[int, tuple[str, ...]]:
    """Doubt what was to be sent then, and pause its suppliers until a person says go."""
    desk, who = ServiceDesk(store, clock=lambda: now), Principal(login, Role.ENGINE, "cli")
    desk.do(who, RecordRestore(seq=anchor.seq, hash=anchor.hash, made_at=made_at))
    s = t.sending.c
    with store.rows_only() as connection:
        query = select(s.row_id, s.tries, s.vendor, s.state)
        query = query.where(and_(s.lane == "bonds", s.state.in_(UNFINISHED)))  # pages are looked at once more
        rows = connection.execute(query.order_by(s.position)).all()
        connection.execute(t.lease.delete())  # of workers that were at the register as it was
        # a try that nobody here knows of may have been just now: settling is counted from this moment
        connection.execute(
            t.sending.update().where(s.state.in_((*_MAY_BE_SENT, "ambiguous"))), {"deadline_at": stamp(now)}
        )
    paused = tuple(sorted({row.vendor for row in rows}))
    for vendor in paused:
        desk.do(who, PauseVendor(vendor=vendor, why=_PAUSED.format(vendor)))
    doubted = [row for row in rows if row.state in _MAY_BE_SENT]
    for row in doubted:
        desk.do(who, DoubtSending(row_id=row.row_id, tries=row.tries, why=_WHY, next_at=now))
    return len(doubted), paused


def _take_place(part: Path, path: Path, now: datetime, *, live: bool) -> Path | None:
    """Give the new register the old one's name at once; the old one gets another name."""
    aside = path.with_name(f"{path.name}.before-{now:%Y%m%dT%H%M%SZ}")
    if not live:
        if not path.exists():
            _clear_beside(path, aside)
        make_file(path)
    about = path.stat()
    with _alone(path):
        if not live and path.stat().st_size:
            raise RegisterUnavailable(_BEGUN.format(path))
        if about.st_gid != part.stat().st_gid:
            os.chown(part, -1, about.st_gid)
        part.chmod(about.st_mode & 0o777)
        if live:
            os.link(path, aside)
        _clear_beside(path, aside)
        os.replace(part, path)
        sync_folder(path.parent)
    return aside if live else None


def _clear_beside(path: Path, aside: Path) -> None:
    """Take away what a damaged file left beside it: SQLite would lay it over the new one."""
    for end in ("-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            os.rename(path.with_name(path.name + end), aside.with_name(aside.name + end))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold an SQLite file that nobody else has open, with nothing beside it."""
    import pysqlite3

    connection = pysqlite3.connect(str(path), timeout=2, isolation_level=None)
    try:
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("PRAGMA journal_mode=DELETE").fetchall()  # fails while anybody has it open
            connection.execute("BEGIN EXCLUSIVE")
        except pysqlite3.DatabaseError as error:
            if "locked" in str(error):  # else it is damaged, which is why a backup takes its place
                raise RegisterUnavailable(_IN_USE.format(path)) from error
        yield
    finally:
        connection.close()


def _pour(part: Path, url: str, kept: Path | None, now: datetime, progress: Progress | None) -> Path | None:
    """Put the new register's rows in the place of the old one's, in one transaction."""
    if kept is not None:
        old = open_store(url)
        try:
            _refuse_others(old)
            back_up(old, kept, now, progress=progress)
        finally:
            old.close()
    source, target = connect(f"sqlite:///{part}"), connect(url)
    try:
        with source.connect() as read, writing(target) as into:
            into.exec_driver_sql("SELECT pg_advisory_xact_lock(778878)")
            t.metadata.create_all(into)
            for table in (t.head, *CONTENT):
                into.exec_driver_sql(f"LOCK TABLE {table.name} IN ACCESS EXCLUSIVE MODE")
                into.execute(table.delete())

            @contextmanager
            def write() -> Iterator[Connection]:
                yield into

            counted = Told(progress, count_rows(read))
            for table in TABLES:
                mirror(read, write, table, counted)
            forget_index(into)
            into.exec_driver_sql("NOTIFY muster")
    finally:
        source.dispose()
        target.dispose()
    return kept


def _refuse_others(store: Store) -> None:
    with store.read() as connection:
        others = connection.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND coalesce(backend_type, 'client backend') = 'client backend' AND pid <> pg_backend_pid()"
            )
        ).scalar_one()
    if others:
        raise RegisterUnavailable(_IN_USE.format("The register on PostgreSQL"))
