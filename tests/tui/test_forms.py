"""Forms made from a Command: what is asked, what is made of the answers, what a mistake is called."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import pytest
from pydantic import AwareDatetime, BaseModel, Field
from textual.app import App
from textual.widgets import Input, TextArea

import register.topics  # noqa: F401 - fills the registry
from register.core import VERBS
from register.incident import Cause, Impact, ResolutionCode, Urgency
from register.text import Text, Title, Words
from register.topics.alerts import TakeAlert
from tui.forms import AS_TIMES, Kind, Mistake, asked_of, build, period
from tui.messages import Done, Refused
from tui.requests import CommandGiven
from tui.screens.form import Form, FormScreen
from tui.signs import UNICODE
from tui.typed_time import earlier, moment
from tui.widgets.choice import Choice, Flag
from tui.widgets.why import Why

AT = datetime(2030, 5, 1, 12, 0, tzinfo=UTC)


class Sample(BaseModel, frozen=True):
    """A command as the register declares them."""

    command_id: str = "X"
    target: str | None = None
    title: Annotated[Title, Field(description="what is wrong, in a few words")]
    impact: Annotated[Impact, Field(description="how many are hit")] = Impact.MEDIUM
    urgency: Annotated[Urgency | None, Field(description="how soon it hurts")] = None
    notes: Annotated[Words, Field(description="what was done")]
    more: Annotated[Text, Field(description="anything else")] = ""
    restricted: Annotated[bool, Field(description="not for all eyes")] = False
    until: Annotated[AwareDatetime | None, Field(description="when it wakes")] = None


def test_a_widget_kind_a_field_type() -> None:
    assert [(f.name, f.kind, f.required, f.default) for f in asked_of(Sample)] == [
        ("title", Kind.LINE, True, None),
        ("impact", Kind.CHOICE, False, "medium"),
        ("urgency", Kind.CHOICE, False, None),
        ("notes", Kind.TEXT, True, None),
        ("more", Kind.TEXT, False, ""),
        ("restricted", Kind.FLAG, False, False),
        ("until", Kind.MOMENT, False, None),
    ]


def test_what_is_given_is_not_asked() -> None:
    assert "title" not in [f.name for f in asked_of(Sample, {"title": "x"})]


def test_answers_become_the_command() -> None:
    answers = {"title": " db  down ", "impact": "high", "notes": "restarted", "until": "+2h", "urgency": None}
    made = build(Sample, {"target": "INC-1"}, answers, AT)
    assert isinstance(made, Sample)
    assert (made.title, made.impact, made.until, made.target) == (
        "db down",
        Impact.HIGH,
        AT + timedelta(hours=2),
        "INC-1",
    )


def test_each_mistake_is_a_sentence_at_its_field() -> None:
    made = build(Sample, {}, {"title": "", "notes": " ", "until": "soonish"}, AT)
    assert made == (Mistake("until", "Until is not a time: write +2h, 16:30, tomorrow or 2030-05-01 16:30."),)
    assert build(Sample, {}, {"title": "", "notes": " "}, AT) == (
        Mistake("title", "Title is empty: say in a few words what is wrong."),
        Mistake("notes", "Notes is empty: write at least a word."),
    )


@pytest.mark.parametrize(
    ("text", "minutes"), [("45m", 45), ("1h30", 90), ("1h30m", 90), ("2d", 2880), ("90", 90), ("1d 2h", 1560)]
)
def test_periods(text: str, minutes: int) -> None:
    assert period(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "text", ["", "x", "1.5h", "-5m", "h", "٣h", "99999999999999d", pytest.param("9" * 5000, id="5000 digits")]
)
def test_no_periods(text: str) -> None:
    assert period(text) in (None, timedelta(0))


def test_moments() -> None:
    assert moment("16:30 UTC", AT) == AT.replace(hour=16, minute=30)
    assert moment("11:00 UTC", AT) == AT.replace(day=2, hour=11)
    assert moment("2031-02-03 04:05 UTC", AT) == datetime(2031, 2, 3, 4, 5, tzinfo=UTC)
    assert moment("+30m", AT) == AT + timedelta(minutes=30)
    wrong = ("", "25:00", "2031-02-30 10:00", "next week", "+x", "１２:００", "+99999999d", "+" + "9" * 5000)
    for text in wrong:
        assert moment(text, AT) is None
    assert moment("9998-12-31 23:59 UTC", AT) == datetime(9998, 12, 31, 23, 59, tzinfo=UTC)


def test_a_time_of_the_wall_clock_has_the_offset_of_its_own_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Oslo")
    time.tzset()
    try:
        winter = datetime(2031, 1, 10, 12, 0, tzinfo=UTC)
        assert moment("2031-07-01 16:30", winter) == datetime(2031, 7, 1, 14, 30, tzinfo=UTC)
        eve = datetime(2031, 3, 29, 21, 0, tzinfo=UTC)  # the clocks go forward that night
        assert moment("08:00", eve) == datetime(2031, 3, 30, 6, 0, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()


class Host(App[None]):
    """An app that only opens the form and remembers what it gives."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, command: type[BaseModel] = Sample) -> None:
        super().__init__()
        self.draft: dict[str, Any] = {}
        self.given: list[CommandGiven] = []
        self.command = command

    def on_mount(self) -> None:
        self.open()

    def open(self) -> FormScreen:
        form = FormScreen(Form("w1", "Sample", self.command, {"target": "INC-1"}), self.draft, UNICODE)
        self.push_screen(form)
        return form

    def on_command_given(self, event: CommandGiven) -> None:
        self.given.append(event)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_form_is_filled_in_by_keys_alone(size: tuple[int, int]) -> None:
    app = Host()
    async with app.run_test(size=size) as pilot:
        await pilot.press(*"db down", "tab", "left", "tab", "h", "tab", *"ok", "enter", *"yes")
        await pilot.press("tab", "tab", "space", "tab", *"+1h", "enter")
        await pilot.pause()
        (given,) = app.given
        assert given.asked == "w1"
        made = given.command
        assert (made.title, made.impact, made.urgency) == ("db down", Impact.HIGH, Urgency.HIGH)
        assert (made.notes, made.restricted, made.target) == ("ok\nyes", True, "INC-1")
        app.screen.post_message(Done("w1", "sample", "INC-1"))
        await pilot.pause()
        assert not isinstance(app.screen, FormScreen)
        assert app.draft == {}


