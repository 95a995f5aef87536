"""The matrix of a real register: read through the door, told again when something was written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from register.adoption import as_text, digest_of
from register.desk import ServiceDesk
from register.incident import Impact, Urgency
from register.matrix_toml import read_matrix
from register.store import open_store
from register.toml_file import TomlFile
from register.topics.adoption import AdoptPolicy
from register.topics.intake import Log
from register.topics.ownership import Acknowledge
from register.topics.sight import Restrict
from register.watch import tick
from tests.register.escalating import MATRIX
from tests.tui.test_follow import ADA, BEN, Heard
from tui.follow import Follower
from tui.messages import FeedMoved, FreshnessChanged, MatrixRead, SheetRead
from tui.session import Session


@pytest.fixture
def session(tmp_path: Path) -> Session:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "matrix.toml").write_text(MATRIX)
    return Session(f"sqlite:///{tmp_path}/r.db", tmp_path / "home", "ana")


@pytest.fixture
def desk(session: Session) -> Iterator[ServiceDesk]:
    store = open_store(session.register_url)
    yield ServiceDesk(store)
    store.close()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def follower(session: Session, heard: Heard) -> Iterator[Follower]:
    one = Follower(session)
    yield one
    one.stop()


def adopt(desk: ServiceDesk, text: str = MATRIX) -> None:
    read_matrix(text)  # it is sound
    tables = as_text(TomlFile("matrix.toml", text).tables)
    desk.do(ADA, AdoptPolicy(matrix=tables, vendors="{}", digest=digest_of(tables), private=True, sure=True))


def log(desk: ServiceDesk, **fields: str) -> str:
    number = desk.do(BEN, Log(title="db down", impact=Impact.HIGH, urgency=Urgency.HIGH, **fields)).number
    assert number is not None
    return number


def row_told(heard: Heard, number: str, state: str) -> list[object]:
    """What the feed says of its escalation once it stands like this."""
    while True:
        for row in heard.next(FeedMoved).changed:
            if row["number"] == number and row.get("run", [""])[0] == state:
                found: list[object] = row["run"]
                return found


def test_who_would_be_told_is_read_of_the_adopted_matrix(
    desk: ServiceDesk, follower: Follower, heard: Heard
) -> None:
    adopt(desk)
    follower.start(heard.posted.put, 0, "")
    heard.next(FreshnessChanged)
    follower.read_matrix()
    grid = heard.next(MatrixRead).grid
    assert grid.policies
    (line,) = grid.places
    assert (line.category, line.team, line.policy) == ("", "apps", "usual")
    told = [[one.names for one in step.told] for step in line.steps]
    assert told == [[("Ana Sample",)], [("Ben Sample",), ("Carl Sample",)]]  # who were never met here
    assert line.authority == ("Ben Sample", "Eva Sample")


def test_the_board_hears_how_far_an_escalation_has_come(
    desk: ServiceDesk, follower: Follower, heard: Heard
) -> None:
    adopt(desk)
    follower.start(heard.posted.put, 0, "")
    heard.next(FreshnessChanged)
    number = log(desk)
    tick(desk, datetime.now(UTC))
    run = row_told(heard, number, "triggered")
    while run[1] == 0:  # it began, and its first step comes with the tick
        run = row_told(heard, number, "triggered")
    assert run[1:4] == [1, 2, 2]
    desk.do(BEN, Acknowledge(target=number))
    assert row_told(heard, number, "acknowledged")[1:4] == [1, 2, 2]


def test_what_is_no_incident_is_told_too(desk: ServiceDesk, follower: Follower, heard: Heard) -> None:
    """So whoever looks at the matrix reads it anew."""
    follower.start(heard.posted.put, 0, "")
    heard.next(FreshnessChanged)
    adopt(desk)
    assert heard.next(FeedMoved).seq == desk.store.seq()


def test_the_sheets_say_what_the_commands_say(
    desk: ServiceDesk, follower: Follower, heard: Heard, monkeypatch: pytest.MonkeyPatch, session: Session
) -> None:
    monkeypatch.setenv("MUSTER_HOME", str(session.home))
    adopt(desk)
    number = log(desk)
    follower.start(heard.posted.put, 0, "")
    heard.next(FreshnessChanged)
    follower.read_sheet("forecast", number)
    sheet = heard.next(SheetRead)
    assert (sheet.sheet, sheet.number) == ("forecast", number)
    assert sheet.lines[0].startswith(f"{number}, P1, apps's, by usual")
    told = [line for line in sheet.lines if "policies.usual, step 1 of 2" in line]
    assert "ana" in told[0]
    assert "round 2" in told[1]
    assert any("(authority)" in line for line in sheet.lines)
    follower.read_sheet("lint", "")
    assert heard.next(SheetRead).lines[0].startswith("✓")
    (session.home / "matrix.toml").write_text("fallback_team = 7\n")
    follower.read_sheet("lint", "")
    assert heard.next(SheetRead).lines[0].startswith("✗ ")
    (session.home / "matrix.toml").unlink()
    follower.read_sheet("lint", "")
    assert "There is no" in heard.next(SheetRead).lines[0]
    follower.read_sheet("forecast", "INC-99")
    assert "There is no INC-99" in heard.next(SheetRead).lines[0]


def test_a_forecast_of_what_is_restricted_is_not_for_others(
    desk: ServiceDesk, heard: Heard, session: Session
) -> None:
    """Through the same function: the register of one's own shows its owner everything."""
    from register.core import Principal, Role
    from tui.cli.here import Here
    from tui.sheets import SHEETS

    adopt(desk)
    number = log(desk)
    desk.do(BEN, Restrict(target=number))
    at = Here(session, desk.store)
    at.__dict__["who"] = Principal("vic", Role.VIEWER, "board")
    (line,) = SHEETS["forecast"].lines(at, number)
    assert "restricted" in line
