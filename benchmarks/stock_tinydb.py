"""Stock TinyDB beside the register, for the record: what one change costs with so many documents there.

    python -m benchmarks.stock_tinydb [--documents 1000] [--runs 20]

TinyDB's own JSONStorage writes its whole file at each change and does not wait for the disk; the register
appends and waits. TinyDB is the working set of Muster for that reason, and not its record. No budget.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tinydb import TinyDB

from benchmarks.figures import Figure, conclude, median
from benchmarks.seed import seed
from register.core import Principal, Role
from register.desk import ServiceDesk
from register.store import open_store
from register.topics.notes import Note

WHO = Principal("ana", Role.RESPONDER, "benchmark")


def timed(turn: Callable[[int], object], runs: int) -> float:
    """Milliseconds of a turn, the median."""
    seen = []
    for n in range(runs):
        begin = time.perf_counter()
        turn(n)
        seen.append(1000 * (time.perf_counter() - begin))
    return median(seen)


def measure(folder: Path, documents: int, runs: int) -> list[Figure]:
    path = str(folder / "register.db")
    seed(path, incidents=documents, open_ones=documents // 20)
    store = open_store(path)
    desk, incidents = ServiceDesk(store), store.incidents(everything=True, limit=documents)
    stock = TinyDB(folder / "stock.json")
    stock.insert_multiple(incident.model_dump(mode="json") for incident in incidents)
    ours = timed(lambda n: desk.do(WHO, Note(target="INC-1", text=f"Look {n}.")), runs)
    theirs = timed(lambda n: stock.update({"title": f"Look {n}."}, doc_ids=[1]), runs)
    store.close()
    return [Figure(f"one change among {documents:,}", ours, "stock TinyDB", theirs, "ms")]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stock_tinydb", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--check", action="store_true", help="there is nothing to check")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as folder:
        return conclude(measure(Path(folder), options.documents, options.runs), check=options.check)


if __name__ == "__main__":
    sys.exit(main())
