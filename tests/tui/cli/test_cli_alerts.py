"""Alerts on the command line: one by one, and many as lines of JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.tui.cli_help import Cli


def lines(*said: dict[str, Any]) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in said).encode()


DISK = {"service": "web", "key": "disk", "source": "probe", "severity": "critical", "title": "Disk is full"}


def test_an_alert_is_an_incident_that_says_whether_it_fires(cli: Cli) -> None:
    done = cli(
        "alert", "web", "disk", "--source", "probe", "--severity", "critical", "--title", "Disk is full"
    )
    assert done.code == 0
    assert done.out.startswith("INC-1  P1  New  alert fires")
    assert "New, firing" in cli("list").out
    again = cli("alert", "web", "disk", "--source", "probe")
    assert "INC-1 is open for this alert already: it was said 2 times by now." in again.out
    over = cli("alert", "web", "disk", "--status", "ok")
    assert "The alert is over. INC-1 stays open until somebody resolves it." in over.out
    assert "firing" not in cli("list").out


def test_json_tells_the_alert(cli: Cli) -> None:
    made = cli.json("alert", "web", "disk", "--at", "2026-03-02T07:00:00Z")
    assert made["firing"] is True
    assert made["alert"]["started"] == "2026-03-02T07:00:00Z"
    assert [one["firing"] for one in cli.json("list")] == [True]
    other = cli.json("alert", "web", "cpu")
    assert other["related"] == ["INC-1"]
    assert other["remarks"] == ["It is related to INC-1: 2 such alerts fire within the correlation window."]


def test_when_it_began_is_a_time_that_lies_behind(cli: Cli) -> None:
    now = datetime.now(UTC)
    ago = cli.json("alert", "web", "a", "--at", "2h")["alert"]["started"]
    assert abs(now - timedelta(hours=2) - datetime.fromisoformat(ago)) < timedelta(minutes=1)
    last = datetime.fromisoformat(
        cli.json("alert", "web", "b", "--at", f"{now + timedelta(minutes=2):%H:%M}")["alert"]["started"]
    )
    assert timedelta(hours=23) < now - last < timedelta(hours=24)
    for wrong in ("+2h", "soon", "12"):
        ran = cli("alert", "web", "c", "--at", wrong)
        assert (ran.code, "2h for two hours ago" in ran.err) == (2, True)


def test_show_counts_what_is_no_event_too(cli: Cli) -> None:
    cli("alert", "-", stdin=lines(*[DISK] * 40))
    assert cli.json("show", "1")["alert"]["count"] == 40
    shown = cli("show", "1").out
    assert "  alert           probe: disk of web, critical, fires still" in shown
    assert "  said            40 times, from " in shown
    assert shown.count("alert from probe still") == 9


def test_edge_37_resolving_what_still_fires_says_so(cli: Cli) -> None:
    cli("alert", "web", "disk", "--source", "probe")
    done = cli("resolve", "1", "Cleaned up.", "--code", "workaround")
    assert "The alert still fires: probe has not said that it is over." in done.out
    assert cli.json("show", "1")["firing"] is True
    assert "Resolved, firing" in cli("list", "--all").out


def test_an_ok_of_what_nobody_knows_is_done_and_says_so(cli: Cli) -> None:
    done = cli("alert", "web", "disk", "--status", "ok")
    assert (done.code, done.err) == (0, "")
    assert done.out == "No alert disk of web is known here: nothing was opened and nothing written.\n"


def test_many_lines_are_taken_in_and_counted(cli: Cli) -> None:
    said = lines(
        DISK, DISK, DISK | {"key": "cpu"}, DISK | {"status": "ok"}, DISK | {"key": "x", "status": "ok"}
    )
    done = cli("alert", "-", stdin=said)
    assert done.out.splitlines() == [
        "5 lines: 1 are over; 2 opened an incident; 1 repeated an open one; 1 changed nothing.",
        "Opened: INC-1, INC-2.",
    ]


def test_the_same_input_twice_adds_nothing(cli: Cli) -> None:
    said = lines(*(DISK | {"id": f"m{n}"} for n in range(30)), DISK | {"id": "end", "status": "ok"})
    first = cli.json("alert", "-", stdin=said)
    assert first["came_to"] == {"created": 1, "duplicate_suppressed": 9, "counted": 20, "alert_ok": 1}
    shown = cli.json("show", "1")
    second = cli.json("alert", "-", stdin=said)
    assert second["came_to"] == {"replayed": 31}
    assert cli.json("show", "1") == shown


def test_a_line_that_cannot_be_read_stops_no_other_one(cli: Cli) -> None:
    said = b'{"service": "web"}\nnonsense\n[1]\n\xff\n\n{"service":"web","key":"d","color":"red"}\n' + lines(
        DISK
    )
    done = cli("alert", "-", stdin=said)
    assert done.code == 1
    like = 'write an object a line, as in {"service": "web", "key": "disk"}'
    assert done.out.splitlines()[1:] == [
        "Opened: INC-1.",
        "Line 1: Key is needed.",
        f"Line 2: The line is no JSON: {like}.",
        f"Line 3: The line is JSON, but no object: {like}.",
        "Line 4: The line is not UTF-8 text.",
        "Line 6: Color is not known here.",
        '5 lines were not taken in; the others were. Mend them and give them again: lines with an "id" may be'
        " given twice.",
    ]


def test_a_line_without_end_is_told_and_the_next_one_read(cli: Cli) -> None:
    done = cli("alert", "-", stdin=b'{"service": "' + b"x" * 3_000_000 + b'"}\n' + lines(DISK))
    assert "Line 1: The line has more than 1,048,576 bytes: shorten it." in done.out
    assert "Opened: INC-1." in done.out


def test_nothing_on_standard_input_is_nothing(cli: Cli) -> None:
    done = cli("alert", "-")
    assert (done.code, done.out) == (0, "0 lines: nothing was read.\n")


def test_as_it_was_known_before_the_end(cli: Cli) -> None:
    cli("alert", "web", "disk")
    shown = cli.json("show", "1")
    cli("alert", "web", "disk", "--status", "ok")
    then = cli.json("show", "1", "--as-of", datetime.now(UTC).isoformat())
    assert then["firing"] is False
    moment = datetime.fromisoformat(shown["opened_at"]) + timedelta(microseconds=1)
    assert cli.json("show", "1", "--as-of", moment.isoformat())["firing"] is True
