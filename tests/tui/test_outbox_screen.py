"""The Outbox: the exact request and answer of a sending, and holding a supplier back, each by a key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from register.core import Role
from register.row import mask
from register.topics.pausing import HoldBack, LetGoOn
from tests.tui.fakes import NOW, FakeDoor, app_with, row
from tests.tui.test_board import settled, text_of
from tests.tui.test_doing import same
from tui.app import MusterApp
from tui.exchange import Exchange, spoken
from tui.messages import ExchangeRead, OutboxRead, VerbsLearned
from tui.outbox import Sent
from tui.screens.exchange import ExchangeScreen
from tui.screens.outbox import OutboxScreen
from tui.verbs import verbs_for

Outbox = tuple[MusterApp, Pilot[None], FakeDoor]
DEAD = Sent("01DEAD", "acme", "INC-1", "create", "dead", 2, None, "They said 400.", person=True)
WAITS = Sent("01WAIT", "nordnet", "INC-2", "comment", "queued", 0, None, "401", paused=True)
SECRET = Sent("01HIDE", "", "INC-3", "", "queued", 0, None, "restricted")
SAID = (
    {"method": "GET", "url": "http://acme.invalid/t/7", "headers": {}, "body": "", "status": 200}
    | {"answer_headers": {"content-type": "application/json"}, "answer": '{"state": "open"}'},
    {"method": "POST", "url": "http://acme.invalid/t", "headers": {"authorization": "•••"}}
    | {"body": '{"title": "db down"}', "status": 400, "answer_headers": {}}
    | {"answer": "urgency is\nrequired\x1b[31m"},
)


@pytest.fixture(params=[(80, 24), (120, 30)])
async def outbox(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """One failed, one held up by its supplier's pause, one of a restricted incident."""
    app = app_with(tmp_path / "live.json", [row(1), row(2), mask(row(3))])
    door: Any = app.door
    async with app.run_test(size=request.param) as pilot:
        await settled(pilot)
        app.post_message(VerbsLearned(verbs_for(Role.COORDINATOR)))
        await settled(pilot)
        await pilot.press("4")
        await settled(pilot)
        app.post_message(OutboxRead((DEAD, WAITS, SECRET)))
        await settled(pilot)
        yield app, pilot, door


def flat(app: MusterApp) -> str:
    return " ".join(" ".join(text_of(app)).split())


async def test_enter_shows_what_was_asked_and_what_came_back(outbox: Outbox) -> None:
    app, pilot, door = outbox
    assert "Enter request" in text_of(app)[-1]
    assert "Z pause vendor" in text_of(app)[-1]
    await pilot.press("enter")
    await settled(pilot)
    assert isinstance(app.screen, ExchangeScreen)
    assert door.exchanges == ["01DEAD"]
    app.post_message(ExchangeRead("01OTHER", None))
    app.post_message(ExchangeRead("01DEAD", Exchange("01DEAD", "INC-1", "acme", "create", "dead", NOW, SAID)))
    await settled(pilot)
    shown = flat(app)
    assert "create for INC-1 to acme dead" in shown
    assert "1. GET http://acme.invalid/t/7" in shown
    assert "answer: 200" in shown
    await pilot.press("G")
    await settled(pilot)
    shown = flat(app)
    assert "2. POST http://acme.invalid/t authorization: •••" in shown
    assert "answer: 400 urgency is required" in shown
    assert "\x1b" not in shown
    await pilot.press("escape")
    await settled(pilot)
    assert isinstance(app.screen, OutboxScreen)


async def test_who_may_not_see_it_is_told_nothing(outbox: Outbox) -> None:
    app, pilot, door = outbox
    await pilot.press("j", "j", "enter")
    await settled(pilot)
    assert isinstance(app.screen, OutboxScreen)
    assert door.exchanges == []
    assert "INC-3 is restricted" in flat(app)
    await pilot.press("k", "k", "enter")
    await settled(pilot)
    app.post_message(ExchangeRead("01DEAD", None))
    await settled(pilot)
    assert "not for you to see" in flat(app)


@pytest.mark.parametrize(
    ("to", "command"),
    [
        ((), HoldBack(vendor="acme", reason="They move.")),
        (("j",), LetGoOn(vendor="nordnet", reason="They move.")),
    ],
)
async def test_z_holds_a_supplier_back_or_lets_it_go_on_with_the_reason(
    outbox: Outbox, to: tuple[str, ...], command: Any
) -> None:
    app, pilot, door = outbox
    await pilot.press(*to, "Z")
    await settled(pilot)
    assert f": {command.vendor}" in flat(app)
    await pilot.press("f2")
    await settled(pilot)
    assert door.done == []
    await pilot.press(*"They move.", "f2")
    await settled(pilot)
    ((given, _),) = door.done
    assert same(given, command)


async def test_a_page_goes_to_no_supplier(outbox: Outbox) -> None:
    app, pilot, door = outbox
    app.post_message(OutboxRead((Sent("01PAGE", "Ben", "INC-1", "page", "queued", 0, None, ""),)))
    await settled(pilot)
    for key in ("Z", "enter"):
        await pilot.press(key)
        await settled(pilot)
        assert "a page to Ben" in flat(app)
        assert isinstance(app.screen, OutboxScreen)
    assert (door.exchanges, door.done) == ([], [])


async def test_its_keys_stay_its_own_when_the_verbs_are_told_anew(outbox: Outbox) -> None:
    app, pilot, _ = outbox
    foot = text_of(app)[-1]
    app.post_message(VerbsLearned(verbs_for(Role.COORDINATOR)))
    await settled(pilot)
    assert text_of(app)[-1] == foot
    await pilot.press("3")
    await settled(pilot)
    foot = text_of(app)[-1]
    app.post_message(VerbsLearned(verbs_for(Role.COORDINATOR)))
    await settled(pilot)
    assert text_of(app)[-1] == foot
    await pilot.press("4")
    await settled(pilot)
    assert isinstance(app.screen, OutboxScreen)


def test_one_request_has_no_number_and_no_answer_is_said_to_be_none() -> None:
    lines = [text for text, _ in spoken([{"method": "POST", "url": "http://x.invalid/", "status": None}])]
    assert lines == ["POST http://x.invalid/", "no answer"]
