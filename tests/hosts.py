"""Two hosts of this test's own: network namespaces on a bridge, with a line each that can be cut and mended.

What a host says to `127.0.0.1:PORT` of its own is passed on to a server of ours over a Unix socket, which no
network reaches: a supplier stays within reach of a host whose line to the register is cut.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

_numbers = count(1)
PASS_ON: Final = """
import socket, sys, threading
def door(where):
    if where.startswith("/"):
        made = socket.socket(socket.AF_UNIX); made.bind(where)
    else:
        made = socket.socket(); made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("127.0.0.1", int(where)))
    made.listen(64); return made
def reach(where):
    if where.startswith("/"):
        made = socket.socket(socket.AF_UNIX); made.connect(where); return made
    return socket.create_connection(("127.0.0.1", int(where)))
def flow(one, other):
    try:
        while data := one.recv(65536): other.sendall(data)
    except OSError: pass
    for end in (one, other):
        try: end.shutdown(socket.SHUT_RDWR)
        except OSError: pass
at = door(sys.argv[1])
print("listening", flush=True)
while True:
    one, _ = at.accept()
    try: other = reach(sys.argv[2])
    except OSError: one.close(); continue
    for pair in ((one, other), (other, one)): threading.Thread(target=flow, args=pair, daemon=True).start()
"""
"""Pass on what comes to one address (a path, or a port of loopback) to another."""


def ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")


def why_not() -> str:
    """Why no hosts can be made here; empty where they can."""
    if os.getuid() != 0:
        return "not root: network namespaces are made by root"
    if shutil.which("ip") is None:
        return "no `ip`: install iproute2"
    name = f"try{os.getpid()}"
    try:
        ip("netns", "add", name)
        ip("netns", "del", name)
        ip("link", "add", name[:12], "type", "bridge")
        ip("link", "del", name[:12])
    except OSError as error:
        return f"this machine lets nobody make network namespaces: {error}"
    return ""


class Host:
    """One namespace. `address` is its own, on the bridge."""

    def __init__(self, number: int, tag: str, net: str, bridge: str) -> None:
        self.name = f"mh{tag}{number}"
        self.address = f"{net}.{number + 1}"
        self._line = f"v{tag}{number}"
        ip("netns", "add", self.name)
        ip("link", "add", self._line, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        ip("link", "set", self._line, "master", bridge, "up")
        ip("-n", self.name, "addr", "add", f"{self.address}/24", "dev", "eth0")
        ip("-n", self.name, "link", "set", "eth0", "up")
        ip("-n", self.name, "link", "set", "lo", "up")

    def cut(self) -> None:
        """Nothing passes, and nobody is told."""
        ip("link", "set", self._line, "down")

    def mend(self) -> None:
        ip("link", "set", self._line, "up")

    def runs(self, *words: str, env: Mapping[str, str] | None = None, **more: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["ip", "netns", "exec", self.name, *words], env=env, **more)

    def gone(self) -> None:
        with contextlib.suppress(OSError):
            ip("netns", "del", self.name)


class Hosts:
    """Two hosts, and us at `here`."""

    def __init__(self) -> None:
        number = next(_numbers)  # the lines of a host that is gone outlive it for a while: take another net
        tag = f"{os.getpid() % 100_000}{chr(96 + number)}"
        net = f"10.{76 + number}.{os.getpid() % 250}"
        self.folder = Path(tempfile.mkdtemp(prefix="hosts"))
        self.here = f"{net}.1"
        self._bridge = f"br{tag}"
        self._passing: list[subprocess.Popen[bytes]] = []
        self._made: list[Host] = []
        ip("link", "add", self._bridge, "type", "bridge")
        ip("addr", "add", f"{self.here}/24", "dev", self._bridge)
        ip("link", "set", self._bridge, "up")
        self._made = [Host(number, tag, net, self._bridge) for number in (1, 2)]

    @property
    def both(self) -> Sequence[Host]:
        return self._made

    def brings(self, port: int) -> None:
        """Let a server of ours be at the same port of each host's own loopback."""
        way = str(self.folder / f"{port}.sock")
        self._pass(None, way, str(port))
        for host in self._made:
            self._pass(host, str(port), way)

    def _pass(self, host: Host | None, *ends: str) -> None:
        words = (sys.executable, "-c", PASS_ON, *ends)
        more = {"stdout": subprocess.PIPE}
        process = host.runs(*words, **more) if host else subprocess.Popen(words, **more)
        assert process.stdout is not None
        assert process.stdout.readline() == b"listening\n"
        self._passing.append(process)

    def close(self) -> None:
        for process in self._passing:
            process.kill()
            process.communicate()
        for host in self._made:
            host.gone()
        with contextlib.suppress(OSError):
            ip("link", "del", self._bridge)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def hosts() -> Iterator[Hosts]:
    """Two hosts, or a skip that says why there are none."""
    if why := why_not():
        pytest.skip(f"TWO HOSTS LEFT OUT: {why}")
    made = Hosts()
    try:
        yield made
    finally:
        made.close()


def until_reached(host: Host, address: str, port: int) -> None:
    """Wait until a server is within a host's reach."""
    probe = f"import socket; socket.create_connection(({address!r}, {port}), 2)"
    end = time.monotonic() + 30
    while host.runs(sys.executable, "-c", probe, stderr=subprocess.DEVNULL).wait(20):
        assert time.monotonic() < end, f"{host.name} does not reach {address}:{port}"
        time.sleep(0.2)
