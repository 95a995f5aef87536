"""Maintenance and silence from the command line."""

from __future__ import annotations

from tests.tui.cli_help import Cli


def test_services_stand_one_by_one_in_their_places_and_a_window_is_listed(cli: Cli) -> None:
    told = cli("maintenance", "start", "Payments", "Web shop, old", "--for", "2h", "--why", "deploying")
    assert told.code == 0
    assert told.out.startswith("M-1: Payments, Web shop, old is in maintenance until ")
    (window,) = cli.json("maintenance", "list")
    assert (window["id"], window["services"], window["why"]) == (
        "M-1",
        ["Payments", "Web shop, old"],
        "deploying",
    )
    assert cli("maintenance", "end", "m-1").code == 0
    assert "whatever happens escalates" in cli("maintenance", "list").out


def test_what_is_missing_or_wrong_is_said_by_the_options_name(cli: Cli) -> None:
    missing = cli("maintenance", "start", "Payments")
    assert (missing.code, "Missing: --for" in missing.err, "--why" in missing.err) == (2, True, True)
    wrong = cli("maintenance", "start", "Payments", "--for", "soon", "--why", "x")
    assert (wrong.code, wrong.err.startswith("For is no length of time")) == (2, True)


def test_show_tells_a_silence_and_until_when(cli: Cli) -> None:
    cli("log", "Mail is late")
    assert "Nobody is paged for it until" in cli("silence", "1", "--for", "1h", "--why", "known").out
    assert ": known" in next(line for line in cli("show", "1").out.splitlines() if "silenced  " in line)
    assert cli.json("show", "1")["silence"]["why"] == "known"
    assert cli("unsilence", "1").code == 0
    assert cli.json("show", "1")["silence"] is None
