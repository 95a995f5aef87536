"""Log one incident, beside a bare SQLite insert of the same bytes; and again with 100,000 incidents there.

    python -m benchmarks.log_one [--runs 400] [--present 100000] [--large PATH] [--check]

Ours is ServiceDesk.do: one transaction, on disk before it returns. The reference is the same driver without
anything of ours: BEGIN IMMEDIATE, one insert for the event and one for the incident, COMMIT, in a database
with the same journal (WAL, synchronous=FULL). All take turns in one run. --large keeps the big register.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import pysqlite3
from sqlalchemy import select

from benchmarks.figures import Figure, conclude, percentile
from benchmarks.seed import seed, story
from register.core import Principal, Role
from register.desk import ServiceDesk
from register.store import Store, open_store
from register.store.tables import event, incident

BUDGET: Final = 3.0
"""Times a bare insert."""
GROWTH: Final = 1.3
"""Times the same in an empty register."""
WARM_UP: Final = 40
WHO: Final = Principal("ana", Role.RESPONDER, "benchmark")
Turn = Callable[[], None]


class Bare:
    """A database of two tables, written by the driver alone."""

    def __init__(self, path: Path, event_bytes: int, incident_bytes: int) -> None:
        self._connection = pysqlite3.connect(str(path), isolation_level=None)
        self._run: Callable[..., Any] = self._connection.execute
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "CREATE TABLE event (seq INTEGER PRIMARY KEY, data TEXT)",
            "CREATE TABLE incident (n INTEGER PRIMARY KEY, doc TEXT)",
        ):
            self._run(statement)
        self._event, self._incident = "e" * event_bytes, "i" * incident_bytes

    def __call__(self) -> None:
        self._run("BEGIN IMMEDIATE")
        self._run("INSERT INTO event (data) VALUES (?)", (self._event,))
        self._run("INSERT INTO incident (doc) VALUES (?)", (self._incident,))
        self._run("COMMIT")

    def pragma(self, name: str) -> Any:
        return self._run(f"PRAGMA {name}").fetchone()[0]

    def close(self) -> None:
        self._connection.close()


def logger(store: Store, times: int) -> Turn:
    """A turn that logs the next one of so many made-up incidents."""
    desk, rng = ServiceDesk(store), Random(1)
    asked = iter([story(rng, ends=False).log for _ in range(times)])

    def turn() -> None:
        desk.do(WHO, next(asked))

    return turn


def bytes_of_one(store: Store) -> tuple[int, int]:
    """The mean size of the rows that logging wrote: of an event and of an incident."""

    def mean(table: Any) -> int:
        with store.read() as connection:
            rows = connection.execute(select(table).limit(WARM_UP)).all()
        sizes = [sum(len(str(value).encode()) for value in row if value is not None) for row in rows]
        return sum(sizes) // len(sizes)

    return mean(event), mean(incident)


def take_turns(turns: Mapping[str, Turn], runs: int) -> dict[str, list[float]]:
    """Milliseconds of each turn, each in its place in every round."""
    seen: dict[str, list[float]] = {name: [] for name in turns}
    gc.collect()
    gc.freeze()  # the commands made beforehand are nothing to search through at each turn
    for _ in range(runs):
        for name, turn in turns.items():
            begin = time.perf_counter()
            turn()
            seen[name].append(1000 * (time.perf_counter() - begin))
    return seen


def figures(seen: Mapping[str, Sequence[float]], present: int, size: int) -> list[Figure]:
    bare = f"bare insert of {size:,} bytes"
    told = [
        Figure("log one, p50", *_pair(seen, "empty", bare, "bare", 50), "ms", BUDGET),
        Figure("log one, p99", *_pair(seen, "empty", bare, "bare", 99), "ms"),
    ]
    if present:
        what = f"log one with {present:,} there"
        told += [
            Figure(f"{what}, p50", *_pair(seen, "large", "in an empty register", "empty", 50), "ms", GROWTH),
            Figure(f"{what}, p99", *_pair(seen, "large", "in an empty register", "empty", 99), "ms"),
        ]
    return told


def _pair(
    seen: Mapping[str, Sequence[float]], ours: str, against: str, theirs: str, percent: float
) -> tuple[float, str, float]:
    return percentile(seen[ours], percent), against, percentile(seen[theirs], percent)


def measure(folder: Path, runs: int, present: int, large: str | None) -> list[Figure]:
    """Fill, warm up, take turns."""
    if present:
        large = large or str(folder / "large" / "register.db")
        if "://" in large or not Path(large).exists():
            seed(large, incidents=present, open_ones=present // 20, progress=True)
    stores = {"empty": open_store(str(folder / "empty" / "register.db"))}
    if large:
        stores["large"] = open_store(large)
    turns: dict[str, Turn] = {name: logger(store, WARM_UP + runs) for name, store in stores.items()}
    take_turns(turns, WARM_UP)
    sizes = bytes_of_one(stores["empty"])
    bare = Bare(folder / "bare.db", *sizes)
    take_turns({"bare": bare}, WARM_UP)
    seen = take_turns({"bare": bare, **turns}, runs)
    bare.close()
    for store in stores.values():
        store.close()
    return figures(seen, present, sum(sizes))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.log_one", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--present", type=int, default=100_000, help="0 leaves the second part out")
    parser.add_argument(
        "--large", help="where the big register is, of so many, or is made (default: thrown away)"
    )
    parser.add_argument("--where", help="a folder on the disk to measure (default: the temporary one)")
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget does not hold")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="muster-bench-", dir=options.where) as folder:
        told = measure(Path(folder), options.runs, options.present, options.large)
    return conclude(told, check=options.check, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
