"""The benchmarks of whole registers run, tell their figures, and judge what they measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import many_writers, opening, verifying
from benchmarks.seed import seed

pytestmark = pytest.mark.kills


@pytest.fixture
def register(tmp_path: Path) -> str:
    seed(str(tmp_path / "r.db"), incidents=120, open_ones=20)
    return str(tmp_path / "r.db")


def test_opening_tells_time_and_memory_of_a_process_of_its_own(
    register: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert opening.main(["--register", register, "--runs", "1", "--check"]) == 0
    told = capsys.readouterr().out
    assert "open to 20 live incidents" in told
    assert "memory" in told


def test_a_budget_that_does_not_hold_ends_with_1(
    register: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "BUDGET", 1e9)
    assert verifying.main(["--register", register, "--check"]) == 1
    assert "OVER" in capsys.readouterr().out


def test_writers_at_once_are_counted_and_the_register_verified(tmp_path: Path) -> None:
    assert many_writers.at_once(str(tmp_path / "r.db"), 2, 0.3) > 0
