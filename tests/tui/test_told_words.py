"""Whom an escalation told, person by person and channel by channel, wherever an incident is told of."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from register.core import Recorded
from register.incident import PageState
from register.run import Place, Run, Told
from register.topics.paging import Notified, NotifyFailed, Tried
from tests.register.test_run_row import incident, run
from tests.tui.test_ticking import model, text
from tui.cli import escalated
from tui.detail import Detail
from tui.signs import ASCII
from tui.story import timeline
from tui.telling import tell

TOLD = (
    Told(person="p1", state=PageState.DELIVERED, by="sms"),
    Told(person="p2", state=PageState.FAILED, by="sms: the service answered 503; mail: no answer"),
    Told(person="p3", state=PageState.ASKED),
    Told(person="p4", by="the incident is over"),
    Told(person="p5"),
)
WORDS = (
    "p1: paged by sms",
    "p2: COULD NOT BE PAGED: sms: the service answered 503; mail: no answer",
    "p3: is being paged",
    "p4: not paged: the incident is over",
    "p5: told on the board alone",
)


def _told(**changes: Any) -> Run:
    return run(fired=Place(0, 1), place=Place(0, 2), told=TOLD, **changes)


def test_the_timeline_ends_with_who_was_told_and_what_came_of_it() -> None:
    detail = Detail("INC-7", "p1", None, (), incident(run=_told()))
    rule, *lines = text(timeline(detail, model(), 90))
    assert rule.startswith(" ── told at step 2/4 ─")
    for line, words in zip(lines, WORDS, strict=True):
        assert line.split(": ", 1)[1] == words.split(": ", 1)[1]
    assert all(line.isascii() for line in text(timeline(detail, model(ASCII), 90)))


@pytest.mark.parametrize("one", [None, run()], ids=["no escalation", "nobody yet"])
def test_where_nobody_was_told_nothing_is_said(one: Run | None) -> None:
    assert timeline(Detail("INC-7", "p1", None, (), incident(run=one)), model(), 90) == []


def test_muster_show_tells_it_too() -> None:
    at: Any = SimpleNamespace(people={"p1": "ben"})
    lines = escalated.lines_of(at, incident(run=_told(held="")))
    assert lines[0] == ""
    assert lines[1].startswith("Escalation by app: triggered, told at step 2/4, goes on at 2026-03-02 ")
    assert lines[2:] == [f"  {words}" for words in (WORDS[0].replace("p1", "ben"), *WORDS[1:])]
    data = escalated.data_of(at, incident(run=_told()))
    assert data is not None
    assert (data["step"], data["of"], data["told"][0]) == (
        2,
        4,
        {"person": "ben", "page": "delivered", "by": "sms"},
    )
    assert escalated.lines_of(at, incident()) == []
    assert escalated.data_of(at, incident()) is None


def test_the_story_tells_each_channel_and_why_it_failed() -> None:
    sms = Tried(channel="sms", ok=False, why="the service answered 503")
    mail = Tried(channel="mail", ok=True)
    told = _event(Notified(row_id="r", person="p1", tried=(sms, mail)))
    assert told.what.endswith("by sms (failed), mail (delivered)")
    assert told.body == "sms: the service answered 503"
    told = _event(
        NotifyFailed(row_id="r", person="p1", tried=(sms,), next_at=datetime(2026, 3, 2, tzinfo=UTC))
    )
    assert "by sms (failed): tried again 00:00:00 UTC" in told.what
    assert (told.body, told.pen) == ("sms: the service answered 503", "bad")


def _event(event: Any) -> Any:
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    return tell(Recorded(1, "INC-7", 1, event.kind, 1, "c", at, at, "p0", "pager", None, event))
