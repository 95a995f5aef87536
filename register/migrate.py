"""Moving a register into another database: copied, proved there, closed here. Broken off, it goes on.

1. The new place is sealed as one to which a register is coming: it is not opened until the end.
2. Everything is copied as of one moment, while others write; then the chain is walked there.
3. Nobody can write here while what has changed since is copied, and every table laid beside the other.
4. This register is closed: its database refuses every write and names the new place.
5. The seal of the new place is taken off.

Killed before 4 is on the disk, the register is here and in use; after it, nobody can write in either place
until the move is run again, which then does no more than prove the copy and take the seal off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Engine, Table, and_, func, inspect, select

from register.backup import writing
from register.canon import GENESIS, stamp
from register.core import Refused
from register.store import RegisterUnavailable, Store, as_url, sqlite_path
from register.store import tables as t
from register.store.copying import (
    CONTENT,
    TABLES,
    Progress,
    Told,
    count_rows,
    digest_of,
    mirror,
)
from register.store.engine import connect, make_file, told
from register.store.poke import poke
from register.store.seal import COMING, MOVED, NAME, Seal, close_writes, put_seal, seal_of, take_seal
from register.store.store import FORGOTTEN
from register.verify import Anchor, verify


@dataclass(frozen=True, slots=True)
class Moved:
    """A register that has moved. digests: of each table, the same in both places."""

    place: str
    events: int
    rows: int
    seq: int
    hash: str
    digests: dict[str, str]


def _no_fault(point: str) -> None:
    """Where a test kills the process."""


def migrate(
    store: Store,
    named: str,
    now: datetime,
    *,
    progress: Progress | None = None,
    fault: Callable[[str], None] = _no_fault,
) -> Moved:
    """Move the register to a path or URL; raises Refused or RegisterUnavailable."""
    url = as_url(named)
    path = sqlite_path(url)
    if path is not None:
        make_file(path)
    engine = connect(url)
    try:
        with told(url):
            return _Move(store, url, engine, progress, fault).run(now)
    finally:
        engine.dispose()


class _Move:
    """One move from an open register into the database behind an engine."""

    def __init__(
        self,
        store: Store,
        url: str,
        engine: Engine,
        progress: Progress | None,
        fault: Callable[[str], None],
    ) -> None:
        self._store, self._url, self._engine = store, url, engine
        self._place = str(sqlite_path(url) or url.replace("postgresql+psycopg:", "postgresql:"))
        self._progress, self._fault = progress, fault

    def run(self, now: datetime) -> Moved:
        with self._store.read() as source:
            seal = seal_of(source)
        if seal is not None and seal.kind == MOVED and seal.place != self._place:
            raise Refused(f"This register has moved to {seal.place} already. Nothing was copied.")
        self._seal_target(now, finished=seal is not None)
        self._fault("sealed")
        self._copy_most()
        self._fault("copied")
        anchor = self._prove(None)
        self._fault("proved")
        moved = self._copy_rest(now, anchor, closed=seal is not None)
        self._fault("closed")
        with writing(self._engine) as target:
            take_seal(target)
        if self._store.path is not None:
            poke(self._store.path)
        return moved

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with told(self._url), writing(self._engine) as connection:
            yield connection

    def _seal_target(self, now: datetime, *, finished: bool) -> None:
        """Make the tables of the new place, or find them as an earlier try has left them."""
        with writing(self._engine) as target:
            if target.dialect.name == "postgresql":
                target.exec_driver_sql("SELECT pg_advisory_xact_lock(778878)")
            there = set(inspect(target).get_table_names())
            if NAME not in there:
                self._refuse_another(target, there, finished=finished)
                t.metadata.create_all(target)
                place = str(self._store.path or "a database on PostgreSQL")
                put_seal(target, Seal(COMING, place, stamp(now), self._store.register_id))
                return
            seal = seal_of(target)
        if seal is None or seal.kind != COMING or seal.register_id != self._store.register_id:
            raise Refused(
                f"{self._place} is not free: it holds a backup, a register that moved on, or the beginning of"
                " another move. Nothing was copied: name an empty place."
            )

    def _refuse_another(self, target: Connection, there: set[str], *, finished: bool) -> None:
        if not there:
            return
        if t.head.name in there:
            same = target.execute(select(t.head.c.register_id)).scalar() == self._store.register_id
            if same and finished:
                raise Refused(f"The move to {self._place} is done already. Set MUSTER_REGISTER to it.")
        if there & {*t.metadata.tables} or target.dialect.name == "sqlite":
            raise Refused(
                f"{self._place} holds another register, or another program's tables. Nothing was copied: name"
                " an empty place."
            )

    def _copy_most(self) -> None:
        """Copy everything as of one moment, in steps that stay when this is broken off."""
        with self._store.read() as source:
            counted = Told(self._progress, count_rows(source))
            for table in TABLES:
                mirror(source, self._write, table, counted)
                self._fault(f"table {table.name}")
            with self._engine.connect() as target:
                self._compare(source, target, t.event, None)

    def _prove(self, since: Anchor | None) -> Anchor:
        """Walk the chain in the new place and fold what is in it; return where it ends."""
        copy = Store(self._url, self._engine, self._store.register_id)
        verdict = verify(copy, since=since, progress=self._progress)
        if not verdict.ok:
            raise RegisterUnavailable(
                f"The register does not hold: {verdict.faults[0]} It was not moved and is in use as before:"
                " `muster verify` names all that is wrong."
            )
        return Anchor(verdict.seq, verdict.hash)

    def _copy_rest(self, now: datetime, anchor: Anchor, *, closed: bool) -> Moved:
        """With the writers kept out, copy what has changed, compare everything, and close this register."""
        with self._store.rows_only() as source:
            if source.dialect.name == "postgresql":
                for table in (t.head, *CONTENT):  # writers begin with the head
                    source.exec_driver_sql(f"LOCK TABLE {table.name} IN EXCLUSIVE MODE")
            behind = self._behind(source, anchor)
            for table in TABLES:
                mirror(source, self._write, table, _unheard, behind if table is t.event else None)
            self._fault("copied the rest")
            if behind is not None:
                self._prove(anchor if anchor.seq else None)
            digests = {}
            with self._engine.connect() as target:
                for table in TABLES:
                    part = behind if table is t.event else None
                    digests[table.name] = self._compare(source, target, table, part)
            head = source.execute(select(t.head)).one()
            events = source.execute(select(func.count()).select_from(t.event)).scalar_one()
            moved = Moved(self._place, events, count_rows(source), head.seq, head.hash, digests)
            self._fault("compared")
            if not closed:
                put_seal(source, Seal(MOVED, self._place, stamp(now), self._store.register_id))
                close_writes(source, self._place)
            self._fault("about to close")
        return moved

    def _behind(self, source: Connection, anchor: Anchor) -> ColumnElement[bool] | None:
        """Which events to look at again: those past the anchor, or all where texts were taken out."""
        newer = t.event.c.seq > anchor.seq
        forgot = select(t.event.c.seq).where(and_(newer, t.event.c.kind.in_(FORGOTTEN))).limit(1)
        if anchor.hash == GENESIS or source.execute(forgot).first() is not None:
            return None
        return newer

    def _compare(
        self, source: Connection, target: Connection, table: Table, part: ColumnElement[bool] | None
    ) -> str:
        here, there = digest_of(source, table, part), digest_of(target, table, part)
        if here != there:
            raise RegisterUnavailable(
                f"The table {table.name} arrived otherwise than it is here. The register was not moved and is"
                " in use as before: run it again, and tell us where it says so twice."
            )
        return here


def _unheard(rows: int) -> None:
    """What is copied at the end is too little for a bar."""
