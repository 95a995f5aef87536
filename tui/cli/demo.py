"""`muster demo`: a board over a register of its own, with a supplier that answers. Nothing of it stays."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Final

from register.matrix_toml import SAMPLE
from register.store import open_store, outbox
from tui.cli.answer import Answer
from tui.session import register_url

ROOT: Final = Path(__file__).resolve().parents[2]
SAMPLE_URL: Final = 'url = "http://127.0.0.1:8377"'
SAMPLE_POLL: Final = "poll_seconds = 5"
_START: Final = 15.0
"""Seconds that the supplier may take to listen, and the worker to hand over the first tickets."""
_END: Final = 5.0
_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """A signal asks the demonstration to end. Not an Exception: nothing but its end may catch it."""


def demo(*, as_json: bool = False) -> Answer:
    """Open the board on sample incidents; nothing of it stays."""
    answer = Answer(None, silent=True)
    with _until_told(), _folder() as folder, contextlib.ExitStack() as children:
        try:
            answer = _play(folder, children, as_json)
        except Ended as ended:
            answer = Answer(None, silent=True, code=128 + int(ended.args[0]))
    return answer


def _play(folder: Path, children: contextlib.ExitStack, as_json: bool) -> Answer:
    """Start everything and show it: on the screen, as text, or as the JSON of `muster list`."""
    env = dict(os.environ) | {
        "MUSTER_HOME": str(folder),
        "MUSTER_REGISTER": register_url(str(folder / "demo.db")),
        "XDG_STATE_HOME": str(folder / "state"),  # where the board's copy of the open incidents is kept
    }
    url = _start_supplier(env, children)
    (folder / "vendors.toml").write_text(_vendors_toml(url), encoding="utf-8")
    shutil.copy(SAMPLE, folder / SAMPLE.name)
    _fill(folder / "demo.db", folder)
    _start("integrations.worker", (), env, children, stdout=subprocess.DEVNULL)
    if as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        _wait_for_tickets(folder / "demo.db")
    if as_json:
        return _listed(env)
    return Answer(None, silent=True, code=_board(env, children))


def _listed(env: Mapping[str, str]) -> Answer:
    from tui.cli.here import here
    from tui.cli.looking import listed

    with here(env) as at:
        return listed(at)


def _vendors_toml(url: str) -> str:
    """Return the sample that we ship, with the supplier where it listens."""
    from integrations.vendors import find_vendors_file

    with tempfile.TemporaryDirectory() as empty:
        sample = find_vendors_file({"MUSTER_HOME": empty}).read_text(encoding="utf-8")
    return sample.replace(SAMPLE_URL, f'url = "{url}"').replace(SAMPLE_POLL, "poll_seconds = 2")


def _fill(register: Path, home: Path) -> None:
    from integrations.policy_files import find_files
    from tui.cli.sample import sample_register

    store = open_store(str(register))
    try:
        sample_register(store, find_files({"MUSTER_HOME": str(home)}).read().checked())
    finally:
        store.close()


def _start_supplier(env: Mapping[str, str], children: contextlib.ExitStack) -> str:
    """Start the practice supplier on a free port; return its URL."""
    child = _start("integrations.practice", ("--port", "0"), env, children, stdout=subprocess.PIPE)
    assert child.stdout is not None  # noqa: S101 - a pipe was asked for
    ready, _, _ = select.select([child.stdout], [], [], _START)
    line = child.stdout.readline().decode() if ready else ""
    url = line.rsplit(" ", 1)[-1].strip()
    if not url.startswith("http://"):
        raise RuntimeError(f"The practice supplier did not start within {_START:.0f} s.")
    return url


def _start(
    module: str,
    args: tuple[str, ...],
    env: Mapping[str, str],
    children: contextlib.ExitStack,
    *,
    stdout: int,
) -> subprocess.Popen[bytes]:
    """Start a process of ours that is ended with the demonstration, and takes no key from its terminal."""
    child = subprocess.Popen(  # noqa: S603 - our own modules
        [sys.executable, "-m", module, *args],
        env=dict(env),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    children.callback(_end, child)
    return child


def _board(env: Mapping[str, str], children: contextlib.ExitStack) -> int:
    """Run the board in a process of its own, so that a signal to us can clean up whatever it does."""
    child = subprocess.Popen([sys.executable, "-m", "tui.main"], env=dict(env), cwd=ROOT)
    children.callback(_end, child)
    return child.wait()


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(_END)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    if child.stdout is not None:
        child.stdout.close()


def _wait_for_tickets(register: Path) -> None:
    store = open_store(str(register))
    try:
        until = time.monotonic() + _START
        while outbox.unfinished(store) and time.monotonic() < until:
            time.sleep(0.1)
    finally:
        store.close()


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """A private folder, removed at the end; its path is short because sockets' paths are limited."""
    folder = Path(tempfile.mkdtemp(prefix="muster-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _until_told() -> Iterator[None]:
    """Turn the signals that end a process into Ended, once; keys go to the board, not to us."""

    def end(number: int, frame: FrameType | None) -> None:
        for each in (*_ENDING, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)
        raise Ended(number)

    before = {number: signal.signal(number, end) for number in (*_ENDING, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
