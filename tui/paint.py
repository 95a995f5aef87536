"""Sending a frame as the cells that differ from what the terminal shows.

Textual sends every line it was asked to repaint, whole. Over a phone's SSH line that is the difference
between 20 KB and 60 bytes for one changed cell, so what the terminal shows is kept here, cell by cell.
It holds only while nothing else draws: `forget` clears the screen and begins anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from textual._compositor import ChopsUpdate, LayoutUpdate  # private: the version is pinned, `tests/tui` watch
from textual.strip import Strip

Cell = tuple[str, str]
"""A character, and the SGR codes of its pen. The second half of a wide one is an empty character."""
Frame = ChopsUpdate | LayoutUpdate
Span = tuple[int, int, list[Cell]]

BLANK: Final[Cell] = (" ", "")
BRIDGE: Final = 4
"""So many unchanged cells are sent again rather than jumped over: the jump costs as much."""
WORTH_ERASING: Final = 8
"""From so many blanks at a line's end on, erasing it is shorter."""
_CLEAR: Final = "\x1b[m\x1b[2J"


class Shadow:
    """What the terminal shows. `encode` returns what must be sent for it to show the next frame."""

    def __init__(self) -> None:
        self._rows: list[list[Cell]] = []
        self._known = False
        self._pen = ""
        self._at = (-1, -1)

    def forget(self) -> None:
        """Something else may have drawn: the next frame begins on a cleared screen."""
        self._known = False

    def encode(self, frame: Frame, system: ColorSystem, width: int, height: int) -> str:
        """Return the bytes, as text, that turn what is shown into `frame`; "" when it is shown already."""
        out: list[str] = []
        self._at = (-1, -1)
        if not self._known or len(self._rows) != height or (self._rows and len(self._rows[0]) != width):
            self._rows = [[BLANK] * width for _ in range(height)]
            self._known = True
            out.append(_CLEAR)
        for y, x, cells in _spans(frame, system):
            if 0 <= y < height and x < width:
                self._line(out, y, x, cells[: width - x])
        if self._pen:
            out.append("\x1b[m")
            self._pen = ""
        return "".join(out)

    def _line(self, out: list[str], y: int, x: int, new: list[Cell]) -> None:
        row = self._rows[y]
        old = row[x : x + len(new)]
        if old == new:
            return
        row[x : x + len(new)] = new
        tail = _blank_tail(new) if x + len(new) == len(row) else len(new)
        for begin, end in _runs(old, new):
            if end > tail and len(new) - max(begin, tail) >= WORTH_ERASING:
                self._write(out, y, x + begin, new[begin:tail])
                self._erase(out, y, x + max(begin, tail))
                return
            self._write(out, y, x + begin, new[begin:end])

    def _write(self, out: list[str], y: int, x: int, cells: list[Cell]) -> None:
        if not cells:
            return
        self._go(out, y, x)
        for character, pen in cells:
            if pen != self._pen:
                out.append(f"\x1b[0;{pen}m" if pen else "\x1b[m")
                self._pen = pen
            out.append(character)
        self._at = (y, x + len(cells))

    def _erase(self, out: list[str], y: int, x: int) -> None:
        self._go(out, y, x)
        if self._pen:
            out.append("\x1b[m")
            self._pen = ""
        out.append("\x1b[K")

    def _go(self, out: list[str], y: int, x: int) -> None:
        row, column = self._at
        if row == y and column < x:
            out.append(f"\x1b[{x - column}C")
        elif self._at != (y, x):
            out.append(f"\x1b[{y + 1};{x + 1}H")
        self._at = (y, x)


def _runs(old: list[Cell], new: list[Cell]) -> Iterator[tuple[int, int]]:
    """Yield the stretches that differ, near ones joined; a wide character at the end is taken whole."""
    begin = end = -1
    for at, cell in enumerate(new):
        if old[at] == cell:
            continue
        if begin < 0:
            begin = at
        elif at - end > BRIDGE:
            yield begin, _whole(new, end)
            begin = at
        end = at + 1
    if begin >= 0:
        yield begin, _whole(new, end)


def _whole(cells: list[Cell], end: int) -> int:
    while end < len(cells) and cells[end][0] == "":
        end += 1
    return end


def _blank_tail(cells: list[Cell]) -> int:
    """Return where the blanks at the end begin."""
    end = len(cells)
    while end and cells[end - 1] == BLANK:
        end -= 1
    return end


def _spans(frame: Frame, system: ColorSystem) -> Iterator[Span]:
    """Yield what a frame paints, as stretches of cells: line, column, cells."""
    if isinstance(frame, LayoutUpdate):
        for y, strips in enumerate(frame.strips, frame.region.y):
            yield y, frame.region.x, [cell for strip in strips for cell in _cells(strip, system)]
        return
    for y, x1, x2 in frame.spans:
        for end, (x, strip) in zip(frame.chop_ends[y], frame.chops[y].items(), strict=False):
            if strip is None or x >= x2 or end <= x1:
                continue
            left, right = max(x, x1), min(end, x2)
            yield y, left, _cells(strip, system)[left - x : right - x]


def _cells(strip: Strip, system: ColorSystem) -> list[Cell]:
    cells: list[Cell] = []
    for text, style, control in strip:
        if control:
            continue
        pen = _pen(Strip.render_ansi(style, system)) if style else ""
        if text.isascii():
            cells += [(character, pen) for character in text]
        else:
            _add_wide(cells, text, pen)
    return cells


def _add_wide(cells: list[Cell], text: Iterable[str], pen: str) -> None:
    for character in text:
        size = get_character_cell_size(character)
        if size == 0 and cells:
            cells[-1] = (cells[-1][0] + character, cells[-1][1])
        else:
            cells.append((character, pen))
            cells.extend([("", pen)] * (size - 1))


@lru_cache(maxsize=1024)
def _pen(codes: str) -> str:
    """Return SGR codes without the default colours: every pen starts from a reset anyway."""
    kept: list[str] = []
    parts = iter(codes.split(";"))
    for part in parts:
        if part in ("38", "48"):  # 38;5;n and 38;2;r;g;b: what follows are numbers, not codes
            kind = next(parts, "")
            kept += [part, kind, *(next(parts, "") for _ in range(1 if kind == "5" else 3))]
        elif part not in ("39", "49", ""):
            kept.append(part)
    return ";".join(kept)
