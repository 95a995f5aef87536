"""Look at a full-screen program from outside: on a pty of fixed size, every byte it writes stamped.

    python -m benchmarks.ptyprobe --marker 'INC-10' --press down:10 --idle 5 -- muster

The probe answers capability queries as a common terminal does, so that a program shows its usual face.
Times are seconds since the program was spawned, sizes are bytes on the wire. Standard library only.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

Size = tuple[int, int]
"""Columns and rows."""

KEYS: Final[Mapping[str, bytes]] = {
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "right": b"\x1b[C",
    "left": b"\x1b[D",
    "home": b"\x1b[H",
    "end": b"\x1b[F",
    "pageup": b"\x1b[5~",
    "pagedown": b"\x1b[6~",
    "enter": b"\r",
    "escape": b"\x1b",
    "tab": b"\t",
    "space": b" ",
}
TERMINAL: Final[Mapping[str, str]] = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
_OF_THE_CALLER: Final = ("LINES", "COLUMNS", "NO_COLOR", "TERM_PROGRAM", "TMUX", "STY")

_SEQUENCE: Final = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*(?P<final>[@-~])"  # CSI
    rb"|[\]PX^_][^\x1b\x07]*(?:\x07|\x1b\\)"  # OSC, DCS, SOS, PM, APC with their text
    rb"|[ -/]+[0-~]|[0-OQ-WYZ\\`-~])"
)
_MOVES: Final = frozenset(b"ABCDEFGHdf")
_QUERY: Final = re.compile(rb"\x1b\[(?:\?(?P<mode>\d+)\$p|(?P<da1>0?c)|(?P<da2>>0?c)|(?P<dsr>[56]n))")
_LONGEST: Final = 4096
"""Bytes after which something that looks like the beginning of a sequence is taken for text."""
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Gone(Exception):
    """The program ended, or never showed what was waited for; its last visible text is the message."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """What one key brought: bytes written, seconds to their first and to their last."""

    size: int
    first: float | None
    last: float | None


@dataclass(frozen=True, slots=True)
class Rest:
    """What the program does unasked: bytes a second, per cent of one core."""

    bytes_s: float
    cpu_percent: float


class Text:
    """The visible part of a terminal's input stream, taken apart as it comes in pieces.

    A cursor move stands as a line end: words on two sides of it need not be neighbours on the screen.
    """

    def __init__(self) -> None:
        self.seen = ""
        self._rest = b""

    def feed(self, data: bytes) -> None:
        data = self._rest + data
        plain, at = bytearray(), 0
        while (escape := data.find(b"\x1b", at)) >= 0:
            plain += data[at:escape]
            sequence = _SEQUENCE.match(data, escape)
            if sequence is None and len(data) - escape > _LONGEST:
                at = escape + 1
                continue
            if sequence is None:
                at = escape
                break
            final = sequence["final"]
            if final and final[0] in _MOVES:
                plain += b"\n"
            at = sequence.end()
        else:
            plain += data[at:]
            at = len(data)
        whole = _whole_characters(bytes(plain)) if at == len(data) else len(plain)
        self._rest = bytes(plain[whole:]) + data[at:]
        self.seen += plain[:whole].decode("utf-8", "replace")


def _whole_characters(data: bytes) -> int:
    """How much of `data` is not the beginning of a UTF-8 character whose rest is still to come."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte >= 0xC0:
            wanted = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(data) - back if back < wanted else len(data)
        if byte < 0x80:
            break
    return len(data)


def answers(data: bytes, *, synchronized: bool = True) -> Iterator[bytes]:
    """What a terminal replies to the queries in `data`: device attributes, position, modes (DECRQM)."""
    for query in _QUERY.finditer(data):
        if query["mode"]:
            known = query["mode"] == b"2026" and synchronized
            yield b"\x1b[?%b;%d$y" % (query["mode"], 2 if known else 0)
        elif query["da1"]:
            yield b"\x1b[?62;22c"
        elif query["da2"]:
            yield b"\x1b[>1;10;0c"
        else:
            yield b"\x1b[0n" if query["dsr"] == b"5n" else b"\x1b[1;1R"


