"""The benchmark of noticing measures each commit once, and the waiting after the last one."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.noticing import BUDGET_MS, figures, notice

pytestmark = pytest.mark.kills


def test_each_commit_is_seen_and_waiting_is_measured(tmp_path: Path) -> None:
    late, percent = notice(str(tmp_path / "r.db"), commits=4, idle=0.2)
    assert len(late) == 4
    assert all(0 < one < 5_000 for one in late)
    assert 0 <= percent < 100


def test_a_late_median_is_over_budget() -> None:
    told = figures("SQLite", [BUDGET_MS + 1] * 3, 0.31, 20)
    assert [figure.holds for figure in told] == [False, True, False]
