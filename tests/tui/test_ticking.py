"""What the board and an incident's screen show of clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from register.adoption import as_text
from register.clocks.book import DEFAULT, DEFAULT_TIMELINE, Timeline
from register.desk import ServiceDesk
from register.live import Live
from register.store import open_store
from register.topics.adoption import AdoptPolicy
from register.topics.intake import Log
from tests.register.clockwork import (
    HOUR,
    IN_PROGRESS,
    NEW,
    RESOLVED,
    at,
    book,
    clocks,
    hold,
    one_clock,
    track,
)
from tests.register.saying import ADA, BEN
from tests.tui.test_follow import Heard
from tui.columns import Eyes, columns_for
from tui.follow import Follower
from tui.format import hours, promise_text
from tui.messages import DetailRead, FeedMoved, RegisterOpened
from tui.model import Model
from tui.session import Session
from tui.signs import ASCII, UNICODE, Signs
from tui.ticking import beside, page
from tui.verbs import log_hint
from tui.widgets.lines import Line

NOW = at("2026-03-02 12:00")
STEPS = (
    ("2026-03-02 08:00", NEW),
    ("2026-03-02 09:00", hold()),
    ("2026-03-02 10:30", IN_PROGRESS),
)


def model(signs: Signs = UNICODE) -> Model:
    found = Model(
        Session("sqlite:///r.db", Path("/nowhere"), "ana"), Live.open(Path("/nowhere/live.json")), signs
    )
    found.utc = True
    found.tick(NOW)
    return found


def text(lines: list[Line]) -> list[str]:
    return ["".join(words for words, _ in line) for line in lines]


def row(**more: Any) -> dict[str, Any]:
    return {"due": None, **more}


def test_a_paused_clock_is_told_by_what_is_left() -> None:
    assert promise_text(row(held=72 * 60), NOW, UNICODE) == "held 1h12"
    assert promise_text(row(held=45 * HOUR), NOW, UNICODE) == "held 45h", "business time has no days"
    assert promise_text(row(held=-1), NOW, UNICODE) == "held, over !"
    assert promise_text(row(), NOW, UNICODE) == "–"
    assert hours(45 * HOUR + 59) == "45h"


def test_the_due_column_is_wide_enough_and_red_when_it_is_over() -> None:
    (column,) = (one for one in columns_for(120, 9) if one.title == "Due")
    for held, pen in ((0, ""), (-60, "bad"), (999 * HOUR, "")):
        words, found = column.cell(row(held=held), Eyes(now=NOW))
        assert len(words) <= column.width
        assert found == pen


def test_the_pane_shows_the_clocks_that_the_row_does_not() -> None:
    assert text(beside(clocks(track(*STEPS), DEFAULT), model())) == [" response 0m left"]
    late = beside(clocks(track(("2026-03-02 08:00", NEW | {"priority": "1"})), DEFAULT), model())
    assert text(late) == [" response 3h45 over !"]
    assert late[0][1][1] == "bad"


def test_the_page_tells_each_clock_with_its_bar_and_why() -> None:
    told = text(page(clocks(track(*STEPS), book(one_clock("8h"))), model(), 80))
    assert told == [
        " it                 ███─────── 5h30 left  SLA P3: 8h on office",
        "   ran     08:00 → 09:00                    1h",
        "   paused  09:00 → 10:30                (1h30)  waits for the caller",
        "   ran     10:30 → now                    1h30",
        "   due 03-03 08:30 UTC",
        "",
    ]
    assert all(line.isascii() for line in text(page(clocks(track(*STEPS), book()), model(ASCII), 80)))


def test_a_promise_that_has_no_room_beside_its_bar_stands_below_it() -> None:
    some = clocks(track(*STEPS), book(one_clock("8h")))
    whole = len(text(page(some, model(), 80))[0])
    for width in (whole, whole - 1, 40):
        told = text(page(some, model(), width))
        assert told[0].endswith("SLA P3: 8h on office") == (width == whole)
        assert width == whole or told[1] == "   promise SLA P3: 8h on office"


def test_a_clock_that_is_over_says_how_it_ended() -> None:
    ended = track(*STEPS, ("2026-03-02 11:00", RESOLVED))
    told = text(page(clocks(ended, book(one_clock("8h"))), model(), 80))
    assert told[0] == " it                 █───────── 1h30 used ✓  SLA P3: 8h on office"
    assert told[-2] == "   completed 11:00: resolved"
    assert text(page([], model(), 80)) == [" Nothing is promised for this priority, and nothing was."]


def test_a_form_says_until_when_by_what_the_register_has_adopted() -> None:
    friday = datetime(2026, 3, 6, 16, tzinfo=UTC)
    answers = {"impact": "high", "urgency": "medium"}
    assert log_hint(UTC, "→")(answers, friday)[0][0] == "→ P2, resolve by Mon 09 Mar 15:00 UTC"
    always: Timeline = ((0, book(one_clock("30m", "24x7"))),)
    assert log_hint(UTC, "→", always)(answers, friday)[0][0] == "→ P2, resolve by 16:30 UTC"
    assert log_hint(UTC, "→")({"impact": "low", "urgency": "low"}, friday)[0][0] == "→ P5, no time promised"


# An open board when another policy is adopted


def test_an_open_board_hears_what_is_promised_now(tmp_path: Path) -> None:
    session, heard = Session(f"sqlite:///{tmp_path}/r.db", tmp_path / "home", "ana"), Heard()
    desk = ServiceDesk(open_store(session.register_url))
    desk.do(BEN, Log(title="one"))
    follower = Follower(session)
    follower.start(heard.posted.put, 0, "")
    try:
        assert heard.next(RegisterOpened).timeline == DEFAULT_TIMELINE
        before = heard.next(FeedMoved).changed[0]["due"]
        tables = {"fallback_team": "desk", "teams": {"desk": {"name": "Desk"}}}
        text = as_text(tables | {"calendars": {"office": {"hours": ["Sun 03:00-03:30"]}}})
        desk.do(ADA, AdoptPolicy(matrix=text, vendors="", digest="d", sure=True))
        assert len(heard.next(RegisterOpened).timeline) == 2
        assert heard.next(FeedMoved).changed[0]["due"] > before
        follower.read_detail("INC-1")
        assert [clock.name for clock in heard.next(DetailRead).detail.clocks] == ["response", "resolution"]
    finally:
        follower.stop()
        desk.store.close()
