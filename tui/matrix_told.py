"""What stands below the matrix: who is on call for 24 hours, and the line under the cursor whole. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.cells import cell_len

from register.plain import clip, one_line
from register.pressing import hidden
from tui.format import ahead, duration, fit, zone_name
from tui.matrix_reading import Grid, Place, StepNow, Stretch, Told
from tui.messages import Row
from tui.model import Model
from tui.run_words import nobody, pane_line, target_words

NO_POLICY: Final = (
    "No policy says who is told: pages go to nobody, and nothing escalates.",
    "Write [policies.NAME] with its steps into matrix.toml, give each team its policy, look at it with"
    " `muster matrix lint`, then `muster apply`. docs/escalation.md shows how.",
)
_LEAST: Final = 3
"""Cells of a stretch of the strip, however short it is."""


def told_of(
    place: Place, row: Row | None, count: int, grid: Grid, model: Model, width: int
) -> list[tuple[str, str]]:
    """Return the sentences on one line of the matrix, with their pens.

    row: the incident that is picked. count: how many open ones belong to the line.
    """
    told = [(strip(place, grid, model, width - 2), "")]
    if row is not None:
        told.append(_incident(row, place, count, model))
    told += _policy(place, grid, model)
    return told


def _incident(row: Row, place: Place, count: int, model: Model) -> tuple[str, str]:
    if hidden(row):
        return f"{row['number']}  restricted", "strong"
    how, pen = "", "strong"
    if "run" in row:
        ((text, pen),) = pane_line(row, None, model.eyes, model.zone)
        how = f"  {text.strip()}"
    others = row["team"] not in ("", clip(place.team, 24))
    team = f"  owned by {one_line(row['team'])}" if others else ""
    more = f"  ({count} open here)" if count > 1 else ""
    title = one_line(row["title"])
    return f"{row['number']}  P{row['p']}{team}{how}  {title}{more}", pen or "strong"


def _policy(place: Place, grid: Grid, model: Model) -> Iterator[tuple[str, str]]:
    where = one_line(place.category) or "any other category"
    if place.services:
        where += " of " + ", ".join(map(one_line, place.services))
    owner = f"{where}: {one_line(place.team_name)}"
    if not place.steps:
        yield f"{owner}. No policy is for it: give teams.{place.team} one (docs/escalation.md).", "warn"
        return
    times = "" if not place.repeat else f", {_times(place.repeat + 1)} over"
    yield f"{owner}, policy {one_line(place.policy or '')}{times}", "strong"
    for at, step in enumerate(place.steps):
        when = "now" if at == 0 else f"+{duration(step.after)}"
        yield f"{at + 1} {when}  {_whole(step, place, at, grid, model)}", "bad" if step.nobody else ""
    above = ", ".join(map(one_line, place.authority)) or f"{nobody(model.signs)}: give the team a lead"
    yield f"then  {above} (authority)", "" if place.authority else "bad"


def _times(count: int) -> str:
    return {2: "twice"}.get(count, f"{count} times")


def _whole(step: StepNow, place: Place, at: int, grid: Grid, model: Model) -> str:
    told = "; ".join(_target(one, grid, model) for one in step.told)
    if step.nobody:
        other = place.next_somebody(at)
        told += (
            ": skipped at once" + (f" to step {other}" if other else "") if step.told else nobody(model.signs)
        )
    more = [f"again {step.remind} times" if step.remind > 1 else "again once"] if step.remind else []
    more += ["each is to acknowledge"] if step.all_ack else []
    return told + (f" ({', '.join(more)})" if more else "")


def _target(one: Told, grid: Grid, model: Model) -> str:
    words = target_words(one.to, one.team, {})
    if one.kind == "supplier":
        return words
    if not one.names:
        return f"{nobody(model.signs)} ({words})"
    names = ", ".join(map(one_line, one.names))
    until = "" if one.until is None else f" until {ahead(one.until, grid.at, model.zone)}"
    return f"{names}{until}" + ("" if one.kind == "person" else f" ({words})")


# The strip


def strip(place: Place, grid: Grid, model: Model, width: int) -> str:
    """Return `now ├────ana────┤08:00├────dan────┤16:00 (24h, app-ops, CET)` in so many cells."""
    if place.rota is None:
        return f"{one_line(place.team)} has no rota: nobody is on call by the hour"
    some = grid.shifts.get(place.rota, ())
    about = f"  (next 24h, {one_line(place.rota)}, {zone_name(grid.at, model.zone)})"
    room = width - len("now ") - cell_len(about)
    return f"now {_drawn(some, model, room)}{about}" if room > 2 * _LEAST else about.strip()


def _drawn(some: Sequence[Stretch], model: Model, width: int) -> str:
    """As many stretches as there is room for, each as long as it lasts."""
    ends = [_clock(one, model) for one in some[:-1]] + [""] * bool(some)
    shown = list(range(len(some)))
    while len(shown) > 1 and _fixed(ends, shown) + _LEAST * len(shown) > width:
        shown.pop()
    cut = len(shown) < len(some)
    room = width - _fixed(ends, shown) - (2 if cut else 0)
    sizes = _shared([some[at].end - some[at].begin for at in shown], room)
    parts = [_stretch(some[at], ends[at], size, model) for at, size in zip(shown, sizes, strict=True)]
    return "".join(parts) + (f" {model.signs.more}" if cut else "")


def _fixed(ends: Sequence[str], shown: Sequence[int]) -> int:
    """Cells of the corners and of the times between."""
    return sum(2 + len(ends[at]) for at in shown)


def _clock(one: Stretch, model: Model) -> str:
    return ahead(one.end, one.end, model.zone)


def _shared(lengths: Sequence[float], room: int) -> list[int]:
    """Cells for each length: in proportion, none under the least, in all no more than `room`."""
    whole = sum(lengths) or 1.0
    sizes = [max(_LEAST, int(room * length / whole)) for length in lengths]
    while sum(sizes) > room and max(sizes, default=0) > _LEAST:
        sizes[sizes.index(max(sizes))] -= 1
    return sizes


def _stretch(one: Stretch, end: str, size: int, model: Model) -> str:
    names = "+".join(one_line(name).split(" ")[0] for name in one.names) or nobody(model.signs)
    signs = model.signs
    if cell_len(names) > size:
        names = fit(names, size, signs) if one.names else fit(signs.alarm, size, signs)
    left = (size - cell_len(names)) // 2
    rule = signs.rule if one.names else " "
    inner = rule * left + names + rule * (size - left - cell_len(names))
    return f"{signs.begin}{inner}{signs.end}{end}"
