"""The filter language: what is read, what is printed, what is said of a mistake, what a row answers."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from register.filter import FilterError, Reader, compiled, meant, parse, predicate, shown
from register.filter.fields import HOLDS, OPEN, STATES
from register.filter.meaning import Between
from register.filter.syntax import DEEPEST, LONGEST, And, Compare, Everything, Flag, Node, Not, Span, Text
from register.incident import OPEN as OPEN_STATES
from register.incident import HoldReason, State
from register.live import Row
from register.row import mask
from tests.register.filters import FILTERS
from tests.tui.fakes import NOW, PEOPLE, rows
from tests.tui.fakes import row as live_row

READER = Reader(NOW, "p1", PEOPLE, {"p2": "ben"}, UTC)


def found(text: str, some: list[Row] | None = None, reader: Reader = READER) -> list[str]:
    return [row["number"] for row in filter(compiled(text, reader), some or [])]


def fault(text: str) -> FilterError:
    with pytest.raises(FilterError) as raised:
        meant(parse(text), READER)
    return raised.value


def test_the_words_of_the_language_are_those_of_the_incident() -> None:
    assert {state for some in STATES.values() for state in some} == {state.value for state in State}
    assert set(OPEN) == {state.value for state in OPEN_STATES}
    assert set(HOLDS) == {reason.value for reason in HoldReason}


def test_the_example_of_the_first_page_is_read() -> None:
    node = parse('p<=2 state:hold vendor:acme team:infra opened>-2h "connection reset" not mine')
    assert node == And(
        (
            Compare("p", "<=", (2,)),
            Compare("state", "=", ("hold",)),
            Compare("vendor", "=", ("acme",)),
            Compare("team", "=", ("infra",)),
            Compare("opened", ">", (Span(-7200),)),
            Text("connection reset"),
            Not(Flag("mine")),
        )
    )


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a or b c", "a or (b c)"),
        ("not a b", "(not a) b"),
        ("a and b", "a b"),
        ("-mine", "not mine"),
        ('-"x y"', 'not "x y"'),
        ("--acked", "not not acked"),
        ("-(a or b)", "not (a or b)"),
        ("P<=2 STATE:New OR Mine", "p<=2 state:new or mine"),
        ("inc-7", "number:7"),
        ("priority=p2", "p:2"),
        ("state:cancelled", "state:canceled"),
        ("due<-90m", "due<-1h30m"),
        ('team:"ops one",none', 'team:"ops one",none'),
        ('opened>"2026-03-29 02:10"', "opened>2026-03-29T02:10"),
        ("  a\tb ", "a b"),
    ],
)
def test_another_way_to_write_the_same(text: str, same: str) -> None:
    assert parse(text) == parse(same)


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("p<=x", 4, "column 4: “x” is no value of p; write a number 1 to 5"),
        ("mine p:", 8, "p has no value here; write a number 1 to 5"),
        ("p:1,", 5, "p has no value here"),
        ("p<1,2", 4, "p< takes one value; write p:"),
        ("p:6", 3, "a number 1 to 5"),
        ("state:gone", 7, "new, progress, hold, resolved, closed, canceled or open"),
        ("state<new", 6, "state has no order; write state: or state!="),
        ("a tame:x", 3, "did you mean team"),
        ("http://x", 1, 'quoted: "http://x"'),
        ("zzzz:1", 1, "there are p, number, state"),
        ("due<2h", 5, "-2h (ago), +30m"),
        ("due<none", 5, "“none” has no order; write due:none"),
        ("opened:-2h", 8, "opened>-2h"),
        ("opened>2026-02-30", 8, "no value of opened"),
        ("opened>1969-01-01", 8, "no value of opened"),
        ("owner:zoe", 7, "nobody here is called “zoe”"),
        ("owner:ana,zoe", 11, "nobody here is called “zoe”"),
        ("text:reset", 6, "here only titles are known; ask muster list"),
        ("text:!!", 6, "words that were written"),
        ("vendor:Ä", 8, "a supplier's name"),
        ('a "b', 3, "this quote is never closed"),
        ('team:"x', 6, "this quote is never closed"),
        ('""', 1, "nothing stands between these quotes"),
        ("(a or b", 1, "this parenthesis is never closed"),
        ("a )", 3, "this parenthesis closes nothing"),
        ("()", 2, "nothing stands here"),
        ("or a", 1, "nothing stands before this"),
        ("a or", 5, "nothing stands behind “or”"),
        ("a or or b", 6, "nothing stands behind “or”"),
        ("not", 4, "nothing stands behind “not”"),
        ("(a and)", 7, "nothing stands behind “and”"),
        ("a\x00b", 2, "a sign that cannot be seen"),
        ("a \u202eb", 3, "a sign that cannot be seen"),
        ("\ud800", 1, "a sign that cannot be seen"),
        ("x" * (LONGEST + 1), LONGEST + 1, "500 at most; shorten it"),
        ("(" * 40 + "a" + ")" * 40, DEEPEST + 2, "inside each other"),
        ("not " * 40 + "a", 4 * (DEEPEST + 1) + 1, "inside each other"),
    ],
)
def test_a_mistake_is_told_with_its_column_and_what_to_write(text: str, column: int, says: str) -> None:
    error = fault(text)
    assert error.column == column
    assert says in str(error)


@given(FILTERS)
def test_what_is_printed_is_read_as_the_same(node: Node) -> None:
    assert parse(shown(node)) == node


@given(st.text(max_size=40) | st.text('()"-,:<>=! \\aopnt12', max_size=40))
def test_whatever_is_typed_is_a_filter_or_a_mistake_inside_it(text: str) -> None:
    node: Node | None
    column = 1
    try:
        node = parse(text)
    except FilterError as error:
        column, node = error.column, None
    assert 1 <= column <= len(text) + 1
    assert node is None or parse(shown(node)) == node


def test_nothing_typed_is_everything() -> None:
    assert parse(" ") == Everything()
    assert len(found("", rows(9))) == 9


SOME = [
    live_row(
        1, p=1, title="Straße is closed", owner=None, bonds=[["acme", "open", "ours", NOW, "A-1", "ok"]]
    ),
    live_row(2, p=2, state="New", owner="p1", acked=False, team="Infra", opened=NOW - 60),
    live_row(3, p=3, state="On Hold", hold="vendor", owner="p3", due=None, service="mail"),
    live_row(4, p=4, owner="p2", due=NOW - 1, updated=NOW - 86_400, title='100 % "sure" \\ not_quite'),
    mask(live_row(5, p=1, owner="p1")),
]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("p<=2", "1 2"),
        ("p!=1,2", "3 4"),
        ("strasse", "1"),
        ("STRASSE or mail", "1"),
        ("mine", "2"),
        ("not mine", "1 3 4"),
        ("unassigned", "1"),
        ("owner:none,me", "1 2"),
        ("owner:ben", "4"),
        ("owner:carl", "3"),
        ("-acked", "2"),
        ("overdue", "4"),
        ("due:none", "3"),
        ("due<+3h", "1 2 4"),
        ("not due<+3h", "3"),
        ("hold:vendor", "3"),
        ("state:new,hold", "2 3"),
        ("team:infra", "2"),
        ("vendor:acme", "1"),
        ("vendor:none", "2 3 4"),
        ("opened>-2m", "2"),
        ("updated<-2h", "4"),
        ('"100 % \\"sure\\" \\\\"', "4"),
        ("number>2", "3 4 5"),
        ("INC-5", "5"),
        ("not INC-5", "1 2 3 4"),
        ("INC-5 or p:1", "1 5"),
        ("INC-5 p:1", ""),
        ("INC-5 not p:1", ""),
        ("restricted", "5"),
        ("-restricted", "1 2 3 4"),
        ("p:5 or not p:5", "1 2 3 4"),
    ],
)
def test_what_a_filter_finds_among_rows(text: str, numbers: str) -> None:
    assert found(text, SOME) == [f"INC-{n}" for n in numbers.split()]


def test_who_is_nobody_has_nothing_of_their_own() -> None:
    assert found("mine", SOME, Reader(NOW)) == []
    assert len(found("not mine", SOME, Reader(NOW))) == 4


def test_a_name_that_the_row_had_no_room_for_is_found_by_the_whole_of_it() -> None:
    short = [live_row(1, team="infrastr…"), live_row(2, team="infra"), live_row(3, service="x" * 23 + "…")]
    assert found("team:infrastructure", short) == ["INC-1"]
    assert found(f"service:{'X' * 30}", short) == ["INC-3"]


def test_tinydb_takes_the_predicate_as_it_is() -> None:
    from tinydb import TinyDB
    from tinydb.storages import MemoryStorage

    table = TinyDB(storage=MemoryStorage).table("incidents")
    table.insert_multiple(dict(row) for row in SOME)
    assert [row["number"] for row in table.search(compiled("p<=2", READER))] == ["INC-1", "INC-2"]


def bounds(text: str, zone: str, now: str = "2026-06-01T12:00:00+00:00") -> tuple[str, str]:
    reader = Reader(int(datetime.fromisoformat(now).timestamp()), zone=ZoneInfo(zone))
    meaning = meant(parse(f"opened:{text}"), reader)
    assert isinstance(meaning, Between)
    low, high = (datetime.fromtimestamp(at or 0, UTC).isoformat()[:16] for at in (meaning.low, meaning.high))
    return low, high


def test_edge_1_a_wall_time_that_the_clocks_skip_is_the_end_of_the_gap() -> None:
    assert bounds("2020-10-04T02:15", "Australia/Lord_Howe") == ("2020-10-03T15:30", "2020-10-03T15:30")


def test_edge_2_a_wall_time_that_comes_twice_lasts_from_the_first_to_the_last() -> None:
    assert bounds("2026-10-25T02:10", "Europe/Oslo") == ("2026-10-25T00:10", "2026-10-25T01:11")


def test_edge_4_a_day_is_as_long_as_the_clocks_make_it() -> None:
    assert bounds("2026-03-29", "Europe/Oslo") == ("2026-03-28T23:00", "2026-03-29T22:00")
    assert bounds("today", "Europe/Oslo", "2026-10-25T20:00:00+00:00") == (
        "2026-10-24T22:00",
        "2026-10-25T23:00",
    )


def test_a_time_of_day_is_todays_where_the_reader_is() -> None:
    assert bounds("16:30", "Europe/Oslo") == ("2026-06-01T14:30", "2026-06-01T14:31")


def test_ten_thousand_rows_are_filtered_while_one_types() -> None:
    some = rows(10_000)
    keep = predicate(meant(parse("p<=2 state:hold,new vendor:acme opened>-200d a not mine"), READER))
    begin = time.perf_counter()
    assert any(map(keep, some))
    assert time.perf_counter() - begin < 5  # the budget is 50 ms: benchmarks/filtering.py
