"""`muster --version` says which Muster this is."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from tui.main import main


@pytest.mark.parametrize("word", ["--version", "-V"])
def test_the_version_is_told(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([word]) == 0
    assert capsys.readouterr().out == f"muster {version('muster')}\n"
