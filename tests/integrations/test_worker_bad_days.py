"""What a worker does when its register is taken away, as a real process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from register.store import leases, open_store
from tests.register.saying import ROOT


@contextmanager
def worker(register: Path) -> Iterator[subprocess.Popen[str]]:
    """A worker that has shown itself."""
    env = os.environ | {"MUSTER_REGISTER": str(register), "MUSTER_HOME": str(register.parent)}
    process = subprocess.Popen(
        [sys.executable, "-m", "integrations.worker"],
        env=env,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    store = open_store(str(register))
    end = time.monotonic() + 20
    while leases.running_until(store, leases.WORKER) is None:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)
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
