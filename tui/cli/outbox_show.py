"""One sending on the command line: what the supplier was asked for it last, and what came back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from register.core import NotFound
from register.store.vendors import sending_facts
from register.text import clip, one_line
from tui.cli.answer import Answer
from tui.cli.here import here
from tui.exchange import NONE, spoken
from tui.reading import exchange_of

_SHORTEST_ID = 4


def show(
    sending: Annotated[
        str, typer.Argument(metavar="SENDING", help="the sending, as `muster outbox list` shows it")
    ],
) -> Answer:
    """Show the exact request that was made last for a sending, and its answer; secrets are taken out."""
    asked = sending.strip().upper()
    with here() as at:
        row = sending_facts(at.store, asked) if len(asked) >= _SHORTEST_ID else None
        found = None if row is None else exchange_of(at.store, row.row_id, at.who)
    if found is None:
        raise NotFound(
            f"No sending that you may see begins with {clip(one_line(sending), 40)!r}, or several do:"
            " `muster outbox list` shows those that wait.",
            "sending",
        )
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
