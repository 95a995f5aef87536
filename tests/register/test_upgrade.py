"""A register of an older Muster is brought up to date once, whole, and with nothing of it lost.

`old/schema_1.sql` is what the program of schema 1 wrote: its tables, and the events of five incidents.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from register.core import new_id
from register.desk import ServiceDesk
from register.incident import State
from register.store import RegisterUnavailable, fulltext, open_store, searching
from register.store.engine import as_url, connect, make_file, sqlite_path
from register.store.tables import SCHEMA, metadata
from register.topics.alerts import TakeAlert
from register.verify import Anchor, verify
from register.words import asked
from tests.register.saying import ANA, ROOT, ask, claim, log, look, run_script, sql, story

OLD = Path(__file__).parent / "old" / "schema_1.sql"
HEAD_THEN = Anchor(19, "de63f408eeba49fa92988ee50c7c7f4933ce7e72930deab7c92bbb1b947fa2f1")


def write_old(url: str) -> None:
    url = as_url(url)
    path = sqlite_path(url)
    if path is not None:
        make_file(path)
    engine = connect(url)
    with engine.connect().execution_options(muster_writes=True) as connection, connection.begin():
        for line in OLD.read_text().splitlines():
            connection.exec_driver_sql(line.rstrip(";").replace("%", "%%"))
    engine.dispose()


def schema_in(url: str) -> tuple[int, bool]:
    """The version that the head names, and whether the tables are as version 2 has them."""
    engine = connect(as_url(url))
    with engine.connect() as connection:
        version = connection.execute(text("SELECT schema FROM head")).scalar_one()
        columns = {column["name"] for column in inspect(connection).get_columns("incident")}
    engine.dispose()
    return version, "wake_at" in columns


@pytest.fixture
def old(register_url: str) -> str:
    write_old(register_url)
    return register_url


def test_a_register_of_schema_1_opens_and_is_all_there(old: str) -> None:
    store = open_store(old)
    assert verify(store).faults == []
    assert verify(store, since=HEAD_THEN).faults == []
    (head,) = ask(store, "SELECT * FROM head")
    (newest,) = ask(store, "SELECT max(recorded_at) AS at FROM event")
    assert (head.schema, head.seq, head.recorded_at) == (SCHEMA, 19, newest.at)
    assert [i.number for i in store.incidents(everything=True)] == [f"INC-{n}" for n in range(1, 6)]
    store.close()


def test_the_rows_say_what_schema_2_asks_of_them(old: str) -> None:
    store = open_store(old)
    rows = {row.n: row for row in ask(store, "SELECT * FROM incident")}
    assert rows[2].title == "mail bounces äö ss"
    assert rows[2].hold == "change"
    assert rows[2].caller == store.incident("INC-2").caller  # type: ignore[union-attr]
    assert (rows[3].reopened, rows[3].acked) == (1, 1)
    assert rows[3].resolved_at < rows[3].closed_at
    assert rows[4].state == State.CANCELED
    assert [row["title"] for row in store.rows()[1]] == [
        "Checkout answers 500",
        "Mail bounces ÄÖ ß",
        "Checkout answers 500",
    ]
    store.close()


def test_what_was_written_before_is_found_after(old: str) -> None:
    store = open_store(old)
    assert not fulltext.is_behind(store)
    hits, _ = searching.search(store, None, asked("bounces"))
    assert [hit.number for hit in hits] == ["INC-2"]
    store.close()


def test_work_goes_on_where_it_was_left(old: str, clock: Any, policy: Any) -> None:
    store = open_store(old)
    desk = ServiceDesk(store, policy)
    assert len(claim(store, clock.passes(days=400))) == 2  # the reply, and a ticket to be made
    assert ask(store, "SELECT cursor FROM vendor")[0].cursor == "1"
    assert len(ask(store, "SELECT * FROM heard")) == 1
    assert log(desk) == "INC-6"
    assert story(desk, "INC-2") == ["created", "assigned", "note", "held"]
    assert verify(store).faults == []
    store.close()


def test_the_tables_are_those_of_a_new_register(old: str, new_register: Callable[[], str]) -> None:
    store = open_store(old)
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        changes = compare_metadata(context, metadata)
    ours = [one for one in changes if "remove_table" not in one and "fulltext" not in str(one)]
    assert ours == []
    fresh = open_store(new_register())
    assert set(inspect(fresh.engine).get_table_names()) == set(inspect(store.engine).get_table_names())
    fresh.close()
    store.close()


def test_a_register_of_schema_2_gets_what_alerts_need(register_url: str) -> None:
    store = open_store(register_url)
    log(ServiceDesk(store))
    sql(store, "DROP INDEX alert_recent")
    for column in ("leader", "category"):
        sql(store, f"ALTER TABLE alert DROP COLUMN {column}")
    sql(store, "UPDATE head SET schema = 2")
    store.close()
    store = open_store(register_url)
    number = ServiceDesk(store).do(ANA, TakeAlert(service="web", key="disk")).number
    assert [(row.leader, row.category) for row in ask(store, "SELECT * FROM alert")] == [(2, "")]
    assert number == "INC-2"
    assert "alert_recent" in {index["name"] for index in inspect(store.engine).get_indexes("alert")}
    assert verify(store).faults == []
    store.close()


def test_an_incident_that_cannot_be_folded_keeps_its_row(old: str) -> None:
    engine = connect(as_url(old))
    with engine.connect().execution_options(muster_writes=True) as connection, connection.begin():
        connection.exec_driver_sql(
            "UPDATE event SET kind = 'of_a_newer_one' WHERE stream = 'INC-2' AND n = 2"
        )
    engine.dispose()
    store = open_store(old)
    assert look(ServiceDesk(store), "INC-2").title == "Mail bounces ÄÖ ß"
    assert ask(store, "SELECT title FROM incident WHERE n = 2")[0].title == "mail bounces äö ss"
    store.close()


@pytest.mark.kills
def test_processes_that_open_it_at_once_upgrade_it_once(old: str) -> None:
    children = [run_script("writer", old, "log-once", new_id()) for _ in range(3)]
    numbers = []
    for child in children:
        out, err = child.communicate(timeout=60)
        assert child.returncode == 0, err
        numbers.append(out.split()[0])
    assert sorted(numbers) == ["INC-6", "INC-7", "INC-8"]
    store = open_store(old)
    assert verify(store).faults == []
    store.close()


@pytest.mark.kills
@pytest.mark.parametrize("moment", ["_add_columns", "_add_indexes", "_refill", "refold", "columns_of", "end"])
def test_killed_in_the_middle_it_is_as_it_was(old: str, moment: str) -> None:
    code = f"""
