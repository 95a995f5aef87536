"""Full text: one entry for each event that holds what somebody wrote, found newest first.

An entry has the words of the incident's title and of the event's texts, and the event's seq for a key. It is
written behind the events, in bounded steps, and always brought up to them before it is asked: in the
transaction of a write it would make logging dearer by a sixth. On SQLite it is an FTS5 table, on PostgreSQL
a tsvector under GIN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import orjson
from sqlalchemy import (
    Connection,
    Integer,
    String,
    and_,
    column,
    func,
    select,
    table,
    text,
)

import register.topics  # noqa: F401 - registers every event
from register.core import EVENTS
from register.store import tables as t
from register.store.store import Store
from register.words import SPOKEN, indexed, said

BATCH: Final = 2_000
"""Events that one transaction takes into the index: others wait for a tenth of a second at most."""
_CHUNK: Final = 500
_MOST_POSITIONS: Final = 200
_LAST_POSITION: Final = 16_383
"""PostgreSQL keeps so many positions of a word, up to that one."""
_UPTO: Final = table("fulltext_upto", column("one", Integer), column("seq", Integer), column("hash", String))
_E: Final = t.event.c


Progress = Callable[[int, int], None]


def speaking() -> frozenset[str]:
    """Return the kinds of events that hold what somebody wrote."""
    return frozenset(kind for (kind, _), event in EVENTS.items() if set(event.model_fields) & set(SPOKEN))


def catch_up(store: Store, most: int | None = None, progress: Progress | None = None) -> int:
    """Take in what the index lacks, or `most` batches of it; return how many events were taken in.

    progress: told how many events of how many are in, after each batch.
    """
    done = batches = 0
    while batches != most and (lacking := behind(store)):
        with store.rows_only() as connection:
            done += _step(connection)
        batches += 1
        if progress is not None:
            progress(done, done + max(0, lacking - BATCH))
    return done


def behind(store: Store) -> int:
    """Return how many events the index does not know; all of them where it is of another log."""
    with store.read() as connection:
        head = int(connection.execute(select(t.head.c.seq)).scalar_one())
        at = _position(connection)
        return max(1, head) if at is None else head - at


def is_behind(store: Store) -> bool:
    """Whether there are events that the index does not know."""
    return behind(store) > 0


def rebuild_index(connection: Connection) -> int:
    """Make the whole index anew from the events; return how many were read."""
    _wipe(connection)
    done = 0
    while step := _step(connection):
        done += step
    return done


def forget_index(connection: Connection) -> None:
    """Have the index begin anew: the log under it was replaced."""
    _wipe(connection)


def reindex(connection: Connection, numbers: Iterable[str]) -> None:
    """Take out all entries of these incidents and add what their events hold now; nothing else is left.

    On SQLite not on the disk either, once the journal is written back. On PostgreSQL a VACUUM gives the
    place of what was deleted to others; until then it lies where no question finds it, as with all rows.
    """
    upto = _position(connection)
    if upto is None:
        _wipe(connection)
        return
    wanted = list(numbers)
    with _scrubbing(connection):
        for at in range(0, len(wanted), _CHUNK):
            streams = wanted[at : at + _CHUNK]
            query = select(_E.seq, _E.stream, _E.kind, _E.data)
            rows = connection.execute(query.where(and_(_E.stream.in_(streams), _E.seq <= upto))).all()
            _take_out(connection, [row.seq for row in rows])
            _put_in(connection, _entries(connection, rows))


def disagreement(connection: Connection) -> str | None:
    """Return a sentence where the index has not one entry for each event that it should have, or None.

    One that is of another log, as after a restore, is none: the next search makes it anew.
    """
    upto = _position(connection)
    if upto is None:
        return None
    told = and_(
        _E.seq <= upto, _E.kind.in_(sorted(speaking())), _E.data.is_not(None), _E.stream.like("INC-%")
    )
    expected = connection.execute(select(func.count()).select_from(t.event).where(told)).scalar_one()
    entries = "fulltext_docsize" if connection.dialect.name == "sqlite" else "fulltext"
    found = connection.execute(select(func.count()).select_from(table(entries))).scalar_one()
    if found == expected:
        return None
    return (
        f"The full-text index has {found:,} entries for {expected:,} texts: `muster rebuild` makes it anew."
    )


def _position(connection: Connection) -> int | None:
    """Return up to which event the index goes; None where it is not of this log."""
    at = connection.execute(select(_UPTO.c.seq, _UPTO.c.hash)).first()
    if at is None or at.seq == 0:
        return None if at is None else 0
    found = connection.execute(select(_E.hash).where(_E.seq == at.seq)).scalar_one_or_none()
    return int(at.seq) if found == at.hash else None


def _wipe(connection: Connection) -> None:
    """Empty the index whole: taking out entry after entry takes long."""
    with _scrubbing(connection):
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("TRUNCATE fulltext")
        else:
            connection.exec_driver_sql("DROP TABLE fulltext")
            for statement in t.FULLTEXT["sqlite"]:
                connection.exec_driver_sql(statement)
        connection.execute(_UPTO.delete())
        connection.execute(_UPTO.insert().values(one=1, seq=0, hash=""))


def _step(connection: Connection) -> int:
    """Take in one batch; return how many events were read."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE fulltext_upto IN EXCLUSIVE MODE"))
    upto = _position(connection)
    if upto is None:
        _wipe(connection)
        upto = 0
    query = select(_E.seq, _E.stream, _E.kind, _E.data, _E.hash).where(_E.seq > upto)
    rows = connection.execute(query.order_by(_E.seq).limit(BATCH)).all()
    if rows:
        with _scrubbing(connection):
            _put_in(connection, _entries(connection, rows))
        connection.execute(_UPTO.update().values(seq=rows[-1].seq, hash=rows[-1].hash))
    return len(rows)


