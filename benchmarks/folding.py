"""Fold one incident of 1,000 events again, from the rows as they lie in the register.

    python -m benchmarks.folding [--events 1000] [--runs 50] [--check]

What is measured: reading the incident's events, parsing them, and folding them into the incident, as a look
at another day does. The reference is the budget.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, conclude, percentile
from register.core import Command, Principal, Role, fold
from register.desk import ServiceDesk
from register.incident import HoldReason, Incident
from register.store import Store, open_store
from register.topics.hold import PutOnHold, Resume
from register.topics.intake import Log
from register.topics.notes import Note

BUDGET: Final = 10.0
"""Milliseconds."""
WHO: Final = Principal("ana", Role.RESPONDER, "benchmark")
NUMBER: Final = "INC-1"


def fill(desk: ServiceDesk, events: int) -> None:
    """Log an incident and do things to it until it has so many events."""
    desk.do(WHO, Log(title="Replica is behind"))
    desk.do_all([(WHO, _step(n)) for n in range(events - 1)])


def _step(n: int) -> Command:
    turn = n % 4
    if turn == 0:
        return PutOnHold(target=NUMBER, reason=HoldReason.CHANGE, on=f"CHG-{n}")
    if turn == 1:
        return Resume(target=NUMBER)
    return Note(target=NUMBER, text=f"Looked at it for the {n}th time. Sample data.")


def folded(store: Store) -> Incident | None:
    """The incident as its events say."""
    incident = None
    for recorded in store.timeline(NUMBER):
        if recorded.event is not None:
            incident = fold(recorded.event, incident, recorded.at, recorded.recorded_at)
    return incident


def measure(folder: Path, events: int, runs: int) -> list[Figure]:
    store = open_store(str(folder / "register.db"))
    start = datetime.now(UTC)
    fill(ServiceDesk(store, clock=lambda: start), events)
    assert folded(store) == store.incident(NUMBER)
    seen = []
    for _ in range(runs):
        begin = time.perf_counter()
        folded(store)
        seen.append(1000 * (time.perf_counter() - begin))
    store.close()
    return [
        Figure(f"fold {events:,} events, p50", percentile(seen, 50), "allowed", BUDGET, "ms", 1.0),
        Figure(f"fold {events:,} events, p99", percentile(seen, 99), "allowed", BUDGET, "ms"),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.folding", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--check", action="store_true", help="exit 1 when the budget does not hold")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as folder:
        return conclude(measure(Path(folder), options.events, options.runs), check=options.check)


if __name__ == "__main__":
    sys.exit(main())
