"""Rows under a heading, as lines that fit a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Final

from rich.cells import cell_len

from register.text import one_line
from tui.format import fit
from tui.signs import UNICODE
from tui.width import LEAST, broken, width_of

LONGEST: Final = 26
"""Cells of a column that is not the last: what is longer is cut."""
_NARROWEST: Final = 8
_MAY_BE_CUT: Final = frozenset(
    ("BY", "KIND", "LEAD", "NAME", "OWNER", "SENDING", "SERVICE", "STATE", "SUPPLIER", "SYSTEM", "TEAM")
)


def columns(heading: Sequence[str], rows: Iterable[Sequence[str]], *, cut: bool = False) -> list[str]:
    """Return rows as lines, each column as wide as its longest cell; the last one as it is.

    Where a terminal is too narrow for that, names give way, and the last cell goes on below itself.
    cut: it is cut instead.
    """
    cells = [tuple(heading), *(tuple(one_line(cell) or "-" for cell in row) for row in rows)]
    widths = [min(LONGEST, max(cell_len(row[at]) for row in cells)) for at in range(len(heading) - 1)]
    room = width_of(sys.stdout)
    if room is not None:
        _give_way(heading, widths, room)
    lines = []
    for row in cells:
        fixed = [fit(cell, width, UNICODE) for cell, width in zip(row[:-1], widths, strict=True)]
        before = "  ".join((*fixed, ""))
        left = max(LEAST, (room or 0) - cell_len(before))
        if room is None or cell_len(row[-1]) <= left:
            lines.append((before + row[-1]).rstrip())
        elif cut:
            lines.append(before + fit(row[-1], left, UNICODE))
        else:
            first, *more = broken(row[-1], left)
            lines += [before + first, *(" " * cell_len(before) + line for line in more)]
    return lines


def _give_way(heading: Sequence[str], widths: list[int], room: int) -> None:
    """Make the widest of the columns that may be cut narrower, until the last one has some room."""
    may = [at for at, name in enumerate(heading[:-1]) if name in _MAY_BE_CUT]
    while sum(widths) + 2 * len(widths) + LEAST > room:
        at = max(may, key=widths.__getitem__, default=None)
        if at is None or widths[at] <= _NARROWEST:
            return
        widths[at] -= 1
