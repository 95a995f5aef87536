"""The escalation matrix as lines: columns that fit, who is told in few cells, incidents as chips. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from register.plain import one_line
from tui.chips import Chips
from tui.format import ahead, duration, fit
from tui.matrix_reading import Grid, Place, StepNow, Told
from tui.messages import Row
from tui.model import Model
from tui.run_words import chip, nobody, pen_of
from tui.widgets.lines import Line

_MARK: Final = 2
_GAP: Final = 1
_STEP: Final = (10, 22)
"""Cells of a step's column, at the least and at the most."""
_FIRST: Final = 17
"""Cells of the first one of them that is shown, at the least: `‼ nobody → step 2`."""
_LIVE: Final = {True: 33, False: 29}
"""Cells of the incidents' column, at the least: one, where it stands, and how many more there are."""
_CATEGORY: Final = (10, 18)
_TEAM: Final = (7, 12)
_AUTHORITY: Final = (11, 20)
_WIDE: Final = 100


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what it is called, its cells with the gap behind them, and what a place says in it."""

    title: str
    width: int
    cell: Callable[[Place, int], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Layout:
    """What is shown of the matrix. more: how many columns there are to the right of what is shown."""

    columns: tuple[Column, ...]
    live: int  # cells of the incidents' column
    more: int
    skipped: int

    @property
    def number(self) -> int:
        """Cells before the incidents."""
        return _MARK + sum(column.width for column in self.columns)


def layout(grid: Grid, model: Model, width: int, skipped: int = 0) -> Layout:
    """Return the columns that fit: authority and later steps give way first.

    skipped: so many of the steps' and authority's columns are left out at the left.
    """
    fixed = [_category(grid, model), _team(grid, model)]
    if width < _WIDE:
        fixed = [_narrowed(fixed[0], 12), _narrowed(fixed[1], 8)]
    others = [*_steps(grid, model), _authority(grid, model)]
    skipped = max(0, min(skipped, len(others) - 1))
    live = _LIVE[width >= _WIDE]
    shown, room = _fitted(others[skipped:], width - _MARK - sum(column.width for column in fixed) - live)
    more = len(others) - skipped - len(shown)
    return Layout((*fixed, *shown), live + room, more, skipped)


def _fitted(columns: Sequence[Column], room: int) -> tuple[list[Column], int]:
    """As many of these as there is room for, the first one almost whole; and what is left then."""
    widths: list[int] = []
    for column in columns:
        least = min(column.width, (_STEP[0] if widths else _FIRST) + _GAP)
        if widths and least > room:
            break
        widths.append(least)
        room -= least
    for at, width in enumerate(widths):
        more = max(0, min(columns[at].width - width, room))
        widths[at] += more
        room -= more
    shown = [_narrowed(column, width) for column, width in zip(columns, widths, strict=False)]
    return shown, max(0, room)


def _narrowed(column: Column, width: int) -> Column:
    return Column(column.title, min(column.width, width), column.cell)


def _category(grid: Grid, model: Model) -> Column:
    def cell(place: Place, width: int) -> tuple[str, str]:
        if not place.services:
            return one_line(place.category) or "any other", "strong"
        more = f" +{len(place.services) - 1}" if len(place.services) > 1 else ""
        return f" {model.signs.dot} {one_line(place.services[0])}{more}", ""

    return _sized("Category", grid, cell, _CATEGORY)


def _team(grid: Grid, model: Model) -> Column:
    return _sized("Team", grid, lambda place, width: (one_line(place.team), ""), _TEAM)


def _authority(grid: Grid, model: Model) -> Column:
    def cell(place: Place, width: int) -> tuple[str, str]:
        if not place.authority:
            return model.signs.none, "dim"
        return ", ".join(_first_names(place.authority)), ""

    return _sized("authority", grid, cell, _AUTHORITY)


def _steps(grid: Grid, model: Model) -> list[Column]:
    """A column a step of the longest policy; when it is taken stands above, or with each if it varies."""
    most = max((len(place.steps) for place in grid.places), default=0)
    columns = []
    for at in range(max(1, most)):
        times = {place.steps[at].after for place in grid.places if at < len(place.steps)}
        one = next(iter(times)) if len(times) == 1 else None
        title = "step 1 now" if at == 0 else f"step {at + 1}" if one is None else _plus(one)
        columns.append(_sized(title, grid, _step_cell(at, model, grid, told=one is None), _STEP))
    return columns


def _step_cell(at: int, model: Model, grid: Grid, *, told: bool) -> Callable[[Place, int], tuple[str, str]]:
    def cell(place: Place, width: int) -> tuple[str, str]:
        if at < len(place.steps):
            when = f"{_plus(place.steps[at].after)} " if told and at else ""
            text, pen = step_text(place, at, model, grid.at, width - len(when) if width else 0)
            return when + text, pen
        if place.steps or at:
            return "", ""
        return f"{model.signs.alarm} no policy", "warn"

    return cell


def _plus(seconds: int) -> str:
    return f"+{duration(seconds)}"


def _sized(
    title: str,
    grid: Grid,
    cell: Callable[[Place, int], tuple[str, str]],
    bounds: tuple[int, int],
) -> Column:
    """A column as wide as the longest it says, within bounds."""
    least, most = bounds
    longest = max((cell_len(cell(place, 0)[0]) for place in grid.places), default=0)
    return Column(title, max(least, min(most, max(longest, len(title)))) + _GAP, cell)


def step_text(place: Place, at: int, model: Model, now: float, width: int = 0) -> tuple[str, str]:
    """Return who a step tells now, with the pen: `ana until 08:00`, `‼ nobody → step 2`, `acme (supplier)`.

    width: where it is not enough, it is left out until when, then names; 0 says all.
    """
    step = place.steps[at]
    if step.nobody:
        other = place.next_somebody(at)
        then = "" if other is None else f" {model.signs.to} step {other}"
        variants = [f"{nobody(model.signs)}{then}", f"{model.signs.alarm}{then}"]
    else:
        variants = [
            _joined(step, model, now, until=True),
            _joined(step, model, now, until=False),
            _joined(step, model, now, until=False, most=1),
            _joined(step, model, now, until=False, most=1, short=True),
        ]
    fits = (text for text in variants if not width or cell_len(text) <= width)
    return next(fits, variants[-1]), "bad" if step.nobody else ""


def _joined(
    step: StepNow, model: Model, now: float, *, until: bool, most: int = 99, short: bool = False
) -> str:
    told = (_target(one, model, now, until=until, most=most) for one in step.told)
    return ", ".join(text.removesuffix(" (supplier)") if short else text for text in told)


def _target(one: Told, model: Model, now: float, *, until: bool, most: int) -> str:
    """One target in few cells; the team's own person on call is told by name alone."""
    named = one.to.partition(":")[2]
    if one.kind == "supplier":
        return f"{one_line(one.names[0])} (supplier)"
    before = {"lead": f"{named} lead".strip(), "rota": named, "team": f"all of {named or one.team}"}
    head = one_line(before.get(one.kind, ""))
    if not one.names:
        return f"{model.signs.alarm} {head or one.kind}"
    if one.kind == "team":
        return head
    names = _first_names(one.names)
    some = ", ".join(names[:most]) + (f" +{len(names) - most}" if len(names) > most else "")
    text = f"{head} {some}".strip()
    return f"{text} until {ahead(one.until, now, model.zone)}" if until and one.until else text