class Terminal:
    """A program on a pty, from spawn to end: `with Terminal(["muster"]) as terminal: …`."""

    def __init__(
        self,
        command: Sequence[str],
        size: Size = (120, 40),
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        *,
        synchronized: bool = True,
    ) -> None:
        self.text = Text()
        self.size = 0
        self.first: float | None = None
        self.last: float | None = None
        self._synchronized = synchronized
        self._tail = b""
        self._fd, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        own = {name: value for name, value in os.environ.items() if name not in _OF_THE_CALLER}
        self.started = time.perf_counter()
        with contextlib.ExitStack() as failing:
            failing.callback(os.close, self._fd)
            try:
                self._process = subprocess.Popen(
                    list(command),
                    env={**own, **TERMINAL, **(env or {})},
                    cwd=cwd,
                    preexec_fn=lambda: os.login_tty(slave),  # noqa: PLW1509  the probe has no threads
                )
            finally:
                os.close(slave)
            failing.pop_all()
        os.set_blocking(self._fd, False)

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, wait: float) -> int:
        """Take what comes within `wait` seconds; its size, 0 for silence. Raises Gone at the end."""
        if not select.select([self._fd], [], [], wait)[0]:
            return 0
        try:
            data = os.read(self._fd, 1 << 20)
        except OSError:
            data = b""
        if not data:
            raise Gone(f"the program ended; the last it showed: {self.text.seen[-500:].strip()!r}")
        self.last = time.perf_counter() - self.started
        if self.first is None:
            self.first = self.last
        self.size += len(data)
        self.text.feed(data)
        self._answer(data)
        return len(data)

    def _answer(self, data: bytes) -> None:
        data = self._tail + data
        end = 0
        for query in _QUERY.finditer(data):
            end = query.end()
        for answer in answers(data, synchronized=self._synchronized):
            self.send(answer)
        self._tail = data[max(end, len(data) - 16) :]

    def send(self, data: bytes) -> None:
        while data:
            select.select([], [self._fd], [], 5)
            data = data[os.write(self._fd, data) :]

    def wait_for(self, marker: str, count: int = 1, limit: float = 60) -> float:
        """Seconds from spawn until the visible text held `count` different matches of `marker`, a pattern."""
        pattern = re.compile(marker)
        end = self.started + limit
        while len({match[0] for match in pattern.finditer(self.text.seen)}) < count:
            if time.perf_counter() > end:
                shown = self.text.seen[-500:].strip()
                raise Gone(f"not {count} of {marker!r} within {limit:g} s; it showed: {shown!r}")
            self.read(0.05)
        assert self.last is not None
        return self.last

    def settle(self, quiet: float = 0.7, limit: float = 60) -> float:
        """Read until nothing came for `quiet` seconds; when the last byte came, in seconds from spawn."""
        end = time.perf_counter() + limit
        while time.perf_counter() < end and self.read(quiet):
            pass
        return self.last or 0.0

    def press(self, key: str, quiet: float = 0.2, limit: float = 10) -> Reaction:
        """Send a key of KEYS, or text as it is, and read until silence."""
        before, begin = self.size, time.perf_counter()
        self.send(KEYS.get(key, key.encode()))
        first = last = None
        while time.perf_counter() - begin < limit:
            if not self.read(quiet if first is not None else max(quiet, 0.5)):
                break
            last = time.perf_counter() - begin
            first = last if first is None else first
        return Reaction(self.size - before, first, last)

    def rest(self, seconds: float) -> Rest:
        """Listen for `seconds` and touch nothing."""
        before, spent, begin = self.size, cpu_seconds(self.pid), time.perf_counter()
        while (left := begin + seconds - time.perf_counter()) > 0:
            self.read(left)
        passed = time.perf_counter() - begin
        return Rest((self.size - before) / passed, 100 * (cpu_seconds(self.pid) - spent) / passed)

    def rss_mb(self) -> float:
        """Resident memory of the program itself, in MB of a million bytes."""
        return rss_bytes(self.pid) / 1e6

    def close(self, patience: float = 3) -> None:
        """End the program: politely, then not."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, how)
            end = time.perf_counter() + patience
            while self._process.poll() is None and time.perf_counter() < end:
                try:
                    self.read(0.05)
                except Gone:
                    time.sleep(0.01)  # it has closed its terminal, and is about to end
            if self._process.poll() is not None:
                break
        os.close(self._fd)


def rss_bytes(pid: int) -> int:
    """Resident memory of a process, from /proc; 0 where it cannot be read."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return 0


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, from /proc; 0 where it cannot be read."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS
    return 0.0


