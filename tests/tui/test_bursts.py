"""A paste that comes as keys: ignored with a word; what hands do on a slow line is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.events import Key, Paste
from textual.pilot import Pilot

from register.core import Role
from register.topics.ownership import Acknowledge
from tests.tui.fakes import FakeDoor, app_with, row
from tests.tui.test_board import settled, text_of
from tui.app import MusterApp
from tui.messages import VerbsLearned
from tui.screens.form import FormScreen
from tui.typeahead import HANDS, TYPED, is_paste
from tui.verbs import verbs_for

OPENS = frozenset({"n", "c", "v", "d", "enter"})
Board = tuple[MusterApp, Pilot[None], FakeDoor]


@pytest.mark.parametrize(
    "keys",
    [
        "j" * 60,
        ["down"] * 60,
        "jjjkkkjk",
        "a",
        "jja",
        ["j", "j", "enter"],
        "a" * HANDS,
        "nThe queue grows",
        [*"nThe queue grows", "f2"],
        "n" + "x" * (TYPED - 1),
    ],
)
def test_what_hands_do(keys: Any) -> None:
    assert not is_paste(list(keys), OPENS)


def test_a_filter_is_typed_ahead_as_far_as_its_end() -> None:
    opens, filters = OPENS, frozenset({"slash"})
    assert not is_paste(["slash", *"packet loss"], opens, filters)
    assert not is_paste(["slash", *"packet", "enter"], opens, filters)
    assert is_paste(["slash", *"etc", "enter", "a"], opens, filters)
    assert is_paste(["slash", *"x" * TYPED], opens, filters)


@pytest.mark.parametrize(
    "keys",
    [
        "take that out",
        "a" * (HANDS + 1),
        "jjjjjtakes",
        [*"deploy went fine", "enter"],
        [*"note", "enter", *"more"],
        "n" + "x" * TYPED,
    ],
)
def test_what_no_hand_does(keys: Any) -> None:
    assert is_paste(list(keys), OPENS)


@pytest.fixture
async def board(tmp_path: Path) -> AsyncIterator[Any]:
    """A board that waits as one on a terminal does."""
    app = app_with(tmp_path / "live.json", [row(n) for n in range(1, 9)])
    door: Any = app.door
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.post_message(VerbsLearned(verbs_for(Role.ADMIN)))
        await settled(pilot)
        app.look = 0.05
        yield app, pilot, door


def burst(app: MusterApp, keys: str) -> None:
    for key in keys:
        app.post_message(Key({" ": "space"}.get(key, key), key))


class Silent(FakeDoor):
    """Answers nothing about suppliers."""

    def read_suppliers(self, asked: str, about: str = "") -> None:
        pass


async def until(true: Callable[[], bool], pilot: Pilot[None]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
        await pilot.pause()


async def test_a_burst_acts_on_nothing_and_is_told(board: Board) -> None:
    app, pilot, door = board
    burst(app, "take that out")
    await until(lambda: "faster than hands" in " ".join(text_of(app)), pilot)
    assert door.done == []
    assert app.screen is app.board
    app.post_message(Key("a", "a"))  # a hand, afterwards
    await until(lambda: bool(door.done), pilot)
    assert isinstance(door.done[0][0], Acknowledge)


async def test_a_held_movement_key_moves_at_once_however_fast_it_comes(board: Board) -> None:
    app, pilot, _ = board
    burst(app, "jjjjjjj")
    await settled(pilot)
    assert app.board.board.cursor_number == "INC-8"


async def test_words_typed_ahead_are_for_the_form(board: Board) -> None:
    app, pilot, door = board
    burst(app, "nit grows")
    await until(lambda: isinstance(app.screen, FormScreen) and "it grows" in " ".join(text_of(app)), pilot)
    assert door.done == []


async def test_words_for_a_form_that_did_not_open_are_no_keys(board: Board) -> None:
    app, pilot, door = board
    app.door = Silent()
    app.doing._door = app.door
    burst(app, "v")
    await until(lambda: app._kept is not None, pilot)
    burst(app, "take it all out")
    await pilot.pause()
    app.say("The register does not answer.", "bad")
    await until(lambda: "did not open" in " ".join(text_of(app)), pilot)
    assert (door.done, app.door.done) == ([], [])
    assert app.screen is app.board


async def test_a_filter_takes_what_is_pasted_into_it(board: Board) -> None:
    app, pilot, _ = board
    app.post_message(Key("slash", "/"))
    burst(app, "pac")
    await until(lambda: app.board.typing, pilot)
    burst(app, "ket loss")
    await until(lambda: app.model.needle == "packet loss", pilot)


async def test_a_marked_paste_is_told_too(board: Board) -> None:
    app, pilot, door = board
    app.post_message(Paste("take that"))
    await until(lambda: "faster than hands" in " ".join(text_of(app)), pilot)
    assert door.done == []
