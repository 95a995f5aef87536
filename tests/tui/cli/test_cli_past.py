"""--as-of on the command line: the times people write, and what is told of a time gone by."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.tui.cli_help import Cli
from tui.cli.past import board_moment, past
from tui.cli.trouble import WrongUse
from tui.main import main

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # ten in Oslo


@pytest.fixture(autouse=True)
def oslo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Oslo")
    time.tzset()
    yield
    os.environ.pop("TZ", None)
    time.tzset()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2h", "2026-11-24T07:00+00:00"),
        ("-90m", "2026-11-24T07:30+00:00"),
        ("1d2h ago", "2026-11-23T07:00+00:00"),
        ("1h30", "2026-11-24T07:30+00:00"),
        ("09:10", "2026-11-24T08:10+00:00"),
        ("9:10", "2026-11-24T08:10+00:00"),
        ("10:01", "2026-11-23T09:01+00:00"),  # not yet today: yesterday's
        ("08:59 UTC", "2026-11-24T08:59+00:00"),
        ("2026-03-29 01:59", "2026-03-29T00:59+00:00"),
        ("2026-03-29T03:00:30", "2026-03-29T01:00:30+00:00"),
        ("2026-10-25T02:30+02:00", "2026-10-25T00:30+00:00"),
        ("2026-10-25 02:30 +01:00", "2026-10-25T01:30+00:00"),
        ("2026-07-01T00:00Z", "2026-07-01T00:00+00:00"),
        ("2026-07-01", "2026-06-30T22:00+00:00"),
        ("2026-07-01 09:00 America/New_York", "2026-07-01T13:00+00:00"),
        ("1970-01-01", "1969-12-31T23:00+00:00"),
        ("today", "2026-11-23T23:00+00:00"),  # a day is its beginning
        ("yesterday", "2026-11-22T23:00+00:00"),
        ("Yesterday 16:30", "2026-11-23T15:30+00:00"),
        ("yesterday UTC", "2026-11-23T00:00+00:00"),
        ("09:30:15", "2026-11-24T08:30:15+00:00"),
        ("now", "2026-11-24T09:00+00:00"),
        ("2024-02-29 12:00", "2024-02-29T11:00+00:00"),
    ],
)
def test_times_gone_by_as_people_write_them(typed: str, meant: str) -> None:
    assert past(typed, NOW) == datetime.fromisoformat(meant)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "is no time"),
        ("12", "is no time"),
        ("soon", "is no time"),
        ("2026-02-30", "is no time"),
        ("25:00", "is no time"),
        ("1" * 5000, "is no time"),
        ("9" * 30 + "d", "is no time"),
        ("999999999d", "is no time"),
        ("2026-11-24 10:01", "lies in the future"),
        ("+30m", "lies in the future"),
        ("tomorrow", "lies in the future"),
        ("2100-01-01", "lies in the future"),
        ("2026-03-29 02:30", "there was no 02:30 on 2026-03-29"),
        ("2026-10-25 02:30", "write 2026-10-25T02:30+02:00 or 2026-10-25T02:30+01:00"),
        ("2026-11-01 01:30 America/New_York", "2026-11-01T01:30-04:00 or 2026-11-01T01:30-05:00"),
        ("09:00 Mars/Base", "no time zone"),
        ("09:00 ../../etc/passwd", "is no time"),
    ],
)
def test_what_is_no_single_moment_of_the_past_is_wrong_use(typed: str, said: str) -> None:
    with pytest.raises(WrongUse, match="as-of") as wrong:
        past(typed, NOW)
    assert said in str(wrong.value)


def stamped() -> str:
    time.sleep(0.01)
    now = datetime.now(UTC).isoformat()
    time.sleep(0.01)
    return now


def test_list_and_show_as_they_were(cli: Cli) -> None:
    cli("log", "Mail is late", "--impact", "high")
    between = stamped()
    cli("resolve", "1", "restarted", "--code", "workaround")
    cli("log", "second")
    (one,) = cli.json("list", "--as-of", between)
    assert (one["number"], one["state"]) == ("INC-1", "New")
    told = cli("list", "--as-of", between).out
    assert told.startswith("As known on ")
    assert "second" not in told
    shown = cli.json("show", "1", "--as-of", between)
    assert shown["state"] == "New"
    assert [event["kind"] for event in shown["timeline"]] == ["created"]
    assert shown["as_of"] == between.replace("+00:00", "Z")
    later = cli("show", "2", "--as-of", between)
    assert later.code == 4
    assert "it was logged" in later.err
    assert "then or now" in cli("show", "9", "--as-of", between).err
    assert len(cli.json("list", "--all", "--as-of", stamped())) == 2


def test_before_the_first_event_it_is_said_when_that_was(cli: Cli) -> None:
    assert "has no event yet" in cli("list", "--as-of", "1h").out
    cli("log", "Mail is late")
    ran = cli("list", "--as-of", "2020-01-01")
    assert ran.code == 0
    assert "Its first event was recorded" in ran.out
    assert cli.json("list", "--as-of", "2020-01-01") == []


def test_a_time_that_cannot_be_is_exit_code_2(cli: Cli) -> None:
    for words in (("list",), ("show", "1")):
        ran = cli(*words, "--as-of", "2100-01-01")
        assert ran.code == 2
        assert "future" in ran.err


def test_the_board_as_text_says_that_it_is_of_the_past(cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    cli("log", "Mail is late")
    moment = stamped()
    cli("cancel", "1", "a test")
    assert main(["--as-of", moment]) == 0
    told = capsys.readouterr().out
    assert told.startswith("AS OF ")
    assert "Mail is late" in told
    assert main([f"--as-of={moment}"]) == 0
    assert main(["--as-of", "2020-01-01"]) == 0
    assert "Mail is late" not in capsys.readouterr().out.split("AS OF")[-1]


@pytest.mark.parametrize("argv", [["--as-of"], ["--as-of", "1h", "list"], ["--as-of="], ["--as-ofx"]])
def test_the_board_takes_a_time_and_nothing_else(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert board_moment(argv) == 2
    assert "muster list --as-of TIME" in capsys.readouterr().err
    assert board_moment(["--as-of", "1h"]) == pytest.approx(time.time() - 3600, abs=60)


def test_an_hour_ago_is_an_hour_whatever_the_clocks_do() -> None:
    after = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert past("1h", after) == after - timedelta(hours=1)