@dataclass(frozen=True, slots=True)
class Start:
    """One start: seconds to the first byte, to the marker and to the last byte; bytes; resident MB."""

    first_byte: float
    painted: float
    settled: float
    start_bytes: int
    rss_mb: float


def measure_start(
    terminal: Terminal, marker: str, count: int = 1, quiet: float = 0.7, limit: float = 60
) -> Start:
    """Watch a fresh `terminal` until `count` different matches of `marker` are painted and it is at rest."""
    painted = terminal.wait_for(marker, count, limit)
    settled = terminal.settle(quiet, limit)
    return Start(terminal.first or 0.0, painted, settled, terminal.size, terminal.rss_mb())


def one_run(options: argparse.Namespace, size: Size, env: Mapping[str, str]) -> dict[str, float]:
    """Everything the command line asked for, once."""
    with Terminal(options.command, size, env, synchronized=not options.no_sync) as terminal:
        row: dict[str, float] = asdict(
            measure_start(terminal, options.marker, options.count, options.quiet, options.limit)
        )
        for spec in options.press:
            key, _, times = spec.partition(":")
            seen = [terminal.press(key) for _ in range(int(times or 1))]
            row[f"{key} bytes"] = statistics.median(each.size for each in seen)
            row[f"{key} seconds"] = statistics.median(each.last or 0.0 for each in seen)
        if options.idle:
            row |= {f"idle_{name}": value for name, value in asdict(terminal.rest(options.idle)).items()}
        return row


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks.ptyprobe", description=__doc__)
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    made.add_argument("--size", default="120x40", help="columns x rows")
    made.add_argument("--runs", type=int, default=5)
    made.add_argument("--marker", default=r"\S", help="regular expression that the visible text must hold")
    made.add_argument("--count", type=int, default=1, help="how many different matches of the marker")
    made.add_argument("--press", action="append", default=[], metavar="KEY[:TIMES]")
    made.add_argument("--idle", type=float, default=0, metavar="SECONDS")
    made.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    made.add_argument("--no-sync", action="store_true", help="do not know mode 2026")
    made.add_argument("--quiet", type=float, default=0.7, help="seconds of silence that count as settled")
    made.add_argument("--limit", type=float, default=60, help="seconds until a run is given up")
    made.add_argument("--json", action="store_true")
    made.add_argument("command", nargs="+", help="-- and the program with its arguments")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    options = parser().parse_args(argv)
    columns, _, rows = options.size.partition("x")
    env = dict(item.split("=", 1) for item in options.env)
    try:
        runs = [one_run(options, (int(columns), int(rows)), env) for _ in range(options.runs)]
    except (Gone, OSError) as trouble:
        print(f"ptyprobe: {trouble}", file=sys.stderr)
        return 1
    medians = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    if options.json:
        print(json.dumps({"runs": len(runs)} | {name: round(value, 4) for name, value in medians.items()}))
    else:
        for name, value in medians.items():
            print(f"{name:16} {value:,.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
