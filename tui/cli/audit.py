"""`muster matrix audit`: was anybody forgotten? Every escalation on record, checked beside the engine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from register.audit import Fault
from register.auditing import audit
from tui.cli.answer import Answer
from tui.cli.here import here
from tui.cli.trouble import FOUND_FAULTS, WrongUse
from tui.typed_time import earlier

_MOST: Final = 50
"""Findings that are told to a person; --json has all."""


def audit_(
    since: Annotated[
        str, typer.Option(metavar="TIME", help="of what happened since: 7d (ago), yesterday, 2026-03-29")
    ] = "",
) -> Answer:
    """Prove that nobody was forgotten: no step missing, none twice, none too early, no page lost."""
    now = datetime.now(UTC)
    begin = earlier(since, now) if since else None
    if since and begin is None:
        raise WrongUse(
            f"--since {since!r} is no time: write 7d (ago), yesterday, or 2026-03-29. Nothing was looked at.",
            ask="since",
        )
    with here() as at:
        done = audit(at.store, now, begin)
    data = {
        "ok": not done.faults,
        "since": begin,
        "incidents": done.incidents,
        "steps": done.fired,
        "found": [
            {"incident": f.number, "wrong": f.wrong, "grave": f.is_grave, "at": f.at, "says": f.says}
            for f in done.found
        ],
    }
    told = [one.says for one in _first(done.found)]
    if len(done.found) > _MOST:
        told.append(f"… and {len(done.found) - _MOST:,} more: `muster matrix audit --json` has all of them.")
    looked = f"Escalations looked at: {done.incidents:,}; steps fired: {done.fired:,}."
    if done.faults:
        return Answer(data, [*told, f"{looked} Wrong: {len(done.faults):,}."], FOUND_FAULTS)
    return Answer(data, [*told, f"{looked} Nobody was forgotten, and nobody told twice."])


def _first(found: list[Fault]) -> list[Fault]:
    """What is wrong before what is worth knowing, each in its order."""
    return sorted(found, key=lambda one: not one.is_grave)[:_MOST]
