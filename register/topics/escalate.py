"""Escalating by hand, to those with the skill or with authority; and taking an acknowledgement back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Final

from pydantic import Field

from register.core import (
    Command,
    Decision,
    Event,
    PersonId,
    Refused,
    Role,
    Target,
    World,
    decide,
    evolve,
    moved,
    refuse_unless,
    says,
)
from register.duty import NO_DUTY
from register.holding import MAINTENANCE, SILENCE, Held, held
from register.incident import Incident
from register.run import FIRST, Paging, Place, Plan, Run
from register.text import Name, Text
from register.topics.escalation import again, begun, plan_of, policy_of
from register.topics.naming import team_of
from register.topics.steps import EscalatedHierarchical, OfRun, above, paged_until

GROUP: Final = "escalate"
GRACE: Final = timedelta(seconds=10)
"""So long a mistaken acknowledgement may be taken back and given again before anybody is paged for it."""
_WHY: Final = Field(description="why: they are told so")


class Functional(Command):
    """Escalate to those with the skill: to another team, or to the next step now."""

    verb: ClassVar[str] = "functional"
    group: ClassVar[str] = GROUP
    hotkey: ClassVar[str | None] = "e"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target
    team: Annotated[
        Name | None, Field(description="the team that owns it from now on; none: the next step now")
    ] = None
    why: Annotated[Text, Field(description="why: it stands in the story")] = ""


class Hierarchical(Command):
    """Escalate to those with authority: the next one above the team is told now."""

    verb: ClassVar[str] = "hierarchical"
    group: ClassVar[str] = GROUP
    hotkey: ClassVar[str | None] = "E"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target
    why: Annotated[Text, _WHY] = ""


class Rebase(Command):
    """Have its escalation follow the matrix as it is now, from where it stands."""

    verb: ClassVar[str] = "rebase"
    group: ClassVar[str] = GROUP
    role: ClassVar[Role] = Role.COORDINATOR

    target: Target


class Unacknowledge(Command):
    """Take an acknowledgement back: nobody has it, and in ten seconds it asks again."""

    verb: ClassVar[str] = "unack"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target


class EscalatedFunctional(OfRun):
    """To a team, which owns it now; or, within its team, to the next step. by hand: `next_at` is now."""

    kind: ClassVar[str] = "escalated_functional"

    team: str
    team_before: str
    why: str
    then: tuple[int, int, int] | None = None


class PolicyRebased(OfRun):
    kind: ClassVar[str] = "policy_rebased"

    plan: Plan
    version_before: int
    then: tuple[int, int, int] | None


class Unacknowledged(Event):
    kind: ClassVar[str] = "unacknowledged"

    by: PersonId
    next_at: datetime


def _refuse_over(incident: Incident) -> None:
    refuse_unless(
        incident.is_open,
        f"{incident.number} is {incident.state.lower()}: only an open one is escalated. Nothing was done.",
    )


def _refuse_held(incident: Incident, found: Held | None) -> None:
    """Nobody is paged for it now: whoever wants them paged says so first."""
    if found is None:
        return
    until, what = f"{found.until:%Y-%m-%d %H:%M} UTC", incident.service or "every service"
    why, end = {
        SILENCE: (f"{incident.number} is silenced", f"`muster unsilence {incident.number}` ends that"),
        MAINTENANCE: (f"{what} is in maintenance", "`muster maintenance list` shows what to end"),
    }[found.why]
    raise Refused(f"{why} until {until}: nobody is paged for it. Nothing was done: {end}.")


@decide.register
def _(command: Functional, incident: Incident, world: World) -> Decision:
    _refuse_over(incident)
    run = incident.run
    if command.team is not None:
        team = team_of(world.policy.matrix, command.team)
        refuse_unless(
            team != incident.team,
            f"{incident.number} is with {team} already. Nothing was done: leave the team out, and the next"
            " step of its policy is taken now.",
            ask="team",
        )
        to = EscalatedFunctional(
            run=run.id if run is not None else "", team=team, team_before=incident.team, why=command.why
        )
        return says(incident, to)
    refuse_unless(
        run is not None,
        f"No policy says who is told of {incident.number}. Nothing was done: name the team that it goes to,"
        " or write a policy into matrix.toml (docs/escalation.md).",
        ask="team",
    )
    _refuse_held(incident, held(incident, world.roster.duty, world.now))
    then = _beyond(run) if run is not None else None
    refuse_unless(
        then is not None,
        f"Every step for {incident.number} has been taken. Nothing was done: name a team, engage a supplier,"
        f" or `muster escalate hierarchical {incident.number}`.",
        ask="team",
    )
    return says(
        incident,
        EscalatedFunctional(
            run=run.id if run is not None else "",
            team=incident.team,
            team_before=incident.team,
            why=command.why,
            then=then,
        ),
    )


def _beyond(run: Run) -> Place | None:
    """The step that comes next, whatever reminders there are of the one that was taken."""
    return run.place or FIRST if run.fired is None else run.plan.beyond(run.fired)


@decide.register
def _(command: Hierarchical, incident: Incident, world: World) -> Decision:
    """In a maintenance it is done, for a person asks for it."""
    _refuse_over(incident)
    _refuse_held(incident, held(incident, NO_DUTY, world.now))
    found = above(incident, incident.run, world)
    told = incident.run is not None and incident.run.level
    refuse_unless(
        found,
        f"Nobody {'else ' if told else ''}stands above {incident.team or 'the team'} of {incident.number}."
        " Nothing was done: give the team a `lead` or `authority` in matrix.toml, or call somebody.",
    )
    level, person = found[0]
    run = incident.run
    started = () if run is not None else begun(incident, world, command.command_id, "by_hand")
    return says(
        incident,
        *started,
        EscalatedHierarchical(
            run=run.id if run is not None else "",
            level=level,
            told=(person,),
            why=command.why,
            cycle=0 if run is None else run.cycle,
            page_until=paged_until(world),
        ),
    )


@decide.register
def _(command: Rebase, incident: Incident, world: World) -> Decision:
    _refuse_over(incident)
    found, run = policy_of(incident, world.policy.matrix), incident.run
    if run is None or found is None:
        started = begun(incident, world, command.command_id, "by_hand")
        refuse_unless(
            started,
            f"No policy says who is told of {incident.number}. Nothing was done: write one into matrix.toml"
            " (docs/escalation.md).",
        )
        return says(incident, *started)
    plan = plan_of(*found, incident.team, world)
    refuse_unless(
        plan.but(version=0) != run.plan.but(version=0),
        f"{incident.number} follows {plan.policy} as it is now already. Nothing was done.",
    )
    then = plan.after(run.fired) if run.fired is not None and not run.alone else run.place
    return says(incident, PolicyRebased(run=run.id, plan=plan, version_before=run.plan.version, then=then))


@decide.register
def _(command: Unacknowledge, incident: Incident, world: World) -> Decision:
    _refuse_over(incident)
    run = incident.run
    refuse_unless(
        run is not None and run.state is Paging.ACKNOWLEDGED,
        f"Nobody's acknowledgement of {incident.number} stands. Nothing was done.",
    )
    return says(incident, Unacknowledged(by=world.actor, next_at=world.now + GRACE))


@evolve.register
def _(event: EscalatedFunctional, incident: Incident, at: datetime) -> Incident:
    if event.team == event.team_before:
        return incident
    return incident.but(team=event.team, team_by_hand=True, owner=None, reassigned=incident.reassigned + 1)


@moved.register
def _(event: EscalatedFunctional, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    if event.then is None:
        return run  # the team's own policy begins
    return again(run, at, place=Place(*event.then), level=run.level, asks=(), alone=False, word_at=at)


@moved.register
def _(event: PolicyRebased, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    place = None if event.then is None else Place(*event.then)
    goes_on = {"state": Paging.TRIGGERED, "next_at": at} if run.state is Paging.EXHAUSTED and place else {}
    return run.but(plan=event.plan, place=place, **goes_on)


@moved.register
def _(event: Unacknowledged, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    return again(run, event.next_at, word_at=at)
