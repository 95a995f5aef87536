"""The suppliers as a person sees them: how it stands with each, their tickets, one conversation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from register.core import Role
from tests.tui.fakes import NOW, FakeDoor, app_with, row
from tests.tui.test_board import settled, text_of
from tui.app import MusterApp
from tui.detail import Detail, Told
from tui.messages import DetailRead, FeedMoved, VendorsRead, VerbsLearned
from tui.screens.incident import IncidentScreen
from tui.screens.outbox import OutboxScreen
from tui.screens.vendors import TicketsScreen, VendorsScreen
from tui.vendor_table import Contract, Health, Standing
from tui.verbs import verbs_for

Board = tuple[MusterApp, Pilot[None], FakeDoor]
ACME = Standing(
    "acme",
    "acme hosting",
    "Request Tracker",
    production=True,
    health=Health.UP,
    heard=NOW - 20,
    open=2,
    contract=Contract("fix", "INC-1", NOW + 58 * 60),
    call=("1 Fault desk +1 555 0199",),
)
NORDNET = Standing(
    "nordnet",
    "nordnet",
    "Redmine",
    production=False,
    health=Health.WAITS,
    why="503 from nordnet",
    until=NOW + 240,
    heard=NOW - 840,
    unsent=2,
    doubtful=1,
    todo="It goes on by itself then.",
)
CARDPAY = Standing(
    "cardpay",
    "cardpay",
    "Practice",
    production=False,
    health=Health.PAUSED,
    why="401: the token has expired",
    todo="Renew its credential: muster vendors login cardpay",
)
BONDS = [
    ["acme", "open", "theirs", NOW - 720, "ACM-1", "ok"],
    ["acme", "open", "ours", NOW - 180, "ACM-2", "ok"],
    ["nordnet", "engaging", "theirs", NOW - 60, "", "?"],
]


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.model.time.time", lambda: float(NOW))
    monkeypatch.setenv("TZ", "UTC")


@pytest.fixture(params=[(80, 24), (120, 40)])
async def vendors(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """Three suppliers, of which acme has two tickets; INC-3 of theirs is restricted."""
    some = [row(1, bonds=BONDS[:1]), row(2, bonds=BONDS[1:]), row(3)]
    app = app_with(tmp_path / "live.json", some)
    async with app.run_test(size=request.param) as pilot:
        await settled(pilot)
        app.post_message(VerbsLearned(verbs_for(Role.ADMIN)))
        await settled(pilot)
        await pilot.press("3")
        await settled(pilot)
        app.post_message(VendorsRead((ACME, NORDNET, CARDPAY)))
        await settled(pilot)
        door: Any = app.door
        yield app, pilot, door


def line_of(app: MusterApp, word: str) -> str:
    return next(line for line in text_of(app)[2:] if word in line)


async def test_each_supplier_has_a_line_with_what_needs_a_hand(vendors: Board) -> None:
    app, _, door = vendors
    assert isinstance(app.screen, VendorsScreen)
    assert door.vendor_reads == 1
    acme = line_of(app, "acme")
    assert "PROD" in acme
    assert "● up" in acme
    assert "<1m" in acme
    assert "OURS 3m" in acme
    assert "fix 58m INC-1" in acme
    nordnet = line_of(app, "nordnet")
    assert "test" in nordnet
    assert "? waits 22:17" in nordnet
    assert " 14m " in nordnet
    assert nordnet.split()[nordnet.split().index("14m") + 1 :][:2] == ["2", "1"]
    assert "‼ paused" in line_of(app, "cardpay")
    assert "PRODUCTION" in "\n".join(text_of(app)[-9:])


async def test_why_a_supplier_waits_and_what_to_do_stand_below(vendors: Board) -> None:
    app, pilot, _ = vendors
    await pilot.press("j")
    await settled(pilot)
    below = " ".join(" ".join(text_of(app)[-9:]).split())
    assert "Nothing is sent until 2023-11-14 22:17 UTC: 503 from nordnet" in below
    assert "1 not known to have arrived (4 Outbox)" in below
    await pilot.press("j")
    await settled(pilot)
    below = " ".join(" ".join(text_of(app)[-9:]).split())
    assert "Nothing is sent: 401: the token has expired" in below
    assert "muster vendors login cardpay" in below


async def test_the_cursor_stays_with_its_supplier_when_another_comes(vendors: Board) -> None:
    app, pilot, _ = vendors
    await pilot.press("j")
    app.post_message(VendorsRead((CARDPAY, ACME, NORDNET)))
    await settled(pilot)
    assert isinstance(app.screen, VendorsScreen)
    assert app.screen.here == NORDNET


async def test_enter_shows_its_tickets_and_then_the_conversation_with_it_alone(vendors: Board) -> None:
    app, pilot, _ = vendors
    await pilot.press("enter")
    await settled(pilot)
    assert isinstance(app.screen, TicketsScreen)
    first, second = (line for line in text_of(app)[2:] if "ACM-" in line)
    assert "ACM-2" in first  # our turn
    assert "ball ours 3m" in first
    assert "ACM-1" in second
    await pilot.press("enter")
    await settled(pilot)
    assert isinstance(app.screen, IncidentScreen)
    told = (
        Told(NOW - 300, "p1", "engaged", "db is down", vendor="acme"),
        Told(NOW - 200, "acme", "says", "we look", vendor="acme", inbound=True),
        Told(NOW - 100, "p1", "engaged", "line is slow", vendor="nordnet"),
    )
    app.post_message(DetailRead("INC-2", Detail("INC-2", "p1", None, told)))
    await settled(pilot)
    shown = "\n".join(text_of(app))
    assert "db is down" in shown
    assert "we look" in shown
    assert "line is slow" not in shown
    await pilot.press("escape", "escape")
    await settled(pilot)
    assert isinstance(app.screen, VendorsScreen)
    await pilot.press("escape")
    await settled(pilot)
    assert app.screen is app.board


async def test_a_ticket_that_is_over_leaves_the_list(vendors: Board) -> None:
    app, pilot, _ = vendors
    await pilot.press("enter", "j")
    await settled(pilot)
    app.post_message(FeedMoved((), frozenset({"INC-2"}), {}, 9))
    await settled(pilot)
    assert isinstance(app.screen, TicketsScreen)
    assert app.screen.here is not None
    assert app.screen.here.row["number"] == "INC-1"
    assert "ACM-2" not in "\n".join(text_of(app))


async def test_nothing_is_repainted_while_nothing_changes(vendors: Board) -> None:
    app, pilot, _ = vendors
    before = text_of(app)
    painted: list[object] = []
    screen: Any = app.screen
    picker = screen.query_one("Picker")
    plain, picker.refresh = picker.refresh, lambda *some, **named: painted.append(some)
    app.post_message(VendorsRead((ACME, NORDNET, CARDPAY)))
    await settled(pilot)
    assert painted == []
    picker.refresh = plain
    assert text_of(app) == before


async def test_the_modes_keys_lead_from_each_to_the_other_and_do_not_pile_up(vendors: Board) -> None:
    app, pilot, _ = vendors
    for _ in range(3):
        await pilot.press("4")
        await settled(pilot)
        assert isinstance(app.screen, OutboxScreen)
        await pilot.press("3")
        await settled(pilot)
        assert isinstance(app.screen, VendorsScreen)
        assert len(app.screen_stack) == 2
    await pilot.press("3")
    await settled(pilot)
    assert len(app.screen_stack) == 2


@pytest.mark.parametrize("behind", [("enter",), ("enter", "enter")])
async def test_the_modes_keys_work_from_tickets_and_conversations_too(
    vendors: Board, behind: tuple[str, ...]
) -> None:
    app, pilot, _ = vendors
    for _ in range(2):
        for key in (*behind, "4"):
            await pilot.press(key)
            await settled(pilot)
        assert isinstance(app.screen, OutboxScreen)
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(app.screen, TicketsScreen if len(behind) == 1 else IncidentScreen)
        await pilot.press("3")
        await settled(pilot)
        assert isinstance(app.screen, VendorsScreen)
        assert len(app.screen_stack) == 2
    for key in (*behind, "1"):
        await pilot.press(key)
        await settled(pilot)
    assert app.screen is app.board


async def test_whose_turn_it_is_is_said_whole_in_a_narrow_column(vendors: Board) -> None:
    app, pilot, _ = vendors
    fixed = ["acme", "fixed", "ours", NOW - 60, "ACM-1", "ok"]
    asks = ["acme", "open", "ours", NOW - 86_340, "ACM-2", "ask"]
    app.post_message(FeedMoved((row(1, bonds=[fixed]), row(2, bonds=[asks])), frozenset(), {}, 9))
    await pilot.press("enter")
    await settled(pilot)
    if app.size.width < 100:
        assert " fixed? OURS 1m " in line_of(app, "ACM-1")
        assert "‼ asks you 23h59 " in line_of(app, "ACM-2")
    else:
        assert " says fixed, ball ours 1m " in line_of(app, "ACM-1")


async def test_1_goes_to_the_board_from_wherever_one_is(vendors: Board) -> None:
    app, pilot, _ = vendors
    await pilot.press("4")
    await settled(pilot)
    assert len(app.screen_stack) == 3
    await pilot.press("1")
    await settled(pilot)
    assert app.screen is app.board
