"""On a real terminal nothing is printed that it would have to break by itself; into a pipe all is whole."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest
from rich.cells import cell_len

from tests.tui.cli_help import Cli
from tui.width import broken, width_around

LONG = "Checkout answers 500 for all customers in Norway since the deploy of this morning 決済が失敗する"


@pytest.fixture
def busy(cli: Cli) -> Cli:
    cli.json("log", LONG, "--impact", "high", "--urgency", "high", "--service", "Webshop")
    cli.json("log", "Mail is late")
    cli.json("take", "2")
    cli.json("note", "1", "Somebody writes this at night, and it goes on and on and on beyond eighty columns")
    cli.json("engage", "1", "practice", LONG)
    return cli


def on_a_terminal(width: int, *words: str) -> list[str]:
    """Run Muster on a terminal of that width; what it printed, line by line, standard error too."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    env = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    env |= {"TERM": "dumb", "NO_COLOR": "1", "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "tui.main", *words]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env):
        os.close(theirs)
        said = b""
        try:
            while piece := os.read(ours, 65_536):
                said += piece
        except OSError:
            pass  # the other end is closed: all is read
    os.close(ours)
    return said.decode().splitlines()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize(
    "words",
    [
        "",
        "--as-of 0m",
        "list",
        "show 1",
        "clock 1",
        "search night",
        "outbox list",
        "matrix show",
        "doctor",
        "show 9",
    ],
)
def test_no_line_is_wider_than_the_terminal(busy: Cli, words: str, width: int) -> None:
    lines = on_a_terminal(width, *words.split())
    assert lines
    paths = (str(busy.home), sys.prefix)  # a path is never broken
    assert [one for one in lines if cell_len(one) > width and not any(path in one for path in paths)] == []


def test_what_is_told_on_a_narrow_terminal_loses_nothing(busy: Cli) -> None:
    told = " ".join(" ".join(on_a_terminal(80, "show", "1")).split())
    assert LONG in told
    assert "beyond eighty columns" in told


def test_into_a_pipe_goes_everything(busy: Cli) -> None:
    assert LONG in busy("list").out
    assert any(line.endswith("beyond eighty columns") for line in busy("show", "1").out.splitlines())


def test_the_board_in_a_pipe_is_as_wide_as_it_is_told(busy: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for said, width in (("100", 100), ("7", 140), ("x", 140), ("", 140)):
        monkeypatch.setenv("COLUMNS", said)
        assert width_around(140) == width


def test_lines_are_broken_between_words() -> None:
    assert broken("one two three", 7) == ["one two", "three"]
    assert broken("  who  one two three", 12) == ["  who  one", "    two", "    three"]
    assert broken("see https://example.test/a/long/one then", 12) == [
        "see",
        "https://example.test/a/long/one",
        "then",
    ]
    assert broken("", 5) == [""]
    assert broken("決済が 失敗する", 8) == ["決済が", "失敗する"]
