"""How an escalation reads as a chip and in the pane."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from tests.register.test_run_row import incident, run
from tests.tui.fakes import NOW, PEOPLE, row
from tests.tui.test_ticking import model, text
from tui.columns import Eyes
from tui.detail import Detail, pane
from tui.run_words import chip, target_words, urgency
from tui.signs import ASCII

EYES = Eyes(now=NOW, people=PEOPLE)
PLAIN = Eyes(now=NOW, people=PEOPLE, signs=ASCII)
IN_7 = NOW + 7 * 60


@pytest.mark.parametrize(
    ("given", "told", "plainly"),
    [
        (["triggered", 2, 3, 4, IN_7], "INC-1 2/4 ▸ 3/4 in 7m", "INC-1 2/4 > 3/4 in 7m"),
        (["triggered", 0, 1, 4, NOW], "INC-1 ▸ 1/4 now", "INC-1 > 1/4 now"),
        (["triggered", 2, 2, 4, NOW + 30], "INC-1 2/4 again in <1m", "INC-1 2/4 again in <1m"),
        (["triggered", 4, 1, 4, NOW + 4000], "INC-1 4/4 ▸ 1/4 in 1h06", "INC-1 4/4 > 1/4 in 1h06"),
        (["triggered", 4, 0, 4, None], "INC-1 4/4", "INC-1 4/4"),
        (["acknowledged", 2, 3, 4, IN_7], "INC-1 acked", "INC-1 acked"),
        (["exhausted", 4, 0, 4, None], "INC-1 ‼ exhausted", "INC-1 ! exhausted"),
        (["suppressed", 0, 1, 4, NOW + 1620], "INC-1 held until 22:40", "INC-1 held until 22:40"),
        (["suppressed", 0, 1, 4, None], "INC-1 held", "INC-1 held"),
        (["of-tomorrow", 0, 1, 4, None], "INC-1 of-tomorrow", "INC-1 of-tomorrow"),
    ],
)
def test_a_chip_says_which_step_it_is_at_and_when_the_next_one_comes(
    given: list[Any], told: str, plainly: str
) -> None:
    one = row(1, run=given)
    assert chip(one, EYES, UTC) == told
    assert chip(one, PLAIN, UTC) == plainly
    assert plainly.isascii()


def test_a_chip_without_escalation_says_the_number_and_whether_it_waits() -> None:
    assert chip(row(1), EYES, UTC) == "INC-1"
    assert chip(row(1, hold="vendor", state="On Hold"), EYES, UTC) == "INC-1 on hold"
    assert chip(row(1, masked=True, restricted=True), EYES, UTC) == "INC-1 restricted"


def test_nobody_answered_comes_first_and_then_whose_next_step_is_nearest() -> None:
    some = [
        row(1),
        row(2, run=["acknowledged", 1, 2, 4, None]),
        row(3, run=["triggered", 1, 2, 4, IN_7]),
        row(4, run=["suppressed", 1, 2, 4, IN_7]),
        row(5, run=["triggered", 1, 2, 4, NOW]),
        row(6, run=["exhausted", 1, 2, 4, None]),
    ]
    assert [one["n"] for one in sorted(some, key=urgency)] == [6, 5, 3, 4, 2, 1]


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("oncall", "app-ops on call"),
        ("lead", "app-ops lead"),
        ("team", "all of app-ops"),
        ("rota:infra", "infra on call"),
        ("lead:infra", "infra lead"),
        ("team:infra", "all of infra"),
        ("supplier:acme", "acme (supplier)"),
        ("person:p1", "Ana"),
        ("person:p99", "p99"),
    ],
)
def test_a_target_in_words(to: str, words: str) -> None:
    assert target_words(to, "app-ops", PEOPLE) == words


def test_the_pane_tells_who_is_next_and_when() -> None:
    shown = model()
    shown.eyes.now = NOW
    one = row(1, run=["triggered", 2, 3, 4, IN_7])
    assert " step 2/4, next step at 22:20" in text(pane(one, None, shown, 60, 20))
    read = Detail("INC-1", "p1", None, (), incident(run=run()))
    assert " step 2/4, next: three on call at 22:20" in text(pane(one, read, shown, 60, 20))
    assert " ‼ every step taken, nobody answered" in text(
        pane(row(1, run=["exhausted", 4, 0, 4, None]), None, shown, 60, 20)
    )
    assert not [line for line in text(pane(row(1), None, shown, 60, 20)) if "step" in line]
