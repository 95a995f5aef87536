"""An incident's clocks on the screen: short ones in the pane, each with its bar and why on a page. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from rich.cells import cell_len

from register.clocks.account import Account, Gap, account, gaps
from register.clocks.clock import Clock, Stage
from register.clocks.definition import Kind, Metric
from register.plain import one_line
from tui.format import clock as clock_text
from tui.format import fit, hours, wall
from tui.model import Model
from tui.widgets.lines import Line

_BAR: Final = 10
_NAME: Final = 18


def beside(clocks: Sequence[Clock], model: Model) -> list[Line]:
    """Return a line for each clock that runs besides the resolution, which the row tells."""
    now = int(model.eyes.now)
    return [
        ((f" {one_line(clock.name)} ", ""), _left(account(clock, now), model))
        for clock in clocks
        if not clock.is_over and (clock.rule.kind, clock.rule.metric) != (Kind.SLA, Metric.RESOLUTION)
    ]


def page(clocks: Sequence[Clock], model: Model, width: int) -> list[Line]:
    """Return every clock: how it stands, as a bar, and each stretch in which it ran or stood still."""
    now = int(model.eyes.now)
    lines: list[Line] = []
    for clock in clocks:
        lines += _told(account(clock, now), model, width)
        lines.append(())
    lines += [_gap(gap, model) for gap in gaps(clocks, now)]
    return lines or [((" Nothing is promised for this priority, and nothing was.", "dim"),)]


def _told(one: Account, model: Model, width: int) -> Iterator[Line]:
    clock, signs = one.clock, model.signs
    full = min(_BAR, max(0, one.used) * _BAR // clock.target)
    bar = signs.full * full + signs.rule * (_BAR - full)
    kept = "" if not clock.is_over or one.left < 0 else f" {signs.known}"
    promise = f"{clock.rule.kind} P{clock.priority}: {_promise(clock)}"
    head = (
        (f" {fit(one_line(clock.name), max(_NAME, len(clock.name)), signs)} ", "strong"),
        (f"{bar} ", "bad" if one.left < 0 else ""),
        _left(one, model),
        (kept, "dim"),
    )
    if cell_len("".join(text for text, _ in head)) + 2 + cell_len(promise) <= width:
        yield (*head, (f"  {promise}", "dim"))
    else:
        yield from (head, ((f"   promise {promise}", "dim"),))
    for stretch in one.stretches:
        end = "now" if stretch.end is None else clock_text(stretch.end, model.eyes.now, model.zone)
        span = f"{clock_text(stretch.begin, model.eyes.now, model.zone)} {signs.to} {end}"
        took = f"({hours(stretch.business)})" if stretch.paused else hours(stretch.business)
        what = "paused" if stretch.paused else "ran"
        text = f"   {what:<7} {span:<26} {took:>8}  {one_line(stretch.paused)}"
        yield ((text[: max(0, width)].rstrip(), "dim" if stretch.paused else ""),)
    if clock.ended is not None:
        at = clock_text(clock.ended, model.eyes.now, model.zone)
        yield ((f"   {clock.stage.value} {at}: {one_line(clock.why)}", "dim"),)
    elif one.due is not None:
        day = clock_text(one.due, model.eyes.now, model.zone).rpartition(" ")[0]
        yield ((f"   due {f'{day} ' if day else ''}{wall(one.due, model.zone)}", ""),)


def _gap(gap: Gap, model: Model) -> Line:
    """How a supplier's fix stands beside the resolution that we owe first."""
    by, late = hours(gap.seconds), gap.seconds < 0
    if gap.by_wall:
        text = f"is due {by} {'AFTER' if late else 'before'} {gap.ours.name}"
    else:
        text = f"has {by} {'more' if late else 'less'} left than {gap.ours.name}; one of them is paused"
    sign = f" {model.signs.over}" if late else ""
    return ((" back to back: ", "dim"), (f"{one_line(gap.theirs.name)} {text}{sign}", "bad" if late else ""))


def _promise(clock: Clock) -> str:
    return f"{one_line(clock.promise.written)} on {one_line(clock.promise.calendar)}"


def _left(one: Account, model: Model) -> tuple[str, str]:
    if one.clock.stage is Stage.CANCELLED:
        return "cancelled", "dim"
    state = "paused, " if one.clock.stage is Stage.PAUSED else ""
    if one.left < 0:
        return f"{state}{hours(one.left)} over {model.signs.over}", "bad"
    word = "used" if one.clock.is_over else "left"
    return f"{state}{hours(one.used if one.clock.is_over else one.left)} {word}", ""


def active(clocks: Sequence[Any]) -> int:
    """Return how many of them run or are paused."""
    return sum(not clock.is_over for clock in clocks)
