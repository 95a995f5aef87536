"""One sending on the command line: what the supplier was asked for it last, and what came back."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from register.core import NotFound
from register.store.outbox import latest
from register.store.vendors import sendings_beginning
from register.text import clip, one_line
from tui.cli import words
from tui.cli.answer import Answer
from tui.cli.here import Here, here
from tui.cli.looking import MOST_SENDINGS, sendings_listed
from tui.exchange import NONE, Exchange, spoken
from tui.reading import exchange_of

_SHORTEST_ID: Final = 4
_MOST_ALIKE: Final = 50
_INCIDENT: Final = re.compile(r"(INC-)?[1-9]\d*", re.ASCII)
"""The number of an incident; the id of a sending begins with 0."""


def show(
    sending: Annotated[
        str,
        typer.Argument(
            metavar="SENDING",
            help="the sending, as `muster outbox list --all` shows it, or an incident: INC-7, or 7",
        ),
    ],
) -> Answer:
    """Show the exact request that was made last for a sending, and its answer; secrets are taken out.

    Of an incident with several sendings these are listed, the newest first.
    """
    asked = sending.strip().upper()
    with here() as at:
        if _INCIDENT.fullmatch(asked):
            return _of_incident(at, words.number(asked))
        return _told(_one(at, asked))


def _of_incident(at: Here, number: str) -> Answer:
    at.incident(number)
    rows = [] if at.unseen([number]) else latest(at.store, MOST_SENDINGS + 1, number)
    if len(rows) == 1:
        return _told(_one(at, rows[0].row_id))
    if not rows:
        raise NotFound(
            f"{number} has no sending that you may see: nothing of it was to go to a supplier, or it is"
            f" restricted. `muster show {number}` tells.",
            "sending",
        )
    answer = sendings_listed(at, rows[:MOST_SENDINGS], more=len(rows) > MOST_SENDINGS, pages=False)
    return replace(answer, lines=[*answer.lines, "`muster outbox show SENDING` shows what went for one."])


def _one(at: Here, asked: str) -> Exchange:
    """Return what was kept of the only sending whose id begins so."""
    said = clip(one_line(asked), 40)
    if len(asked) < _SHORTEST_ID:
        raise NotFound(
            f"{said!r} is too short: give {_SHORTEST_ID} characters of a sending's id at least, or INC-7."
            " `muster outbox list --all` shows them.",
            "sending",
        )
    alike = sendings_beginning(at.store, asked, _MOST_ALIKE)
    secret = at.unseen({row.incident for row in alike})
    rows = [row for row in alike if row.incident not in secret]
    if len(rows) > 1:
        raise NotFound(
            f"Several sendings begin with {said!r}: give more of the id."
            " `muster outbox list --all` shows them.",
            "sending",
        )
    found = exchange_of(at.store, rows[0].row_id, at.who) if rows else None
    if found is None:
        raise NotFound(
            f"No sending that you may see begins with {said!r}. `muster outbox list --all` shows them,"
            " finished ones too.",
            "sending",
        )
    return found


def _told(found: Exchange) -> Answer:
    ended = None if found.at is None else datetime.fromtimestamp(found.at, UTC)
    data = {
        "row_id": found.row_id,
        "number": found.number,
        "vendor": found.vendor,
        "what": found.what,
        "state": found.state,
        "ended_at": ended,
        "requests": [dict(one) for one in found.said],
    }
    head = f"{found.what} for {found.number} to {found.vendor}, {found.state}"
    if ended is None:
        return Answer(data, [f"{head}. {NONE}"])
    lines = [f"{head}; the last request ended {ended.astimezone():%Y-%m-%d %H:%M:%S}", ""]
    return Answer(data, [*lines, *(text for text, _ in spoken(found.said))])