async def test_a_mistake_stands_under_its_field_and_the_cursor_goes_there() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("tab", "enter")
        await pilot.pause()
        assert app.given == []
        why = app.screen.query_one("#why-title", Why)
        assert why.has_class("-told")
        assert "say in a few words" in why.lines[0][0][0]
        assert app.focused is app.screen.query_one("#field-title")


async def test_a_mistake_is_not_told_any_longer_once_it_is_mended() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("tab", "enter")
        await pilot.pause()
        notes = app.screen.query_one("#why-notes", Why)
        notes.tell("Notes is needed.")
        await pilot.press("x")
        await pilot.pause()
        assert app.screen.query_one("#why-title", Why).why == ""
        assert notes.why  # of another field it still is
        app.screen.post_message(Refused("w1", "sample", "INC-1 is closed already: log a new one."))
        await pilot.pause()
        await pilot.press("tab", "right")
        await pilot.pause()
        assert app.screen.query_one("#why-", Why).why == ""
        await pilot.press("tab", "tab", "y")
        await pilot.pause()
        assert notes.why == ""


async def test_a_refusal_keeps_what_was_written() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"db", "tab", "tab", "tab", *"did it", "f2")
        await pilot.pause()
        app.screen.post_message(Refused("w1", "sample", "INC-1 is closed already: log a new one."))
        await pilot.pause()
        assert "closed already" in app.screen.query_one("#why-", Why).why
        assert app.screen.query_one("#field-notes", TextArea).text == "did it"
        await pilot.press("f2")
        await pilot.pause()
        assert len(app.given) == 2


async def test_escape_keeps_a_draft() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"half a title", "tab", "right", "tab", "tab", *"why", "escape")
        await pilot.pause()
        assert not isinstance(app.screen, FormScreen)
        again = app.open()
        await pilot.pause()
        assert again.query_one("#field-title", Input).value == "half a title"
        assert again.query_one("#field-impact", Choice).value == "low"
        assert again.query_one("#field-notes", TextArea).text == "why"
        assert again.query_one("#field-restricted", Flag).value is False


async def test_many_options_take_more_lines_and_all_can_be_reached() -> None:
    class Long(BaseModel, frozen=True):
        target: str | None = None
        code: ResolutionCode
        cause: Cause | None = None

    app = Host(Long)
    async with app.run_test(size=(80, 24)) as pilot:
        choice = app.screen.query_one("#field-code", Choice)
        assert choice.size.height > 1
        seen = []
        for _ in choice.options:
            await pilot.press("right")
            seen.append(choice.value)
        assert sorted(str(s) for s in seen) == sorted(choice.options)
        await pilot.press("tab", "s", "s", "backspace", "enter")
        await pilot.pause()
        assert app.given[0].command.cause is None


@pytest.mark.parametrize(
    ("typed", "back"),
    [
        ("2h", timedelta(hours=2)),
        ("1d", timedelta(days=1)),
        ("11:30 UTC", timedelta(minutes=30)),
        ("12:30 UTC", timedelta(hours=23, minutes=30)),  # the last one was yesterday
        ("12:00 UTC", timedelta()),
        ("soon", None),
        ("12", None),
        ("+2h", None),
        ("999999999d", None),
    ],
)
def test_a_time_that_lies_behind(typed: str, back: timedelta | None) -> None:
    found = earlier(typed, AT)
    assert (None if found is None else AT - found) == back


def test_a_form_asks_an_alert_for_a_time_that_lies_behind() -> None:
    (field,) = [field for field in asked_of(TakeAlert) if field.name == "at"]
    assert field.kind is Kind.EARLIER
    made = build(TakeAlert, {}, {"service": "web", "key": "disk", "at": "2h"}, AT)
    assert made.at == AT - timedelta(hours=2)  # type: ignore[union-attr]
    (mistake,) = build(TakeAlert, {}, {"service": "web", "key": "disk", "at": "soon"}, AT)  # type: ignore[misc]
    assert (
        mistake.why == "At is not a time: write 2h for two hours ago, 16:30, yesterday or 2030-05-01 16:30."
    )


def test_what_a_field_asks_for_is_read_whole_at_80_columns() -> None:
    for name, verb in VERBS.items():
        for asked in asked_of(verb) if verb.hotkey else ():
            told = f"{asked.help}: {AS_TIMES[asked.kind]}" if asked.kind in AS_TIMES else asked.help
            assert asked.kind in (Kind.TEXT, Kind.CHOICE) or len(told) <= 61, (name, told)
