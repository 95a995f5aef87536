"""`muster search`: what is found, with the piece around it, and nothing that obeys a terminal."""

from __future__ import annotations

from tests.tui.cli_help import Cli


def test_what_was_written_is_found_with_the_piece_around_it(cli: Cli) -> None:
    cli("log", "Mail is late", "--description", "Since noon, said the front desk")
    cli("note", "1", "The \x1b[31m queue was long")
    cli("log", "Wiki is slow")
    told = cli("search", "queue")
    assert told.code == 0
    heading, line, piece = told.out.splitlines()
    assert heading.split() == ["NUMBER", "PRI", "STATE", "TITLE"]
    assert line.split()[0] == "INC-1"
    assert line.endswith("  Mail is late")
    assert piece.startswith("    note by ")
    assert piece.endswith(": The [31m queue was long")
    assert [row["number"] for row in cli.json("search", "is")] == ["INC-2", "INC-1"]
    assert cli.json("search", "front", "desk")[0]["snippet"] == "Since noon, said the front desk"
    assert cli("search", '"desk front"').out.startswith("Nothing was found.")


def test_what_cannot_be_looked_for_is_wrong_use(cli: Cli) -> None:
    told = cli("search", "!!!")
    assert told.code == 2
    assert told.err == "'!!!' cannot be looked for: there is no word in it: write letters or digits.\n"
    assert cli("search").code == 2


def test_nothing_found_says_what_to_try(cli: Cli) -> None:
    assert cli("search", "zebra").out.startswith(
        "Nothing was found. A part of a word is found by its beginning"
    )


def test_more_than_asked_for_is_said(cli: Cli) -> None:
    for _ in range(3):
        cli("log", "Mail is late")
    assert (
        cli("search", "mail", "--limit", "2").out.splitlines()[-1].startswith("The newest 2; there are more")
    )


def test_a_hit_in_a_title_that_was_corrected_shows_it_below_the_title_of_now(cli: Cli) -> None:
    cli("log", "Mail is late")
    cli("correct", "1", "--title", "Wiki is slow", "--reason", "it was the wiki")
    (row,) = cli.json("search", "late")
    assert (row["title"], row["snippet"]) == ("Wiki is slow", "Mail is late")
    cli("note", "1", "Nothing new")
    (row,) = cli.json("search", "late")
    assert (row["kind"], row["title"], row["snippet"]) == ("note", "Wiki is slow", "Mail is late")
    assert cli.json("search", "wiki")[0]["title"] == "Wiki is slow"
