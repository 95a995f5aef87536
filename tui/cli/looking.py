"""Commands that only look: list, show, the outbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from register.core import Recorded
from register.incident import Incident
from register.seeing import RESTRICTED
from register.store import outbox as sendings
from register.store.history import incident_then, incidents_then, timeline_then
from register.store.outbox import Sending
from tui.cli import words
from tui.cli.answer import Answer
from tui.cli.here import Here, here
from tui.cli.past import AsOf, heading, known, looking_back, not_known, past
from tui.cli.telling import at_length, columns, event_data, incident_data, table

_ALL: Final = 100_000_000
_NO_DUE: Final = datetime.max.replace(tzinfo=UTC)


def list_(
    everything: Annotated[bool, typer.Option("--all", help="those that are over, too")] = False,
    as_of: AsOf = None,
) -> Answer:
    """List the open incidents, the most pressing first."""
    with here() as at:
        if as_of is None:
            return listed(at, everything=everything)
        return _listed_then(at, past(as_of, datetime.now(UTC)), everything=everything)


def listed(at: Here, *, everything: bool = False) -> Answer:
    """Return the open incidents of a register, or all of them."""
    return _told(at, at.store.incidents(everything=everything, limit=_ALL), everything=everything)


def _listed_then(at: Here, moment: datetime, *, everything: bool) -> Answer:
    when = known(at, moment)
    with at.store.read() as connection:
        found = list(incidents_then(connection, when, everything=everything))
    answer = _told(looking_back(at), found, everything=everything)
    return replace(answer, lines=[*heading(at, when), "", *answer.lines])


def _told(at: Here, found: list[Incident], *, everything: bool) -> Answer:
    def pressing(one: Incident) -> tuple[Any, ...]:
        return (False, not one.is_open, one.priority, one.due_at or _NO_DUE) if at.sees(one) else (True,)

    found.sort(key=pressing)
    nothing = "No incidents." if everything else "No open incidents."
    return Answer([incident_data(at, one) for one in found], table(at, found) if found else [nothing])


def show(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="the incident: INC-7, or 7")],
    as_of: AsOf = None,
) -> Answer:
    """Show one incident and everything that happened."""
    wanted = words.number(number)
    with here() as at:
        if as_of is not None:
            return _shown_then(at, past(as_of, datetime.now(UTC)), wanted)
        incident = at.incident(wanted)
        return _shown(at, incident, at.store.timeline(wanted) if at.sees(incident) else [])


def _shown_then(at: Here, moment: datetime, wanted: str) -> Answer:
    when = known(at, moment)
    with at.store.read() as connection:
        incident = incident_then(connection, when, wanted)
        if incident is None:
            raise not_known(at, when, wanted)
        timeline = timeline_then(connection, when, wanted)
    back = looking_back(at)
    answer = _shown(back, incident, timeline if back.sees(incident) else [])
    return replace(
        answer, data=answer.data | {"as_of": when.at}, lines=[*heading(at, when), "", *answer.lines]
    )


def _shown(at: Here, incident: Incident, timeline: list[Recorded]) -> Answer:
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
