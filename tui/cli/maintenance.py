"""Which services are in maintenance, until when, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from register.store.duty import duty_now
from register.text import one_line
from register.topics.maintenance import in_force, whose
from tui.cli.answer import Answer
from tui.cli.here import here
from tui.cli.tabular import columns
from tui.cli.telling import name_of


def list_() -> Answer:
    """List what is in maintenance now: whose escalation waits, and until when."""
    with here() as at:
        windows = in_force(duty_now(at.store), datetime.now(UTC))
        by = {one.id: name_of(at, one.by) for one in windows}
    data: list[dict[str, Any]] = [
        {
            "id": one.id,
            "services": list(one.services),
            "all": not one.services,
            "since": one.begin,
            "until": one.end,
            "by": by[one.id],
            "why": one.why,
        }
        for one in windows
    ]
    rows = [
        (
            one.id,
            one_line(whose(one.services)),
            f"{one.begin:%Y-%m-%d %H:%M} UTC",
            f"{one.end:%Y-%m-%d %H:%M} UTC",
            by[one.id] or "",
            one_line(one.why),
        )
        for one in windows
    ]
    table = columns(("ID", "SERVICE", "SINCE", "UNTIL", "BY", "WHY"), rows)
    return Answer(data, table if rows else ["Nothing is in maintenance: whatever happens escalates."])
