"""The board at work: what is painted, what stays where it is, what a key does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.fakes import NOW, PEOPLE, FakeDoor, app_with, row, rows
from tui.app import MusterApp
from tui.messages import FeedMoved, Freshness, FreshnessChanged, Reach, RegisterOpened
from tui.signs import ASCII


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.model.time.time", lambda: float(NOW))
    monkeypatch.setattr("tui.screens.board.time.time", lambda: float(NOW))
    monkeypatch.setenv("TZ", "UTC")


def text_of(app: MusterApp) -> list[str]:
    """The screen as lines of text."""
    width, height = app.size
    lines: list[str] = []
    for strips in app.screen._compositor.render_strips()[:height]:
        lines.append(strips.text[:width].rstrip())
    return lines


def painted(app: MusterApp) -> list[str]:
    """The numbers on the board's lines, from the top."""
    return [line[2:11].strip() for line in text_of(app) if line[2:6] == "INC-"]


def cursor_line(app: MusterApp) -> tuple[int, str]:
    """Where the cursor's sign is, and on which incident."""
    return next((y, line[2:11].strip()) for y, line in enumerate(text_of(app)) if line.startswith("▌"))


async def settled(pilot: Pilot[None]) -> None:
    """Wait until the app has told its screens, these their widgets, and these have painted."""
    for _ in range(4):
        await pilot.pause()


async def feed(
    app: MusterApp, pilot: Pilot[None], *changed: dict[str, Any], gone: tuple[str, ...] = ()
) -> None:
    app.post_message(FeedMoved(changed, frozenset(gone), {}, 9))
    await settled(pilot)


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[tuple[MusterApp, Pilot[None]]]:
    """Thirty incidents at 80×24, due one after another: INC-1 first."""
    app = app_with(tmp_path / "live.json", [row(n) for n in range(1, 31)])
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        yield app, pilot


async def test_the_first_paint_needs_no_register(tmp_path: Path) -> None:
    app = app_with(tmp_path / "live.json", rows(60))
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        lines = text_of(app)
        assert lines[0].startswith(" MUSTER  1 Board 2 Matrix 3 Vendors 4 Outbox    ana  sample")
        assert "P1 12 · P2 12 · P3 12    mine 10   unassigned 19" in lines[1]
        assert lines[2].split()[:4] == ["Number", "P", "State", "Owner"]
        assert "│" in lines[5]
        assert isinstance(app.door, FakeDoor)
        assert app.door.started == (5, "REG")


async def test_at_80_columns_there_is_no_state_and_no_pane(small: tuple[MusterApp, Pilot[None]]) -> None:
    app, _ = small
    lines = text_of(app)
    assert "State" not in lines[2]
    assert not any("│" in line for line in lines)
    assert "Packet loss between" in lines[3]


async def test_the_cursor_stays_on_its_incident_when_one_comes_in_above(
    small: tuple[MusterApp, Pilot[None]],
) -> None:
    app, pilot = small
    await pilot.press("j", "j")
    before, was = cursor_line(app), painted(app)
    await feed(app, pilot, row(99, owner=None))
    assert cursor_line(app) == before
    assert painted(app) == was
    assert "1 new above" in text_of(app)[1]
    await feed(app, pilot, row(98, owner=None), row(97, owner=None))
    assert painted(app) == was
    assert "3 new above" in text_of(app)[1]
    await pilot.press("g")
    await pilot.pause()
    assert painted(app)[:4] == ["INC-97", "INC-98", "INC-99", "INC-1"]
    assert "new above" not in text_of(app)[1]


async def test_on_a_board_with_room_the_new_one_is_seen(tmp_path: Path) -> None:
    app = app_with(tmp_path / "live.json", [row(1), row(2)])
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j")
        await feed(app, pilot, row(9, owner=None))
        assert painted(app) == ["INC-9", "INC-1", "INC-2"]
        assert cursor_line(app)[1] == "INC-2"


async def test_a_changed_incident_keeps_its_place_until_asked(small: tuple[MusterApp, Pilot[None]]) -> None:
    app, pilot = small
    was = painted(app)
    await feed(app, pilot, row(3, due=NOW - 600, title="now it is late"))
    assert painted(app) == was
    assert "now it is late" in text_of(app)[5]
    await pilot.press("g")
    await pilot.pause()
    assert painted(app)[0] == "INC-3"


async def test_incidents_that_end_leave_and_the_cursor_is_not_lost(
    small: tuple[MusterApp, Pilot[None]],
) -> None:
    app, pilot = small
    await pilot.press("j", "j")
    await feed(app, pilot, gone=("INC-1", "INC-2"))
    assert cursor_line(app) == (3, "INC-3")
    await feed(app, pilot, gone=("INC-3",))
    assert cursor_line(app)[1] == "INC-4"
    await feed(app, pilot, gone=tuple(f"INC-{n}" for n in range(1, 31)))
    assert "No open incidents." in "\n".join(text_of(app))
    await pilot.press("j", "k", "g", "G", "enter")
    await feed(app, pilot, row(5))
    assert cursor_line(app)[1] == "INC-5"


async def test_what_ends_above_moves_no_line(small: tuple[MusterApp, Pilot[None]]) -> None:
    app, pilot = small
    await pilot.press(*["j"] * app.board.board.page)
    await pilot.pause()
    before = painted(app)
    assert before[0] != "INC-1"
    await feed(app, pilot, gone=("INC-1", "INC-2"))
    app.board.board.refresh()
    await settled(pilot)
    assert painted(app) == before


