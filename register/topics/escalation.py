"""An incident's escalation: when it begins, what holds it up, and what ends it.

It begins with the incident, by the policy that the matrix has for it, and anew where another team gets it or
it is reopened. It follows the plan with which it began; `register.topics.steps` takes the steps. Whoever
acknowledges, takes or holds the incident stops it, and is asked again when the policy says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from register.bond import PageState
from register.core import Event, PersonId, World, evolve, moved
from register.incident import Incident, State, Urgency
from register.policy import Matrix
from register.run import FIRST, Began, HeldBy, Paging, Plan, PlanStep, Run, Told
from register.steps import EscalationPolicy, Step
from register.topics.caller import CallerTold
from register.topics.calls import Called
from register.topics.correction import Corrected
from register.topics.engagement import Replied, derived_id
from register.topics.hold import Held, Resumed
from register.topics.notes import Noted
from register.topics.ownership import Acknowledged, Assigned, Reassigned
from register.topics.paging import Notified, NotifyFailed, PageCancelled, PagedAgain, PageEvent

LAPSES: Final = timedelta(days=14)
"""So long after it began a run asks nobody again: what was acknowledged in June pages no one in October."""


class EscalationStarted(Event):
    """It runs from now on. plan: the policy as it is now. held: why it waits until `next_at`.

    acked_by: who has it already. asks, alone: who is told first.
    """

    kind: ClassVar[str] = "escalation_started"

    run: str
    plan: Plan
    why: Began
    next_at: datetime | None
    held: HeldBy = ""
    acked_by: PersonId | None = None
    asks: tuple[PersonId, ...] = ()


class EscalationEnded(Event):
    """Nobody is told of it any more, though it is open."""

    kind: ClassVar[str] = "escalation_ended"

    why: str


def plan_of(name: str, policy: EscalationPolicy, team: str, world: World) -> Plan:
    """Return a policy as a run keeps it: without anybody's name."""
    return Plan(
        policy=name,
        version=world.policy.version,
        team=team,
        steps=tuple(_planned(step, world.roster.ids) for step in policy.steps),
        repeat=policy.repeat,
        ack_timeout={p: int(length.total_seconds()) for p, length in policy.ack_timeout.items()},
    )


def _planned(step: Step, ids: Mapping[str, str]) -> PlanStep:
    to = (
        f"person:{ids[said.removeprefix('person:')]}"
        if said.startswith("person:") and said.removeprefix("person:") in ids
        else said
        for said in step.to
    )
    wait = int(step.wait.total_seconds())
    return PlanStep(targets=tuple(to), wait=wait, remind=step.remind, all_ack=step.all_ack)


def policy_of(incident: Incident, matrix: Matrix) -> tuple[str, EscalationPolicy] | None:
    """Return the policy that is for this incident now, with its name."""
    name = matrix.policy_for(incident.team, incident.service, incident.category)
    policy = matrix.policies.get(name or "")
    return None if name is None or policy is None else (name, policy)


def begun(incident: Incident, world: World, command_id: str, why: Began, **more: Any) -> tuple[Event, ...]:
    """Return the beginning of a run, or the end of the one there is where no policy is for it."""
    found = policy_of(incident, world.policy.matrix)
    if found is None:
        ended = f"no policy says who is told of what {incident.team or 'nobody'} owns"
        return (EscalationEnded(why=ended),) if incident.run is not None else ()
    plan = plan_of(*found, incident.team, world)
    run = derived_id(command_id, f"run {incident.number}")
    return (EscalationStarted(run=run, plan=plan, why=why, **({"next_at": world.now} | more)),)


def follow_ups(before: Incident | None, after: Incident, world: World, command_id: str) -> tuple[Event, ...]:
    """Return what a change of an incident means for its escalation. before: None where it is new."""
    matrix = world.policy.matrix
    if not after.is_open or (not matrix.policies and after.run is None):
        return ()
    if before is None:
        return begun(after, world, command_id, "opened")
    if not before.is_open:
        return begun(after, world, command_id, "reopened", **_reopened(before, after, world))
    where = [(one.team, policy_of(one, matrix)) for one in (before, after)]
    if where[0] == where[1] or (before.run is None and before.team == after.team):
        return ()
    asks = (after.owner,) if after.owner is not None and after.owner != before.owner else ()
    return begun(after, world, command_id, "moved", asks=asks)


def _reopened(before: Incident, after: Incident, world: World) -> dict[str, Any]:
    """How a reopened one begins: with whoever has it; quietly, where it comes and goes."""
    if after.last_reopened_by is not None and after.last_reopened_by == after.owner:
        return {"acked_by": after.owner, "next_at": None}
    by_alert = after.alert is not None and after.alert != before.alert
    last, window = before.last_reopened_at, world.policy.matrix.flap_window
    if by_alert and last is not None and world.now - last <= window:
        return {"held": "flapping", "next_at": world.now + window}
    return {}


# How events move a run


def acked(run: Run, by: PersonId | None, incident: Incident, at: datetime) -> Run:
    """Somebody has it in hand. Who is to acknowledge for themselves is still waited for."""
    awaits = tuple(one for one in run.awaits if one != by)
    place, on_hold = run.fired or FIRST, incident.state is State.ON_HOLD  # that has a time of its own
    return run.but(
        state=Paging.ACKNOWLEDGED,
        cycle=run.cycle + (run.state is not Paging.ACKNOWLEDGED),
        acked_by=by or run.acked_by,
        acked_at=at,
        ack_until=None if by is None or on_hold else run.plan.ack_until(incident.priority, at),
        word_at=at,
        awaits=awaits,
        next_at=at + run.plan.wait(place) if awaits else None,
        asks=(),
        alone=False,
        held="",
    )


