"""`muster serve` with a key takes over from a worker that was started by itself and has none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from integrations import handover, master_key, sealed, secrets, worker
from integrations.handover import holder
from integrations.lock import Kind, alone
from integrations.practice.server import running_practice
from tests.tui.cli_help import Cli, fresh, vendor_block

KEY = "correct horse battery"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """A command line in a fresh home, on a host without a desktop."""
    fresh(tmp_path, monkeypatch)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "")
    return Cli(tmp_path, monkeypatch, capsys)


@pytest.fixture
def serve(cli: Cli) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Runs `muster serve` with the key by a file descriptor; it ends with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        reads, writes = os.pipe()
        os.write(writes, KEY.encode())
        os.close(writes)
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "tui.main", "serve"],
                cwd=ROOT,
                env=os.environ | {"MUSTER_KEY_FD": str(reads)},
                pass_fds=(reads,),
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        )
        os.close(reads)
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.communicate()
    if (left := holder(cli.home / "r.db")) is not None and left.pid:
        os.kill(left.pid, signal.SIGKILL)


def until(told: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not told():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or a child of ours that nobody waited for."""
    try:
        return not Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return True


@pytest.mark.kills
def test_a_serve_that_has_the_key_takes_over_from_a_worker_that_lacks_it(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, serve: Callable[[], subprocess.Popen[bytes]]
) -> None:
    monkeypatch.setattr(sealed.Head, "new", lambda: sealed.Head(os.urandom(16), sealed.Cost(64, 1, 1)))
    monkeypatch.setattr(master_key._Held, "key", KEY)
    register = cli.home / "r.db"
    with running_practice(token="right") as practice:
        cli.vendors(vendor_block(practice.url, auth="keyring"))
        secrets.store("practice", "right")
        monkeypatch.setattr(master_key._Held, "key", None)  # from here on nobody knows it but who is given it
        cli("log", "Mail is late")
        cli.json("engage", "1", "practice", "No mail since noon.")
        until(lambda: (found := holder(register)) and found.pid)
        first = holder(register)
        assert first is not None
        assert first.gives_way
        until(lambda: cli.json("vendors", "list")[0]["trouble"])
        why = cli.json("outbox", "list")[0]["why"]
        assert why.startswith("The key of ")
        assert why.endswith("`MUSTER_KEYRING=file muster serve` sends what waits.")
        person = serve()
        until(lambda: cli.json("outbox", "list") == [])
        assert holder(register) == handover.Holder(person.pid)
        until(lambda: has_ended(first.pid))
        assert worker.ensure(str(register)) is False, "the person's serves"
        second = serve()
        assert second.wait(60) == 3
        person.terminate()
        said = person.communicate(timeout=60)[1].decode()
    assert person.returncode == 0
    assert f"started by itself serves this register already (process {first.pid}): it ends" in said


@pytest.mark.parametrize("kind", Kind)
def test_where_nothing_is_to_be_had_of_it_the_other_one_is_left_alone(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    cli("log", "Mail is late")
    asked = []
    monkeypatch.setattr(secrets, "unlock", lambda env: asked.append(env))
    monkeypatch.setattr(secrets, "describe", lambda env: secrets.Store("none", False, ""))
    with alone(cli.home / "r.db", kind):
        ran = cli("serve")
        assert cli("serve", "--until-idle").code == 0
    end = f"Where it lacks a key or a credential: `kill {os.getpid()}`, then start this again."
    todo = end if kind is Kind.SERVES else "`MUSTER_KEYRING=file muster serve`"
    assert (ran.code, todo in ran.err, f"(process {os.getpid()})" in ran.err) == (3, True, True), ran.err
    assert len(asked) == (kind is Kind.BY_ITSELF), "the key is asked for only where it is of use"
    assert holder(cli.home / "r.db") is None