def _entries(connection: Connection, rows: Sequence[Any]) -> Iterator[tuple[int, list[str]]]:
    """Yield the seq and the words of each event that holds a text."""
    kinds = speaking()
    told = [row for row in rows if row.kind in kinds and row.data and row.stream.startswith("INC-")]
    titles = titles_of(connection, {row.stream for row in told})
    for row in told:
        title, texts = said(data_in(row.data))
        yield row.seq, indexed(title or titles.get(row.stream, ""), texts)


def titles_of(connection: Connection, streams: set[str]) -> Mapping[str, str]:
    """Return what these incidents were called when they were logged."""
    found: dict[str, str] = {}
    wanted = sorted(streams)
    for at in range(0, len(wanted), _CHUNK):
        first = and_(_E.stream.in_(wanted[at : at + _CHUNK]), _E.n == 1, _E.data.is_not(None))
        for row in connection.execute(select(_E.stream, _E.data).where(first)):
            found[row.stream] = said(data_in(row.data))[0]
    return found


def data_in(written: str | None) -> dict[str, Any]:
    """Return an event's data; nothing where it cannot be read: `verify` tells of that."""
    try:
        data = orjson.loads(written or "{}")
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _put_in(connection: Connection, entries: Iterable[tuple[int, list[str]]]) -> None:
    if connection.dialect.name == "sqlite":
        statement = "INSERT INTO fulltext (rowid, words) VALUES (:seq, :words)"
        values = [{"seq": seq, "words": " ".join(found)} for seq, found in entries]
    else:
        statement = "INSERT INTO fulltext (seq, words) VALUES (:seq, CAST(:words AS tsvector))"
        values = [{"seq": seq, "words": _vector(found)} for seq, found in entries]
    if values:
        connection.execute(text(statement), values)


def _take_out(connection: Connection, seqs: Sequence[int]) -> None:
    key = "rowid" if connection.dialect.name == "sqlite" else "seq"
    if seqs:
        statement = text(f"DELETE FROM fulltext WHERE {key} = :seq")  # noqa: S608 - one of the two words above
        connection.execute(statement, [{"seq": seq} for seq in seqs])


def _vector(found: Sequence[str]) -> str:
    """Return words as PostgreSQL writes a tsvector. They are letters and digits: nothing is to be escaped."""
    places: dict[str, list[int]] = {}
    for at, word in enumerate(found, 1):
        places.setdefault(word, []).append(min(at, _LAST_POSITION))
    told = ((word, ",".join(map(str, at[:_MOST_POSITIONS]))) for word, at in places.items())
    return " ".join(f"'{word}':{at}" for word, at in told)


@contextmanager
def _scrubbing(connection: Connection) -> Iterator[None]:
    """What is overwritten or given back to the file is blanked: no word outlives its entry on the disk."""
    if connection.dialect.name != "sqlite":
        yield
        return
    before = connection.exec_driver_sql("PRAGMA secure_delete").scalar_one()
    connection.exec_driver_sql("PRAGMA secure_delete = ON")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA secure_delete = {int(before)}")
