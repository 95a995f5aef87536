"""Engaging on the screen: what goes along, and the request as it would be made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from register.core import Role
from register.leaving import USUAL, May, Receives
from register.topics.engagement import Engage
from register.topics.sending_files import SendFile
from tests.tui.fakes import FakeDoor, app_with, row
from tests.tui.test_board import settled, text_of
from tests.tui.test_doing import same
from tui.app import MusterApp
from tui.messages import Done, Refused, RequestShown, SuppliersRead, VerbsLearned
from tui.screens.engage import EngageScreen
from tui.screens.request import RequestScreen, marked
from tui.suppliers import Along, Supplier, Suppliers
from tui.verbs import verbs_for

Board = tuple[MusterApp, Pilot[None], FakeDoor]
ALL = Receives(may=USUAL | {May.TIMELINE})
KNOWN = (
    Supplier("acme", "acme hosting", "Practice", production=True, services=("shop-web",), receives=ALL),
    Supplier("nordnet", "nordnet", "Practice", production=False),
)
ALONG = Along(notes=("db-3 is dead since 01:53",), notes_left=3, files=("f1", "f2"), files_left=1)


class Door(FakeDoor):
    def read_suppliers(self, asked: str, about: str = "") -> None:
        self.post(SuppliersRead(asked, Suppliers(KNOWN, along=ALONG if about == "INC-1" else Along())))


@pytest.fixture(params=[(80, 24), (120, 30)])
async def engage(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    app = app_with(tmp_path / "live.json", [row(1)])
    app.door = door = Door()
    app.doing._door = door
    async with app.run_test(size=request.param) as pilot:
        await settled(pilot)
        app.post_message(VerbsLearned(verbs_for(Role.COORDINATOR)))
        await settled(pilot)
        await pilot.press("v", "tab", *"Down.")
        await settled(pilot)
        yield app, pilot, door


def flat(app: MusterApp) -> str:
    return " ".join(" ".join(text_of(app)).replace("│", " ").split())


async def test_what_goes_along_is_off_unless_chosen_and_counts_what_stays(engage: Board) -> None:
    app, pilot, door = engage
    assert "Send also [ ] notes 1, 3 internal left out [ ] files 2, 1 internal left out" in flat(app)
    assert "db-3 is dead" not in flat(app)
    await pilot.press("tab", "space")
    await settled(pilot)
    assert "[x] notes 1" in flat(app)
    assert "What we know so far: - db-3 is dead since 01:53" in flat(app)
    await pilot.press("tab", "space", "tab", "enter")
    await settled(pilot)
    ((command, asked),) = door.done
    assert same(command, Engage(target="INC-1", vendor="acme", message="Down.", timeline=True))
    app.post_message(Done(asked, "engage", "INC-1"))
    await settled(pilot)
    files = [command for command, _ in door.done[1:]]
    assert all(
        same(one, SendFile(target="INC-1", vendor="acme", file=file))
        for one, file in zip(files, ("f1", "f2"), strict=True)
    )
    assert app.screen is app.board


async def test_who_may_have_no_notes_gets_none_whatever_is_chosen(engage: Board) -> None:
    app, pilot, door = engage
    await pilot.press("tab", "space", "shift+tab", "shift+tab", "down")
    await settled(pilot)
    assert "notes: they may have none" in flat(app)
    assert "db-3 is dead" not in flat(app)
    await pilot.press("tab", "tab", "tab", "enter")  # the message, files, send
    await settled(pilot)
    ((command, _),) = door.done
    assert same(command, Engage(target="INC-1", vendor="nordnet", message="Down."))


async def test_the_request_is_shown_and_nothing_is_sent(engage: Board) -> None:
    app, pilot, door = engage
    app.screen.query_one("#show").focus()
    await pilot.press("enter")
    await settled(pilot)
    ((command, asked),) = door.rehearsed
    assert same(command, Engage(target="INC-1", vendor="acme", message="Down."))
    app.post_message(
        RequestShown(asked, ("To acme, a create:", "  Text      Call [phone number removed] now.", ""))
    )
    await settled(pilot)
    assert isinstance(app.screen, RequestScreen)
    assert "Nothing was sent." in flat(app)
    assert "Call [phone number removed] now." in flat(app)
    await pilot.press("escape")
    await settled(pilot)
    assert isinstance(app.screen, EngageScreen)
    assert door.done == []
    app.post_message(Refused(asked, "engage", "acme asks for a contract.", ""))
    await settled(pilot)
    assert "acme asks for a contract." in flat(app)


def test_what_was_taken_out_has_a_pen_of_its_own() -> None:
    line = marked((("Call [phone number removed] or [mail removed], [not this]", ""),))
    assert [text for text, pen in line if pen == "warn"] == ["[phone number removed]", "[mail removed]"]
    assert "".join(text for text, _ in line) == "Call [phone number removed] or [mail removed], [not this]"
