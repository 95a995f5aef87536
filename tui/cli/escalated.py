"""How an incident's escalation stands, for `muster show`: how far it has come, and who was told by what."""

from __future__ import annotations

from typing import Any

from register.incident import Incident
from register.plain import one_line
from tui.cli.here import Here
from tui.told_words import reached_words, told_words


def data_of(at: Here, incident: Incident) -> dict[str, Any] | None:
    """Return what --json tells of it; None where none runs. step: the one that fired last, 0 for none."""
    run = incident.run
    if run is None:
        return None
    return {
        "policy": run.plan.policy,
        "version": run.plan.version,
        "state": run.state,
        "why": run.why,
        "began": run.began,
        "step": run.reached,
        "of": len(run.plan.steps),
        "next_at": run.next_at,
        "held": run.held,
        "acknowledged_by": _name(at, run.acked_by),
        "asks_again_at": run.ack_until,
        "told": [
            {"person": _name(at, one.person), "page": one.state, "by": one_line(one.by)} for one in run.told
        ],
    }


def lines_of(at: Here, incident: Incident) -> list[str]:
    """Return it for a person; nothing where none runs."""
    run = incident.run
    if run is None:
        return []
    held = f": {one_line(run.held)}" if run.held else ""
    then = "" if run.due_at is None else f", goes on at {run.due_at.astimezone():%Y-%m-%d %H:%M %Z}"
    lines = ["", f"Escalation by {run.plan.policy}: {run.state}{held}, {reached_words(run)}{then}"]
    return lines + [f"  {_name(at, one.person)}: {told_words(one)[0]}" for one in run.told]


def _name(at: Here, person: str | None) -> str | None:
    return None if person is None else one_line(at.people.get(person, person))
