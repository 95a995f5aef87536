"""Handing a shift over on the screen: the form of whoever gives, and the answer of whoever takes over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from register.core import Role
from register.handing import Handover, Line, Turn
from register.store.handing import Hands, Picture, Told
from register.topics.shift_answer import AcceptHandover, DeclineHandover, WithdrawHandover
from register.topics.shift_offer import OfferHandover
from tests.tui.fakes import NOW, FakeDoor, app_with, row
from tests.tui.test_board import settled, text_of
from tui.app import MusterApp
from tui.handing_words import Eye, head_of, parts, under
from tui.messages import Done, HandedToMe, HandsRead, Refused, VerbsLearned
from tui.screens.form import FormScreen
from tui.screens.handed import HandedScreen
from tui.screens.handover import HandoverScreen
from tui.signs import ASCII, UNICODE
from tui.verbs import verbs_for

Opened = tuple[MusterApp, Pilot[None], FakeDoor]
AT = datetime.fromtimestamp(NOW, UTC)
SIZES = [(80, 24), (120, 30)]
SOON = AT + timedelta(minutes=13)


def line(n: int, **more: Any) -> Line:
    given: dict[str, Any] = {
        "number": f"INC-{n}",
        "priority": 2,
        "state": "In Progress",
        "title": f"Thing {n}",
        "owner": "p1",
        "team": "app",
    }
    return Line(**(given | more))


RUNS = {"paging": "triggered", "step": 2, "of": 4, "next_to": ("lead:infra",), "next_at": SOON}
TURN = Turn("acme", "theirs", AT - timedelta(minutes=12), SOON, None)


def draft(mine: int = 2) -> Picture:
    own = tuple(Told(f"INC-{n}", line(n)) for n in range(1, mine + 1))
    return Picture((*own, Told("INC-900", line(900, owner=None), given=False)))


def offered(giver: str = "p2", to: str = "p1", **more: Any) -> Picture:
    lines = (
        Told("INC-4", line(4, **RUNS, turns=(TURN,)), "It smells of toner\x1b[31m"),
        Told("INC-5", None),
        Told("INC-6", line(6, title="Salaries"), secret=True),
        Told("INC-7", line(7, owner="p3"), given=False),
    )
    at = datetime.now(UTC)
    given = {"mine": ("INC-4", "INC-5", "INC-6"), "others": ("INC-7",), "note": "Quiet night."} | more
    return Picture(lines, Handover("01H", giver, to, at, **given))


def hands(*offers: Picture, mine: int = 2, shifts: tuple[tuple[str, datetime], ...] = ()) -> Hands:
    return Hands("p1", draft(mine), shifts, offers)


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.model.time.time", lambda: float(NOW))
    monkeypatch.setenv("TZ", "UTC")


@pytest.fixture(params=SIZES)
async def board(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    app = app_with(tmp_path / "live.json", [row(1), row(2)])
    async with app.run_test(size=request.param) as pilot:
        await settled(pilot)
        app.post_message(VerbsLearned(verbs_for(Role.RESPONDER)))
        await settled(pilot)
        yield app, pilot, app.door


async def pressed(opened: Opened, read: Hands) -> None:
    """Press h; what it asks the register for comes."""
    app, pilot, door = opened
    await pilot.press("h")
    await settled(pilot)
    assert door.hands_reads == 1
    app.post_message(HandsRead(read, ("ben", "cai")))
    await settled(pilot)


def body(app: MusterApp) -> str:
    return "\n".join(text_of(app))


# Giving


async def test_what_is_mine_is_offered_with_my_words(board: Opened) -> None:
    app, pilot, door = board
    await pressed(board, hands(shifts=(("app", SOON),)))
    assert isinstance(app.screen, HandoverScreen)
    told = body(app)
    for words in (
        "Hand over 2 incidents; 1 more of the team are told of",
        "INC-2  P2  In Progress",
        "my shift",
    ):
        assert words in told
    await pilot.press(*"ben", "tab", "space", "tab", *"quiet", "tab", "tab", *"disk 3", "tab", "space", "f2")
    await settled(pilot)
    ((command, asked),) = door.done
    assert isinstance(command, OfferHandover)
    assert (command.to, command.note, command.shift) == ("ben", "quiet", ("app",))
    assert [(one.number, one.text) for one in command.edit] == [("INC-1", "disk 3")]
    assert command.without == ("INC-2",)
    app.post_message(Done(asked, "handover-offer", None, "It is offered."))
    await settled(pilot)
    assert app.screen is app.board
    assert "It is offered." in body(app)


async def test_nobody_named_is_said_at_the_field_and_a_refusal_too(board: Opened) -> None:
    app, pilot, door = board
    await pressed(board, hands())
    await pilot.press("enter")
    await settled(pilot)
    assert door.done == []
    assert "To is " in body(app)
    await pilot.press(*"zed", "enter", "enter")
    await settled(pilot)
    ((_, asked),) = door.done  # the second Enter waits for the answer to the first
    app.post_message(Refused(asked, "handover-offer", "Nobody here has the login 'zed'.", "to"))
    await settled(pilot)
    assert "Nobody here has the login 'zed'." in body(app)
    assert app.focused is app.screen.query_one("#field-to")


async def test_what_was_filled_in_is_there_again(board: Opened) -> None:
    app, pilot, door = board
    await pressed(board, hands())
    await pilot.press(*"ben", "down", *"quiet", "down", "space", "escape")
    await settled(pilot)
    assert app.screen is app.board
    door.hands_reads = 0
    await pressed(board, hands())
    assert app.screen.query_one("#field-note", Input).value == "quiet"
    assert "[ ] INC-1" in body(app)


async def test_many_incidents_leave_the_button_in_sight(board: Opened) -> None:
    app, pilot, door = board
    await pressed(board, hands(mine=80))
    told = body(app)
    assert "Hand over 80 incidents" in told
    assert "[ Offer ]" in told
    await pilot.press(*"ben", "f2")
    await settled(pilot)
    assert door.done[0][0].without == ()  # what has no field goes along


# Answering


async def test_the_board_says_who_hands_over_and_no_line_is_lost_where_nobody_does(board: Opened) -> None:
    app, pilot, _ = board
    before = text_of(app)
    app.post_message(HandedToMe((offered().handover,)))
    await settled(pilot)
    assert text_of(app)[2].strip() == "Ben hands over 3 incidents to you: h"
    app.post_message(HandedToMe(()))
    await settled(pilot)
    assert text_of(app) == before


async def test_what_is_handed_over_is_read_and_accepted(board: Opened) -> None:
    app, pilot, door = board
    await pressed(board, hands(offered(rotas=("app",))))
    assert isinstance(app.screen, HandedScreen)
    told = " ".join(body(app).split())
    for words in (
        "Ben hands over 3 incidents and the shift of app to you",
        "Quiet night.",
        "step 2/4, next: infra lead at 22:26",
        "acme: their turn 12m, promised until 22:26",
        "INC-4 P2 In Progress Thing 4",
        "> It smells of toner",
        "INC-5 restricted",
        "does not name you",
        "to be told of",
        "F2 accept",
    ):
        assert words in told, words
    assert "\x1b" not in told
    await pilot.press("f2")
    await settled(pilot)
    ((command, asked),) = door.done
    assert isinstance(command, AcceptHandover)
    assert command.handover == "01H"
    app.post_message(Refused(asked, "handover-accept", "This handover is withdrawn already."))
    await settled(pilot)
    assert "withdrawn already" in body(app)
    app.post_message(Done(asked, "handover-accept", None, "You have INC-4 from now on."))
    await settled(pilot)
    assert app.screen is app.board
    assert "You have INC-4 from now on." in body(app)


async def test_to_say_no_takes_a_reason(board: Opened) -> None:
    app, pilot, door = board
    await pressed(board, hands(offered()))
    await pilot.press("d")
    await settled(pilot)
    assert isinstance(app.screen, FormScreen)
    await pilot.press(*"ill", "f2")
    await settled(pilot)
    ((command, asked),) = door.done
    assert isinstance(command, DeclineHandover)
    assert (command.handover, command.reason) == ("01H", "ill")
    app.post_message(Done(asked, "handover-decline", None, "It is declined."))
    await settled(pilot)
    assert app.screen is app.board


async def test_the_giver_sees_what_they_offered_and_takes_it_back(board: Opened) -> None:
    app, pilot, door = board
    await pressed(board, hands(offered("p1", "p2")))
    assert "You offer 3 incidents to Ben" in body(app)
    assert "F2 accept" not in body(app)
    assert "does not name them" in body(app)
    await pilot.press("f2")  # nobody accepts their own
    await pilot.press("w")
    await settled(pilot)
    await pilot.press("f2")
    await settled(pilot)
    ((command, _),) = door.done
    assert isinstance(command, WithdrawHandover)


async def test_what_is_offered_to_me_comes_first_and_lapsed_ones_do_not_come(board: Opened) -> None:
    app, _, _ = board
    old = offered()
    assert old.handover is not None
    gone = Picture(old.lines, Handover("01G", "p2", "p1", datetime.now(UTC) - timedelta(days=1)))
    await pressed(board, hands(gone, offered("p1", "p2"), offered("p3"), offered("p4")))
    assert "hands over 3 incidents to you" in body(app)
    assert "1 more wait behind it" in body(app)


async def test_a_viewer_is_told_why_not(board: Opened) -> None:
    app, pilot, door = board
    app.model.role = "viewer"
    app.post_message(VerbsLearned(()))
    await settled(pilot)
    await pilot.press("h")
    await settled(pilot)
    assert door.hands_reads == 0
    assert "takes the role responder" in body(app)


# Words


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, []),
        (RUNS, ["step 2/4, next: infra lead at 22:26"]),
        (RUNS | {"step": 0, "next_to": ("person:p2",)}, ["no step yet, next: Ben at 22:26"]),
        ({"paging": "acknowledged", "next_at": SOON}, ["acknowledged, asks again at 22:26"]),
        ({"paging": "acknowledged"}, ["acknowledged"]),
        ({"paging": "exhausted"}, ["‼ every step taken, nobody answered"]),
        (
            {"paging": "suppressed", "held": "flapping", "held_until": SOON},
            ["silent until 22:26: flapping"],
        ),
        ({"hold": "vendor acme", "hold_until": SOON}, ["waits for vendor acme, looks again 22:26"]),
        ({"turns": (Turn("acme", "ours", AT, None, SOON),)}, ["acme: OUR TURN 0m, closes it 22:26"]),
        ({"word": "caller", "word_at": AT}, ["the caller waits since 22:13"]),
        ({"word": "us", "word_at": AT}, ["users told at 22:13"]),
        ({"maintenance": SOON}, ["maintenance until 22:26"]),
    ],
)
def test_what_there_is_to_know_of_a_line(
    more: dict[str, Any], told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    eye = Eye(NOW, UTC, {"p2": "Ben"}, UNICODE, "p1")
    assert parts(line(1, **more), eye) == told


def test_signs_have_twins_in_plain_letters() -> None:
    eye = Eye(NOW, UTC, {}, ASCII)
    told = Told("INC-1", line(1, paging="exhausted"))
    assert all(text.isascii() for text in (head_of(told, eye), *under(told, eye)))
