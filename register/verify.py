"""Walking the chain and folding everything again: is the register what its events say?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from register.canon import GENESIS, data_digest, link, moment
from register.core import EVENTS, Event, evolve, fold
from register.incident import Incident
from register.row import number_of
from register.store import tables as t
from register.store.store import Store
from register.store.transaction import columns_of

_Last = tuple[int, int]
"""A stream's last version and the seq of its last event."""


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


def verify(store: Store, most_faults: int = 20) -> Verdict:
    """Walk the chain from the first event, refold every incident, and compare rows and head."""
    verdict = Verdict()
    with store.read() as connection:
        folded, last = _walk(connection, verdict)
        _compare(connection, folded, last, verdict)
        head = connection.execute(select(t.head)).one()
    if (head.seq, head.hash) != (verdict.seq, verdict.hash):
        verdict.faults.append(
            f"The head names event {head.seq}, the log ends at {verdict.seq}: events are missing or added."
        )
    numbers = [number_of(number) for number in last if number.startswith("INC-")]
    if sorted(numbers) != list(range(1, head.incident + 1)):
        verdict.faults.append("The incident numbers have a gap: one was skipped or taken out.")
    del verdict.faults[most_faults:]
    return verdict


def _events(connection: Connection) -> Iterator[Any]:
    query = select(t.event).order_by(t.event.c.seq).execution_options(yield_per=1000)
    yield from connection.execute(query)


def _walk(connection: Connection, verdict: Verdict) -> tuple[dict[str, Incident], dict[str, _Last]]:
    """Return the incidents as their events say, and each stream's last version and seq."""
    folded: dict[str, Incident] = {}
    last: dict[str, _Last] = {}
    for row in _events(connection):
        verdict.events += 1
        values = dict(row._mapping)
        if row.seq != verdict.seq + 1:
            verdict.faults.append(f"Event {verdict.seq + 1} is missing: the log goes on with {row.seq}.")
        before = last.get(row.stream, (0, 0))[0]
        if row.n != before + 1:
            verdict.faults.append(f"Event {row.seq}: {row.stream} goes from {before} to {row.n}.")
        if row.data is not None and data_digest(row.salt or "", row.data) != row.data_sha256:
            verdict.faults.append(
                f"Event {row.seq} of {row.stream}: its data was changed after it was written."
            )
        elif row.hash != link(verdict.hash, values):
            verdict.faults.append(f"Event {row.seq} of {row.stream}: the chain breaks here.")
        last[row.stream] = (row.n, row.seq)
        verdict.seq, verdict.hash = row.seq, row.hash
        if row.stream.startswith("INC-"):
            _fold(row, folded, verdict)
    return folded, last


def _fold(row: Any, folded: dict[str, Incident], verdict: Verdict) -> None:
    """Fold one event. Redacted data, and kinds of a newer program, leave a fold that proves nothing."""
    kind, before = EVENTS.get((row.kind, row.v)), folded.get(row.stream)
    recorded_at = moment(row.recorded_at)
    if kind is None or row.data is None:
        if kind is None or evolve.dispatch(kind) is not evolve.dispatch(Event):
            verdict.unproved.add(row.stream)
        if before is not None:
            folded[row.stream] = before.but(updated_at=recorded_at)
        return
    if row.stream in verdict.unproved:
        return
    try:
        after = fold(kind.model_validate_json(row.data), before, moment(row.at), recorded_at)
    except (ValueError, AttributeError) as error:
        verdict.faults.append(f"Event {row.seq} of {row.stream} cannot be folded: {type(error).__name__}.")
        return
    if after is not None:
        folded[row.stream] = after


def _compare(
    connection: Connection, folded: dict[str, Incident], last: dict[str, _Last], verdict: Verdict
) -> None:
    seen = set()
    query = select(t.incident).order_by(t.incident.c.n).execution_options(yield_per=1000)
    for row in connection.execute(query):
        number = f"INC-{row.n}"
        seen.add(number)
        verdict.incidents += 1
        if number not in last:
            verdict.faults.append(f"{number} has a row and no events.")
            continue
        version, seq = last[number]
        expected: dict[str, Any] = {"version": version, "seq": seq}
        if number in folded and number not in verdict.unproved:
            expected |= columns_of(folded[number])
        wrong = [name for name, value in expected.items() if getattr(row, name) != value]
        if wrong:
            verdict.faults.append(
                f"{number}: its row says otherwise than its events ({', '.join(wrong)})."
                " The row was changed by hand."
            )
    streams = (stream for stream in last if stream.startswith("INC-"))
    verdict.faults.extend(f"{number} has events and no row." for number in streams if number not in seen)
