"""A small file system of its own, for tests of disks that are full or read-only. Only root may mount."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

import pytest

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="NOT RUN: mounting a small disk needs root")


class Disk:
    """Mounted on an existing folder until it is gone."""

    def __init__(self, place: Path, megabytes: int) -> None:
        self.place = place
        self._mount("-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs")

    def _mount(self, *words: str) -> None:
        done = subprocess.run(["mount", *words, str(self.place)], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"NOT RUN: no disk can be mounted here ({done.stderr.strip()})")

    def fill(self) -> None:
        """Leave no room at all."""
        with (self.place / "filler").open("ab", buffering=0) as filler:
            for size in (1 << 16, 1 << 12):
                with contextlib.suppress(OSError):
                    while True:
                        filler.write(bytes(size))

    def make_room(self) -> None:
        (self.place / "filler").unlink()

    def freeze(self) -> None:
        self._mount("-o", "remount,ro")

    def thaw(self) -> None:
        self._mount("-o", "remount,rw")

    def gone(self) -> None:
        subprocess.run(["umount", "-l", str(self.place)], check=True, capture_output=True)
