"""The predicate over live rows and the SQL over the tables are the same filter."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from register.clocks.book import DEFAULT_TIMELINE
from register.clocks.due import due_of
from register.core import Principal, Role
from register.desk import ServiceDesk
from register.filter import FilterError, Reader, meant, parse, predicate, shown
from register.filter.meaning import All, Meaning
from register.filter.syntax import Node
from register.incident import LIVE_BONDS, Incident
from register.pressing import rank
from register.row import filter_row, mask
from register.store import Store, filtering
from register.store import tables as t
from register.store.sight import Sight
from register.store.transaction import columns_of
from register.topics.engagement import Engage
from register.topics.ownership import Take
from register.topics.resolution import Cancel
from register.topics.sight import Restrict
from tests.register.filters import FILTERS, NOW, PEOPLE, incidents
from tests.register.saying import ANA, BEN, log

READER = Reader(int(NOW.timestamp()), "p1", PEOPLE, {"p2": "ben"})
SIGHTS = (Sight("p1", Role.RESPONDER), Sight(None), Sight("p2", Role.ADMIN))


def put(store: Store, some: list[Incident]) -> None:
    """Write the rows alone: what is asked is what they say, whatever made them."""
    with store.rows_only() as connection:
        for table in (t.incident, t.bond):
            connection.execute(table.delete())
        for n, one in enumerate(some, 1):
            connection.execute(
                t.incident.insert(), columns_of(one, DEFAULT_TIMELINE) | {"n": n, "version": 1, "seq": n}
            )
            for bond in one.bonds:
                row = {"id": bond.id, "incident": one.number, "vendor": bond.vendor, "whole": 0, "differs": 0}
                connection.execute(t.bond.insert(), row | {"live": int(bond.state in LIVE_BONDS)})


def by_sql(store: Store, meaning: Meaning, sight: Sight, *, everything: bool) -> set[str]:
    with store.read() as connection:
        found = filtering.incidents(connection, meaning, sight, everything=everything)
    return {one.number for one in found}


def by_rows(some: list[Incident], meaning: Meaning, sight: Sight, *, everything: bool) -> set[str]:
    found = set()
    for one in some:
        columns = columns_of(one, DEFAULT_TIMELINE)
        row = filter_row(one, due_of(one, DEFAULT_TIMELINE))
        if not sight.sees(columns["restricted"], columns["seers"]):
            row = mask(row)
        if (everything or one.is_open) and predicate(meaning)(row):
            found.add(one.number)
    return found


def meaning_of(node: Node) -> Meaning | None:
    try:
        return meant(node, READER)
    except FilterError:  # nobody is called so
        return None


@settings(
    max_examples=16,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_rows_and_sql_find_the_same(store: Store, emptied: Any, data: st.DataObject) -> None:
    some = [data.draw(incidents(n)) for n in range(1, data.draw(st.integers(1, 8)) + 1)]
    put(store, some)
    for node in data.draw(st.lists(FILTERS, min_size=6, max_size=6)):
        meaning = meaning_of(node)
        if meaning is None:
            continue
        for sight in SIGHTS:
            for everything in (False, True):
                expected = by_rows(some, meaning, sight, everything=everything)
                assert by_sql(store, meaning, sight, everything=everything) == expected, shown(node)


@pytest.fixture
def secret(desk: ServiceDesk) -> str:
    log(desk, "Mail is late", service="mail")
    found = log(desk, "salary list leaked", service="payroll", impact="high", urgency="high")
    desk.do(BEN, Restrict(target=found))
    return found


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("salary", []),
        ("not salary", ["INC-1"]),
        ("p:1 or service:payroll", []),
        ("-p:1 -service:payroll", ["INC-1"]),
        ("INC-2", ["INC-2"]),
        ("INC-2 salary", []),
        ("INC-2 not salary", []),
        ("restricted", ["INC-2"]),
        ("not restricted", ["INC-1"]),
        ("not INC-1", ["INC-2"]),
        ("not (INC-1 or p:1)", []),
        ("not (INC-1 p:1)", ["INC-1", "INC-2"]),
        ("p<=5", ["INC-1"]),
    ],
)
def test_nothing_is_told_of_what_is_restricted_to_others(
    desk: ServiceDesk, secret: str, typed: str, numbers: list[str]
) -> None:
    eva = Principal("eva", Role.COORDINATOR, "cli")
    meaning = meant(parse(typed), READER)
    assert sorted(by_sql(desk.store, meaning, desk.store.sight(eva), everything=True)) == numbers
    rows = desk.store.rows(eva)[1]
    assert sorted(row["number"] for row in rows if predicate(meaning)(row)) == numbers


def test_what_cannot_be_seen_stands_last_whatever_is_sorted_by(desk: ServiceDesk, secret: str) -> None:
    log(desk, "Nothing works", impact="high", urgency="high")
    eva = desk.store.sight(Principal("eva", Role.COORDINATOR, "cli"))
    expected = {
        "pressing": "INC-3 INC-1 INC-2",
        "newest": "INC-3 INC-2 INC-1",  # by their numbers alone, which everyone sees
        "oldest": "INC-1 INC-2 INC-3",
        "due": "INC-3 INC-1 INC-2",
        "updated": "INC-3 INC-1 INC-2",
    }
    assert expected.keys() == filtering.ORDERS.keys()
    with desk.store.read() as connection:
        for order, numbers in expected.items():
            for limit in (None, 2):
                found = filtering.incidents(connection, All(()), eva, order=order, limit=limit)
                assert [one.number for one in found] == numbers.split()[:limit]


@pytest.mark.parametrize("typed", ["overdue", "due<+9d", "due:today", "hold:caller", "owner:ben", "mine"])
def test_what_has_no_such_thing_is_found_by_not_and_never_without(desk: ServiceDesk, typed: str) -> None:
    number = log(desk, "Nothing is promised, nobody has it", impact="low", urgency="low")
    assert desk.store.rows(ANA)[1][0]["due"] is None
    for text, found in ((typed, set()), (f"not {typed}", {number}), (f"not not {typed}", set())):
        meaning = meant(parse(text), READER)
        assert by_sql(desk.store, meaning, SIGHTS[0], everything=False) == found
        assert {row["number"] for row in desk.store.rows(ANA)[1] if predicate(meaning)(row)} == found


def test_hostile_text_is_text(desk: ServiceDesk) -> None:
    number = log(desk, "50 % of ' OR 1=1 -- \\ _x_ /")
    log(desk, "5000 of it xx")
    mine = desk.store.sight(ANA)
    for typed in ('"50 % o"', '"\' or 1=1 --"', '"\\\\ _x_ /"', '"/"'):
        assert by_sql(desk.store, meant(parse(typed), READER), mine, everything=True) == {number}


def test_the_pressing_stand_as_a_board_has_them(desk: ServiceDesk) -> None:
    eva, start = Principal("eva", Role.COORDINATOR, "cli"), datetime.now(UTC).timestamp()
    for at in range(12):
        number = log(desk, str(at), impact="high" if at % 2 else "low", urgency="high" if at % 3 else "low")
        if at % 4 == 0:
            desk.do(BEN, Take(target=number))
        if at in (2, 8):
            desk.do(BEN, Engage(target=number, vendor="acme", message="Help."))
        if at in (3, 11):
            desk.do(ANA, Restrict(target=number))
        if at in (5, 9):
            desk.do(BEN, Cancel(target=number, reason="no"))
    for who in (ANA, eva):
        sight = desk.store.sight(who)
        for now in (start + hours * 3600 for hours in (0, 5, 50, 500)):
            rows = sorted(desk.store.rows(who)[1], key=lambda row: rank(row, now))
            board = [row["number"] for row in rows]
            whole = [row["number"] for row in rows if not row.get("masked")]
            with desk.store.read() as connection:
                for limit in (None, 1, 7, 9, 10):
                    found = filtering.incidents(connection, All(()), sight, limit=limit, now=now)
                    assert [one.number for one in found] == board[:limit]
                every = filtering.incidents(connection, All(()), sight, everything=True, now=now)
            assert [one.number for one in every][: len(whole)] == whole
            assert len(every) == 12
