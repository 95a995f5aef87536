"""What holds an escalation up though something of it is due, how a run waits for that, and goes on. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from register.bond import PageState, Priority
from register.duty import Duty
from register.incident import Incident
from register.run import HeldBy, Paging, Place, Run

MAINTENANCE: Final[HeldBy] = "maintenance"
SILENCE: Final[HeldBy] = "silence"


class Held(NamedTuple):
    """Until when it waits, and for which of the two."""

    until: datetime
    why: HeldBy


def held(incident: Incident, duty: Duty, at: datetime) -> Held | None:
    """What holds this incident's escalation up at that time, the longest; None where nothing does."""
    until, silence = duty.held_until(incident.service, at), incident.silence
    found = [] if until is None else [Held(until, MAINTENANCE)]
    if silence is not None and silence.until > at:
        found.append(Held(silence.until, SILENCE))
    return max(found, default=None)


def waits(run: Run, until: datetime, why: HeldBy) -> Run:
    """The same run, with nothing of it due before `until`. What is due later than that stays so."""
    run = run.but(next_at=_later(run.next_at, until), ack_until=_later(run.ack_until, until), held=why)
    if run.state is Paging.TRIGGERED:
        return run.but(state=Paging.SUPPRESSED, place=_unheard(run) or run.place)
    return run


def goes_on(run: Run, at: datetime, priority: Priority) -> Run:
    """The same run, with what it waited for over at that time: what was due meanwhile is due then."""
    again = None if run.next_at is None else at
    if run.state is Paging.SUPPRESSED:
        return run.but(next_at=again) if again else run.but(state=Paging.TRIGGERED, held="")
    until = run.plan.ack_until(priority, run.acked_at or at) if run.ack_until is not None else None
    return run.but(next_at=again, ack_until=_later(until, at), held="")


def _later(one: datetime | None, other: datetime) -> datetime | None:
    return None if one is None else max(one, other)


def _unheard(run: Run) -> Place | None:
    """The step that fired last, where no page of it has reached anybody, nor will."""
    pages = [one.state for one in run.told if one.state is not None or one.by]
    lost = bool(pages) and all(state in (None, PageState.ASKED) for state in pages)
    return run.fired if lost else None
