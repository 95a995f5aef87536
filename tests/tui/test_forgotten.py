"""A board says it where a step was due and nobody fired it, and a doctor, too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from register.store import Store
from tests.register.escalating import escalating, ticks, urgent
from tui.reading import alarm_of


def test_a_board_says_so(store: Store) -> None:
    assert alarm_of(store) == ""
    desk, clock = escalating(store)
    clock.now = datetime.now(UTC) - timedelta(minutes=12)
    urgent(desk)
    ticks(desk, clock, seconds=1)
    assert alarm_of(store).startswith("‼ A STEP OF INC-1 WAS DUE 6m AGO: muster doctor")
