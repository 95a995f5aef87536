"""Running the clocks of one incident through its track: which there are, and how each stands.

Pure. At every step: first the clocks are attached whose start holds and whose stop does not; then each one
that runs is asked, in this order: stop, reset, still wanted, pause, resume. Stop outranks start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from register.clocks.book import Rule, Timeline, in_force
from register.clocks.clock import Clock, Stage
from register.clocks.count import Counts
from register.clocks.definition import ONCE, Facts, Metric, Needs, holds, missed
from register.clocks.track import Steps, bond_steps, own_steps
from register.incident import Incident, Priority, State, Track

Rules = Sequence[Rule]


def clocks_of(incident: Incident, timeline: Timeline) -> list[Clock]:
    """Return every clock that was started for an incident: ours, then each supplier's, oldest first."""
    return run(incident.track, [bond.vendor for bond in incident.bonds], timeline)


def run(track: Track, vendors: Sequence[str], timeline: Timeline) -> list[Clock]:
    """Return the clocks that a track makes; vendors: of the bonds, in their places."""
    if not track:
        return []
    counts = Counts(timeline)
    clocks = _Course(own_steps(track), timeline, counts, lambda at: in_force(timeline, at).rules).run()
    for place, vendor in enumerate(vendors):
        if any(vendor in book.contracts for _, book in timeline):
            course = _Course(bond_steps(track, place), timeline, counts, _rules_of(timeline, vendor))
            for clock in course.run():
                clock.vendor, clock.bond = vendor, place
                clocks.append(clock)
    return clocks


def _rules_of(timeline: Timeline, vendor: str) -> Callable[[int], Rules]:
    return lambda at: in_force(timeline, at).supplier_rules.get(vendor, ())


def promised(priority: Priority, facts: Facts, at: int, timeline: Timeline) -> int | None:
    """Return when an incident of these facts that is logged now would have to be resolved."""
    told = {"state": State.NEW.value, "priority": str(priority.value), **facts}
    steps = ((at, tuple(part for pair in told.items() for part in pair)),)
    found = [clock.due for clock in run(steps, (), timeline) if clock.rule.metric is Metric.RESOLUTION]
    return min((due for due in found if due is not None), default=None)


class _Course:
    """One way through the steps, for our own clocks or for one supplier's."""

    def __init__(
        self,
        steps: Steps,
        timeline: Timeline,
        counts: Counts,
        rules: Callable[[int], Rules],
    ) -> None:
        adopted: Steps = [(since, {}) for since, _ in timeline[1:] if steps and since > steps[0][0]]
        self._steps: Steps = sorted([*steps, *adopted], key=lambda step: step[0]) if adopted else steps
        self._adoptions = {since for since, _ in adopted}
        self._counts, self._rules = counts, rules
        self._clocks: list[Clock] = []
        self._active: list[Clock] = []

    def run(self) -> list[Clock]:
        facts: Facts = {}
        rules: Rules = ()
        for place, (at, told) in enumerate(self._steps):
            before = facts
            facts = facts | told
            if place == 0 or at in self._adoptions:
                rules = self._rules(at)
                touched = list(rules)
            else:
                touched = [rule for rule in rules if not told.keys().isdisjoint(rule.looks_at)]
            running = list(self._active)
            for rule in touched:
                self._attach(rule, facts, place)
            for clock in running:
                if not told or not told.keys().isdisjoint(clock.rule.looks_at):
                    self._judge(clock, rules, before, facts, place)
        return self._clocks

    # Pass 1

    def _attach(self, rule: Rule, facts: Facts, place: int) -> None:
        priority = facts.get("priority", "")
        if priority not in rule.promises:
            return
        for clock in self._active:  # asked first: it is asked most, and costs least
            if clock.rule.name == rule.name and (clock.priority == priority or _same(clock, rule, priority)):
                return
        if not _wanted(rule, facts) or _first(rule.stop, facts) is not None:
            return
        first = next((c for c in self._clocks if _is_done(c, rule.name)), None)
        if first is not None and rule.metric in ONCE:
            return
        first = first if rule.returns else None
        if first is not None:
            self._start(rule, facts, place, first.began, first)
        else:
            self._start(rule, facts, place, self._steps[0 if rule.retroactive else place][0])

    def _start(self, rule: Rule, facts: Facts, place: int, began: int, first: Clock | None = None) -> None:
        """Start a clock that counts from `began`; first: the one whose end was taken back."""
        at, priority = self._steps[place][0], facts.get("priority", "")
        promise = rule.promises[priority]
        attached = first.attached if first is not None and _same(first, rule, priority) else at
        clock = Clock(rule, promise, self._counts[promise.calendar], priority, began, attached)
        if first is not None:
            clock.total = True
            self._clocks = [c for c in self._clocks if not (c.total and _is_done(c, rule.name))]
        known: Facts = {}
        for since, told in self._steps[: place + 1] if began < at else [(at, facts)]:
            known |= told
            clock.turn(max(since, began), self._standstill(clock, known))
        self._clocks.append(clock)
        self._active.append(clock)

    def _standstill(self, clock: Clock, facts: Facts) -> str:
        """Why a clock does not run: a pause of its rule, or an end that was taken back later."""
        rule = clock.rule
        stopped = _first(rule.stop, facts) if rule.returns else None
        return _said(stopped, facts) if stopped is not None else _paused(clock, facts)

    # Pass 2

    def _judge(self, clock: Clock, rules: Rules, before: Facts, facts: Facts, place: int) -> None:
        at, told = self._steps[place]
        rule = clock.rule
        stop = _first(rule.stop, facts)
        if stop is not None:
            self._end(clock, at, Stage.COMPLETED, _said(stop, facts))
        elif _is_reset(rule, before, facts, told) and (rule.leaves or _wanted(rule, facts)):
            self._end(clock, at, Stage.COMPLETED, _reset_by(rule, facts))
            now = next((one for one in rules if one.name == rule.name), None)
            if now is not None and facts.get("priority", "") in now.promises and _wanted(now, facts):
                self._start(now, facts, place, at)
        else:
            why = _unwanted(clock, rules, facts)
            if why:
                self._end(clock, at, Stage.CANCELLED, why)
            else:
                clock.priority = facts.get("priority", "")
                clock.turn(at, _paused(clock, facts))

    def _end(self, clock: Clock, at: int, stage: Stage, why: str) -> None:
        clock.end(at, stage, why)
        self._active.remove(clock)


