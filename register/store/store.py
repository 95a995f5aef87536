"""One register's store: transactions under the head, and the questions that are asked of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, and_, func, or_, select

from register.core import Principal, Recorded
from register.incident import Incident
from register.row import number_of
from register.store import tables as t
from register.store.engine import (
    REACHED,
    RegisterAway,
    RegisterReplaced,
    RegisterUnavailable,
    as_url,
    connect,
    make_file,
    prepare,
    sqlite_path,
    told,
)
from register.store.folding import events_of
from register.store.mishaps import sentence
from register.store.poke import poke
from register.store.reading import incident_of
from register.store.reading import recorded as recorded
from register.store.scrub import scrub
from register.store.sight import Sight, live_row, sight_of
from register.store.transaction import Transaction, lock

if TYPE_CHECKING:
    from register.duty import Duty
    from register.store.adopted import Adopted

_SEQ: Final = select(t.head.c.seq)
SCRUB_AGAIN: Final = 5.0
"""Seconds until a journal that could not be emptied is tried again."""
FORGOTTEN: Final = ("redacted", "person_erased")
"""Kinds of events after which no copy may keep what it has."""
_ROW: Final = (t.incident.c.n, t.incident.c.board, t.incident.c.restricted, t.incident.c.seers)


def open_store(named: str) -> Store:
    """Open the register at a path or URL, and make it where there is none; raises RegisterUnavailable."""
    url = as_url(named)
    path = sqlite_path(url)
    with told(url):
        if path is not None:
            if path in _HAD_OPEN and not path.exists():
                raise RegisterUnavailable(
                    f"{path}: the register is gone: it was moved or deleted. Nothing was written, and none"
                    " was made in its place. Bring it back, or end Muster to begin a new one."
                )
            make_file(path)
        engine = connect(url)
        return Store(url, engine, prepare(engine))


_HAD_OPEN: Final[set[Path]] = set()
"""The files that this process had open: one of them that is gone was taken away, and is not a new one."""


class Store:
    """A register's tables. Synchronous: call it from one thread, never from an event loop."""

    def __init__(self, url: str, engine: Engine, register_id: str) -> None:
        self.url = url
        self.engine = engine
        self.register_id = register_id
        self.path: Path | None = sqlite_path(url)
        if self.path is not None:
            self._file = os.stat(self.path)
            _HAD_OPEN.add(self.path)
        # SQLite reads as of one moment by itself; PostgreSQL must be told to
        self._reader = (
            engine if self.path is not None else engine.execution_options(isolation_level="REPEATABLE READ")
        )
        self._writer = engine.execution_options(muster_writes=True)
        self._scrub_at = 0.0  # when the journal may be emptied again
        self._people: dict[tuple[str, str], str] = {}
        self._people_at = -1  # the head's count of people when they were known
        self.adopted: Adopted | None = None  # the policy that was read last
        self.duty: tuple[int, Duty] | None = None  # what was arranged, as of which event of that stream

    @contextmanager
    def write(self, command_id: str | None = None, numbers: Iterable[str] = ()) -> Iterator[Transaction]:
        """One transaction with the head locked first; its end pokes the other processes.

        command_id, numbers: the command and the incidents that will be looked up in any case.
        """
        self._refuse_another_file()
        with told(self.url), self._writer.connect() as connection, connection.begin():
            ahead = lock(connection, command_id, numbers)
            if ahead.head.person != self._people_at:  # another process entered somebody, or erased them
                self._people.clear()
                self._people_at = ahead.head.person
            transaction = Transaction(connection, ahead, self._people)
            yield transaction
            transaction.finish()
        if transaction.wiped and time.monotonic() >= self._scrub_at:
            # a reader who stays would be waited for at each of a thousand redactions
            self._scrub_at = 0.0 if scrub(self.engine) else time.monotonic() + SCRUB_AGAIN
        self._people.update(transaction.new_people)
        self._people_at = transaction.people
        if self.path is not None and transaction.moved:
            poke(self.path)

    @contextmanager
    def rows_only(self) -> Iterator[Connection]:
        """One transaction that touches rows but no event: claims, leases. Takes no head lock."""
        self._refuse_another_file()
        with told(self.url), self._writer.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent look at the tables."""
        self._refuse_another_file()
        with told(self.url, writes=False), self._reader.connect() as connection, connection.begin():
            yield connection

    def _refuse_another_file(self) -> None:
        """What is written into a file that has lost its name is gone when it is closed."""
        if self.path is not None and _is_another(self.path, self._file):
            raise RegisterReplaced(
                f"{self.path}: the file was moved, deleted or replaced while Muster had it open. Nothing was"
                " written; what is there now is opened anew."
            )

    def forget(self, person: str) -> None:
        """Know nobody by the name that this person had."""
        for known in [name for name, whose in self._people.items() if whose == person]:
            del self._people[known]

    def close(self) -> None:
        self.engine.dispose()

    def listen(self, channel: str) -> Any:
        """Return a psycopg connection that hears NOTIFY (PostgreSQL only)."""
        import psycopg

        where = self.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        try:
            connection = psycopg.connect(where, autocommit=True, **REACHED)
            connection.execute(f"LISTEN {channel}")
        except psycopg.Error as error:
            raise RegisterAway(sentence(None, str(error), writes=False)) from error
        return connection

    # Questions

    def seq(self) -> int:
        """The seq of the newest event."""
        with self.read() as connection:
            return int(connection.execute(_SEQ).scalar_one())

    def head(self) -> tuple[int, str]:
        """The newest event's seq and hash."""
        with self.read() as connection:
            found = connection.execute(select(t.head.c.seq, t.head.c.hash)).one()
            return int(found.seq), str(found.hash)

    def rows(self, viewer: Principal | None = None) -> tuple[int, list[dict[str, Any]]]:
        """The open incidents' live rows as the viewer may see them, and the seq as of which they are."""
        with self.read() as connection:
            seq = int(connection.execute(_SEQ).scalar_one())
            sight = sight_of(connection, viewer)
            found = connection.execute(select(*_ROW).where(t.incident.c.open == 1).order_by(t.incident.c.n))
            return seq, [live_row(row, sight) for row in found]

    def changed(
        self, after: int, viewer: Principal | None = None
    ) -> tuple[int, list[dict[str, Any]], list[str]]:
        """What changed past seq `after`: (seq now, live rows of open incidents, numbers no longer open).

        The rows are as the viewer may see them; nobody in particular sees no restricted incident. By a policy
        that was adopted since, any open one may be due at another time.
        """
        with self.read() as connection:
            seq, of_policy = connection.execute(select(t.head.c.seq, t.head.c.policy_seq)).one()
            sight = sight_of(connection, viewer)
            changed = t.incident.c.seq > after
            if of_policy > after:
                changed = or_(changed, t.incident.c.open == 1)
            found = connection.execute(select(t.incident.c.open, *_ROW).where(changed)).all()
            rows = [live_row(row, sight) for row in found if row.open]
        return seq, rows, [f"INC-{row.n}" for row in found if not row.open]

    def sight(self, viewer: Principal | None) -> Sight:
        """With whose eyes this viewer reads."""
        with self.read() as connection:
            return sight_of(connection, viewer)

    def was_redacted(self, after: int) -> bool:
        """Whether something was redacted or somebody erased past seq `after`: copies must go at once."""
        query = select(t.event.c.seq).where(and_(t.event.c.seq > after, t.event.c.kind.in_(FORGOTTEN)))
        with self.read() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def known_commands(self, command_ids: Sequence[str]) -> frozenset[str]:
        """Return those of these commands that were carried out."""
        query = select(t.event.c.command_id).where(t.event.c.command_id.in_(list(command_ids))).distinct()
        with self.read() as connection:
            return frozenset(connection.execute(query).scalars())

    def incident(self, number: str) -> Incident | None:
        with self.read() as connection:
            return load_incident(connection, number)

    def incidents(self, *, everything: bool = False, limit: int = 10_000) -> list[Incident]:
        """Open incidents, or all of them, newest last."""
        query = select(t.incident.c.n, t.incident.c.doc).order_by(t.incident.c.n.desc()).limit(limit)
        if not everything:
            query = query.where(t.incident.c.open == 1)
        with self.read() as connection:
            found = [incident_of(row.doc, row.n) for row in connection.execute(query)]
        return found[::-1]

    def timeline(self, stream: str) -> list[Recorded]:
        """All events of one stream, oldest first."""
        with self.read() as connection:
            return events_of(connection, stream)

    def people(self) -> dict[str, str]:
        """Names by person id."""
        with self.read() as connection:
            return {row.id: row.name for row in connection.execute(select(t.person.c.id, t.person.c.name))}

    def logins(self) -> dict[str, str]:
        """Logins by person id, of our own people alone."""
        ours = and_(t.person.c.kind == "person", t.person.c.erased_at.is_(None))
        with self.read() as connection:
            found = connection.execute(select(t.person.c.id, t.person.c.login).where(ours))
            return {row.id: row.login for row in found}

    def person_id(self, login: str) -> str | None:
        with self.read() as connection:
            found = connection.execute(
                select(t.person.c.id).where(and_(t.person.c.kind == "person", t.person.c.login == login))
            )
            return found.scalar_one_or_none()

    def first_actor(self) -> str | None:
        """The login of whoever wrote the first event; None where nothing was written."""
        query = select(t.person.c.login).join(t.event, t.event.c.actor == t.person.c.id)
        with self.read() as connection:
            return connection.execute(query.where(t.event.c.seq == 1)).scalar_one_or_none()

    def ask(self, question: Callable[[Connection], Any]) -> Any:
        """Put a question of another module to the tables, in one look."""
        with self.read() as connection:
            return question(connection)

    def count_events(self) -> int:
        with self.read() as connection:
            return int(connection.execute(select(func.count()).select_from(t.event)).scalar_one())


def _is_another(path: Path, known: os.stat_result) -> bool:
    """Whether the name is another file's by now, or nobody's."""
    try:
        return not os.path.samestat(os.stat(path), known)
    except FileNotFoundError:
        return True
    except OSError:  # we may not look any more; what is open stays open
        return False


def load_incident(connection: Connection, number: str) -> Incident | None:
    """Return an incident's fold, or None."""
    doc = connection.execute(
        select(t.incident.c.doc).where(t.incident.c.n == number_of(number))
    ).scalar_one_or_none()
    return None if doc is None else incident_of(doc, number)
