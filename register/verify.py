"""Walking the chain and folding everything again: is the register what its events say?

Two passes, in memory that does not grow with the register: along the chain in the order of writing, then
incident by incident, each folded anew and laid beside its row.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, String, cast, exists, func, literal, select

from register.canon import ENVELOPE, GENESIS, chained, data_digest
from register.clocks.book import Timeline
from register.core import EVENTS, effects
from register.duty import STREAM as DUTY
from register.effect import Enqueue
from register.refold import AT_ONCE, Refolded, refold
from register.store import alerts, bonds, files
from register.store import tables as t
from register.store.fulltext import disagreement
from register.store.promises import timeline_of
from register.store.store import Store
from register.store.transaction import POLICY, columns_of
from register.topics.calling import CallDue
from register.topics.carrying import Restored
from register.topics.engagement import Engaged, Replied
from register.topics.forwarding import Forwarded
from register.topics.paging import PagedAgain, SendPage
from register.topics.proposal import Accepted, Disputed
from register.topics.sending_files import EvidenceNoted, FileSent
from register.topics.sendings import SentAgain
from register.topics.urging import Reprioritised
from register.topics.withdrawal import Withdrawn

Progress = Callable[[int, int], None]
"""Told now and then: how many events were read, of how many in all. Each is read twice."""

_ROW: Final = tuple(t.event.c[name] for name in (*ENVELOPE, "data", "salt", "data_sha256", "hash"))
_OFTEN: Final = 5000
SENDS: Final = tuple(
    kind.kind
    for kind in (
        *(Engaged, Replied, Forwarded, FileSent, EvidenceNoted),
        *(Withdrawn, Accepted, Disputed, Reprioritised, SentAgain, CallDue, PagedAgain),
    )
)
"""The kinds of events that ask for a sending."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head that was written down outside the register: the event's seq and its hash."""

    seq: int = 0
    hash: str = GENESIS

    @classmethod
    def parse(cls, text: str) -> Anchor:
        """Return the anchor that `SEQ:HASH` names; raises ValueError with a sentence."""
        seq, colon, digest = text.strip().partition(":")
        if not colon or not seq.isascii() or not seq.isdigit() or len(digest) != len(GENESIS):
            raise ValueError(
                "An anchor is SEQ:HASH, as `muster verify` and the journal of `muster serve` print it."
            )
        return cls(int(seq), digest.lower())

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@dataclass(slots=True)
class Verdict:
    """What a verification found. `faults` are sentences; empty means that everything holds."""

    events: int = 0
    incidents: int = 0
    seq: int = 0
    hash: str = GENESIS
    faults: list[str] = field(default_factory=list)
    unproved: set[str] = field(default_factory=set)  # incidents that redaction keeps from being refolded

    @property
    def ok(self) -> bool:
        return not self.faults