async def test_at_the_edge_the_window_goes_on_by_half_a_page(small: tuple[MusterApp, Pilot[None]]) -> None:
    app, pilot = small
    page = app.board.board.page
    await pilot.press(*["j"] * (page - 1))
    await pilot.pause()
    assert painted(app)[0] == "INC-1"
    await pilot.press("j")
    await pilot.pause()
    first = int(painted(app)[0].removeprefix("INC-"))
    assert first == page + 1 - page // 2
    assert cursor_line(app)[1] == f"INC-{page + 1}"


async def test_a_thousand_new_ones_are_one_sort_and_right(tmp_path: Path) -> None:
    app = app_with(tmp_path / "live.json", rows(10))
    async with app.run_test(size=(120, 30)) as pilot:
        await feed(app, pilot, *rows(1000))
        board = app.board.board
        number = board.cursor_number
        numbers = board.numbers
        await pilot.press("g")
        board.show(app.model.shown())
        assert sorted(numbers) == sorted(board.numbers)
        assert number in numbers


async def test_only_changed_lines_are_painted(
    small: tuple[MusterApp, Pilot[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, pilot = small
    board, asked = app.board.board, []
    monkeypatch.setattr(board, "refresh", lambda *regions, **_: asked.append(regions))
    await feed(app, pilot, row(3))
    assert asked == []
    await feed(app, pilot, row(3, updated=NOW))
    assert asked == []  # differs, but reads the same
    await feed(app, pilot, row(30, title="far below"))
    assert asked == []  # cannot be seen
    await feed(app, pilot, row(3, owner="p1"))
    assert [(region.y, region.height) for (region,) in asked] == [(3, 1)]


async def test_between_minutes_nothing_is_painted(
    small: tuple[MusterApp, Pilot[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, pilot = small
    updates: list[object] = []
    monkeypatch.setattr(app, "_display", lambda screen, renderable: updates.append(renderable))
    await pilot.pause(0.4)
    assert updates == []


async def test_a_minute_changes_the_texts(
    small: tuple[MusterApp, Pilot[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, pilot = small
    assert " 2h " in text_of(app)[3]
    monkeypatch.setattr("tui.model.time.time", lambda: float(NOW + 59.9))
    app._minute()
    await settled(pilot)
    assert " 2h " in text_of(app)[3]
    monkeypatch.setattr("tui.model.time.time", lambda: float(NOW + 60))
    app._minute()
    await settled(pilot)
    assert " 1h59 " in text_of(app)[3]


async def test_the_filter_shows_what_has_the_text(small: tuple[MusterApp, Pilot[None]]) -> None:
    app, pilot = small
    await feed(app, pilot, row(40, title="Checkout is down", service="pay-api"))
    await pilot.press("slash", *"PAY-")
    await pilot.pause()
    assert painted(app) == ["INC-40"]
    assert "/pay-" in text_of(app)[1]
    await pilot.press("q", "backspace", "enter")  # letters are text while typing
    await pilot.pause()
    assert painted(app) == ["INC-40"]
    await feed(app, pilot, row(41, service="pay-web"), row(42))
    assert painted(app) == ["INC-40", "INC-41"]
    await pilot.press("escape")
    await pilot.pause()
    assert len(painted(app)) > 10
    assert cursor_line(app)[1] == "INC-40"


async def test_the_header_says_when_it_is_stale_and_when_nothing_is_sent(
    small: tuple[MusterApp, Pilot[None]],
) -> None:
    app, pilot = small
    app.post_message(RegisterOpened("REG", "nordic", "p1", "responder"))
    app.post_message(FreshnessChanged(Freshness(Reach.LIVE, NOW, sending=True)))
    await settled(pilot)
    assert "ana · responder  nordic" in text_of(app)[0]
    assert text_of(app)[0].endswith("● live 22:13 UTC")
    app.post_message(FreshnessChanged(Freshness(Reach.STALE, NOW - 180, sending=None)))
    await settled(pilot)
    assert text_of(app)[0].endswith("STALE 22:10 UTC, 3m")
    app.post_message(FreshnessChanged(Freshness(Reach.LIVE, NOW, sending=False)))
    await settled(pilot)
    assert "‼ NOTHING IS BEING SENT" in text_of(app)[0]


async def test_what_is_told_to_a_screen_does_not_come_back(
    small: tuple[MusterApp, Pilot[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, pilot = small
    told: list[object] = []
    monkeypatch.setattr(
        app, "tell", lambda kind, *args, tell=app.tell: (told.append(kind), tell(kind, *args))
    )
    app.post_message(FreshnessChanged(Freshness(Reach.LIVE, NOW, sending=True)))
    await settled(pilot)
    await settled(pilot)
    assert told == [FreshnessChanged]


async def test_a_copy_of_another_register_is_dropped(small: tuple[MusterApp, Pilot[None]]) -> None:
    app, pilot = small
    app.post_message(RegisterOpened("ANOTHER", "", "p1", "admin"))
    await settled(pilot)
    assert painted(app) == []


async def test_poor_locales_see_only_ascii(tmp_path: Path) -> None:
    app = app_with(tmp_path / "live.json", [row(n, p=1) for n in range(1, 5)], ASCII)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j")
        body = text_of(app)
        assert all(line.isascii() for line in body[:20])
        assert any(line.startswith("> INC-2") for line in body)


async def test_names_come_from_the_side_table(small: tuple[MusterApp, Pilot[None]]) -> None:
    app, pilot = small
    app.post_message(FeedMoved((row(1, owner="p9"),), frozenset(), PEOPLE | {"p9": "Nina"}, 9))
    await pilot.pause()
    assert " Nina " in text_of(app)[3]
