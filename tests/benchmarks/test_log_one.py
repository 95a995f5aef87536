"""The comparison is fair: the reference writes the same bytes, on disk, in one transaction."""

from __future__ import annotations

from pathlib import Path

import pysqlite3

from benchmarks.log_one import Bare, bytes_of_one, logger, main, take_turns
from register.store import open_store


def test_the_reference_is_as_durable_as_the_register(tmp_path: Path) -> None:
    bare = Bare(tmp_path / "bare.db", 700, 900)
    modes = [bare.pragma(name) for name in ("journal_mode", "synchronous")]
    assert modes == ["wal", 2]
    bare()
    bare.close()
    reader = pysqlite3.connect(str(tmp_path / "bare.db"))
    assert reader.execute("SELECT length(data), length(doc) FROM event, incident").fetchall() == [(700, 900)]
    reader.close()


def test_the_register_is_as_durable_as_the_reference(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "r.db"))
    with store.read() as connection:
        modes = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        ]
    assert modes == ["wal", 2]
    store.close()


def test_every_turn_logs_one(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "r.db"))
    seen = take_turns({"empty": logger(store, 5)}, 5)
    assert len(seen["empty"]) == store.seq() == 5
    assert all(size > 300 for size in bytes_of_one(store))
    store.close()


def test_all_of_it_in_small(tmp_path: Path) -> None:
    where = ["--where", str(tmp_path), "--large", str(tmp_path / "large.db")]
    assert main(["--runs", "3", "--present", "20", *where, "--json"]) == 0
    assert (tmp_path / "large.db").exists()
