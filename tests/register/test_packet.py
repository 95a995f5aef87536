"""What travels to PostgreSQL in one packet: prepared once, failing whole, told like any other fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, column, select, table, text
from sqlalchemy.exc import DBAPIError

from register.store import open_store
from register.store.hot import Hot, driver, together
from tests.conftest import Databases

A = table("a", column("n"), column("word"))
PUT = Hot(A.insert())
WORDS = Hot(select(A.c.n, A.c.word).where(A.c.n >= bindparam("least")).order_by(A.c.n))


@pytest.fixture
def connection(databases: Databases) -> Iterator[Connection]:
    url = databases.make()
    store = open_store(url)
    with store.engine.connect() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE a (n integer UNIQUE, word text)"))
        connection.commit()
        yield connection
    store.close()
    databases.clear(url)


def found(connection: Connection) -> list[tuple[Any, ...]]:
    return WORDS.ask(connection, {"least": 0}).rows()


def test_more_than_one_packet_holds_goes_in_the_order_it_was_said(connection: Connection) -> None:
    PUT.many(connection, [{"n": n, "word": f"wört {n}"} for n in range(1_234)])
    assert found(connection) == [(n, f"wört {n}") for n in range(1_234)]


def test_nothing_is_none_and_an_empty_text_is_none_of_it(connection: Connection) -> None:
    PUT.many(connection, [{"n": 1, "word": None}, {"n": 2, "word": ""}])
    assert found(connection) == [(1, None), (2, "")]


def test_what_a_packet_commits_is_there_for_others_and_a_rollback_comes_too_late(
    connection: Connection,
) -> None:
    with together(connection, commit=True):
        PUT(connection, {"n": 1, "word": "one"})
        answer = WORDS.ask(connection, {"least": 0})
    connection.rollback()
    assert answer.rows() == found(connection) == [(1, "one")]


def test_one_that_fails_fails_all_of_them_and_the_connection_works_on(connection: Connection) -> None:
    whole = connection.begin()
    with pytest.raises(DBAPIError, match="duplicate key"):
        PUT.many(connection, [{"n": 1, "word": "one"}, {"n": 1, "word": "again"}, {"n": 2, "word": "two"}])
    whole.rollback()
    assert found(connection) == []


def test_a_commit_of_what_has_failed_is_told(connection: Connection) -> None:
    PUT.many(connection, [{"n": 1, "word": "one"}])
    with pytest.raises(DBAPIError, match="duplicate key"):
        PUT(connection, {"n": 1, "word": "again"})
    with pytest.raises(DBAPIError, match="rolled back, not committed"), together(connection, commit=True):
        pass
    assert found(connection) == []


def test_a_nul_is_refused_and_not_cut_off(connection: Connection) -> None:
    with pytest.raises(DBAPIError, match="NUL"):
        PUT(connection, {"n": 1, "word": "one\0two"})
    assert found(connection) == []


def test_what_was_prepared_is_prepared_again_when_the_driver_lets_go_of_it(connection: Connection) -> None:
    def often() -> None:
        for _ in range(8):  # psycopg prepares what it has run five times
            connection.execute(text("SELECT 1"))

    often()
    PUT(connection, {"n": 1, "word": "one"})
    known = dict(driver(connection).prepared)
    connection.rollback()  # by which psycopg gives up what it has prepared, at its next statement
    PUT(connection, {"n": 2, "word": "two"})
    often()
    PUT(connection, {"n": 3, "word": "three"})
    assert found(connection) == [(2, "two"), (3, "three")]
    assert known
