"""`muster list FILTER`: the same language, as the shell leaves it, and mistakes that are pointed at."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from register.store.filtering import ORDERS
from tests.tui.cli_help import Cli
from tui.cli.filters import pointed
from tui.cli.looking import _KEYS, Sort


@pytest.fixture
def some(cli: Cli) -> Cli:
    cli("log", "Checkout answers 500", "--impact", "high", "--urgency", "high", "--service", "Shop")
    cli("log", "Mail connection reset by peer", "--service", "Mail")
    cli("log", "Reset of the connection", "--urgency", "high")
    cli("take", "2")
    cli("resolve", "3", "--code", "fixed_permanent", "--notes", "Restarted.")
    return cli


def numbers(cli: Cli, *arguments: str) -> str:
    return " ".join(row["number"].removeprefix("INC-") for row in cli.json("list", "--json", *arguments))


def test_a_filter_is_one_argument_or_several(some: Cli) -> None:
    assert numbers(some) == "1 2"
    assert numbers(some, "p<=2") == "1"
    assert numbers(some, 'mine "connection reset"') == "2"
    assert numbers(some, "mine", "reset", "connection") == "2"
    assert numbers(some, "not mine") == "1"
    assert numbers(some, "service:shop or service:MAIL") == "1 2"
    assert numbers(some, "connection reset") == "2"
    assert numbers(some, "--all", "connection reset") == "2 3"
    assert numbers(some, "state:resolved") == ""
    assert numbers(some, "--all", "state:resolved opened>-1h") == "3"
    assert numbers(some, "--limit", "9", "--", "-mine") == "1"


def test_what_was_written_can_be_asked_for(some: Cli) -> None:
    some("note", "1", "The connection pool: Reset it at noon")
    assert numbers(some, "text:reset") == "1 2"
    assert numbers(some, "--all", 'text:restart* or text:"pool reset"') == "1 3"
    assert numbers(some, "text!=reset") == ""
    assert numbers(some, "text:reset not mine") == "1"
    assert "found as of now only" in some("list", "text:reset", "--as-of", "0m").err


def test_what_passes_no_filter_is_told_with_where_to_look(some: Cli) -> None:
    assert some("list", "state:resolved").out.startswith("No open incident passes this filter; --all looks")
    assert some("list", "--all", "state:closed").out.strip() == "No incident passes this filter."


def test_order_and_limit(some: Cli) -> None:
    assert set(Sort) == set(ORDERS) == set(_KEYS)
    assert numbers(some, "--sort", "newest", "--all") == "3 2 1"
    assert numbers(some, "--sort", "oldest", "--all", "--limit", "2") == "1 2"
    told = some("list", "--limit", "1")
    assert told.out.splitlines()[-1] == "The first 1; there are more: --limit says how many."
    assert some("list", "--limit", "0").code == 2
    assert some("list", "--sort", "odd").code == 2


@pytest.mark.parametrize("sort", list(Sort))
def test_the_past_is_filtered_and_sorted_as_the_present(some: Cli, sort: Sort) -> None:
    now = datetime.now(UTC).isoformat()
    for words in ("", "p<=3", "not mine", "number<=2 or reset"):
        asked = (words, "--sort", sort.value, "--all")
        assert numbers(some, *asked, "--as-of", now) == numbers(some, *asked)


def test_the_past_is_filtered_as_it_was(some: Cli) -> None:
    then = datetime.now(UTC).isoformat()
    some("resolve", "1", "--code", "workaround", "--notes", "Restarted.")
    assert numbers(some, "p:1", "--as-of", then) == "1"
    assert numbers(some, "p:1") == ""


def test_a_mistake_is_pointed_at(some: Cli) -> None:
    told = some("list", "mine", "p<=x")
    assert told.code == 2
    assert told.err.splitlines() == [
        "  mine p<=x",
        "          ^",
        "column 9: “x” is no value of p; write a number 1 to 5. Nothing was listed.",
    ]


def test_the_sign_stands_below_its_place_whatever_is_before_it() -> None:
    from register.filter import FilterError, parse

    for text, place in (("日本 p<=x", "日本 p<="), ("x" * 200 + " p<=x", "…" + "x" * 32 + " p<=")):
        with pytest.raises(FilterError) as raised:
            parse(text)
        line, sign, _ = pointed(raised.value).splitlines()
        assert line.startswith(f"  {place}x")
        from rich.cells import cell_len

        assert len(sign) - 1 == cell_len(f"  {place}")
