"""What a second stranger met, with the README alone, and would not meet again."""

from __future__ import annotations

import json
import re

import pytest

from register.matrix_toml import SAMPLE
from tests.tui.cli_help import Cli, vendor_block
from tui.main import main


@pytest.fixture
def one(cli: Cli) -> Cli:
    """A register by the sample matrix, with one incident."""
    (cli.home / "matrix.toml").write_text(SAMPLE.read_text())
    (cli.home / "trace.log").write_text("hi")
    cli.json("log", "Mail is late")
    return cli


@pytest.mark.parametrize(
    "words",
    [
        "show 99",
        "note 99 x",
        "link 1 99 --kind parent",
        "engage 1 nosuch help",
        "vendors check nosuch",
        "outbox retry 01JZZZZ",
        "spool drop ~7",
        "redact 1 --event 999 --reason x",
        "pass 1 --to nosuch",
        "pass 1 --team nosuch",
        "log x --service nosuch",
        "correct 1 --category nosuch --reason x",
        "erase nosuch --reason x",
        "attach 1 HOME/nosuch",
        "save 1 nosuch",
        "detach 1 nosuch",
        "restore HOME/nosuch",
        "import HOME/nosuch.csv",
        "matrix lint HOME/nosuch.toml",
        "backup HOME/nosuch/b",
        "export --to HOME/nosuch/e",
        "save 1 trace.log --to HOME/nosuch/t",
    ],
)
def test_what_has_no_such_name_is_not_found_whatever_was_asked(one: Cli, words: str) -> None:
    one.json("attach", "1", str(one.home / "trace.log"))
    ran = one(*words.replace("HOME", str(one.home)).split())
    assert ran.code == 4
    assert ran.err.count("\n") == 1


def test_what_is_no_number_of_an_incident_is_wrong_use_wherever_it_stands(one: Cli) -> None:
    for words in (
        ("show", "x"),
        ("link", "1", "x", "--kind", "parent"),
        ("unlink", "1", "x", "--kind", "related"),
    ):
        ran = one(*words)
        assert ran.code == 2
        assert "is no number of an incident" in ran.err


def test_the_way_out_of_a_refused_parent_can_be_taken_as_it_is_written(one: Cli) -> None:
    for title in ("Printer is out", "Fax is out"):
        one.json("log", title)
    one.json("link", "1", "2", "--kind", "parent")
    told = one("link", "1", "3", "--kind", "parent").err
    assert one(*told.split("`")[1].split()[1:]).code == 0
    assert one("link", "1", "3", "--kind", "parent").code == 0


def test_the_way_out_of_a_legal_hold_can_be_taken_as_it_is_written(one: Cli) -> None:
    one.json("legal-hold", "1", "file 7")
    told = one("redact", "1", "--reason", "x").err
    assert one(*told.split("`")[1].split()[1:]).code == 0


def test_sizes_are_told_in_one_unit(one: Cli) -> None:
    with (one.home / "large").open("wb") as file:
        file.truncate(25_000_001)
    told = one("attach", "1", str(one.home / "large")).err
    assert "has 25,000,001 bytes; a file may have 25 MB (25,000,000 bytes) at most" in told
    for size, text in ((999, "999 bytes"), (2_000, "2 kB"), (999_600, "1 MB"), (1_500_000, "1.5 MB")):
        (one.home / "file").write_bytes(b"x" * size)
        assert f"({text}, " in one("attach", "1", str(one.home / "file"), "--name", f"f{size}").out
        for words in (("files", "1"), ("show", "1")):
            line = next(line for line in one(*words).out.splitlines() if f"f{size}" in line)
            assert text in line


