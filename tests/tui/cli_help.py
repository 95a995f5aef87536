"""A command line in a fresh environment, in this process: what it printed, and with which code it ended."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tui.cli import run


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        return json.loads(self.err)["error"]


@dataclass
class Cli:
    """Call it with words: `cli("log", "Mail is late", "--json")`."""

    home: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    woken: list[str] = field(default_factory=list)

    def __call__(self, *argv: str, stdin: bytes = b"") -> Ran:
        self.monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
        self.capsys.readouterr()
        code = run(argv)
        said = self.capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return Ran(code, said.out, said.err)

    def json(self, *argv: str, stdin: bytes = b"") -> Any:
        """What it prints with --json, when it is done."""
        ran = self(*argv, *(() if "--json" in argv else ("--json",)), stdin=stdin)
        assert ran.code == 0, ran.err
        return ran.data

    def vendors(self, text: str) -> None:
        (self.home / "vendors.toml").write_text(text)


def fresh(
    home: Path, monkeypatch: pytest.MonkeyPatch, env: Callable[[str, str], None] | None = None
) -> dict[str, str]:
    """The environment of somebody who never used Muster."""
    told = {
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "MUSTER_REGISTER": str(home / "r.db"),
        "MUSTER_HOME": str(home),
        "TZ": "UTC",
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "CREDENTIALS_DIRECTORY", "MUSTER_KEYRING", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return told


def vendor_block(url: str = "http://127.0.0.1:9", **changes: str) -> str:
    """A vendors.toml with the practice supplier at this address."""
    keys = {"connector": "practice", "title": "Practice", "url": url, "environment": "test", "auth": "none"}
    keys |= {"queue": "Support"} | changes
    lines = [f'{key} = "{value}"' for key, value in keys.items()]
    states = {"Open": "new", "Working": "working", "Needs customer": "waits_for_us"}
    states |= {"Fixed": "fixed", "Closed": "closed", "Declined": "refused"}
    words = enumerate(("Urgent", "High", "Normal", "Low", "Low"), 1)
    return "\n".join(
        (
            "[vendor.practice]",
            *lines,
            "[vendor.practice.states]",
            *(f'"{word}" = "{meaning}"' for word, meaning in states.items()),
            "[vendor.practice.priorities]",
            *(f'{priority} = "{word}"' for priority, word in words),
        )
    )