def verify(
    store: Store, most_faults: int = 20, *, since: Anchor | None = None, progress: Progress | None = None
) -> Verdict:
    """Walk the chain, refold every incident, and compare rows and head.

    since: walk from there only, and look at those incidents alone that something happened to since. The
    anchored event must stand in the log as it was.
    """
    start = since or Anchor()
    verdict = Verdict(seq=start.seq, hash=start.hash)
    with _collecting_seldom(), store.read() as connection:
        head = connection.execute(select(t.head)).one()
        if _is_anchored(connection, start, verdict):
            told = _Told(progress, 2 * max(0, head.seq - start.seq))
            _walk(connection, verdict, told, most_faults)
            streams = _compare(connection, verdict, start.seq, told)
            _close(connection, verdict, head, streams if since is None else None)
            if since is None:
                why = disagreement(connection)
                verdict.faults += [*files.faults_in(connection), *([] if why is None else [why])]
                verdict.faults += _missing(connection)
    del verdict.faults[most_faults:]
    return verdict


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """Millions of values come and go, none in a circle: looking for circles takes a tenth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@dataclass(slots=True)
class _Told:
    """Passes on how far it is, not too often."""

    progress: Progress | None
    total: int
    done: int = 0

    def add(self, events: int) -> None:
        before, self.done = self.done, self.done + events
        if self.progress is not None and before // _OFTEN != self.done // _OFTEN:
            self.progress(min(self.done, self.total), self.total)


def _is_anchored(connection: Connection, anchor: Anchor, verdict: Verdict) -> bool:
    if not anchor.seq:
        return True
    found = connection.execute(select(t.event.c.hash).where(t.event.c.seq == anchor.seq)).scalar_one_or_none()
    if found == anchor.hash:
        return True
    why = "is not in the log any more" if found is None else "is another one now"
    verdict.faults.append(
        f"Event {anchor.seq}, which was anchored as {anchor.hash[:12]}…, {why}: the log was rewritten."
        + _restored(connection)
    )
    return False


def _restored(connection: Connection) -> str:
    """What to add where somebody has put on record that a backup was put back."""
    query = select(t.event.c.seq, t.event.c.recorded_at).where(t.event.c.kind == Restored.kind)
    found = connection.execute(query.order_by(t.event.c.seq.desc()).limit(1)).first()
    if found is None:
        return ""
    return f" Event {found.seq} says that a backup was put back ({found.recorded_at[:16]} UTC)."


def _walk(connection: Connection, verdict: Verdict, told: _Told, most_faults: int) -> None:
    """Follow the chain from where the verdict stands to the end of the log."""
    query = select(*_ROW).where(t.event.c.seq > verdict.seq).order_by(t.event.c.seq)
    faults, seq, previous = verdict.faults, verdict.seq, verdict.hash
    for rows in connection.execute(query.execution_options(yield_per=AT_ONCE)).partitions():
        for row in rows:
            *_, data, salt, digest, hashed = row
            if row[0] != seq + 1:
                faults.append(f"Event {seq + 1} is missing: the log goes on with {row[0]}.")
            if data is not None and data_digest(salt or "", data) != digest:
                faults.append(f"Event {row[0]} of {row[1]}: its data was changed after it was written.")
            elif hashed != _linked(previous, row, digest):
                faults.append(f"Event {row[0]} of {row[1]}: the chain breaks here.")
            seq, previous = row[0], hashed
        verdict.events += len(rows)
        del faults[most_faults:]
        told.add(len(rows))
    verdict.seq, verdict.hash = seq, previous


def _linked(previous: str, row: Any, digest: str) -> str | None:
    try:
        return chained(previous, row, digest)
    except (TypeError, AttributeError):  # a value of a kind that was never written
        return None


def _compare(connection: Connection, verdict: Verdict, after: int, told: _Told) -> int:
    """Lay each incident, folded anew, beside its row; return how many there are."""
    touched: ColumnElement[bool] | None = None
    if after:
        touched = t.event.c.stream.in_(select(t.event.c.stream).where(t.event.c.seq > after))
    streams, timeline = 0, timeline_of(connection)
    for some in _batches(refold(connection, touched)):
        numbers = [made.n for made in some]
        found = connection.execute(select(t.incident).where(t.incident.c.n.in_(numbers)))
        rows = {row.n: row for row in found}
        verdict.incidents += len(rows)
        streams += len(some)
        for made in some:
            _beside(made, rows.get(made.n), timeline, verdict)
        proved = [made.incident for made in some if made.incident is not None and made.proved]
        verdict.faults.extend(alerts.faults_in(connection, proved))
        verdict.faults.extend(bonds.faults_in(connection, proved))
        told.add(sum(made.version for made in some))
    return streams


def _batches(incidents: Iterator[Refolded]) -> Iterator[list[Refolded]]:
    while some := list(islice(incidents, 500)):
        yield some


_PLACES: Final = {column.name: place for place, column in enumerate(t.incident.columns)}


def _beside(made: Refolded, row: Any, timeline: Timeline, verdict: Verdict) -> None:
    verdict.faults.extend(made.faults)
    if not made.proved:
        verdict.unproved.add(made.number)
    if row is None:
        verdict.faults.append(f"{made.number} has events and no row.")
        return
    expected: dict[str, Any] = {"version": made.version, "seq": made.seq}
    if made.incident is not None and made.proved:
        expected |= columns_of(made.incident, timeline)
    if wrong := [name for name, value in expected.items() if row[_PLACES[name]] != value]:
        verdict.faults.append(
            f"{made.number}: its row says otherwise than its events ({', '.join(wrong)})."
            " The row was changed by hand."
        )


def _close(connection: Connection, verdict: Verdict, head: Any, streams: int | None) -> None:
    """The head must name the last event; of a whole walk, no number may be missing and no row too many."""
    if (head.seq, head.hash) != (verdict.seq, verdict.hash):
        verdict.faults.append(
            f"The head names event {head.seq}, the log ends at {verdict.seq}: events are missing or added."
        )
    newest = connection.execute(select(t.event.c.recorded_at).where(t.event.c.seq == verdict.seq)).scalar()
    if head.recorded_at != (newest or ""):
        verdict.faults.append("The head tells another time than the last event's: the head was changed.")
    of_policy = select(func.coalesce(func.max(t.event.c.seq), 0)).where(t.event.c.stream == POLICY)
    if head.policy_seq != connection.execute(of_policy).scalar_one():
        verdict.faults.append(
            "The head names another policy than the log adopted last: the head was changed."
        )
    of_duty = select(func.coalesce(func.max(t.event.c.seq), 0)).where(t.event.c.stream == DUTY)
    if head.duty_seq != connection.execute(of_duty).scalar_one():
        verdict.faults.append(
            "The head names another event than the log's last one on who has duty: the head was changed."
        )
    if streams is None:
        return
    verdict.faults.extend(f"INC-{n} has a row and no events." for n in _rows_alone(connection, verdict))
    top = connection.execute(select(func.max(t.incident.c.n))).scalar() or 0
    if streams != head.incident or (streams and top < head.incident):
        verdict.faults.append("The incident numbers have a gap: one was skipped or taken out.")


def _missing(connection: Connection) -> Iterator[str]:
    """Yield what events speak of and is not there: messages in the outbox, people; and bonds of nothing."""
    event = t.event.c
    for stream, seq in _unsent(connection):
        yield f"{stream}: what event {seq} asks to be sent is not in the outbox: it may never have gone."
    strangers = select(event.actor).distinct().where(event.actor.not_in(select(t.person.c.id)))
    for actor in sorted(connection.execute(strangers).scalars()):
        yield f"Nobody is on record as {actor}, who wrote events: a person's row was taken out."
    stray = select(t.bond.c.incident).where(t.bond.c.incident.not_in(select(event.stream)))
    for number in connection.execute(stray).scalars():
        yield f"A supplier's ticket is kept for {number}, which is not there."


def _unsent(connection: Connection) -> Iterator[tuple[str, int]]:
    """Yield the streams and seqs of events that ask for a sending which the outbox does not have."""
    event = t.event.c
    columns = (event.stream, event.seq, event.kind, event.v, event.command_id, event.data)
    query = select(*columns).where(event.kind.in_(SENDS)).order_by(event.seq)
    rows = connection.execute(query.execution_options(yield_per=AT_ONCE))
    for some in rows.partitions():
        wanted = {row_id: (row.stream, row.seq) for row in some for row_id in _sent_by(row)}
        there = select(t.sending.c.row_id).where(t.sending.c.row_id.in_(wanted))
        for row_id in wanted.keys() - set(connection.execute(there).scalars()):
            yield wanted[row_id]


def _sent_by(row: Any) -> list[str]:
    """The sendings that an event asks for; of one whose data is gone, an engagement's alone is known."""
    kind = EVENTS.get((row.kind, row.v))
    if kind is None or row.data is None:
        return [row.command_id] if kind is Engaged else []
    try:
        said = effects(kind.model_validate_json(row.data), row.stream, row.command_id)
    except ValueError:  # the fold tells of it
        return []
    return [effect.row_id for effect in said if isinstance(effect, Enqueue | SendPage)]


def _rows_alone(connection: Connection, verdict: Verdict) -> Iterable[int]:
    every = int(connection.execute(select(func.count()).select_from(t.incident)).scalar_one())
    if every == verdict.incidents:
        return ()
    verdict.incidents = every
    told = exists().where(t.event.c.stream == literal("INC-").concat(cast(t.incident.c.n, String)))
    return connection.execute(select(t.incident.c.n).where(~told)).scalars()
