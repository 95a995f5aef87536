"""The door to a real register: what is told, what is done, and what happens when it goes away."""

from __future__ import annotations

import asyncio
import io
import os
import queue
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from textual.message import Message

from register.adoption import as_text, digest_of
from register.core import Principal, Role
from register.desk import ServiceDesk
from register.live import Live
from register.store import RegisterUnavailable, Store, open_store
from register.store.shared import make_shared
from register.topics.adoption import AdoptPolicy
from register.topics.intake import Log
from register.topics.notes import Note
from register.topics.ownership import Take
from register.topics.resolution import Resolve
from register.topics.sight import Restrict
from tests.tui.test_board import cursor_line, settled, text_of
from tui.app import MusterApp
from tui.follow import Follower
from tui.messages import (
    DetailRead,
    Done,
    FeedMoved,
    FreshnessChanged,
    OutboxRead,
    Reach,
    Refused,
    RegisterOpened,
    VerbsLearned,
)
from tui.session import Session
from tui.text_board import print_board

BEN = Principal("ben", Role.ADMIN, "cli")
ADA = Principal("ada", Role.ADMIN, "cli")
M = TypeVar("M", bound=Message)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(f"sqlite:///{tmp_path}/r.db", tmp_path / "home", "ana")


@pytest.fixture
def desk(session: Session) -> Iterator[ServiceDesk]:
    store = open_store(session.register_url)
    yield ServiceDesk(store)
    store.close()


class Heard:
    """What a follower posts, in order."""

    def __init__(self) -> None:
        self.posted: queue.Queue[Message] = queue.Queue()

    def next(self, kind: type[M], within: float = 5.0) -> M:
        """The next message of that kind; those before it are passed over."""
        end = time.monotonic() + within
        while True:
            message = self.posted.get(timeout=max(0.01, end - time.monotonic()))
            if isinstance(message, kind):
                return message

    def nothing_more(self, kind: type[Message], within: float = 0.4) -> bool:
        with pytest.raises(queue.Empty):
            self.next(kind, within)
        return True


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def follower(session: Session, heard: Heard) -> Iterator[Follower]:
    one = Follower(session)
    yield one
    one.stop()


def test_opening_tells_who_we_are_and_all_that_is_open(
    session: Session, desk: ServiceDesk, follower: Follower, heard: Heard
) -> None:
    desk.do(BEN, Log(title="one"))
    desk.do(BEN, Log(title="two"))
    desk.do(BEN, Resolve(target="INC-1", code="workaround", notes="done"))
    follower.start(heard.posted.put, 0, "")
    opened = heard.next(RegisterOpened)
    assert (opened.register_id, opened.name, opened.role) == (desk.store.register_id, "r", "admin")
    assert "log" in {verb.name for verb in heard.next(VerbsLearned).verbs}
    moved = heard.next(FeedMoved)
    assert [row["number"] for row in moved.changed] == ["INC-2"]
    assert moved.whole
    assert moved.people == {"p1": "ben"}
    assert heard.next(FreshnessChanged).freshness.reach is Reach.LIVE


def test_a_commit_elsewhere_is_told_soon(desk: ServiceDesk, follower: Follower, heard: Heard) -> None:
    follower.start(heard.posted.put, 0, "")
    heard.next(FreshnessChanged)
    waits = []
    for n in range(9):
        began = time.monotonic()
        desk.do(BEN, Log(title=f"trouble {n}"))
        moved = heard.next(FeedMoved)
        while f"INC-{n + 1}" not in {row["number"] for row in moved.changed}:
            moved = heard.next(FeedMoved)
        waits.append(time.monotonic() - began)
        time.sleep(0.05)
    assert sorted(waits)[4] < 0.25  # the poke, not the slow look; loaded machines are slow


def test_a_copy_that_is_nearly_new_is_brought_up_to_date_only(
    desk: ServiceDesk, follower: Follower, heard: Heard
) -> None:
    desk.do(BEN, Log(title="one"))
    desk.do(BEN, Log(title="two"))
    seq = desk.store.seq()
    desk.do(BEN, Take(target="INC-1"))
    desk.do(BEN, Resolve(target="INC-2", code="workaround", notes="done"))
    follower.start(heard.posted.put, seq, desk.store.register_id)
    moved = heard.next(FeedMoved)
    assert not moved.whole
    assert [row["number"] for row in moved.changed] == ["INC-1"]
    assert moved.gone == {"INC-2"}


