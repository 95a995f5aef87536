"""The board's filter line: the language, the words that worked before it, and mistakes while one types."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from register.row import mask
from tests.tui.fakes import NOW, app_with, row
from tests.tui.test_board import _clock, feed, painted, settled, text_of  # noqa: F401 - the clock is a fixture
from tui.app import MusterApp

KEYS = {" ": "space", "<": "less_than_sign", "=": "equals_sign", ":": "colon", ">": "greater_than_sign"}
KEYS |= {'"': "quotation_mark", "(": "left_parenthesis", "-": "minus", "ß": "ß"}

SOME = [
    row(1, p=1, title="Checkout answers 500", owner=None, bonds=[["acme", "open", "ours", 0, "A-88", "ok"]]),
    row(2, p=2, title="Straße closed", owner="p1", service="mail", category="messaging"),
    row(3, p=3, title="Mail is late", owner="p3", team="desk", state="New"),
    mask(row(4, p=1, title="Mail is read", owner="p1")),
]


async def board(tmp_path: Path) -> MusterApp:
    return app_with(tmp_path / "live.json", SOME)


async def type_in(pilot: Pilot[None], text: str) -> None:
    await pilot.press(*(KEYS.get(sign, sign) for sign in text))
    await settled(pilot)


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("mail", "2 3"),  # a service and a title
        ("carl", "3"),  # an owner
        ("acme", "1"),  # a supplier
        ("a-88", "1"),  # their ticket
        ("desk", "3"),
        ("messaging", "2"),
        ("inc-2", "2"),
        ("strasse", "2"),
        ('"mail"', "3"),  # quoted: the title alone
        ("500 check", "1"),
        ("restricted", "4"),
        ("inc-4", "4"),
        ("p<=2 mine", "2"),
        ("not p:1 -mine", "3"),
        ("due<+3h state:new", "3"),
    ],
)
async def test_what_a_board_shows_for_a_filter(tmp_path: Path, typed: str, numbers: str) -> None:
    app = await board(tmp_path)
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.press("slash")
        await type_in(pilot, typed)
        assert sorted(painted(app)) == [f"INC-{n}" for n in numbers.split()]


async def test_a_mistake_is_told_under_its_column_and_the_last_good_filter_stays(tmp_path: Path) -> None:
    app = await board(tmp_path)
    async with app.run_test(size=(140, 24)) as pilot:
        await pilot.press("slash")
        await type_in(pilot, "p<=2")
        assert sorted(painted(app)) == ["INC-1", "INC-2"]
        await type_in(pilot, " p<=x")
        line, under = text_of(app)[-2:]
        assert line.startswith(" filter /p<=2 p<=x")
        assert under.index("^") == line.index("x")
        assert under.endswith("^ column 9: “x” is no value of p; write a number 1 to 5.")
        assert sorted(painted(app)) == ["INC-1", "INC-2"]
        assert "/p<=2 p  2 of 4" in text_of(app)[1]  # p alone was a word
        await pilot.press("enter")
        await settled(pilot)
        assert text_of(app)[-2].startswith(" filter /p<=2 p<=x")  # it is not taken
        await pilot.press("backspace")
        await type_in(pilot, "1")
        assert painted(app) == ["INC-1"]
        assert text_of(app)[-1].startswith(" filter /p<=2 p<=1")
        await pilot.press("enter")
        await settled(pilot)
        assert painted(app) == ["INC-1"]
        assert "filter /" not in text_of(app)[-1]


async def test_a_long_mistake_at_a_narrow_board_is_told_whole(tmp_path: Path) -> None:
    app = await board(tmp_path)
    async with app.run_test(size=(60, 24)) as pilot:
        await pilot.press("slash")
        await type_in(pilot, "checkout answers state:gone")
        told = " ".join(text_of(app)[-3:])
        assert "column 24: “gone” is no value of state; write new," in told
        await pilot.press("escape")
        await settled(pilot)
        assert len(painted(app)) == 4


async def test_what_a_filter_means_changes_with_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = await board(tmp_path)
    async with app.run_test(size=(100, 24)) as pilot:
        await feed(app, pilot, row(9, title="Soon", due=NOW + 90))
        await pilot.press("slash")
        await type_in(pilot, "overdue")
        await pilot.press("enter")
        assert painted(app) == []
        monkeypatch.setattr("tui.model.time.time", lambda: float(NOW + 120))
        app._minute()
        await settled(pilot)
        assert painted(app) == ["INC-9"]


async def test_a_name_must_be_the_policys_or_some_rows(tmp_path: Path) -> None:
    app = await board(tmp_path)
    async with app.run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        await pilot.press("slash")
        await type_in(pilot, "vendor:nosuch")
        assert app.model.sieve.wrong is None  # nobody has said yet which there are
        assert app.model.shown() == []
        app.model.named = {"vendor": ("nordnet",), "team": ("desk",)}
        for typed, shown in (("vendor:nordnet", []), ("vendor:acme", ["INC-1"]), ("team:DESK", ["INC-3"])):
            app.model.filter(typed)
            assert app.model.sieve.wrong is None
            assert [one["number"] for one in app.model.shown()] == shown
        app.model.filter("vendor:nosuch")
        assert "write one of: nordnet" in str(app.model.sieve.wrong)
