"""What is sent makes a terminal show what was meant, and is little. A terminal emulator is the judge."""

from __future__ import annotations

import random
from unicodedata import normalize

import pyte
import pytest
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from tui.paint import Shadow, _pen

WIDTH, HEIGHT = 40, 6
STYLES = [
    Style(),
    Style(bold=True),
    Style(reverse=True),
    Style(color="red", bold=True),
    Style(color="color(4)"),
]
WORDS = ["Checkout", "500", " " * 9, "日本", "e\u0301", "x", "▲1", "  ", "–"]


class Terminal:
    """A screen that obeys what is sent to it."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self.stream = pyte.Stream(self.screen)
        self.stream.feed("left over " * 20)

    def rows(self) -> list[list[tuple[str, str, bool, bool]]]:
        buffer = self.screen.buffer
        return [
            [
                (buffer[y][x].data, buffer[y][x].fg, buffer[y][x].bold, buffer[y][x].reverse)
                for x in range(WIDTH)
            ]
            for y in range(HEIGHT)
        ]


def strip(dice: random.Random) -> Strip:
    segments = [Segment(dice.choice(WORDS), dice.choice(STYLES)) for _ in range(dice.randint(0, 8))]
    return Strip(segments).adjust_cell_length(WIDTH)


def whole(strips: list[Strip]) -> LayoutUpdate:
    return LayoutUpdate([[one] for one in strips], Region(0, 0, WIDTH, HEIGHT))


def some(strips: list[Strip], lines: list[int]) -> ChopsUpdate:
    """These lines, each in one piece, the span cut a little at both sides."""
    return ChopsUpdate(
        [{0: one} for one in strips], [(y, 0, WIDTH) for y in lines], [[WIDTH] for _ in strips]
    )


@pytest.mark.parametrize("seed", range(30))
def test_a_terminal_shows_what_was_meant(seed: int) -> None:
    dice = random.Random(seed)
    shadow, terminal = Shadow(), Terminal()
    strips = [strip(dice) for _ in range(HEIGHT)]
    terminal.stream.feed(shadow.encode(whole(strips), ColorSystem.TRUECOLOR, WIDTH, HEIGHT))
    for _ in range(12):
        lines = sorted(dice.sample(range(HEIGHT), dice.randint(1, HEIGHT)))
        for y in lines:
            strips[y] = strip(dice)
        terminal.stream.feed(shadow.encode(some(strips, lines), ColorSystem.TRUECOLOR, WIDTH, HEIGHT))
        fresh = Terminal()
        fresh.stream.feed(Shadow().encode(whole(strips), ColorSystem.TRUECOLOR, WIDTH, HEIGHT))
        assert terminal.rows() == fresh.rows()
        meant = [normalize("NFC", one.text.rstrip()) for one in strips]
        assert [normalize("NFC", line.rstrip()) for line in terminal.screen.display] == meant


def test_what_is_shown_already_costs_nothing() -> None:
    shadow = Shadow()
    strips = [strip(random.Random(1)) for _ in range(HEIGHT)]
    assert shadow.encode(whole(strips), ColorSystem.TRUECOLOR, WIDTH, HEIGHT)
    assert shadow.encode(whole(strips), ColorSystem.TRUECOLOR, WIDTH, HEIGHT) == ""
    assert shadow.encode(some(strips, [1, 2]), ColorSystem.TRUECOLOR, WIDTH, HEIGHT) == ""


def test_one_cell_costs_a_few_bytes() -> None:
    shadow = Shadow()
    strips = [Strip([Segment(f"INC-{y}  12m over".ljust(WIDTH))]) for y in range(HEIGHT)]
    shadow.encode(whole(strips), ColorSystem.TRUECOLOR, WIDTH, HEIGHT)
    strips[3] = Strip([Segment("INC-3  13m over".ljust(WIDTH))])
    assert shadow.encode(some(strips, [3]), ColorSystem.TRUECOLOR, WIDTH, HEIGHT) == "\x1b[4;9H3"


def test_after_forgetting_all_is_drawn_on_a_cleared_screen() -> None:
    shadow = Shadow()
    strips = [strip(random.Random(1)) for _ in range(HEIGHT)]
    first = shadow.encode(whole(strips), ColorSystem.TRUECOLOR, WIDTH, HEIGHT)
    shadow.forget()
    assert shadow.encode(whole(strips), ColorSystem.TRUECOLOR, WIDTH, HEIGHT) == first
    assert first.startswith("\x1b[m\x1b[2J")


def test_default_colours_are_no_pen() -> None:
    assert _pen("39;49") == ""
    assert _pen("7;39;49") == "7"
    assert _pen("1;38;5;39;48;2;39;49;1") == "1;38;5;39;48;2;39;49;1"
