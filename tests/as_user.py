"""Muster under another user: python -m tests.as_user UID GIDS UMASK PROGRAM [ARGUMENT]…  (as root)

GIDS: the groups, the primary one first, with commas. PROGRAM: `muster`, or a module with a `main()` that
reads sys.argv. No account is needed. The rest of the environment is the caller's.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pkgutil
import stat
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OPENS_SOMETHING = {"antigravity", "idlelib", "this", "tkinter", "turtle", "turtledemo"}


def load_all() -> None:
    """Load what may be loaded later: this Python may lie where only root may read."""
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


def closed_to_others(path: str) -> bool:
    return any(not one.stat().st_mode & stat.S_IXOTH for one in Path(path).resolve().parents)


def main() -> int:
    uid, gids, umask, program, *rest = sys.argv[1:]
    if closed_to_others(os.__file__) or closed_to_others(sys.executable):
        load_all()
    groups = [int(gid) for gid in gids.split(",")]
    os.setgroups(groups)
    os.setgid(groups[0])
    os.setuid(int(uid))
    os.umask(int(umask, 8))
    if program == "muster":
        from tui.main import main as muster

        sys.argv = ["muster", *rest]
        return int(muster() or 0)
    sys.argv = [program, *rest]
    return int(importlib.import_module(program).main() or 0)


if __name__ == "__main__":
    sys.exit(main())
