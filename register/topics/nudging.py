"""Reminding suppliers of their contracts before these are broken: once a clock and step, told as ours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

from register.calendars import moment_of, seconds_of
from register.clocks.definition import Metric
from register.clocks.nudge import Step, mark_of, steps
from register.clocks.run import clocks_of
from register.clocks.span import told
from register.core import Command, Decision, Event, Role, Said, World, decide, effects, evolve
from register.effect import Effect
from register.incident import Bond, CallWhy, Incident
from register.text import Text
from register.topics.calling import CallDue, page_until
from register.topics.delivery import RowId, about, others_of, sending_of
from register.topics.engagement import derived_id, enqueued
from register.topics.sendings import SendDropped

_ASKS: Final = {
    Metric.ACKNOWLEDGE: "a first answer from you",
    Metric.WORD: "the next word from you",
    Metric.FIX: "the fix",
}


class Nudged(Event):
    """A supplier was reminded by itself. mark: which of its clocks; clock: what that is called."""

    kind: ClassVar[str] = "nudged"

    bond: str
    vendor: str
    production: bool
    clock: str
    mark: str
    percent: int
    due: datetime
    message: str
    done: tuple[str, ...]  # every step that is taken now, of the clocks that matter still
    op: str


class LetGo(Command):
    """What a reminder was about is over before it left: it is not sent."""

    role: ClassVar[Role] = Role.ENGINE
    on_incident: ClassVar[bool] = False

    row_id: RowId
    why: Text


@decide.register
def _(command: LetGo, incident: Any, world: World) -> Decision:
    row = sending_of(command, world)
    if row.state != "sending":
        return ()
    return (Said(row.incident, SendDropped(**about(row), **others_of(row, world), reason=command.why)),)


def nudges_due(incident: Incident, world: World, command_id: str) -> tuple[Event, ...]:
    """What is due of contracts now. After an outage a clock takes one step: the furthest that it has reached.

    A supplier that only a person can speak to is not written to: a card asks for a call.
    """
    if not incident.live_bonds():
        return ()
    now = seconds_of(world.now)
    clocks = clocks_of(incident, world.policy.timeline)
    due: dict[tuple[str, str], list[Step]] = {}
    for step in steps(incident, clocks, world.policy.timeline):
        if step.at <= now:
            due.setdefault((step.bond.id, mark_of(step.clock)), []).append(step)
    done: dict[str, tuple[str, ...]] = {}
    found = []
    for (bond, _), taken in due.items():
        done[bond] = _with(done.get(bond, taken[-1].bond.nudged), taken)
        found.append(_event(incident, taken[-1], done[bond], world, command_id))
    return tuple(found)


def _with(before: tuple[str, ...], taken: Sequence[Step]) -> tuple[str, ...]:
    """The steps that are taken. Each word of theirs begins another clock: older ones are forgotten."""
    mine, word = mark_of(taken[0].clock), f"{Metric.WORD}:"
    old = {key for key in before if key.startswith(word) and not key.startswith(f"{mine}:")}
    kept = (key for key in before if not mine.startswith(word) or key not in old)
    return tuple(dict.fromkeys((*kept, *(step.key for step in taken))))


def _event(incident: Incident, step: Step, done: tuple[str, ...], world: World, command_id: str) -> Event:
    bond, clock, now = step.bond, step.clock, seconds_of(world.now)
    if bond.by_hand:
        return CallDue(
            bond=bond.id,
            vendor=bond.vendor,
            why=CallWhy.CONTRACT,
            asks=bond.engaged_by,
            level=step.number,
            clock=clock.name,
            nudged=done,
            page_until=page_until(world, incident.priority),
        )
    due = moment_of(clock.due if clock.due is not None else now)
    return Nudged(
        bond=bond.id,
        vendor=bond.vendor,
        production=bond.production,
        clock=clock.name,
        mark=mark_of(clock),
        percent=step.percent,
        due=due,
        message=_message(incident, step, due, now),
        done=done,
        op=derived_id(command_id, f"{bond.id} {step.key}"),
    )


def _message(incident: Incident, step: Step, due: datetime, now: int) -> str:
    left = step.clock.left(now)
    stands = f"is due {due:%Y-%m-%d %H:%M} UTC ({told(left)} left)"
    if left < 0:
        stands = f"was due {due:%Y-%m-%d %H:%M} UTC ({told(-left)} over)"
    return (
        f"A reminder by our service desk, sent by itself, for our {incident.number}: as agreed between us,"
        f" {_ASKS[step.clock.rule.metric]} {stands}. Please answer on this ticket."
    )


@evolve.register
def _(event: Nudged, incident: Incident, at: datetime) -> Incident:
    bond: Bond | None = incident.bond(event.bond)
    return incident if bond is None else incident.with_bond(bond.but(nudged=event.done))


@effects.register
def _(event: Nudged, stream: str, command_id: str) -> tuple[Effect, ...]:
    payload = {"body": event.message, "public": True, "quiet": True, "about": event.mark}
    return (enqueued(event.bond, event.vendor, stream, event.op, "comment", payload),)
