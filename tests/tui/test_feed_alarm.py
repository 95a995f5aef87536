"""The board says that a calendar which says who is on call is in trouble, at whatever width."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from register.live import Live
from tests.tui.test_board import NOW
from tui.context import header
from tui.messages import Freshness, Reach
from tui.model import Model
from tui.session import session_from

ALARM = "‼ CALENDAR OF ops IN TROUBLE: muster doctor"


@pytest.mark.parametrize("width", [80, 120])
def test_the_header_says_it_and_what_is_worse_goes_first(tmp_path: Path, width: int) -> None:
    model = Model(session_from({"MUSTER_REGISTER": str(tmp_path / "r.db")}), Live.nowhere())
    model.freshness = Freshness(Reach.LIVE, NOW, sending=True, alarm=ALARM)
    line = header(model, "board", width, NOW)
    assert ("‼ CALENDAR OF ops IN TROUBLE" in "".join(text for text, _ in line)) is True
    assert [pen for text, pen in line if text.startswith("‼")] == ["bar-bad"]
    model.freshness = replace(model.freshness, sending=False)
    said = "".join(text for text, _ in header(model, "board", width, NOW))
    assert "NOTHING IS BEING SENT" in said
    assert "CALENDAR" not in said
    model.freshness = replace(model.freshness, sending=True, alarm="")
    assert "‼" not in "".join(text for text, _ in header(model, "board", width, NOW))
