"""What the tests of the command line ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.cli_help import Cli, fresh


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """A command line on an empty register, which starts no worker but notes that it would."""
    fresh(tmp_path, monkeypatch)
    made = Cli(tmp_path, monkeypatch, capsys)
    monkeypatch.setattr("integrations.worker.ensure", lambda url, *rest: made.woken.append(url))
    return made
