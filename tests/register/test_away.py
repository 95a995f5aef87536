"""What counts as a register that does not answer: it is no rule's no, and no fault of the file."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from register.desk import ServiceDesk
from register.store import RegisterAway, RegisterUnavailable, open_store
from register.store.watcher import Watcher
from register.topics.intake import Log
from tests.cuttable import line_to
from tests.register.saying import ANA

END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def url(databases: Any) -> Any:
    made = databases.make()
    yield made
    databases.clear(made)


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(RegisterAway, match="does not answer"):
        open_store(f"postgresql://postgres@/register?host={tmp_path}")


def test_a_database_that_does_not_exist_is_an_answer(url: str) -> None:
    with pytest.raises(RegisterUnavailable) as caught:
        open_store(url.replace("/register_", "/no_such_"))
    assert not isinstance(caught.value, RegisterAway)


def test_no_room_for_one_more_session(url: str) -> None:
    open_store(url).close()
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("CREATE ROLE few LOGIN CONNECTION LIMIT 0")
        try:
            with pytest.raises(RegisterAway):
                open_store(url.replace("postgres@", "few@"))
        finally:
            admin.execute("DROP ROLE few")


def test_a_server_that_ends_in_the_middle_of_a_transaction(url: str) -> None:
    store = open_store(url)
    desk = ServiceDesk(store)
    desk.do(ANA, Log(title="one"))

    def interrupted() -> None:
        with store.write() as transaction, psycopg.connect(url) as admin:
            admin.execute(END_OTHERS)
            transaction.incident("INC-1")

    with pytest.raises(RegisterAway):
        interrupted()
    assert desk.do(ANA, Log(title="two")).number == "INC-2"  # it connects again by itself
    store.close()


@pytest.mark.parametrize("when", [lambda store: store.seq(), lambda store: Watcher(store).wait(0, 0.1)])
def test_a_line_that_is_cut(url: str, when: Callable[[Any], Any]) -> None:
    with line_to(url) as line:
        store = open_store(line.url)
        when(store)
        line.cut()
        with pytest.raises(RegisterAway):
            when(store)
        line.mend()
        when(store)
        store.close()


def test_a_file_is_never_away(tmp_path: Path) -> None:
    (tmp_path / "r.db").write_text("no database at all, and long enough to be looked at as one")
    with pytest.raises(RegisterUnavailable) as caught:
        open_store(str(tmp_path / "r.db"))
    assert not isinstance(caught.value, RegisterAway)


def test_who_stops_in_the_middle_of_a_transaction_lets_go_of_the_register(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host whose line goes dark, a program that was stopped: nobody waits for the head until it is back."""
    monkeypatch.setattr("register.store.transaction.IDLE_SECONDS", 1)
    desk = ServiceDesk(open_store(url))
    with line_to(url) as line:
        stopped = open_store(line.url)

        def stop() -> None:
            with stopped.write("0" * 26):
                line.freeze()
                assert desk.do(ANA, Log(title="meanwhile")).number == "INC-1"
                line.thaw()

        with pytest.raises(RegisterAway):  # and who held it is told that nothing of it was written
            stop()
        assert ServiceDesk(stopped).do(ANA, Log(title="back again")).number == "INC-2"
        stopped.close()
    desk.store.close()


def test_who_only_reads_may_take_their_time(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("register.store.transaction.IDLE_SECONDS", 1)
    desk, store = ServiceDesk(open_store(url)), open_store(url)
    desk.do(ANA, Log(title="one"))
    desk.store.close()
    with store.read() as connection:
        connection.execute(text("SELECT 1"))
        time.sleep(1.4)
        assert connection.execute(text("SELECT count(*) FROM event")).scalar_one() == 1
    store.close()
