"""Commands that only look: list, show, the outbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from register.seeing import RESTRICTED
from register.store import outbox as sendings
from register.store.outbox import Sending
from tui.cli import words
from tui.cli.answer import Answer
from tui.cli.here import Here, here
from tui.cli.telling import at_length, columns, event_data, incident_data, table

_ALL: Final = 100_000_000
_NO_DUE: Final = datetime.max.replace(tzinfo=UTC)


def list_(
    everything: Annotated[bool, typer.Option("--all", help="those that are over, too")] = False,
) -> Answer:
    """List the open incidents, the most pressing first."""
    with here() as at:
        return listed(at, everything=everything)


def listed(at: Here, *, everything: bool = False) -> Answer:
    """Return the open incidents of a register, or all of them."""
    found = at.store.incidents(everything=everything, limit=_ALL)
    found.sort(key=lambda one: (not one.is_open, one.priority, one.due_at or _NO_DUE))
    nothing = "No incidents." if everything else "No open incidents."
    return Answer([incident_data(at, one) for one in found], table(at, found) if found else [nothing])


def show(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="the incident: INC-7, or 7")],
) -> Answer:
    """Show one incident and everything that happened."""
    wanted = words.number(number)
    with here() as at:
        incident = at.incident(wanted)
        timeline = at.store.timeline(wanted) if at.sees(incident) else []
        data = incident_data(at, incident, bonds=True) | {
            "timeline": [event_data(at, recorded) for recorded in timeline]
        }
        data.setdefault("bonds", [])
        return Answer(data, at_length(at, incident, timeline))


def _masked(row: Sending) -> Sending:
    """Return a sending as others see it: that it is there, and nothing of what it is about."""
    return replace(row, vendor="", bond="", kind="", payload="{}", why=RESTRICTED)


def outbox() -> Answer:
    """List what is on its way to suppliers, in the order it was asked for."""
    with here() as at:
        rows = sendings.unfinished(at.store)
        secret = at.unseen(row.incident for row in rows)
    rows = [_masked(row) if row.incident in secret else row for row in rows]
    data = [
        {
            "row_id": row.row_id,
            "vendor": row.vendor,
            "number": row.incident,
            "what": row.kind,
            "state": row.state,
            "tries": row.tries,
            "next_at": row.next_at,
            "why": row.why,
            "created_at": row.created_at,
        }
        for row in rows
    ]
    lines = columns(
        ("SENDING", "SUPPLIER", "FOR", "WHAT", "STATE", "TRIES", "WHY"),
        [(r.row_id, r.vendor, r.incident, r.kind, r.state, str(r.tries), r.why) for r in rows],
    )
    return Answer(data, lines if rows else ["Nothing waits: the outbox is empty."])
