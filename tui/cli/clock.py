"""`muster clock`: line by line how each figure of an incident's clocks came about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from register.calendars import Calendar, moment_of, seconds_of
from register.clocks.account import Account, Gap, Holding, account, gaps, held_by, outcome
from register.clocks.book import Timeline
from register.clocks.clock import Clock, Stage
from register.clocks.run import clocks_of
from register.clocks.span import told as length
from register.incident import Incident
from register.seeing import RESTRICTED
from register.store.history import incident_then
from register.text import one_line
from tui.cli import words
from tui.cli.answer import Answer
from tui.cli.here import Here, here
from tui.cli.past import AsOf, heading, known, looking_back, not_known, past

_WIDE: Final = 80
_SUMMED: Final = 4
"""So many stretches are told as a sum."""


def clock(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="the incident: INC-7, or 7")],
    as_of: AsOf = None,
) -> Answer:
    """Tell how each figure of an incident's clocks came about: what ran, what paused, what is left."""
    wanted = words.number(number)
    with here() as at:
        if as_of is None:
            return told(at, at.incident(wanted), datetime.now(UTC))
        moment = past(as_of, datetime.now(UTC))
        when, back = known(at, moment), looking_back(at)
        with at.store.read() as connection:
            incident = incident_then(connection, when, wanted)
        if incident is None:
            raise not_known(at, when, wanted)
        answer = told(back, incident, moment)
        return replace(answer, lines=[*heading(at, when), "", *answer.lines])


def told(at: Here, incident: Incident, moment: datetime) -> Answer:
    """Return an incident's clocks as they stand at a moment, by what was promised until then."""
    if not at.sees(incident):
        line = f"{incident.number}  {RESTRICTED}: ask one of those who work on it, or an admin."
        return Answer({"number": incident.number, "visibility": incident.visibility}, [line])
    now = seconds_of(moment)
    timeline = [one for one in at.timeline if one[0] <= now] or at.timeline[:1]
    clocks = clocks_of(incident, timeline)
    accounts = [account(one, now) for one in clocks]
    beside, holdings = gaps(clocks, now), held_by(incident.track, now)
    data = {
        "number": incident.number,
        "at": moment,
        "clocks": [_data(one) for one in accounts],
        "gaps": [
            {"supplier": gap.vendor, "seconds_to_spare": gap.seconds, "by_wall": gap.by_wall}
            for gap in beside
        ],
        "held_by": [
            {"team": one.team, "seconds": one.seconds, "on_hold": one.on_hold, "now": one.now}
            for one in holdings
        ],
    }
    return Answer(data, list(_lines(incident, accounts, beside, holdings, timeline, now)))


def _lines(
    incident: Incident,
    accounts: Sequence[Account],
    beside: Sequence[Gap],
    holdings: Sequence[Holding],
    timeline: Timeline,
    now: int,
) -> Iterator[str]:
    hold = f" ({incident.hold.reason})" if incident.hold else ""
    head = f"{incident.number}  {incident.priority}  {incident.state}{hold}"
    yield f"{head}  {one_line(incident.title)}"
    yield f"As of {_wall(now)}, in each clock's own business time."
    if not accounts:
        yield ""
        yield f"Nothing is promised for {incident.priority}, and nothing was."
    for one in accounts:
        yield ""
        yield from _explained(one, timeline)
    if beside:
        yield ""
        yield "Back to back"
        yield from map(_gap, beside)
    if any(one.team for one in holdings):
        yield ""
        yield "Held by, while it was open, round the clock"
        yield from _held(holdings)


def in_short(incident: Incident, timeline: Timeline, moment: datetime) -> list[str]:
    """Return a line for each clock that runs, or ended over its target."""
    now = seconds_of(moment)
    clocks = clocks_of(incident, [one for one in timeline if one[0] <= now] or timeline[:1])
    return [short(one, now) for one in clocks if not one.is_over or one.is_breached(now)]


def short(clock: Clock, now: int) -> str:
    """Return a clock in one line: `resolution (SLA): in progress, 3h12m left, due 2026-03-03 14:00 CET`."""
    one = account(clock, now)
    line = f"{clock.name} ({clock.rule.kind}): {outcome(clock, one.left, length(abs(one.left)))}"
    if clock.stage is Stage.RUNNING and one.due is not None:
        return f"{line}, due {_day(one.due)}"
    return f"{line}, {clock.why}" if clock.why else f"{line}, {clock.spans[-1].paused}"


def _explained(one: Account, timeline: Timeline) -> Iterator[str]:
    clock = one.clock
    stands = outcome(clock, one.left, length(abs(one.left)))
    yield f"{clock.name}: {stands}"
    promise = clock.promise
    exact = length(promise.seconds)
    written = promise.written if promise.written.replace(" ", "") == exact else f"{promise.written} ({exact})"
    yield _row("promise", f"{clock.rule.kind} for P{clock.priority}: {written} on {promise.calendar}")
    yield from _calendars(one)
    adopted = max((since for since, _ in timeline if since <= clock.attached), default=0)
    if adopted:
        yield _row("policy", f"as adopted {_wall(adopted)}")
    if clock.attached > clock.began:
        yield _row("since", f"{_wall(clock.attached)}, counted from {_wall(clock.began)}")
    for stretch in one.stretches:
        end = "now" if stretch.end is None else _until(stretch.begin, stretch.end)
        span = f"{_wall(stretch.begin)} → {end}"
        if not stretch.paused:
            yield _row("ran", span, length(stretch.business))
        else:
            yield _row("paused", span, f"({length(stretch.business)})")
            yield _row("", stretch.paused)
    yield from _sum(one)


