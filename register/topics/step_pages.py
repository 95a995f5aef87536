"""Pages of an escalation's steps: for whom, why, and what ends the need of them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from register.core import PersonId, effects
from register.duty import Duty
from register.effect import Effect
from register.incident import Incident
from register.run import Paging
from register.topics.engagement import derived_id
from register.topics.paging import About, SendPage, needless
from register.topics.steps import EscalatedHierarchical, StepFired

AUTHORITY = "authority"
"""Why somebody with authority is told: beside what a step says (`register.topics.steps`)."""


class AboutStep(About):
    """A step tells them. because: as StepFired has it, or AUTHORITY. place: as there; None for AUTHORITY."""

    reason: Literal["step"] = "step"
    run: str
    cycle: int
    because: str
    policy: str = ""
    place: tuple[int, int, int] | None = None
    of: int = 0
    all_ack: bool = False
    level: int | None = None
    words: str = ""  # why those with authority are told
    by_itself: bool = False  # they are, for nobody answered


@needless.register
def _(about: AboutStep, incident: Incident, person: PersonId) -> str:
    run = incident.run
    if not about.run:  # a person told those with authority before any policy was for it
        return "they have acknowledged it" if incident.acknowledged_by == person else ""
    if run is None or run.id != about.run:
        return "it is escalated anew, or not any more"
    if about.because == AUTHORITY and not about.by_itself:  # a person wants them to know, whatever holds it
        return "they have acknowledged it" if run.acked_by == person else ""
    if run.state is Paging.SUPPRESSED:
        return f"nobody is paged for it now: {run.held}"
    if person in run.awaits:
        return ""
    if run.state is Paging.ACKNOWLEDGED or run.cycle != about.cycle:
        return "somebody has acknowledged it"
    return ""


def told_again(about: About, incident: Incident | None, person: PersonId) -> str:
    """Why a step's page need not be sent beside a newer one to the same person; empty where it is the newest.

    What could not be sent for a while would come to them all at once.
    """
    run = None if incident is None else incident.run
    if run is None or not isinstance(about, AboutStep) or about.place is None:
        return ""
    if (about.cycle, about.place) == (run.fired_cycle, run.fired):
        return ""
    return "they are told again by now" if any(one.person == person for one in run.told) else ""


def maintained(about: About, incident: Incident | None, duty: Duty, at: datetime) -> str:
    """Why a step's page is not sent now, as a half-sentence: its service is worked on since it was asked for.

    Empty where it is sent; whom a person wants to be told is told.
    """
    if incident is None or not isinstance(about, AboutStep) or about.because == AUTHORITY:
        return ""
    until = duty.held_until(incident.service, at)
    return "" if until is None else f"its service is in maintenance until {until:%Y-%m-%d %H:%M} UTC"


def _pages(
    about: AboutStep, told: tuple[PersonId, ...], stream: str, command_id: str, until: datetime | None
) -> tuple[Effect, ...]:
    if until is None:
        return ()
    payload = about.model_dump_json()
    rows = ((one, derived_id(command_id, f"page {about.run} {about.because} {one}")) for one in told)
    return tuple(SendPage(row_id, stream, one, payload, until) for one, row_id in rows)


@effects.register
def _(event: StepFired, stream: str, command_id: str) -> tuple[Effect, ...]:
    about = AboutStep(
        run=event.run,
        cycle=event.cycle,
        because=event.because,
        policy=event.policy,
        place=event.place,
        of=event.of,
        all_ack=event.all_ack,
    )
    return _pages(about, event.told, stream, command_id, event.page_until)


@effects.register
def _(event: EscalatedHierarchical, stream: str, command_id: str) -> tuple[Effect, ...]:
    about = AboutStep(
        run=event.run,
        cycle=event.cycle,
        because=AUTHORITY,
        level=event.level,
        words=event.why,
        by_itself=event.by_itself,
    )
    return _pages(about, event.told, stream, command_id, event.page_until)
