"""The steps of an escalation: who is told now, who next, and what is done when nobody answers.

A step is decided when it is due, under the lock, by what holds at that moment: after an outage an incident
takes one step, then the whole wait begins. A step that would tell nobody is skipped at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from register.bond import PageState
from register.core import Event, PersonId, Refused, World, decide, moved
from register.holding import held, waits
from register.incident import Incident, Urgency
from register.run import FIRST, Because, HeldBy, Paging, Place, Run
from register.topics.calling import PAGED_WITHIN
from register.topics.engagement import Engage, Engaged, derived_id
from register.topics.escalation import LAPSES, EscalationEnded, again, asked

STEP, REMINDER, PASSED, TIMED_OUT, AWAITED = ("step", "reminder", "passed", "ack_timeout", "awaited")
"""Why somebody is told by a step: it is its turn; once more; it was passed to them; whoever had it is silent;
each of them is to answer."""
_LATE: Final = timedelta(seconds=60)
"""A step that comes later than this after its time is told to be late."""


class OfRun(Event):
    kind: ClassVar[str] = "_of_run"

    run: str


class StepFired(OfRun):
    """These were told. place: as loop, step, reminder; `then`: what fires at `next_at`. late: seconds."""

    kind: ClassVar[str] = "step_fired"

    policy: str
    version: int
    place: tuple[int, int, int]
    of: int
    targets: tuple[str, ...]
    because: Because
    told: tuple[PersonId, ...]
    suppliers: tuple[str, ...] = ()
    all_ack: bool = False
    cycle: int
    late: int = 0
    then: tuple[int, int, int] | None
    next_at: datetime | None
    page_until: datetime | None


class StepSkippedEmpty(OfRun):
    """Nobody is there at this step: the next one does not wait."""

    kind: ClassVar[str] = "step_skipped_empty"

    place: tuple[int, int, int]
    targets: tuple[str, ...]


class StepHeld(OfRun):
    """It is due and waits: the service is worked on until then, or the incident is silenced."""

    kind: ClassVar[str] = "step_held"

    until: datetime
    held: HeldBy


class EscalationExhausted(OfRun):
    """Every step was taken, as often as the policy says, and nobody has it."""

    kind: ClassVar[str] = "escalation_exhausted"

    policy: str
    loops: int
    empty: bool = False  # a whole round told nobody
    again: bool = False  # it was before: nobody stands above who was not told
    late: int = 0


class EscalatedHierarchical(OfRun):
    """Those with authority are told: `told` stands at this level above the team, 1 next to it."""

    kind: ClassVar[str] = "escalated_hierarchical"

    level: int
    told: tuple[PersonId, ...]
    why: str
    by_itself: bool = False
    cycle: int = 0
    next_at: datetime | None = None
    page_until: datetime | None = None
    late: int = 0


class AckTimedOut(OfRun):
    """Whoever acknowledged it has not been heard of since: it asks again."""

    kind: ClassVar[str] = "ack_timed_out"

    by: PersonId | None
    since: datetime | None


def steps_due(incident: Incident, world: World, command_id: str) -> tuple[Event, ...]:
    """Return what is due of its escalation now: one step, or nothing where somebody was first."""
    run, now = incident.run, world.now
    if run is None or incident.pages_at is None or incident.pages_at > now:
        return ()
    waits_for = held(incident, world.roster.duty, now)
    if waits_for is not None:
        return (StepHeld(run=run.id, until=waits_for.until, held=waits_for.why),)
    if now - (run.word_at or run.began) > LAPSES:
        return (EscalationEnded(why=f"it has run for {LAPSES.days} days"),)
    return tuple(_DUE[run.state](incident, run, world, command_id))


def _fire(
    incident: Incident, run: Run, world: World, command_id: str, because: str = "", late: int | None = None
) -> Iterator[Event]:
    """Take the step that is due; those that would tell nobody are skipped, a whole round of them once."""
    place, empty = run.place, 0
    late = _late(run, world.now) if late is None else late
    while place is not None and empty < len(run.plan.steps):
        told, engaged = whom(incident, run, place, world, command_id)
        if told or engaged:
            yield from engaged
            yield _fired(incident, run, place, world, told, engaged, because or _why(run, place), late)
            return
        yield StepSkippedEmpty(run=run.id, place=place, targets=run.plan.steps[place.step].targets)
        place, empty = run.plan.beyond(place), empty + 1
    yield from _exhausted(incident, run, world, place, late)


def _why(run: Run, place: Place) -> str:
    if run.alone:
        return PASSED
    return REMINDER if place.reminder else STEP


def _fired(
    incident: Incident,
    run: Run,
    place: Place,
    world: World,
    told: tuple[PersonId, ...],
    engaged: tuple[Event, ...],
    because: str,
    late: int,
) -> StepFired:
    step = run.plan.steps[place.step]
    then = place if run.alone else run.plan.after(place)
    wait = world.now + run.plan.wait(place)
    return StepFired(
        run=run.id,
        policy=run.plan.policy,
        version=run.plan.version,
        place=place,
        of=len(run.plan.steps),
        targets=() if run.alone else step.targets,
        because=because,
        told=told,
        suppliers=tuple(one.vendor for one in engaged if isinstance(one, Engaged)),
        all_ack=step.all_ack and not run.alone,
        cycle=run.cycle,
        late=late,
        then=then,
        next_at=None if incident.urgency is Urgency.LOW else wait,
        page_until=paged_until(world),
    )


def _late(run: Run, now: datetime) -> int:
    due = run.due_at
    late = timedelta() if due is None else now - due
    return int(late.total_seconds()) if late > _LATE else 0


def paged_until(world: World) -> datetime | None:
    """Until when a page of now may be sent, where anybody is paged here."""
    return world.now + PAGED_WITHIN if world.policy.matrix.pages_anybody else None


def _exhausted(incident: Incident, run: Run, world: World, place: Place | None, late: int) -> Iterator[Event]:
    loops = run.plan.repeat + 1 if place is None else place.loop + 1
    over = EscalationExhausted(
        run=run.id,
        policy=run.plan.policy,
        loops=loops,
        empty=run.fired is None and place is not None,
        late=late,
    )
    yield over
    yield from _up(incident, moved(over, run, incident, incident, world.now), world, "")


def _up(incident: Incident, run: Run, world: World, command_id: str) -> Iterator[Event]:
    """Silence goes up: the next one with authority is told, until there is none."""
    found = above(incident, run, world)
    if not found:  # those who were left have been told by hand, or are in the matrix no more
        loops = run.plan.repeat + 1
        yield EscalationExhausted(run=run.id, policy=run.plan.policy, loops=loops, again=True)
    else:
        level, person = found[0]
        yield EscalatedHierarchical(
            run=run.id,
            level=level,
            told=(person,),
            why="nobody acknowledged it",
            by_itself=True,
            cycle=run.cycle,
            next_at=world.now + timedelta(seconds=run.plan.steps[-1].wait) if len(found) > 1 else None,
            page_until=paged_until(world),
            late=_late(run, world.now),
        )


def above(incident: Incident, run: Run | None, world: World) -> list[tuple[int, PersonId]]:
    """Those with authority who were not told yet, nearest first, each with the level."""
    level, ids = 0 if run is None else run.level, world.roster.ids
    chain = enumerate(world.policy.matrix.above(incident.team), 1)
    return [(at, ids[key]) for at, key in chain if at > level and key in ids]


def _acknowledged(incident: Incident, run: Run, world: World, command_id: str) -> Iterator[Event]:
    now = world.now
    if run.ack_until is not None and run.ack_until <= now:
        out = AckTimedOut(run=run.id, by=run.acked_by, since=run.acked_at)
        yield out
        after = moved(out, run, incident, incident, now)
        yield from _fire(incident, after, world, command_id, because=TIMED_OUT, late=_late(run, now))
        return
    place = run.fired or FIRST
    left = max(0, run.plan.steps[place.step].remind or 1) - place.reminder
    next_ = place._replace(reminder=place.reminder + 1)
    yield StepFired(
        run=run.id,
        policy=run.plan.policy,
        version=run.plan.version,
        place=next_,
        of=len(run.plan.steps),
        targets=run.plan.steps[place.step].targets,
        because=AWAITED,
        told=run.awaits,
        all_ack=True,
        cycle=run.cycle,
        late=_late(run, now),
        then=None,
        next_at=now + run.plan.wait(place) if left > 1 else None,
        page_until=paged_until(world),
    )


_DUE: Final[Mapping[Paging, Callable[[Incident, Run, World, str], Iterator[Event]]]] = {
    Paging.TRIGGERED: _fire,
    Paging.SUPPRESSED: _fire,
    Paging.ACKNOWLEDGED: _acknowledged,
    Paging.EXHAUSTED: _up,
}
"""What is done when the time of a run has come, by how it stands."""


# Whom a step tells


def whom(
    incident: Incident, run: Run, place: Place, world: World, command_id: str
) -> tuple[tuple[PersonId, ...], tuple[Event, ...]]:
    """Return whom a step tells now, and what engages the suppliers that it names."""
    if run.alone:
        return run.asks, ()
    told, engaged = list(run.asks), list[Event]()
    for target in run.plan.steps[place.step].targets:
        kind, _, name = target.partition(":")
        if kind == "supplier":
            engaged += () if place.reminder else _engaging(incident, run, place, name, world, command_id)
        else:
            told += people_at(kind, name, run.plan.team, world)
    return tuple(dict.fromkeys(told)), tuple(engaged)


def people_at(kind: str, name: str, team: str, world: World) -> tuple[PersonId, ...]:
    """Return who is meant by a target now. Who is in the matrix no more is nobody."""
    matrix, ids = world.policy.matrix, world.roster.ids
    if kind == "person":
        return (name,) if name in ids.values() else ()
    if kind in ("rota", "oncall"):
        own = matrix.teams.get(team)
        rota = name or (own.rota if own is not None else None)
        return world.roster.on_call(rota, world.now) if rota in matrix.rotas else ()
    named = name or team
    if kind == "lead":
        led = matrix.teams.get(named)
        return () if led is None or led.lead is None or led.lead not in ids else (ids[led.lead],)
    return tuple(ids[key] for key, one in matrix.people.items() if named in one.teams and key in ids)


def _engaging(
    incident: Incident, run: Run, place: Place, vendor: str, world: World, command_id: str
) -> tuple[Event, ...]:
    """Return what engages a supplier; nothing where it is engaged, or a rule keeps it from it."""
    words = (
        f"{incident.title}\n\nNobody on our side has resolved it: this comes to you by step {place.step + 1}"
        " of our escalation. Please take it up, and tell us on this ticket how it stands."
    )
    engage = Engage(
        command_id=derived_id(command_id, f"engage {vendor}"),
        target=incident.number,
        vendor=vendor,
        message=words,
    )
    try:
        decided = decide(engage, incident, world)
    except Refused:
        return ()
    asks = incident.owner or next((one.person for one in run.told), world.actor)
    return tuple(
        said.event.model_copy(update={"by": asks} if isinstance(said.event, Engaged) else {"asks": asks})
        for said in decided
    )


# How these move a run


@moved.register
def _(event: StepFired, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    told = asked(event.told, paged=event.page_until is not None)
    if event.because == AWAITED:
        place = Place(*event.place)
        return run.but(fired=place, fired_cycle=event.cycle, next_at=event.next_at, told=told, held="")
    return run.but(
        state=Paging.TRIGGERED,
        place=None if event.then is None else Place(*event.then),
        fired=Place(*event.place),
        fired_at=at,
        fired_cycle=event.cycle,
        next_at=event.next_at,
        told=told,
        awaits=event.told if event.all_ack else (),
        asks=(),
        alone=False,
        held="",
    )


@moved.register
def _(event: StepHeld, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    return waits(run, event.until, event.held)


@moved.register
def _(event: EscalationExhausted, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    return run.but(state=Paging.EXHAUSTED, place=None, next_at=None, held="")


@moved.register
def _(event: EscalatedHierarchical, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    told = asked(event.told, paged=event.page_until is not None)
    known = tuple(one for one in run.told if one.person not in event.told)
    changes: dict[str, Any] = {"level": event.level, "told": (*known, *told)}
    if event.by_itself:
        changes |= {"next_at": event.next_at, "held": ""}
    return run.but(**changes)


@moved.register
def _(event: AckTimedOut, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    return again(run, at, asks=() if event.by is None else (event.by,))


def reached(run: Run) -> bool:
    """Whether anybody of the last firing is known to have been reached."""
    return any(one.state is PageState.DELIVERED for one in run.told)
