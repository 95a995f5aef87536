"""From a key to a command: at once, by a form, to a supplier; and what is said of what came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from textual.events import Key
from textual.pilot import Pilot

from register.core import Role
from register.incident import Impact, Urgency
from register.topics.delivery import RetrySending
from register.topics.engagement import Engage, Reply
from register.topics.notes import Note
from register.topics.ownership import Acknowledge
from tests.register.clockwork import NEW, book, clocks, one_clock, track
from tests.tui.fakes import NOW, FakeDoor, app_with, row
from tests.tui.test_board import cursor_line, feed, settled, text_of
from tui.app import MusterApp
from tui.detail import Detail, Told
from tui.messages import DetailRead, Done, OutboxRead, Refused, SuppliersRead, VerbsLearned
from tui.outbox import Sent
from tui.screens.engage import EngageScreen
from tui.screens.form import FormScreen
from tui.screens.help import HelpScreen
from tui.screens.incident import IncidentScreen
from tui.screens.outbox import OutboxScreen
from tui.suppliers import Suppliers
from tui.verbs import verbs_for


def same(one: BaseModel, other: BaseModel) -> bool:
    """Whether two commands ask for the same, their ids apart."""
    return type(one) is type(other) and one.model_dump(exclude={"command_id"}) == other.model_dump(
        exclude={"command_id"}
    )


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.model.time.time", lambda: float(NOW))
    monkeypatch.setenv("TZ", "UTC")


@pytest.fixture(params=[(80, 24), (120, 40)])
async def open_board(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """Three incidents and all verbs; INC-1 has a supplier."""
    bond = ["acme", "open", "theirs", NOW, "ACM-1", "ok"]
    app = app_with(tmp_path / "live.json", [row(1, bonds=[bond]), row(2), row(3)])
    async with app.run_test(size=request.param) as pilot:
        await settled(pilot)
        app.post_message(VerbsLearned(verbs_for(Role.ADMIN)))
        await settled(pilot)
        yield app, pilot, app.door


Board = tuple[MusterApp, Pilot[None], FakeDoor]


async def test_before_the_register_is_open_no_verb_is_shown(tmp_path: Path) -> None:
    app = app_with(tmp_path / "live.json", [row(1)])
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("a")
        assert " ack" not in text_of(app)[-1]
        assert text_of(app)[-1].endswith("? help")


async def test_the_footer_is_made_of_the_verbs(open_board: Board) -> None:
    app, _, _ = open_board
    assert text_of(app)[-1].startswith(" a ack")


async def test_ack_acts_at_once_on_the_incident_under_the_cursor(open_board: Board) -> None:
    app, pilot, door = open_board
    await pilot.press("j", "a")
    await settled(pilot)
    ((command, asked),) = door.done
    assert same(command, Acknowledge(target="INC-2"))
    app.post_message(Done(asked, "ack", "INC-2"))
    await settled(pilot)
    assert text_of(app)[-1] == " INC-2 is acknowledged: you have it."
    await pilot.press("j")
    await settled(pilot)
    assert "a ack" in text_of(app)[-1]


async def test_a_key_meant_for_the_incident_that_left_does_nothing(open_board: Board) -> None:
    app, pilot, door = open_board
    await pilot.press("j")
    await feed(app, pilot, gone=("INC-2",))
    await pilot.press("a")
    await settled(pilot)
    assert door.done == []
    assert "has just left the board" in text_of(app)[-1]


async def test_a_refusal_is_told_in_the_registers_words(open_board: Board) -> None:
    app, pilot, door = open_board
    await pilot.press("a")
    await settled(pilot)
    app.post_message(Refused(door.done[0][1], "ack", "INC-1 is closed: log a new one."))
    await settled(pilot)
    assert text_of(app)[-1] == " INC-1 is closed: log a new one."


async def test_a_long_sentence_is_told_whole(open_board: Board) -> None:
    app, pilot, door = open_board
    await pilot.press("a")
    await settled(pilot)
    why = (
        "The register does not answer, so nothing was changed: wait until the line says live, then try again."
    )
    app.post_message(Refused(door.done[0][1], "ack", why))
    await settled(pilot)
    assert why in " ".join(line.strip() for line in text_of(app)[-3:])
    await pilot.press("j")
    await settled(pilot)
    assert text_of(app)[-1].startswith(" a ack")
    assert why.split()[-1] not in text_of(app)[-2]


async def test_a_note_says_that_it_stays_here(open_board: Board) -> None:
    app, pilot, door = open_board
    await pilot.press("n")
    await settled(pilot)
    assert "INTERNAL: stays here" in "\n".join(text_of(app))
    await pilot.press(*"seen", "f2")
    await settled(pilot)
    command, asked = door.done[0]
    assert same(command, Note(target="INC-1", text="seen"))
    app.post_message(Done(asked, "note", "INC-1"))
    await settled(pilot)
    assert not isinstance(app.screen, FormScreen)


def type_ahead(app: MusterApp, *keys: str) -> None:
    """All at once, as a slow line brings them."""
    for key in keys:
        character = {"enter": "\r", "tab": "\t", " ": " "}.get(key, key if len(key) == 1 else None)
        app.post_message(Key("space" if key == " " else key, character))


async def test_words_typed_before_the_form_stands_are_for_the_form(open_board: Board) -> None:
    app, pilot, door = open_board
    type_ahead(app, "n", *"ata q", "f2")
    await settled(pilot)
    await settled(pilot)
    assert [command.verb for command, _ in door.done] == ["note"]
    assert door.done[0][0].text == "ata q"


async def test_a_burst_finds_its_way_through_tabs_and_dialogs(open_board: Board) -> None:
    app, pilot, door = open_board
    type_ahead(app, "v", "tab", *"db down", "enter", *"now", "tab", "enter")
    for _ in range(4):
        await settled(pilot)
    assert len(door.done) == 1
    assert same(door.done[0][0], Engage(target="INC-1", vendor="practice", message="db down\nnow"))


async def test_keys_after_one_that_opened_nothing_are_not_lost(open_board: Board) -> None:
    app, pilot, _ = open_board
    type_ahead(app, "j", "c", "j")  # nobody works on INC-2: no form comes
    for _ in range(3):
        await settled(pilot)
    assert cursor_line(app)[1] == "INC-3"


async def test_a_draft_belongs_to_its_incident(open_board: Board) -> None:
    app, pilot, door = open_board
    await pilot.press("n", *"half", "escape", "j", "n")
    await settled(pilot)
    assert "half" not in "\n".join(text_of(app))
    await pilot.press("escape", "k", "n")
    await settled(pilot)
    assert "half" in "\n".join(text_of(app))
    assert door.done == []


async def test_logging_shows_the_priority_while_it_is_typed_and_ends_on_the_new_incident(
    open_board: Board,
) -> None:
    app, pilot, door = open_board
    await pilot.press("i", *"db down", "tab", "left")
    await settled(pilot)
    assert "→ P2, resolve by " in "\n".join(text_of(app))
    await pilot.press("tab", "h")
    await settled(pilot)
    assert "→ P1, resolve by " in "\n".join(text_of(app))
    await pilot.press("enter")
    await settled(pilot)
    command, asked = door.done[0]
    assert (command.title, command.impact, command.urgency) == ("db down", Impact.HIGH, Urgency.HIGH)
    app.post_message(Done(asked, "log", "INC-4"))
    await settled(pilot)
    await feed(app, pilot, row(4, title="db down"))
    await settled(pilot)
    assert cursor_line(app)[1] == "INC-4"


async def test_engaging_shows_what_they_get_and_sends_only_by_the_button(open_board: Board) -> None:
    app, pilot, door = open_board
    await pilot.press("v")
    await settled(pilot)
    assert isinstance(app.screen, EngageScreen)
    text = "\n".join(text_of(app))
    assert text.index("Practice supplier") < text.index("acme hosting")  # it looks after shop-web
    assert "GOES TO PRACTICE SUPPLIER (test)" in text
    await pilot.press("down")
    await settled(pilot)
    assert "GOES TO ACME HOSTING (PRODUCTION)" in "\n".join(text_of(app))
    await pilot.press("enter", *"db", "enter", *"down")
    await settled(pilot)
    assert door.done == []
    text = "\n".join(text_of(app))
    assert "Text      db" in text
    await pilot.press("tab", "enter")
    await settled(pilot)
    command, asked = door.done[0]
    assert same(command, Engage(target="INC-1", vendor="acme", message="db\ndown"))
    await pilot.press("enter")
    await settled(pilot)
    assert len(door.done) == 1  # pressed twice, sent once
    app.post_message(Done(asked, "engage", "INC-1"))
    await settled(pilot)
    assert not isinstance(app.screen, EngageScreen)


async def test_a_second_ticket_is_made_on_purpose_only(open_board: Board) -> None:
    app, pilot, door = open_board
    await pilot.press("v", "tab", *"again", "tab", "enter")
    await settled(pilot)
    first, asked = door.done[0]
    assert first.again is False
    app.post_message(
        Refused(asked, "engage", "acme is engaged already, as ACM-1. Reply on that one.", "again")
    )
    await settled(pilot)
    assert "make a second ticket" in "\n".join(text_of(app))
    assert "acme is engaged already" in "\n".join(text_of(app))
    await pilot.press("shift+tab", "space", "tab", "enter")
    await settled(pilot)
    assert door.done[1][0].again is True


async def test_saving_the_same_again_after_trouble_is_the_same_command(open_board: Board) -> None:
    app, pilot, door = open_board
    await pilot.press("i", *"db down", "enter")
    await settled(pilot)
    first, asked = door.done[0]
    app.post_message(Refused(asked, "log", "The database does not answer."))
    await settled(pilot)
    await pilot.press("enter")
    await settled(pilot)
    assert door.done[1][0].command_id == first.command_id
    app.post_message(Refused(asked, "log", "The database does not answer."))
    await settled(pilot)
    await pilot.press("!", "enter")
    await settled(pilot)
    assert door.done[2][0].command_id != first.command_id  # other words are another command


async def test_sending_the_same_again_after_trouble_is_the_same_command(open_board: Board) -> None:
    app, pilot, door = open_board
    await pilot.press("v", "tab", *"once", "tab", "enter")
    await settled(pilot)
    first, asked = door.done[0]
    app.post_message(Refused(asked, "engage", "The database does not answer."))
    await settled(pilot)
    await pilot.press("enter")
    await settled(pilot)
    assert door.done[1][0].command_id == first.command_id


async def test_an_empty_message_is_not_sent(open_board: Board) -> None:
    app, pilot, door = open_board
    await pilot.press("v", "tab", "tab", "enter")
    await settled(pilot)
    assert door.done == []
    assert "Message is empty" in "\n".join(text_of(app))


async def test_a_broken_vendors_file_is_a_sentence(
    open_board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, pilot, door = open_board
    faults = Suppliers(faults=("vendors.toml line 3: url is missing: add it",))
    monkeypatch.setattr(door, "read_suppliers", lambda asked, *_: door.post(SuppliersRead(asked, faults)))
    await pilot.press("v")
    await settled(pilot)
    assert text_of(app)[-1] == " vendors.toml line 3: url is missing: add it"


async def test_a_reply_says_where_it_goes(open_board: Board) -> None:
    app, pilot, door = open_board
    await pilot.press("c")
    await settled(pilot)
    assert "GOES TO ACME HOSTING (PRODUCTION)" in "\n".join(text_of(app))
    await pilot.press(*"thanks", "f2")
    await settled(pilot)
    assert same(door.done[0][0], Reply(target="INC-1", vendor="acme", message="thanks"))
    await pilot.press("escape", "j", "c")
    await settled(pilot)
    assert "No supplier works on INC-2 yet" in text_of(app)[-1]


async def test_one_incident_opens_with_its_timeline_and_its_suppliers(open_board: Board) -> None:
    app, pilot, door = open_board
    await pilot.press("enter")
    await settled(pilot)
    assert isinstance(app.screen, IncidentScreen)
    told = tuple(Told(NOW - 60 * n, "p2", f"did thing {n}", "word " * 30) for n in range(40, 0, -1))
    theirs = Told(NOW, "lena", "wrote", "Failing over\x1b[2J now", vendor="acme", inbound=True)
    promised = tuple(clocks(track((int(NOW) - 3600, NEW)), book(one_clock("8h", "24x7"))))
    app.post_message(DetailRead("INC-1", Detail("INC-1", "p1", None, (*told, theirs), clocks=promised)))
    await settled(pilot)
    lines = text_of(app)
    assert lines[0].startswith(" INC-1  P3  Packet loss")
    assert "Failing over[2J now" in "\n".join(lines)  # the newest is seen, its escape is not obeyed
    await pilot.press("g")
    await settled(pilot)
    assert "did thing 40" in "\n".join(text_of(app))
    await pilot.press("tab")
    await settled(pilot)
    text = "\n".join(text_of(app))
    assert "Failing over" in text
    assert "did thing" not in text
    await pilot.press("tab")
    await settled(pilot)
    text = "\n".join(text_of(app))
    assert "Clocks 1" in text
    assert "7h left  SLA P3: 8h on 24x7" in text
    await pilot.press("tab")
    await settled(pilot)
    assert "did thing" in "\n".join(text_of(app))
    await pilot.press("a")
    await settled(pilot)
    assert same(door.done[0][0], Acknowledge(target="INC-1"))
    await pilot.press("escape")
    await settled(pilot)
    assert app.screen is app.board


async def test_the_outbox_tells_what_waits_and_asks_before_it_acts(open_board: Board) -> None:
    app, pilot, door = open_board
    await pilot.press("4")
    await settled(pilot)
    assert isinstance(app.screen, OutboxScreen)
    assert door.outbox_reads == 1
    rows = (
        Sent("r1", "acme", "INC-1", "comment", "queued", 0, None, "behind the line above"),
        Sent("r2", "acme", "INC-1", "create", "dead", 3, None, "refused: the queue is closed", person=True),
    )
    app.post_message(OutboxRead(rows))
    await settled(pilot)
    lines = text_of(app)
    assert "‼ dead" in lines[2]
    assert "refused: the queue is closed" in "\n".join(lines[-8:])
    await pilot.press("exclamation_mark")
    await settled(pilot)
    assert isinstance(app.screen, FormScreen)
    await pilot.press("f2")
    await settled(pilot)
    assert same(door.done[0][0], RetrySending(row_id="r2"))


async def test_help_lists_what_works_here(open_board: Board) -> None:
    app, pilot, _ = open_board
    await pilot.press("question_mark")
    await settled(pilot)
    assert isinstance(app.screen, HelpScreen)
    text = "\n".join(text_of(app))
    assert "Say that you have seen it and are on it." in text
    await pilot.press("x")
    await settled(pilot)
    assert app.screen is app.board


async def test_q_asks(open_board: Board) -> None:
    app, pilot, _ = open_board
    await pilot.press("q")
    await settled(pilot)
    assert text_of(app)[-1] == " Press q again to leave."
    assert not app._exit
    await pilot.press("j", "q")
    await settled(pilot)
    assert app._exit


async def test_leaving_waits_for_what_is_not_on_record(open_board: Board) -> None:
    app, pilot, _ = open_board
    await pilot.press("a", "q")
    await settled(pilot)
    assert "press q again to leave" in " ".join(text_of(app)[-2:]).replace("  ", " ")
    assert not app._exit
    await pilot.press("q")
    await settled(pilot)
    assert app._exit


async def test_what_does_not_go_is_said_before_it_is_sent(open_board: Board) -> None:
    app, pilot, door = open_board
    await pilot.press("v", "tab", *"pin: 4711")
    await settled(pilot)
    text = "\n".join(text_of(app))
    assert "Text      pin: [credential removed]" in text
    assert "Removed   1 × credential (leaves to nobody)" in text
    assert door.done == []