import os, signal, sys
from register.store import open_store, upgrade
def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
if {moment!r} == "end":
    from sqlalchemy import event
    from sqlalchemy.engine import Engine
    event.listen(Engine, "commit", lambda connection: die() if sys.modules.get("alembic") else None)
else:
    calls, real = [], getattr(upgrade, {moment!r})
    def late(*given):
        calls.append(1)
        return die() if len(calls) == 2 or {moment!r} in ("_refill", "refold") else real(*given)
    setattr(upgrade, {moment!r}, late)
open_store({old!r})
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert schema_in(old) == (1, False)
    store = open_store(old)
    assert verify(store).faults == []
    assert schema_in(old) == (SCHEMA, True)
    store.close()


def test_a_register_that_is_up_to_date_does_without_alembic(register_url: str) -> None:
    open_store(register_url).close()
    code = f"import sys, register.store; register.store.open_store({register_url!r}); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True, env=os.environ
    )
    assert "sqlalchemy" in done.stdout.split()
    assert "alembic" not in done.stdout.split()


def test_an_older_program_refuses_a_newer_register_and_leaves_it(register_url: str) -> None:
    store = open_store(register_url)
    log(ServiceDesk(store))
    sql(store, "UPDATE head SET schema = :next", next=SCHEMA + 1)
    with pytest.raises(RegisterUnavailable, match=r"newer Muster.*Nothing was changed"):
        open_store(register_url)
    assert schema_in(register_url)[0] == SCHEMA + 1
    assert ask(store, "SELECT count(*) AS n FROM event")[0].n == 1
    store.close()