def test_the_board_as_json_is_the_list(one: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    when = one.json("show", "1")["opened_at"]
    for words in (["--json"], ["--as-of", when, "--json"], [f"--as-of={when}", "--json"]):
        capsys.readouterr()
        assert main(words) == 0
        assert [found["number"] for found in json.loads(capsys.readouterr().out)] == ["INC-1"]


def test_what_was_written_cannot_be_looked_for_in_the_past_and_that_is_said(one: Cli) -> None:
    ran = one("list", "text:late", "--as-of", "1h")
    assert ran.code == 2
    assert "what was written is found as of now only; leave out text: or --as-of" in ran.err


def test_board_list_and_past_stand_in_one_order(one: Cli) -> None:
    for at, level in enumerate(("low", "high", "medium", "high")):
        one.json("log", f"another {at}", "--urgency", level, "--impact", level)
    one.json("take", "3")
    one.json("hold", "2", "--reason", "change", "--on", "CHG-1")
    board = [line.split()[0] for line in plain_board(one).splitlines()[1:]]
    assert board == [found["number"] for found in one.json("list")]
    assert board == [found["number"] for found in one.json("list", "--as-of", "0m")]
    assert board[-1] == "INC-3"  # P1, and somebody has it: what nobody has stands before it


def plain_board(cli: Cli) -> str:
    cli.capsys.readouterr()
    assert main([]) == 0
    return cli.capsys.readouterr().out


def test_a_filter_names_what_there_is(one: Cli) -> None:
    one.json("apply")
    for typed, near in (
        ("vendor:practise", "there is no supplier “practise”; write one of: practice. Nothing was listed."),
        ("team:net-op", "write one of: net-ops, "),
        ("service:Netwrok", "write one of: Network, "),
        (
            "p:1 or category!=access,hardwear",
            "column 25: there is no category “hardwear”; write one of: hardw",
        ),
    ):
        for words in (["list", typed], ["list", "--all", typed, "--as-of", "0m"], ["export", typed]):
            ran = one(*words)
            assert ran.code == 2
            assert near in ran.err
    for typed in (
        "vendor:practice",
        "vendor:none",
        "team:NET-OPS",
        "service:network",
        "category:none",
        "owner:me",
    ):
        assert one("list", typed).code == 0


def test_a_name_that_is_taken_out_of_the_policy_still_finds_what_has_it(one: Cli) -> None:
    one.vendors(vendor_block())
    one.json("apply")
    one.json("engage", "1", "practice", "help")
    one.json("log", "Switch is down", "--service", "Network")
    one.vendors(vendor_block().replace("vendor.practice", "vendor.acme"))
    (one.home / "matrix.toml").write_text(SAMPLE.read_text().replace("Network", "Cables"))
    one.json("apply")
    assert "practice" not in one("list", "vendor:nosuch").err
    for words, numbers in (
        ("vendor:practice", ["INC-1"]),
        ("service:network", ["INC-2"]),
        ("vendor:acme", []),
    ):
        for more in ((), ("--as-of", "0m")):
            assert [found["number"] for found in one.json("list", words, *more)] == numbers


def test_where_the_policy_names_none_any_name_may_be_asked_for(cli: Cli) -> None:
    cli.json("log", "Mail is late")
    assert cli("list", "service:Mail").code == 0
    assert cli("list", "team:nosuch").code == 2  # there is a team without a matrix, too


def test_where_nothing_is_adopted_yet_the_samples_suppliers_are_those_there_are(cli: Cli) -> None:
    cli.json("log", "Mail is late")
    assert "write one of: practice" in cli("list", "vendor:nosuch").err
    assert cli("list", "vendor:practice").code == 0


def test_what_nobody_named_leaves_no_gap_and_times_say_their_zone(one: Cli) -> None:
    one.json("hold", "1", "--reason", "caller", "--note", "Which one?", "--until", "tomorrow")
    assert "caller, looks again" in one("show", "1").out
    one("export", "--to", str(one.home / "out"))
    told = one("erase", one.json("list")[0]["reporter"], "--reason", "x", "--dry-run").out
    assert re.search(r"event \d+, \d{4}-\d\d-\d\d \d\d:\d\d UTC, by ", told)
