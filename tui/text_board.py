"""The board as plain text, for pipes, cron and terminals that cannot be drawn on."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TextIO

from register.live import Live
from register.plain import clean
from register.pressing import rank
from tui.columns import Eyes, cells_of, columns_for, heading
from tui.format import day_and_wall, fit
from tui.session import Session
from tui.signs import Signs, signs_for
from tui.width import width_around

WIDTH = 140
"""Where no terminal says another one."""


def text_board(live: Live, signs: Signs, now: float, width: int = WIDTH) -> list[str]:
    """Return the board's lines, heading first; with no incident, a sentence instead."""
    if not live.rows:
        return ["No open incidents."]
    eyes = Eyes(now=now, me=live.me, people=live.people, signs=signs)
    columns = columns_for(width, max(9, 1 + max(len(row["number"]) for row in live.rows)))
    lines = [heading(columns, signs).rstrip()]
    for row in sorted(live.rows, key=lambda one: rank(one, now)):
        cells = cells_of(row, eyes, columns)
        padded = [
            fit(text, column.width - 1, signs) + " " for (text, _), column in zip(cells, columns, strict=True)
        ]
        lines.append(("  " + "".join(padded)).rstrip())
    return lines


def print_board(session: Session, out: TextIO | None = None, as_of: float | None = None) -> int:
    """Print the board as the register has it now, or as it was last known; return the exit code.

    as_of: a past moment, epoch s: the board as it was known then, a line above it that says so.
    """
    out = out or sys.stdout
    if as_of is None:
        from tui.reading import read_once
        from tui.spooled import waiting_rows

        now, live = time.time(), Live.open(session.live_path)
        before = live.register_id
        maintained: list[str] = []
        why = read_once(session, live, lambda said: print(clean(said), file=sys.stderr), maintained)
        print(*maintained, sep="\n", end="\n" if maintained else "", file=out)
        if live.register_id != before:
            with contextlib.suppress(OSError):  # the spool would have to do without, and say so
                live.save()
        live.show_waiting(waiting_rows(session, live.register_id))
    else:
        from tui.past import read_then

        now, live = as_of, Live.nowhere()
        why = read_then(session, live, as_of)
        print(f"AS OF {day_and_wall(as_of, None)}, read only", file=out)
    known = why is None or (as_of is None and bool(live.saved_at))
    if known and why is not None:
        print(f"STALE: as it was known on {day_and_wall(live.saved_at, None)}", file=out)
    if known:
        signs = signs_for(out.encoding, os.environ)
        print("\n".join(text_board(live, signs, now, width_around(WIDTH))), file=out)
    if why is None:
        return 0
    print(clean(why), file=sys.stderr)
    return 5
