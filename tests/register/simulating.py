"""A month of escalations on an accelerated clock: what people do is drawn from a seed, the engine ticks."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final, NamedTuple

from register.core import Command, NotFound, Principal, Refused, Role
from register.desk import ServiceDesk
from register.incident import HoldReason, Impact, Urgency
from register.store import Store
from register.topics.alerts import Status, TakeAlert
from register.topics.correction import Correct
from register.topics.escalate import Functional, Hierarchical, Rebase, Unacknowledge
from register.topics.hold import PutOnHold, Resume
from register.topics.intake import Log
from register.topics.maintenance import EndMaintenance, StartMaintenance
from register.topics.notes import Note
from register.topics.ownership import Acknowledge, PassOn, Take
from register.topics.resolution import Reopen
from register.topics.silence import Silence, Unsilence
from register.watch import next_after, tick
from tests.conftest import Clock
from tests.register.escalating import PEOPLE, escalating
from tests.register.saying import fixed

BEGIN: Final = datetime(2026, 3, 14, 6, 0, tzinfo=UTC)
"""Clocks go forward in Oslo on 29 March, in the middle of it."""
DAYS: Final = 30
MATRIX: Final = f"""
fallback_team = "apps"
default_policy = "usual"
{PEOPLE}
[teams.apps]
name = "Apps"
lead = "ben"
authority = ["eva"]
rota = "apps"
[teams.nets]
name = "Nets"
lead = "dora"
rota = "nets"
policy = "pair"
[teams.heads]
name = "Heads"
[rotas.apps]
zone = "Europe/Oslo"
[[rotas.apps.shifts]]
rotate = "hourly"
every = 8
start = "2026-03-01 06:00"
people = ["ana", "ben", "eva"]
[rotas.nets]
zone = "Europe/Oslo"
[[rotas.nets.shifts]]
hours = ["Mon-Fri 08:00-20:00"]
people = ["carl"]
[[rotas.nets.shifts]]
rotate = "daily"
start = "2026-03-01 07:00"
people = ["dora", "carl"]
[policies.usual]
repeat = 2
[[policies.usual.steps]]
to = ["oncall"]
wait = "5m"
remind = 1
[[policies.usual.steps]]
to = ["lead", "rota:nets"]
wait = "10m"
[[policies.usual.steps]]
to = ["team:heads"]
wait = "15m"
[policies.pair]
repeat = 1
ack_timeout = {{ P1 = "20m", P2 = "1h", P3 = "3h" }}
[[policies.pair.steps]]
to = ["team"]
wait = "7m"
all_ack = true
remind = 2
[[policies.pair.steps]]
to = ["lead", "person:eva"]
wait = "9m"
"""
LOGINS: Final = ("ana", "ben", "carl", "dora", "eva")
LATEST: Final = 5
"""Seconds that a late tick comes after its time: over a whole policy less than one wait."""


class Act(NamedTuple):
    """What somebody does at a time; nobody: the engine ticks."""

    at: datetime
    who: str
    command: Command | None


@dataclass(frozen=True)
class Month:
    """acts: in the order of time. outages: from, until; the engine is down."""

    acts: tuple[Act, ...]
    outages: tuple[tuple[datetime, datetime], ...]
    end: datetime

    def up_at(self, at: datetime) -> datetime:
        """When the engine can do what is to be done then."""
        return next((until for since, until in self.outages if since <= at < until), at)


def _commands(dice: random.Random, number: str) -> Command:
    """Something that people do about an incident."""
    why = "so it is"
    makers: Sequence[Callable[[], Command]] = (
        *(lambda: Acknowledge(target=number),) * 5,
        *(lambda: Take(target=number),) * 3,
        *(lambda: fixed(number),) * 6,
        lambda: Unacknowledge(target=number),
        lambda: PassOn(target=number, to=dice.choice(LOGINS)),
        lambda: PassOn(target=number, team=dice.choice(("apps", "nets"))),
        lambda: PutOnHold(target=number, reason=HoldReason.CHANGE, on="CHG-1"),
        lambda: Resume(target=number),
        lambda: Reopen(target=number, reason=why),
        lambda: Correct(target=number, urgency=dice.choice(list(Urgency)), reason=why),
        lambda: Correct(target=number, impact=dice.choice(list(Impact)), reason=why),
        lambda: Functional(target=number, why=why),
        lambda: Functional(target=number, team=dice.choice(("apps", "nets")), why=why),
        lambda: Hierarchical(target=number, why=why),
        lambda: Rebase(target=number),
        lambda: Note(target=number, text=why),
        lambda: Silence(target=number, for_=timedelta(hours=1), why=why),
        lambda: Unsilence(target=number),
    )
    return dice.choice(makers)()


def month(seed: int, incidents: int, *, by_the_second: timedelta, days: int = DAYS) -> Month:
    """Return what happens in a month. by_the_second: for so long, an hour at a time, it ticks each second."""
    dice, acts, end = random.Random(seed), list[Act](), BEGIN + timedelta(days=days)

    def some_time(since: datetime, within: timedelta) -> datetime:
        return since + timedelta(seconds=dice.randrange(1, int(within.total_seconds())))

    begins = sorted(some_time(BEGIN, timedelta(days=days)) for _ in range(incidents))
    for n, at in enumerate(begins, 1):
        impact, urgency = dice.choice(list(Impact)), dice.choice([*Urgency, Urgency.HIGH, Urgency.HIGH])
        service = dice.choice(({"service": "web"}, {"service": "mail"}, {}))
        log = Log(title="Sample outage", impact=impact, urgency=urgency, **service)
        acts.append(Act(at, dice.choice(LOGINS), log))
        for _ in range(dice.randrange(8)):
            at = some_time(at, timedelta(minutes=dice.choice((2, 20, 90, 600))))
            acts.append(Act(at, dice.choice(LOGINS), _commands(dice, f"INC-{n}")))
    for key in range(incidents // 8):  # alerts that come and go: their incidents' numbers are not foreseen
        at = some_time(BEGIN, timedelta(days=days))
        for status in (Status.FIRING, Status.OK) * 3:
            alert = TakeAlert(service="web", key=f"disk {key}", severity="critical", status=status)
            acts.append(Act(at, "ana", alert))
            at = some_time(at, timedelta(minutes=20))
    for n in range(1, incidents // 10 + 1):
        at = some_time(BEGIN, timedelta(days=days))
        start = StartMaintenance(services=("mail",), for_=timedelta(hours=2), why="a new version")
        acts += [Act(at, "eva", start)]
        if n % 2:
            acts.append(Act(some_time(at, timedelta(hours=2)), "eva", EndMaintenance(id=f"M-{n}")))
    while by_the_second > timedelta():
        at, span = some_time(BEGIN, timedelta(days=days)), min(by_the_second, timedelta(hours=1))
        acts += (Act(at + timedelta(seconds=n), "", None) for n in range(int(span.total_seconds())))
        by_the_second -= span
    outages = (
        (at, at + timedelta(minutes=dice.randrange(3, 120)))
        for at in sorted(some_time(BEGIN, timedelta(days=days)) for _ in range(days // 5))
    )
    return Month(tuple(sorted(acts, key=lambda act: act.at)), tuple(outages), end)


def lived(store: Store, month: Month, late: random.Random | None = None) -> ServiceDesk:
    """Live a month; late: tick once at what is due, some seconds late; else a second before, at it, after."""
    desk, clock = escalating(store, MATRIX)
    clock.now = BEGIN
    acts = [act for act in month.acts if late is None or act.command is not None]
    for act in [*acts, Act(month.end, "", None)]:
        _until(desk, clock, month, act.at, late)
        clock.now = max(clock.now, act.at)
        if act.command is not None:
            try:
                desk.do(Principal(act.who, Role.COORDINATOR, "test"), act.command)
            except (Refused, NotFound):  # it is so already, or it is over
                continue
        elif month.up_at(act.at) == act.at:
            tick(desk, clock.now)
    return desk


def _until(desk: ServiceDesk, clock: Clock, month: Month, end: datetime, late: random.Random | None) -> None:
    """Tick for all that falls due before `end`."""
    while (due := next_after(desk.store, datetime(1, 1, 2, tzinfo=UTC))) is not None:
        at = max(due, clock.now) + timedelta(seconds=0 if late is None else late.uniform(0.5, LATEST))
        at = month.up_at(at)
        if at >= end:
            return
        around = (-1, 0, 1) if late is None else (0,)
        for seconds in around:
            then = at + timedelta(seconds=seconds)
            if clock.now <= then < end and month.up_at(then) == then:
                clock.now = then
                tick(desk, then)
        left = next_after(desk.store, datetime(1, 1, 2, tzinfo=UTC))
        assert left is None or left > at, f"what was due at {due} was not done at {at}"


class Told(NamedTuple):
    """One firing: at which place of the plan, when, whom it told, and why."""

    place: tuple[int, int, int]
    at: datetime
    people: tuple[str, ...]
    because: str = "step"

    @property
    def what(self) -> tuple[tuple[int, int, int], str]:
        """What tells it from others: who gets it passed is told at the place of the step that comes next."""
        return self.place, self.because


Stretches = dict[tuple[str, int, int], list[Told]]
"""What was fired while nobody did anything, by incident, run and cycle."""


def stretches(desk: ServiceDesk, number: str) -> tuple[list[Any], Stretches]:
    """Return what people did to an incident, and what the engine did between."""
    people, found, runs = list[Any](), Stretches(), list[str]()
    for one in desk.store.timeline(number):
        event: Any = one.event
        if one.kind == "escalation_started":
            runs.append(event.run)
        if one.kind == "step_fired" and event.because != "awaited":
            found.setdefault((number, len(runs), event.cycle), []).append(
                Told(event.place, one.at, event.told, event.because)
            )
        elif one.source == "test":
            people.append((one.kind, one.at.replace(microsecond=0)))
    return people, found


def apart(one: Sequence[Told], other: Sequence[Told]) -> tuple[int, list[tuple[Told, Told]]]:
    """Return by how many steps two engines are apart after a stretch, and whom they told otherwise.

    Who is on call may change in the seconds between them; every shift begins with a full hour.
    """
    both = {told.what: told for told in other}
    otherwise = [
        (told, both[told.what])
        for told in one
        if told.what in both
        and told.people != both[told.what].people
        and told.at.replace(minute=0, second=0, microsecond=0)
        == both[told.what].at.replace(minute=0, second=0, microsecond=0)
    ]
    return abs(len(one) - len(other)), otherwise


def in_order(told: Sequence[Told]) -> bool:
    return all(one.place <= next_.place and one.at < next_.at for one, next_ in pairwise(told))