def _is_done(clock: Clock, name: str) -> bool:
    return clock.rule.name == name and clock.stage is Stage.COMPLETED


def _wanted(rule: Rule, facts: Facts) -> bool:
    return holds(rule.start, facts) and not (rule.cancel and holds(rule.cancel, facts))


def _first(conditions: Sequence[Needs], facts: Facts) -> Needs | None:
    """The first of these conditions that holds."""
    for needs in conditions:
        if holds(needs, facts):
            return needs
    return None


def _paused(clock: Clock, facts: Facts) -> str:
    """Why it stands still after this step; empty where it runs. A pause outranks a resumption."""
    rule = clock.rule
    pause = _first(rule.pause, facts)
    if pause is not None:
        return _said(pause, facts)
    last = clock.spans[-1].paused if clock.spans else ""
    return last if last and rule.resume is not None and not holds(rule.resume, facts) else ""


def _is_reset(rule: Rule, before: Facts, facts: Facts, told: Facts) -> bool:
    if rule.reset is not None:  # it has just become so
        return holds(rule.reset, facts) and not holds(rule.reset, before)
    if rule.reset_by is None:
        return False
    fact, value = rule.reset_by
    return fact in told and value in ("", told[fact])


def _same(clock: Clock, rule: Rule, priority: str) -> bool:
    """Whether a priority is promised just what the clock counts."""
    found = rule.promises.get(priority)
    mine = clock.promise
    return found is not None and (found.seconds, found.calendar) == (mine.seconds, mine.calendar)


def _unwanted(clock: Clock, rules: Rules, facts: Facts) -> str:
    """Why a clock is not wanted any more; empty where it is."""
    rule, priority = clock.rule, facts.get("priority", "")
    if rule.cancel and holds(rule.cancel, facts):
        return f"cancelled: {_said(rule.cancel, facts)}"
    lost = missed(rule.start, facts)
    if lost is not None:
        return _MISSED.get(lost, f"{lost} is {facts.get(lost) or 'none'} now")
    now = next((one for one in rules if one.name == rule.name), None)
    if now is None:
        return "the policy adopted then promises it no more"
    if priority != clock.priority and not _same(clock, now, priority):
        moved = f"P{clock.priority} became P{priority}"
        return moved if priority in now.promises else f"{moved}, for which nothing is promised"
    return ""


_MISSED = {
    "bond": "it is over with them",
    "has_team": "no team has it",
    "word": "nothing waits for an answer",
}
_WORDS = {
    ("acked", "yes"): "acknowledged",
    ("word", "us"): "we answered",
    ("said", "yes"): "they said something",
    ("fixed", "yes"): "they say it is fixed",
    ("ball", "ours"): "they wait for us",
}


def _reset_by(rule: Rule, facts: Facts) -> str:
    fact = rule.reset_by[0] if rule.reset_by else ""
    again = {"word": "the caller spoke again", "said": "they said something"}
    return again.get(fact, f"{fact} is {facts.get(fact) or 'none'} now" if fact else "it began again")


def _said(needs: Needs, facts: Facts) -> str:
    """What holds of a condition, in words."""
    return ", ".join(_word(name, facts.get(name, "")) for name in needs)


@cache
def _word(name: str, value: str) -> str:
    if name == "hold":
        return f"waits for the {value}" if value else "not on hold"
    if name == "state":
        return value.lower()
    return _WORDS.get((name, value), f"{name} is {value or 'none'}")