def test_a_copy_from_a_future_that_is_gone_is_read_anew(
    desk: ServiceDesk, follower: Follower, heard: Heard
) -> None:
    desk.do(BEN, Log(title="one"))
    follower.start(heard.posted.put, 999, desk.store.register_id)  # restored from a backup
    assert heard.next(FeedMoved).whole


def test_commands_are_done_in_our_name_or_refused_in_the_rules_words(
    desk: ServiceDesk, follower: Follower, heard: Heard
) -> None:
    follower.start(heard.posted.put, 0, "")
    follower.do(Log(title="db down"), "a")
    done = heard.next(Done)
    assert (done.asked, done.verb, done.number) == ("a", "log", "INC-1")
    follower.do(Take(target="INC-1"), "b")
    heard.next(Done)
    follower.do(Take(target="INC-1"), "c")
    assert heard.next(Refused).why == "INC-1 is yours already."
    follower.do(Take(target="INC-9"), "d")
    refused = heard.next(Refused)
    assert refused.asked == "d"
    assert "There is no INC-9" in refused.why
    incident = desk.store.incident("INC-1")
    assert incident is not None
    assert incident.owner == desk.store.person_id("ana")


def test_a_register_that_goes_away_and_comes_back(
    desk: ServiceDesk, follower: Follower, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.do(BEN, Log(title="one"))
    follower.start(heard.posted.put, 0, "")
    assert heard.next(FreshnessChanged).freshness.reach is Reach.LIVE

    def away(self: Store) -> int:
        raise RegisterUnavailable("The database does not answer.")

    real = Store.seq
    monkeypatch.setattr(Store, "seq", away)
    stale = heard.next(FreshnessChanged).freshness
    assert (stale.reach, stale.why) == (Reach.STALE, "The database does not answer.")
    assert abs(stale.since - time.time()) < 5
    monkeypatch.setattr(Store, "seq", real)
    desk.do(BEN, Log(title="two"))
    moved = heard.next(FeedMoved)
    assert "INC-2" in {row["number"] for row in moved.changed}
    assert heard.next(FreshnessChanged).freshness.reach is Reach.LIVE


def test_a_feed_that_breaks_inside_does_not_look_live_and_is_tried_again(
    desk: ServiceDesk, follower: Follower, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.follow.AGAIN", (0.1,))
    follower.start(heard.posted.put, 0, "")
    assert heard.next(FreshnessChanged).freshness.reach is Reach.LIVE
    real = Store.changed
    monkeypatch.setattr(Store, "changed", lambda *_: {}["number"])
    desk.do(BEN, Log(title="one"))
    stale = heard.next(FreshnessChanged).freshness
    assert stale.reach is Reach.STALE
    assert "Muster itself failed at following (KeyError" in stale.why
    monkeypatch.setattr(Store, "changed", real)
    while heard.next(FreshnessChanged).freshness.reach is not Reach.LIVE:
        continue


def test_a_command_to_a_register_that_is_away_is_a_sentence(
    follower: Follower, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(named: str) -> Store:
        raise RegisterUnavailable("The database does not answer.")

    monkeypatch.setattr("register.store.open_store", away)
    follower.start(heard.posted.put, 0, "")
    assert heard.next(FreshnessChanged).freshness.reach is Reach.STALE
    follower.do(Log(title="x"), "a")
    assert heard.next(Refused).why == "The database does not answer."


def test_what_breaks_inside_is_told_and_the_next_command_works(
    follower: Follower, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower.start(heard.posted.put, 0, "")
    heard.next(FreshnessChanged)
    real = ServiceDesk.do
    monkeypatch.setattr(ServiceDesk, "do", lambda *_: 1 / 0)
    follower.do(Log(title="x"), "a")
    assert "ZeroDivisionError" in heard.next(Refused).why
    monkeypatch.setattr(ServiceDesk, "do", real)
    follower.do(Log(title="x"), "b")
    assert heard.next(Done).number == "INC-1"


def test_a_timeline_is_told_in_words(desk: ServiceDesk, follower: Follower, heard: Heard) -> None:
    desk.do(BEN, Log(title="one", description="since noon"))
    desk.do(BEN, Note(target="INC-1", text="looked"))
    follower.start(heard.posted.put, 0, "")
    follower.read_detail("INC-1")
    detail = heard.next(DetailRead).detail
    assert [(told.what, told.body) for told in detail.told] == [
        ("logged: impact medium, urgency medium", "since noon"),
        ("note (internal)", "looked"),
    ]
    follower.read_detail("INC-7")
    assert heard.next(DetailRead).detail is None
    follower.read_outbox()
    assert heard.next(OutboxRead).rows == ()


def test_the_board_as_text_needs_no_terminal(session: Session, desk: ServiceDesk) -> None:
    out = io.StringIO()
    assert print_board(session, out) == 0
    assert out.getvalue() == "No open incidents.\n"
    desk.do(BEN, Log(title="db \x1b[31mdown", impact="high", urgency="high"))
    out = io.StringIO()
    assert print_board(session, out) == 0
    assert "INC-1" in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_the_board_as_text_is_the_last_known_one_when_the_register_is_away(
    session: Session, desk: ServiceDesk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.do(BEN, Log(title="db down"))
    live = Live.open(session.live_path)
    live.belongs_to(desk.store.register_id)
    live.apply(desk.store.rows()[1], [], {}, 1)
    live.save()

    def away(named: str) -> Any:
        raise RegisterUnavailable("The database does not answer.")

    monkeypatch.setattr("register.store.open_store", away)
    out = io.StringIO()
    assert print_board(session, out) == 5
    assert out.getvalue().startswith("STALE: as it was known on ")
    assert "db down" in out.getvalue()
    assert "The database does not answer." in capsys.readouterr().err


def test_the_board_as_text_claims_nothing_where_nothing_is_known(
    session: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(named: str) -> Any:
        raise RegisterUnavailable("The database does not answer.")

    monkeypatch.setattr("register.store.open_store", away)
    out = io.StringIO()
    assert print_board(session, out) == 5
    assert out.getvalue() == ""
    assert "The database does not answer." in capsys.readouterr().err


async def test_from_the_form_to_the_register_and_back_to_the_board(
    session: Session, desk: ServiceDesk
) -> None:
    live = Live.open(session.live_path)
    app = MusterApp(session, live, Follower(session))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "live" in text_of(app)[0])
        await pilot.press("i")
        await settled(pilot)
        await pilot.press(*"db down", "enter")
        await until(pilot, lambda: "INC-1 is logged." in text_of(app)[-1])
        assert cursor_line(app)[1] == "INC-1"
        await pilot.press("t")
        await until(pilot, lambda: " me " in text_of(app)[3])
        desk.do(BEN, Log(title="another", impact="high", urgency="high"))
        await until(pilot, lambda: "another" in "\n".join(text_of(app)))
        assert cursor_line(app)[1] == "INC-1"
    assert sorted(row["number"] for row in Live.open(session.live_path).rows) == ["INC-1", "INC-2"]


async def until(pilot: Any, true: Any) -> None:
    for _ in range(200):
        if true():
            return
        await pilot.pause(0.03)
    raise AssertionError("it did not come true:\n" + "\n".join(text_of(pilot.app)))


def test_what_is_restricted_to_others_reaches_neither_the_board_nor_its_copy(
    session: Session, desk: ServiceDesk, monkeypatch: pytest.MonkeyPatch, heard: Heard
) -> None:
    monkeypatch.setattr("tui.who.is_private", lambda url: False)
    carl, follower = Principal("carl", Role.ADMIN, "cli"), Follower(session)
    desk.do(carl, Log(title="salary list leaked", restricted=True))
    follower.start(heard.posted.put, 0, "")
    try:
        (row,) = heard.next(FeedMoved).changed
        assert row["masked"]
        assert "salary" not in repr(row)
        follower.read_detail("INC-1")
        assert heard.next(DetailRead).detail is None
        desk.do(carl, Restrict(target="INC-1", to=("ana",)))
        while heard.next(FeedMoved).changed[0]["title"] != "salary list leaked":
            pass
        follower.read_detail("INC-1")
        assert heard.next(DetailRead).detail is not None
        desk.do(carl, Restrict(target="INC-1", off=("ana",)))
        assert heard.next(FeedMoved).changed[0]["masked"]
    finally:
        follower.stop()


def test_rows_read_with_other_eyes_are_read_anew(session: Session, desk: ServiceDesk, heard: Heard) -> None:
    desk.do(BEN, Log(title="one", restricted=True))
    follower = Follower(session, "p1:responder")  # ana is no such person, and an admin here
    follower.start(heard.posted.put, desk.store.seq(), desk.store.register_id)
    try:
        assert heard.next(RegisterOpened).seen_as == ":admin"
        moved = heard.next(FeedMoved)
        assert moved.whole
        assert moved.changed[0]["title"] == "one"
    finally:
        follower.stop()


# Roles, on a register that a group shares

MATRIX = {
    "default_role": "viewer",
    "fallback_team": "desk",
    "teams": {"desk": {"name": "Desk"}},
    "people": {"ada": {"name": "Ada Sample", "login": "ada", "role": "admin"}},
}


def policy_that_makes(login: str, role: str) -> AdoptPolicy:
    person = {"name": f"{login.capitalize()} Sample", "login": login, "role": role}
    text = as_text(MATRIX | {"people": MATRIX["people"] | {login: person}})  # type: ignore[operator]
    return AdoptPolicy(matrix=text, vendors="{}", digest=digest_of(text), private=False, login="ada")


@pytest.fixture
def shared() -> Iterator[Session]:
    with tempfile.TemporaryDirectory(prefix="sh") as folder:
        register = Path(folder) / "muster" / "r.db"
        make_shared(register, str(os.getgid()))
        session = Session(f"sqlite:///{register}", Path(folder) / "home", "vic", uid=4242)
        store = open_store(session.register_url)
        ServiceDesk(store).do(ADA, policy_that_makes("vic", "viewer"))
        store.close()
        yield session


def test_a_viewers_board_is_told_no_verb_and_a_refusal_says_who_may(shared: Session, heard: Heard) -> None:
    follower = Follower(shared)
    follower.start(heard.posted.put, 0, "")
    try:
        assert heard.next(RegisterOpened).role == "viewer"
        assert heard.next(VerbsLearned).verbs == ()
        heard.next(FreshnessChanged)
        follower.do(Log(title="let me"), "log:1")
        refused = heard.next(Refused)
        assert "takes the role responder; you are viewer" in refused.why
        assert "Who may: Ada Sample." in refused.why
    finally:
        follower.stop()


async def test_an_open_board_takes_over_the_role_that_an_admin_gives(shared: Session, tmp_path: Path) -> None:
    store = open_store(shared.register_url)
    desk = ServiceDesk(store)
    desk.do(ADA, Log(title="Mail is late"))
    app = MusterApp(shared, Live.open(tmp_path / "live.json"), Follower(shared))
    async with app.run_test(size=(120, 30)) as pilot:

        async def shows(words: str, *, yes: bool = True) -> None:
            end = time.monotonic() + 5
            while (words in "\n".join(text_of(app))) is not yes and time.monotonic() < end:
                await settled(pilot)
                await asyncio.sleep(0.02)
            assert (words in "\n".join(text_of(app))) is yes, words

        await shows("vic · viewer")
        await shows("t take", yes=False)
        await shows("Mail is late")
        await pilot.press("t")
        desk.do(ADA, policy_that_makes("vic", "responder"))
        await shows("vic · responder")
        await shows("t take")
        await pilot.press("enter")
        await shows("t take")
        desk.do(ADA, policy_that_makes("vic", "viewer"))
        await shows("t take", yes=False)
    assert [event.kind for event in store.timeline("INC-1")] == ["created"]
    store.close()