def _calendars(one: Account) -> Iterator[str]:
    calendars = one.clock.count.calendars
    for place, (since, calendar) in enumerate(calendars):
        begins = f" since {_wall(since)}" if place else ""
        yield from _folded("calendar" if not place else "", f"{_hours(calendar)}{begins}")


def _hours(calendar: Calendar) -> str:
    if calendar.always:
        return "round the clock"
    parts = [", ".join(calendar.hours), calendar.zone]
    parts += [f"holidays {calendar.holidays}"] if calendar.holidays else []
    parts += [f"closed {', '.join(calendar.closed)}"] if calendar.closed else []
    return "; ".join(parts)


def _sum(one: Account) -> Iterator[str]:
    clock = one.clock
    ran = [length(stretch.business) for stretch in one.stretches if not stretch.paused]
    terms = f"{' + '.join(ran)} = " if 1 < len(ran) <= _SUMMED else ""
    yield _row("used", f"{terms}{length(one.used)} of {length(clock.target)}")
    yield _row("over" if one.left < 0 else "left", length(abs(one.left)))
    if clock.ended is not None:
        yield _row(clock.stage.value, f"{_wall(clock.ended)}: {clock.why}")
    elif one.due is None:
        yield _row("due", "nothing is due while it is paused")
    if one.due is not None and clock.stage is not Stage.CANCELLED:
        yield _row("due", _wall(one.due))
        closed = clock.stage is Stage.RUNNING and one.due < one.now and one.left == 0
        if closed and one.breach is not None:
            yield _row("", f"closed since: it is breached at {_wall(one.breach)}")
    if one.breached is not None:
        yield _row("breached", _wall(one.breached))
    yield _row("wall", f"{length(one.actual)} by the clock on the wall, from its beginning")


def _gap(gap: Gap) -> str:
    ours, theirs = gap.ours.name, gap.theirs.name
    by = length(abs(gap.seconds))
    if gap.by_wall:
        how = f"{by} before {ours}" if gap.seconds >= 0 else f"{by} AFTER {ours}"
        return f"  {theirs} is due {how}"
    which = "more" if gap.seconds >= 0 else "LESS"
    return f"  {ours} has {by} {which} left than {theirs}; one of them is paused"


def _held(holdings: Sequence[Holding]) -> Iterator[str]:
    names = [one_line(one.team) or "no team" for one in holdings]
    width = min(30, max(map(len, names)))
    for name, one in zip(names, holdings, strict=True):
        hold = f", {length(one.on_hold)} of it on hold" if one.on_hold else ""
        yield f"  {name[:width]:<{width}}  {length(one.seconds)}{hold}{', has it now' if one.now else ''}"


def _row(name: str, text: str, right: str = "") -> str:
    line = f"  {name:<9} {text}"
    return f"{line:<{_WIDE - 1 - len(right)}}{right}" if right else line


def _folded(name: str, text: str) -> Iterator[str]:
    import textwrap

    for place, line in enumerate(textwrap.wrap(text, _WIDE - 14) or [""]):
        yield _row("" if place else name, line)


def _data(one: Account) -> dict[str, Any]:
    clock = one.clock
    return {
        "clock": clock.name,
        "kind": clock.rule.kind,
        "metric": clock.rule.metric,
        "priority": f"P{clock.priority}",
        "supplier": clock.vendor or None,
        "stage": clock.stage,
        "target": clock.promise.written,
        "target_seconds": clock.target,
        "calendar": clock.promise.calendar,
        "calendars": [
            {"since": _moment(since) if place else None, **calendar.model_dump()}
            for place, (since, calendar) in enumerate(clock.count.calendars)
        ],
        "promised_at": _moment(clock.attached),
        "began_at": _moment(clock.began),
        "ended_at": _moment(clock.ended),
        "why": clock.why,
        "spans": [
            {
                "begin": _moment(span.begin),
                "end": _moment(span.end),
                "paused": span.paused or None,
                "business_seconds": span.business,
            }
            for span in one.stretches
        ],
        "used_seconds": one.used,
        "left_seconds": one.left,
        "actual_seconds": one.actual,
        "due_at": _moment(one.due),
        "breached_at": _moment(one.breached),
    }


def _moment(at: int | None) -> datetime | None:
    return None if at is None else moment_of(at)


def _wall(at: int) -> str:
    return moment_of(at).astimezone().strftime("%a %Y-%m-%d %H:%M:%S %Z")


def _until(begin: int, end: int) -> str:
    """Return the end of a span, without its day where that is the beginning's."""
    first, last = moment_of(begin).astimezone(), moment_of(end).astimezone()
    return last.strftime("%H:%M:%S %Z") if first.date() == last.date() else _wall(end)


def _day(at: int) -> str:
    return moment_of(at).astimezone().strftime("%Y-%m-%d %H:%M %Z")
