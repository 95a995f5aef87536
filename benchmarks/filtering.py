"""Filter a board's live rows, as at each key that is typed into the filter line.

    python -m benchmarks.filtering [--rows 10000] [--runs 30] [--check]

What is measured: reading the filter as it was typed, finding out what it means now, and asking it of every
row. The reference is the budget. A whole-board filter and a bare word are told beside it, and the same
filter as TinyDB's `search()` carries it out, which copies what it finds.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final

from tinydb import TinyDB
from tinydb.storages import MemoryStorage

from benchmarks.figures import Figure, conclude, percentile
from register.filter import Reader, compiled

BUDGET: Final = 50.0
"""Milliseconds."""
NOW: Final = 1_700_000_000
PEOPLE: Final = {f"p{n}": name for n, name in enumerate(("Ana", "Ben", "Carl", "Dan", "Eva"))}
READER: Final = Reader(NOW, "p1", PEOPLE)
FULL: Final = (
    'p<=4 state:hold,new,progress (vendor:acme or team:"app-ops") opened>-30d "an" not mine not overdue'
)
FILTERS: Final = {"eight conditions": FULL, "one word": "replica", "nearly all": "not p:1 or -mine"}
TITLES: Final = (
    "Checkout answers 500",
    "Replica is behind",
    "Straße ohne Anschluss",
    "VPN asks for the code twice",
)


def made_up(n: int) -> dict[str, Any]:
    """One live row of many."""
    held = n % 5 == 0
    return {
        "number": f"INC-{n}",
        "n": n,
        "title": f"{TITLES[n % 4]} (host-{n % 97})",
        "p": n % 5 + 1,
        "state": "On Hold" if held else ("New", "In Progress")[n % 2],
        "hold": "vendor" if held else None,
        "owner": (None, *PEOPLE)[n % 6],
        "acked": bool(n % 3),
        "team": "app-ops",
        "service": "shop-web",
        "category": "application",
        "opened": NOW - n * 60,
        "updated": NOW - n,
        "due": None if n % 11 == 0 else NOW + (n * 37 % 900 - 40) * 60,
        "restricted": False,
        "bonds": [["acme", "open", "theirs", NOW - 720, "ACM-88213", "ok"]] if n % 3 == 0 else [],
    }


def _sifted(typed: str, rows: Iterable[Any]) -> list[Any]:
    return list(filter(compiled(typed, READER), rows))


def measure(count: int, runs: int) -> list[Figure]:
    some = [made_up(n) for n in range(1, count + 1)]
    table = TinyDB(storage=MemoryStorage).table("incidents", cache_size=0)
    table.insert_multiple(some)
    told = []
    for name, typed in FILTERS.items():
        seen = milliseconds(partial(_sifted, typed, some), runs)
        found = sum(map(compiled(typed, READER), some))
        what = f"{name}, {found:,} of {count:,} rows, p99"
        told.append(Figure(what, percentile(seen, 99), "allowed", BUDGET, "ms", 1.0))
    search: Any = table.search  # it takes any predicate, and is typed for its own queries alone
    by_tinydb = milliseconds(lambda: search(compiled(FULL, READER)), max(3, runs // 10))
    told.append(
        Figure("the first through TinyDB's search, p50", percentile(by_tinydb, 50), "allowed", BUDGET, "ms")
    )
    return told


def milliseconds(work: Callable[[], object], runs: int) -> list[float]:
    seen = []
    for _ in range(runs):
        begin = time.perf_counter()
        work()
        seen.append(1000 * (time.perf_counter() - begin))
    return seen


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.filtering", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--check", action="store_true", help="exit 1 when the budget does not hold")
    options = parser.parse_args(argv)
    return conclude(measure(options.rows, options.runs), check=options.check)


if __name__ == "__main__":
    sys.exit(main())
