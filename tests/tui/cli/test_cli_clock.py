"""`muster clock`: each figure explained line by line, and the same in JSON; `muster rebuild`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from register.core import Policy, VendorFacts
from register.desk import ServiceDesk
from register.incident import HoldReason
from register.matrix_toml import SAMPLE, read_matrix
from register.store import open_store
from register.topics.caller import HearCaller
from register.topics.engagement import Engage
from register.topics.hold import PutOnHold
from register.topics.ownership import PassOn, Take
from tests.conftest import Clock
from tests.register.saying import ANA, BEN, arrived, claim, log, look, sql
from tests.tui.cli_help import Cli
from tui.cli.clock import told
from tui.cli.here import Here
from tui.session import Session

EXPLAINED = """\
resolution: in progress, 2h30m left
  promise   SLA for P2: 8h on office
  calendar  Mon-Fri 08:00-17:00; UTC
  ran       Fri 2026-03-27 15:00:00 CET → 16:30:00 CET                    1h30m
  paused    Fri 2026-03-27 16:30:00 CET → Mon 2026-03-30 11:30:00 CEST     (3h)
            waits for the caller
  ran       Mon 2026-03-30 11:30:00 CEST → now                               4h
  used      1h30m + 4h = 5h30m of 8h
  left      2h30m
  due       Mon 2026-03-30 18:00:00 CEST
  wall      71h30m by the clock on the wall, from its beginning
"""
OVER = """\
handover: completed, 30m over
  promise   OLA for P2: 2h on 24x7
  calendar  round the clock
  ran       Fri 2026-03-27 15:00:00 CET → 16:30:00 CET                    1h30m
  paused    Fri 2026-03-27 16:30:00 CET → Mon 2026-03-30 11:30:00 CEST    (66h)
            waits for the caller
  ran       Mon 2026-03-30 11:30:00 CEST → 12:30:00 CEST                     1h
  used      1h30m + 1h = 2h30m of 2h
  over      30m
  completed Mon 2026-03-30 12:30:00 CEST: team is net-ops now
  due       Mon 2026-03-30 12:00:00 CEST
  breached  Mon 2026-03-30 12:00:01 CEST
"""
BESIDE = """\
Back to back
  practice fix is due 2h10m before resolution

Held by, while it was open, round the clock
  app-ops  68h30m, 66h of it on hold
  net-ops  3h, has it now"""


@pytest.fixture
def oslo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Oslo")
    time.tzset()
    yield
    os.environ.pop("TZ", None)
    time.tzset()


def over_a_weekend(path: Path) -> tuple[Here, str, datetime]:
    """A P2 of a Friday afternoon that waits for its caller over the weekend when clocks go forward."""
    matrix = read_matrix(SAMPLE.read_text())
    vendors = {"practice": VendorFacts("practice", "Practice", production=False)}
    policy = Policy(matrix=matrix, timeline=((0, matrix.book),), vendors=vendors)
    clock = Clock(datetime(2026, 3, 27, 14, 0, tzinfo=UTC))
    store = open_store(str(path / "r.db"))
    desk = ServiceDesk(store, policy, clock)
    number = log(desk, service="Webshop", category="application", impact="high", urgency="medium")
    clock.passes(minutes=20)
    desk.do(ANA, Take(target=number))
    clock.passes(minutes=30)
    desk.do(BEN, Engage(target=number, vendor="practice", message="Help."))
    (row,) = claim(store, clock(), vendor="practice")
    arrived(desk, row.row_id)
    clock.passes(minutes=40)
    desk.do(ANA, PutOnHold(target=number, reason=HoldReason.CALLER, on="eva", note="Which one?"))
    clock.passes(hours=66)
    desk.do(ANA, HearCaller(target=number, text="The left one."))
    clock.passes(hours=1)
    desk.do(ANA, PassOn(target=number, team="net-ops"))
    at = Here(Session(f"sqlite:///{path}/r.db", path, "ana"), store)
    at.__dict__["timeline"] = policy.timeline
    return at, number, clock.passes(hours=3)


def test_each_figure_is_explained_line_by_line(tmp_path: Path, oslo: None) -> None:
    at, number, now = over_a_weekend(tmp_path)
    answer = told(at, at.incident(number), now)
    text = "\n".join(answer.lines)
    for part in (EXPLAINED, OVER, BESIDE):
        assert part in text
    assert max(map(len, answer.lines)) <= 80
    at.store.close()


def test_the_figures_add_up(tmp_path: Path) -> None:
    at, number, now = over_a_weekend(tmp_path)
    data = told(at, at.incident(number), now).data
    assert {one["kind"] for one in data["clocks"]} == {"SLA", "OLA", "UC"}
    for one in data["clocks"]:
        ran = [span["business_seconds"] for span in one["spans"] if span["paused"] is None]
        assert one["used_seconds"] == sum(ran)
        assert one["used_seconds"] + one["left_seconds"] == one["target_seconds"]
        assert (one["breached_at"] is not None) == (one["left_seconds"] < 0)
    at.store.close()


def test_on_the_command_line_now_and_then(cli: Cli) -> None:
    cli("log", "Mail is late", "--impact", "high", "--urgency", "high")
    cli("take", "1")
    told_now = cli("clock", "1")
    assert told_now.code == 0
    assert "resolution: in progress" in told_now.out
    assert "SLA for P1: 4h on 24x7" in told_now.out
    assert "response: completed" in told_now.out
    assert "resolution (SLA): in progress" in cli("show", "1").out
    assert cli("clock", "1", "--as-of", "1h").code == 4  # it was not known then
    assert cli("clock", "9").code == 4
    assert cli("clock", "x").code == 2
    assert [one["clock"] for one in cli.json("clock", "1")["clocks"]] == ["response", "resolution"]


def test_who_may_not_see_it_hears_nothing_of_its_clocks(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from register.core import Principal, Role

    cli("log", "Salaries leaked", "--restricted")
    monkeypatch.setattr(
        "tui.cli.here.principal", lambda store, session, source: Principal("vic", Role.VIEWER, source)
    )
    told_now = cli("clock", "1")
    assert "restricted" in told_now.out
    assert "resolution" not in told_now.out + cli("show", "1").out


def test_rebuild_mends_what_verify_found(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from register.core import Principal, Role

    cli("log", "Mail is late")
    store = open_store(str(cli.home / "r.db"))
    sql(store, "UPDATE incident SET due_at = NULL")
    assert cli("verify").code == 1
    assert cli.json("rebuild")["mended"] == ["INC-1"]
    assert cli("verify").code == 0
    assert look(ServiceDesk(store), "INC-1").title == "Mail is late"
    store.close()
    monkeypatch.setattr(
        "tui.cli.here.principal", lambda store, session, source: Principal("vic", Role.VIEWER, source)
    )
    assert cli("rebuild").code == 3
