"""Walking the chain and folding everything again: is the register what its events say?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from register.canon import GENESIS, data_digest, link, moment
from register.core import EVENTS, fold
from register.incident import Incident
from register.row import number_of
from register.store import tables as t
from register.store.store import Store
from register.store.transaction import columns_of

_COMPARED = ("doc", "board", "open", "state", "priority", "owner", "due_at", "opened_at", "updated_at")


@dataclass(slots=True)
class Verdict:
    """What a verification found. `faults` are sentences; empty means that everything holds."""

    events: int = 0
    incidents: int = 0
    seq: int = 0
    hash: str = GENESIS
    faults: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.faults


def verify(store: Store, most_faults: int = 20) -> Verdict:
    """Walk the chain from the first event, refold every incident, and compare rows and head."""
    verdict = Verdict()
    with store.read() as connection:
        folded = _walk(connection, verdict)
        _compare(connection, folded, verdict)
        head = connection.execute(select(t.head)).one()
    if (head.seq, head.hash) != (verdict.seq, verdict.hash):
        verdict.faults.append(
            f"The head names event {head.seq}, the log ends at {verdict.seq}: events are missing or added."
        )
    numbers = [number_of(number) for number in folded]
    if sorted(numbers) != list(range(1, head.incident + 1)):
        verdict.faults.append("The incident numbers have a gap: one was skipped or taken out.")
    del verdict.faults[most_faults:]
    return verdict


def _events(connection: Connection) -> Iterator[Any]:
    query = select(t.event).order_by(t.event.c.seq).execution_options(yield_per=1000)
    yield from connection.execute(query)


def _walk(connection: Connection, verdict: Verdict) -> dict[str, Incident]:
    folded: dict[str, Incident] = {}
    versions: dict[str, int] = {}
    for row in _events(connection):
        verdict.events += 1
        values = dict(row._mapping)
        if row.seq != verdict.seq + 1:
            verdict.faults.append(f"Event {verdict.seq + 1} is missing: the log goes on with {row.seq}.")
        if row.n != versions.get(row.stream, 0) + 1:
            verdict.faults.append(
                f"Event {row.seq}: {row.stream} goes from {versions.get(row.stream)} to {row.n}."
            )
        if row.data is not None and data_digest(row.salt or "", row.data) != row.data_sha256:
            verdict.faults.append(
                f"Event {row.seq} of {row.stream}: its data was changed after it was written."
            )
        elif row.hash != link(verdict.hash, values):
            verdict.faults.append(f"Event {row.seq} of {row.stream}: the chain breaks here.")
        versions[row.stream] = row.n
        verdict.seq, verdict.hash = row.seq, row.hash
        kind = EVENTS.get((row.kind, row.v))
        if kind is None or row.data is None or not row.stream.startswith("INC-"):
            continue
        try:
            event = kind.model_validate_json(row.data)
            after = fold(event, folded.get(row.stream), moment(row.at), moment(row.recorded_at))
        except (ValueError, AttributeError) as error:
            verdict.faults.append(
                f"Event {row.seq} of {row.stream} cannot be folded: {type(error).__name__}."
            )
            continue
        if after is not None:
            folded[row.stream] = after
    return folded


def _compare(connection: Connection, folded: dict[str, Incident], verdict: Verdict) -> None:
    seen = set()
    query = select(t.incident).order_by(t.incident.c.n).execution_options(yield_per=1000)
    for row in connection.execute(query):
        number = f"INC-{row.n}"
        seen.add(number)
        verdict.incidents += 1
        incident = folded.get(number)
        if incident is None:
            verdict.faults.append(f"{number} has a row and no events.")
            continue
        expected = columns_of(incident)
        wrong = [name for name in _COMPARED if getattr(row, name) != expected[name]]
        if wrong:
            verdict.faults.append(
                f"{number}: its row says otherwise than its events ({', '.join(wrong)})."
                " The row was changed by hand."
            )
    verdict.faults.extend(f"{number} has events and no row." for number in folded if number not in seen)
