"""A budget that does not hold is said, and fails the run when asked to."""

from __future__ import annotations

import json

import pytest

from benchmarks.figures import Figure, conclude, percentile

GOOD = Figure("log one", 2.9, "bare insert", 1.0, "ms", budget=3)
BAD = Figure("log one", 3.1, "bare insert", 1.0, "ms", budget=3)
TOLD = Figure("p99", 9.0, "bare insert", 1.0, "ms")


def test_over_budget_fails_only_a_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert conclude([GOOD, BAD], check=False) == 0
    assert conclude([GOOD, BAD], check=True) == 1
    assert conclude([GOOD, TOLD], check=True) == 0
    out = capsys.readouterr().out
    assert "OVER  log one: 3.10 ms; bare insert: 1.00 ms; ratio 3.10 of 3 allowed" in out


def test_json_has_the_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    conclude([GOOD], check=False, as_json=True)
    assert json.loads(capsys.readouterr().out)[0]["ratio"] == 2.9


def test_percentile() -> None:
    assert percentile(range(1, 101), 99) == 100
    assert percentile([5.0], 50) == 5.0
