"""Muster under other users, as root: no account is needed.

One process loads all that there is and forks itself for each command: loading takes longer than a command.
`run` is for tests; `python -m tests.as_user` is that process, which takes a JSON object a line.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
OPENS_SOMETHING = {"antigravity", "idlelib", "this", "tkinter", "turtle", "turtledemo"}


def load_all() -> None:
    """Load what may be loaded later."""
    for name in sorted(sys.stdlib_module_names - OPENS_SOMETHING):
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    for name in ("register", "integrations", "tui"):
        for found in pkgutil.walk_packages([str(ROOT / name)], f"{name}."):
            if not found.name.endswith("__main__"):
                importlib.import_module(found.name)
    for package in ("encodings", "sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql"):
        for found in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
            with contextlib.suppress(ImportError):  # drivers that are not here
                importlib.import_module(found.name)
    importlib.import_module("concurrent.futures.thread")


@cache
def _server() -> subprocess.Popen[str]:
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.as_user"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(server.kill)
    return server


def run(uid: int, gids: str, umask: str, what: Sequence[str], env: Mapping[str, str]) -> tuple[int, str, str]:
    """Run `muster …` as somebody; gids: the groups, the primary one first, with commas.

    Returns the exit code and what was said on stdout and stderr.
    """
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        files = [f"/proc/{os.getpid()}/fd/{one.fileno()}" for one in (out, err)]
        asked = {"uid": uid, "gids": gids, "umask": umask, "what": list(what), "env": dict(env), "to": files}
        print(json.dumps(asked), file=server.stdin, flush=True)
        code = int(server.stdout.readline())
        out.seek(0)
        err.seek(0)
        return code, out.read(), err.read()


def _become(asked: Mapping[str, Any]) -> None:
    """Be somebody else, with their environment and their umask, writing to the asker's files."""
    for number, name in enumerate(("/dev/null", *asked["to"])):
        os.dup2(os.open(name, os.O_RDWR), number)
    os.environ.clear()
    os.environ.update(asked["env"])
    groups = [int(gid) for gid in asked["gids"].split(",")]
    os.setgroups(groups)
    os.setgid(groups[0])
    os.setuid(asked["uid"])
    os.umask(int(asked["umask"], 8))


def main() -> None:
    load_all()  # this Python may lie where only root may read
    from tui.main import main as muster

    for line in sys.stdin:
        child = os.fork()
        if not child:
            asked = json.loads(line)
            _become(asked)
            sys.argv = list(asked["what"])
            sys.exit(int(muster() or 0))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