def _first_names(names: Sequence[str]) -> list[str]:
    return [one_line(name).split(" ")[0] for name in names]


# Lines


def heading(shown: Layout, model: Model) -> Line:
    """Return the titles; arrows tell that there is more to either side."""
    texts = [fit(column.title, column.width - _GAP, model.signs) + " " for column in shown.columns]
    left = "<" if shown.skipped else " "
    right = f"  {model.signs.to} {shown.more} more" if shown.more else ""
    return ((left + " " + "".join(texts) + "live" + right, "strong"),)


def lines(grid: Grid, chips: Chips, shown: Layout, model: Model, here: int, picked: str | None) -> list[Line]:
    """Return one line a place. here: the one under the cursor, of which incident `picked` is picked."""
    return [
        (*_cells(place, shown, model), *_live(at, chips, shown, model, picked if at == here else None))
        for at, place in enumerate(grid.places)
    ]


def _cells(place: Place, shown: Layout, model: Model) -> list[tuple[str, str]]:
    pieces = []
    for column in shown.columns:
        room = column.width - _GAP
        text, pen = column.cell(place, room)
        pieces.append((fit(text, room, model.signs) + " ", pen))
    return pieces


def _live(line: int, chips: Chips, shown: Layout, model: Model, picked: str | None) -> list[tuple[str, str]]:
    """The incidents of a line as far as there is room, the picked one among them; of the rest, how many."""
    some, count = chips.first(line), chips.count(line)
    if not count:
        return [(model.signs.none, "dim")]
    texts = [chip(row, model.eyes, model.zone) for row in some]
    begin = next((at for at, row in enumerate(some) if row["number"] == picked), 0)
    begin = _window(texts, begin, count, shown.live)
    pieces: list[tuple[str, str]] = []
    room = shown.live
    for at in range(begin, len(some)):
        text = texts[at]
        left = count - (at - begin) - 1
        tail = len(_more(left, shown.live))
        if pieces and cell_len(text) + tail > room:
            break
        if pieces:
            pieces.append(("  ", ""))
        if cell_len(text) + tail > room:
            text = text.replace(" until ", " ")
        text = fit(text, min(cell_len(text), max(1, room - tail)), model.signs)
        pieces.append((text, "cursor" if some[at]["number"] == picked else pen_of(some[at])))
        room -= cell_len(text) + 2
    left = count - (len(pieces) + 1) // 2
    return [*pieces, (_more(left, shown.live), "dim")] if left else pieces


def _window(texts: Sequence[str], picked: int, count: int, width: int) -> int:
    """The first one that is shown, so that the picked one is."""
    begin = 0
    while begin < picked:
        used = sum(cell_len(text) + 2 for text in texts[begin : picked + 1]) - 2
        if used + len(_more(count - (picked - begin) - 1, width)) <= width:
            break
        begin += 1
    return begin


def _more(left: int, width: int) -> str:
    if not left:
        return ""
    return f" +{left}" if width < 40 else f"  +{left} more"


def picked_row(chips: Chips, line: int, number: str | None) -> Row | None:
    """The incident that is picked in a line; the first one where that is not there any more."""
    some = chips.first(line)
    return next((row for row in some if row["number"] == number), some[0] if some else None)
