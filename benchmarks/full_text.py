"""Search what was written about a million incidents: the newest 50, with the pieces around what was found.

    python -m benchmarks.full_text [--incidents 50000] [--runs 20] [--register URL] [--postgresql] [--check]

What is measured is `searching.search` as `muster search` calls it: whether the index is up to date, the
question, and the snippets. The reference is the budget. The register is filled by writing rows straight into
its tables (a title, a description, a note and a resolution for each incident, of 50,000 words as frequent as
words are), for through the desk a million would take an hour; `muster verify` would find fault with it. What
the index costs is told, too. --register keeps the register for another run.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from benchmarks.figures import Figure, conclude, percentile
from benchmarks.many_writers import postgresql
from register.canon import stamp
from register.clocks.book import DEFAULT_TIMELINE
from register.core import Principal, Role
from register.incident import Impact, Incident, Urgency
from register.store import Store, open_store
from register.store import tables as t
from register.store.fulltext import BATCH, catch_up, is_behind
from register.store.searching import search
from register.store.transaction import columns_of
from register.words import asked, snippet

BUDGET: Final = 50.0
"""Milliseconds."""
ADMIN: Final = Principal("ana", Role.ADMIN, "benchmark")
WHO: Final = Principal("ben", Role.RESPONDER, "benchmark")
WORDS: Final = 50_000
ASKED: Final = {
    "a frequent word": "w3",
    "two frequent words": "w3 w7",
    "a rare word": "w41234",
    "a rare and a frequent word": "w30123 w2",
    "a phrase": '"w0 w1"',
    "a beginning": "w4412*",
    "a beginning of three signs": "w40*",
    "nothing": "zebra w1",
}
"""The words are w0, w1, … by their frequency."""
START: Final = datetime(2020, 1, 1, tzinfo=UTC)
AT_ONCE: Final = 5_000


def fill(store: Store, count: int, seed: int = 7) -> None:
    """Write so many incidents, each with three events that hold texts, and one in fifty restricted."""
    rows = _rows(count, random.Random(seed))
    for done in range(0, count, AT_ONCE):
        some = [next(rows) for _ in range(min(AT_ONCE, count - done))]
        with store.rows_only() as connection:
            connection.execute(t.event.insert(), [event for _, events in some for event in events])
            connection.execute(t.incident.insert(), [incident for incident, _ in some])
        if done % 100_000 == 0:
            print(f"full_text: {done:,} of {count:,} are written", file=sys.stderr, flush=True)
    with store.rows_only() as connection:
        connection.execute(t.head.update().values(seq=3 * count, incident=count, hash=f"{3 * count:064x}"))


def _rows(count: int, rng: random.Random) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    vocabulary = [f"w{n}" for n in range(WORDS)]
    weights = list(accumulate(1 / (n + 3) for n in range(WORDS)))
    base = _base()

    def some(least: int, most: int) -> str:
        return " ".join(rng.choices(vocabulary, cum_weights=weights, k=rng.randint(least, most)))

    for n in range(1, count + 1):
        title, at = some(4, 8), stamp(START + timedelta(minutes=n))
        data = {"title": title, "description": some(10, 30), "number": f"INC-{n}"}
        texts = (("created", data), ("note", {"text": some(10, 40)}), ("resolved", {"notes": some(6, 16)}))
        board = json.dumps(json.loads(base["board"]) | {"number": f"INC-{n}", "n": n, "title": title})
        seq, secret = 3 * n - 2, int(n % 50 == 0)
        own = {"n": n, "title": title, "board": board, "opened_at": at, "updated_at": at, "seq": seq + 2}
        yield (
            base | own | {"restricted": secret, "seers": "|p9|" if secret else ""},
            [_event(seq + at_, n, at_ + 1, kind, what, at) for at_, (kind, what) in enumerate(texts)],
        )


def _base() -> dict[str, Any]:
    one = Incident(
        number="INC-1",
        title="x",
        impact=Impact.LOW,
        urgency=Urgency.LOW,
        reporter="p1",
        opened_at=START,
        updated_at=START,
    )
    return columns_of(one, DEFAULT_TIMELINE) | {"version": 3}


def _event(seq: int, number: int, n: int, kind: str, data: dict[str, str], at: str) -> dict[str, Any]:
    return {
        "seq": seq,
        "stream": f"INC-{number}",
        "n": n,
        "kind": kind,
        "v": 1,
        "command_id": f"{seq:026}",
        "at": at,
        "recorded_at": at,
        "actor": "p1",
        "source": "benchmark",
        "cause": "",
        "data": json.dumps(data),
        "salt": "0" * 32,
        "data_sha256": "0" * 64,
        "hash": f"{seq:064x}",
    }


def measure(store: Store, runs: int, where: str) -> list[Figure]:
    told = [_taking_in(store)] if is_behind(store) else []
    with store.read() as connection:
        incidents = connection.execute(text("SELECT count(*) FROM incident")).scalar_one()
    for name, typed in ASKED.items():
        terms, seen, found = asked(typed), [], 0
        for _ in range(runs):
            begin = time.perf_counter()
            hits, _ = search(store, WHO, terms, limit=50)
            pieces = [snippet(hit.text, terms) for hit in hits]
            seen.append(1000 * (time.perf_counter() - begin))
            found = len(pieces)
        what = f"{where}, {incidents:,} incidents, {name} ({found} found), "
        told.append(Figure(f"{what}p50", percentile(seen, 50), "allowed", BUDGET, "ms", 1.0))
        told.append(Figure(f"{what}slowest", max(seen), "allowed", BUDGET, "ms"))
    return told


def _taking_in(store: Store) -> Figure:
    begin, longest, done = time.perf_counter(), 0.0, 0
    while True:
        turn = time.perf_counter()
        taken = catch_up(store, 1)
        if not taken:
            break
        longest, done = max(longest, time.perf_counter() - turn), done + taken
    if store.path is None:
        with store.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
    speed = done / (time.perf_counter() - begin)
    what = f"the longest of the batches of {BATCH:,} events; {speed:,.0f} events a second were taken in"
    return Figure(what, 1000 * longest, "a writer waits at most", 10_000, "ms")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.full_text", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--incidents", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--register", help="an empty one, or one that this has filled (default: thrown away)")
    parser.add_argument("--postgresql", action="store_true", help="on a PostgreSQL of one's own")
    parser.add_argument("--check", action="store_true", help="exit 1 when the budget does not hold")
    options = parser.parse_args(argv)
    with ExitStack() as stack:
        if options.postgresql:
            register = stack.enter_context(postgresql())
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="muster-bench-"))
            register = options.register or str(Path(folder) / "register.db")
        store = stack.enter_context(closing(open_store(register)))
        if store.seq() == 0:
            fill(store, options.incidents)
        where = "SQLite" if store.path else "PostgreSQL"
        return conclude(measure(store, options.runs, where), check=options.check)


if __name__ == "__main__":
    sys.exit(main())