def told_anew(run: Run, person: PersonId, state: PageState | None, by: str = "") -> Run:
    """The same run, with how far somebody's page has come."""
    if all(one.person != person for one in run.told):
        return run
    told = (one.but(state=state, by=by) if one.person == person else one for one in run.told)
    return run.but(told=tuple(told))


@evolve.register
def _(event: EscalationStarted, incident: Incident, at: datetime) -> Incident:
    run = Run(
        id=event.run,
        plan=event.plan,
        began=at,
        why=event.why,
        state=Paging.SUPPRESSED if event.held else Paging.TRIGGERED,
        next_at=event.next_at,
        held=event.held,
        asks=event.asks,
        alone=bool(event.asks),
    )
    if event.acked_by is not None:
        run = acked(run, event.acked_by, incident, at)
    return incident.but(run=run)


@evolve.register
def _(event: EscalationEnded, incident: Incident, at: datetime) -> Incident:
    return incident.but(run=None)


@moved.register
def _(event: Acknowledged, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    return run if event.late else acked(run, event.by, after, at)


@moved.register
def _(event: Assigned, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    return acked(run, event.to, after, at)


@moved.register
def _(event: Reassigned, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    """Who gets it has not said yet that they have it: they are asked, and nobody else."""
    if event.to is None or not after.is_open:
        return run
    return again(run, at, asks=(event.to,), alone=True, word_at=at)


@moved.register
def _(event: Held, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    """Who puts it on hold has it in hand; its own time wakes it."""
    return acked(run, None, after, at)


@moved.register
def _(event: Resumed, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    """Taken along by its parent it is in hand; else whoever had it is asked again in time."""
    if before.state is not State.ON_HOLD:
        return acked(run, None, after, at)
    until = run.plan.ack_until(after.priority, at)
    return run.but(ack_until=until, word_at=at) if run.state is Paging.ACKNOWLEDGED else run


@moved.register(Noted)
@moved.register(Replied)
@moved.register(CallerTold)
@moved.register(Called)
def _(event: Event, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    """Who works on it is not asked whether anybody does."""
    if run.ack_until is None or run.state is not Paging.ACKNOWLEDGED:
        return run
    return run.but(ack_until=run.plan.ack_until(after.priority, at), word_at=at)


@moved.register
def _(event: Corrected, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    asks_again = run.state is Paging.ACKNOWLEDGED and run.acked_by is not None and not run.held
    if before.priority is not after.priority and asks_again and after.state is not State.ON_HOLD:
        until = run.plan.ack_until(after.priority, run.acked_at or at)
        run = run.but(ack_until=None if until is None else max(until, at))
    was, is_ = before.urgency is Urgency.LOW, after.urgency is Urgency.LOW
    if was == is_ or run.state is not Paging.TRIGGERED or run.fired is None:
        return run
    return run.but(next_at=None if is_ else at)


def _is_of_last(event: PageEvent, run: Run) -> bool:
    """Whether its page was asked for by what fired last: the end of an older one says nothing of that."""
    if event.run != run.id:
        return False
    return event.place is None or (event.cycle, event.place) == (run.fired_cycle, run.fired)


@moved.register
def _(event: Notified, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    if not _is_of_last(event, run):
        return run
    return told_anew(run, event.person, PageState.DELIVERED, event.tried[-1].channel if event.tried else "")


@moved.register
def _(event: NotifyFailed, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    """Where nobody of a step can be reached at all, the next one does not wait."""
    if not _is_of_last(event, run):
        return run
    why = event.because or "; ".join(f"{one.channel}: {one.why}" for one in event.tried)
    run = told_anew(run, event.person, PageState.FAILED, why)
    lost = event.next_at is None and all(one.state is PageState.FAILED for one in run.told)
    if lost and run.state is Paging.TRIGGERED and run.next_at is not None and run.next_at > at:
        return run.but(next_at=at)
    return run


@moved.register
def _(event: PagedAgain, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    return told_anew(run, event.person, PageState.ASKED) if _is_of_last(event, run) else run


@moved.register
def _(event: PageCancelled, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    """What a hold kept from everybody is asked for again: it is due, and waits for the end of the hold."""
    if not _is_of_last(event, run):
        return run
    run = told_anew(run, event.person, None, event.because)
    unheard = all(one.state in (None, PageState.ASKED) for one in run.told)
    if event.held and unheard and run.state is Paging.TRIGGERED and run.fired is not None:
        return run.but(place=run.fired, next_at=at)
    return run


def again(run: Run, at: datetime, **more: Any) -> Run:
    """The same run where it stood, asking anew: nobody has it."""
    changes: dict[str, Any] = {
        "state": Paging.TRIGGERED,
        "cycle": run.cycle + 1,
        "place": run.fired or run.place or FIRST,
        "next_at": at,
        "level": 0,
        "acked_by": None,
        "acked_at": None,
        "ack_until": None,
        "awaits": (),
        "held": "",
    }
    return run.but(**changes | more)


def asked(ids: tuple[PersonId, ...], *, paged: bool) -> tuple[Told, ...]:
    return tuple(Told(person=one, state=PageState.ASKED if paged else None) for one in ids)


def people_of(run: Run) -> Iterator[PersonId]:
    """Everybody whom this run names."""
    yield from (one.person for one in run.told)
    yield from (one for one in (run.acked_by, *run.awaits, *run.asks) if one)
