"""What the engine does when its register is taken away, or the disk is full in the middle of sending."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import pytest
from engine_kit import Engine, practice_file, tickets_by_reference

from integrations.leasing import LEASE
from integrations.practice.server import running_practice
from integrations.worker import Worker
from register.store import RegisterUnavailable, Store, leases, open_store, outbox
from register.verify import verify
from tests.register.saying import ROOT
from tests.small_disk import Disk, as_root
from tests.tui.cli_help import vendor_block

pytestmark = pytest.mark.kills


def until_there_is(store: Store, lease: str, moment: datetime) -> None:
    """Wait until somebody holds that lease beyond a moment."""
    end = time.monotonic() + 30
    while (until := leases.running_until(store, lease)) is None or until <= moment:
        assert time.monotonic() < end, (lease, until, moment)
        time.sleep(0.05)


@contextmanager
def worker(register: Path, says: IO[str] | int = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
    """A worker that has shown itself."""
    env = os.environ | {"MUSTER_REGISTER": str(register), "MUSTER_HOME": str(register.parent)}
    process = subprocess.Popen(
        [sys.executable, "-m", "integrations.worker"],
        env=env,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=says,
        text=True,
    )
    store = open_store(str(register))
    until_there_is(store, leases.WORKER, datetime.now(UTC))
    store.close()
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def register() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="wk") as folder:
        (Path(folder) / "vendors.toml").touch()
        path = Path(folder) / "r.db"
        open_store(str(path)).close()
        yield path


@pytest.mark.parametrize("by", ["moved", "replaced"])
def test_a_worker_whose_register_was_taken_away_ends_so_that_another_can_serve(
    register: Path, by: str
) -> None:
    with worker(register) as first:
        if by == "moved":
            register.rename(register.with_name("aside.db"))
        else:
            copy = register.with_name("copy.db")
            shutil.copy(register, copy)
            copy.replace(register)
        _, said = first.communicate(timeout=20)
        assert first.returncode == 5
        assert "the file was moved, deleted or replaced while Muster had it open" in said
        assert "Traceback" not in said
        assert register.exists() is (by == "replaced")
    if by == "replaced":
        with worker(register) as second:
            assert second.poll() is None


@pytest.fixture
def disk() -> Iterator[Disk]:
    with tempfile.TemporaryDirectory(prefix="wk") as folder:
        made = Disk(Path(folder), 4)
        yield made
        made.gone()


@as_root
@pytest.mark.parametrize("point", ["claimed", "answered"])
async def test_a_disk_that_fills_while_sending_makes_no_second_ticket(
    disk: Disk, tmp_path: Path, point: str
) -> None:
    failed, filled = [], []

    def fault(at: str) -> None:
        if at == point and not filled:
            filled.append(at)
            disk.fill()

    store = open_store(str(disk.place / "r.db"))
    with running_practice() as practice:
        engine = Engine.over(store, practice_file(tmp_path, practice.url), fault)
        number, op_id = engine.engaged()
        try:
            await engine.courier.until_quiet()
        except RegisterUnavailable as error:
            failed.append(str(error))
        assert tickets_by_reference(practice) == {op_id: 1}  # it went out before the disk was looked at
        assert ["disk is full. Nothing was written" in one for one in failed] == [True]
        assert [row.state for row in outbox.unfinished(store)] == ["sending"]
        disk.make_room()
        await asyncio.sleep(1.1)  # its deadline
        await engine.settle_all()
        assert tickets_by_reference(practice) == {op_id: 1}
        incident = store.incident(number)
        assert incident is not None
        assert incident.bonds[0].ref is not None
        assert outbox.unfinished(store) == []
        assert verify(store).faults == []
        await engine.close()
        engine.hand.close()
    store.close()


@as_root
def test_a_worker_outlives_a_full_disk_and_a_full_journal(disk: Disk) -> None:
    register = disk.place / "r.db"
    (disk.place / "vendors.toml").write_text(vendor_block())
    open_store(str(register)).close()
    with open("/dev/full", "w") as journal, worker(register, journal) as process:
        store = open_store(str(register))
        until_there_is(store, "vendor:practice", datetime.now(UTC))
        disk.fill()
        time.sleep(6)  # each of its tasks has met the disk, and had something to tell
        assert process.poll() is None
        disk.make_room()
        until_there_is(store, "vendor:practice", datetime.now(UTC) + LEASE - timedelta(seconds=5))
        until_there_is(store, leases.WORKER, datetime.now(UTC) + LEASE - timedelta(seconds=5))
        store.close()


def teller(register: Path, say: IO[str]) -> Callable[[str], None]:
    store = open_store(str(register))
    made = Worker(store, {}, say=say)
    made._hand.close()
    made._watching.close()
    store.close()
    return made.tell


def test_a_journal_that_cannot_be_written_stops_nothing(register: Path) -> None:
    with open("/dev/full", "w") as journal:
        tell = teller(register, journal)
        tell("The disk is full.")
        tell("The supplier does not answer.")
        with contextlib.suppress(OSError):
            journal.close()
    tell("It is closed now, too.")


def test_what_lasts_is_told_once_a_minute(register: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, now = io.StringIO(), [100.0]
    tell = teller(register, journal)
    monkeypatch.setattr("integrations.worker.monotonic", lambda: now[0])
    for _ in range(125):
        tell("The disk is full.")
        tell("The supplier does not answer.")
        now[0] += 1
    said = [line.split(" ", 1)[1] for line in journal.getvalue().splitlines()]
    assert said == ["The disk is full.", "The supplier does not answer."] * 3
