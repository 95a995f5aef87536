"""A PostgreSQL that is stopped as it is, by SIGSTOP or with its host: whoever waits for it ends in time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psutil
import pytest

from register.desk import ServiceDesk
from register.store import RegisterAway, open_store, patience
from register.store.engine import REACHED
from register.topics.intake import Log
from register.verify import verify
from tests.register.saying import ANA

pytestmark = pytest.mark.kills


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "SILENT", 0.3)
    monkeypatch.setitem(REACHED, "connect_timeout", 2)


@contextmanager
def frozen(databases: Any) -> Iterator[None]:
    server = psutil.Process(databases.server.get_postmaster_info().pid)
    every = [server, *server.children(recursive=True)]
    for process in every:
        process.suspend()
    try:
        yield
    finally:
        for process in every:
            process.resume()


@pytest.fixture
def desk(databases: Any) -> Iterator[ServiceDesk]:
    url = databases.make()
    store = open_store(url)
    yield ServiceDesk(store)
    store.close()
    databases.clear(url)


def test_a_command_ends_and_is_said_again_once(
    desk: ServiceDesk, databases: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frozen when it has the head: it may be on record or not, and its id makes the second try tell."""
    command, began, one = Log(title="Checkout answers 500"), time.monotonic(), desk._one
    with ExitStack() as held:

        def then(*given: Any) -> Any:
            done = one(*given)
            held.enter_context(frozen(databases))
            return done

        with monkeypatch.context() as patched:
            patched.setattr(desk, "_one", then)
            with pytest.raises(RegisterAway, match="may be on record or not"):
                desk.do(ANA, command)
    assert time.monotonic() - began < 15
    assert desk.do(ANA, command).number == "INC-1"
    assert verify(desk.store).incidents == 1


def test_a_question_ends(desk: ServiceDesk, databases: Any) -> None:
    desk.store.seq()
    with frozen(databases), pytest.raises(RegisterAway):
        desk.store.seq()
    assert desk.store.seq() == 0


def test_a_long_question_is_waited_for(desk: ServiceDesk) -> None:
    with desk.store.read() as connection:
        assert connection.exec_driver_sql("SELECT pg_sleep(1.5), 7").one()[1] == 7
