"""One incident at length: its heading, its timeline, the conversation with its suppliers. Pure."""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len

from register.plain import clean, one_line
from register.pressing import our_turn
from tui.detail import Detail, Told, event_what, event_who, wrapped
from tui.format import bond_words, clock, fit, is_over, person, promise_text, state_and_alert, zone_name
from tui.messages import Row
from tui.model import Model
from tui.widgets.lines import Line

_WHO: Final = 14
_INDENT: Final = "  "


def heading(number: str, row: Row | None, detail: Detail | None, model: Model, width: int) -> list[Line]:
    """Return the two lines at the top: what it is and whose, then since when and until when."""
    if row is None:
        return [((f" {number}", "strong"), ("  is not open", "dim")), ()]
    eyes, signs = model.eyes, model.signs
    major = f"{signs.major} " if row["p"] == 1 else ""
    team = f" ({one_line(row['team'])})" if row["team"] else ""
    owner = person(row["owner"], eyes.people, eyes.me, signs) + team
    opened = f"opened {clock(row['opened'], eyes.now, model.zone)}"
    if detail is not None:
        opened += f" by {person(detail.opened_by, eyes.people, eyes.me, signs)}"
    left = f" {row['number']}  {major}P{row['p']}  "
    right = f"  {one_line(state_and_alert(row))}   {owner}   "
    room = max(8, width - cell_len(left) - cell_len(right))
    title = one_line(row["title"])
    first: Line = (
        (left, "bad" if row["p"] == 1 else "strong"),
        (fit(title, min(room, cell_len(title)), signs), "strong"),
        (right, ""),
    )
    over = is_over(row, eyes.now)
    second: list[tuple[str, str]] = [(f" {opened}   ", "")]
    if "mute" in row or model.in_force.windows:
        from tui.quiet import why_quiet  # for the first paint's sake

        second += [(f"{text}   ", pen) for text, pen in why_quiet(row, model)]
    second += _promise(row, model, over)
    return [first, tuple(second)]


def suppliers(row: Row | None, model: Model) -> Line:
    """Return how it stands with each supplier, in one line."""
    pieces: list[tuple[str, str]] = []
    for bond in row["bonds"] if row is not None else ():
        key = f" {one_line(bond[4])}" if bond[4] else ""
        words = bond_words(bond, model.eyes.now, model.signs)
        pieces.append((f"   {one_line(bond[0])}{key}: {words}", "warn" if our_turn(bond) else ""))
    return tuple(pieces)


def _promise(row: Row, model: Model, over: bool) -> list[tuple[str, str]]:
    text = promise_text(row, model.eyes.now, model.signs)
    if "held" in row:
        return [("resolve: ", ""), (f"{text}{'' if over else ' left'}   ", "bad" if over else "")]
    if row["due"] is None:
        return []
    by = f"{clock(row['due'], model.eyes.now, model.zone)} {zone_name(row['due'], model.zone)}"
    return [(f"resolve by {by}: ", ""), (f"{text}{'' if over else ' left'}   ", "bad" if over else "")]


def timeline(detail: Detail, model: Model, width: int) -> list[Line]:
    """Return every event, oldest first: when, who, what, and what was said under it; then who was told."""
    lines: list[Line] = []
    for event in detail.told:
        when = clock(event.at, model.eyes.now, model.zone)
        head = f" {when}  {fit(event_who(event, model), _WHO, model.signs)}"
        what = event_what(event, model)
        lines += _hanging(head, what, event.pen, width)
        lines += said(event.body, width, cell_len(head))
    if detail.incident is not None and detail.incident.run is not None:
        from tui.told_words import told_lines  # where nobody is told, the first paint does without

        lines += told_lines(detail.incident.run, model, width)
    return lines


def _hanging(head: str, text: str, pen: str, width: int) -> list[Line]:
    """Return `text` wrapped behind `head`, its further lines under the first."""
    room = cell_len(head)
    parts = wrapped(text, width - room, pen) or [(("", ""),)]
    first = (head, "dim"), (parts[0][0][0], pen)
    return [first, *(((" " * room, ""), (part[0][0], pen)) for part in parts[1:])]


def said(body: str, width: int, indent: int, pen: str = "") -> list[Line]:
    """Return somebody's words in lines of their own, line ends as they were."""
    if not body:
        return []
    lines: list[Line] = []
    for paragraph in clean(body).split("\n"):
        parts = wrapped(one_line(paragraph), width - indent, pen)
        lines += [((" " * indent, ""), (part[0][0], pen)) for part in parts] or [()]
    return lines


def conversation(detail: Detail, model: Model, width: int, vendor: str = "") -> list[Line]:
    """Return what went to and came from suppliers: theirs at the left, ours further right.

    vendor: only what went to and came from that one.
    """
    lines: list[Line] = []
    for event in detail.told:
        if not event.vendor or (vendor and event.vendor != vendor):
            continue
        lines += _turn(event, model, width)
    if detail.incident is not None:
        from tui.calling import promises  # what it needs of the register is not imported for the first paint

        lines += promises(detail, model)
    return lines or [((" Nobody outside was told of this incident yet: v engages a supplier.", "dim"),)]


def _turn(event: Told, model: Model, width: int) -> list[Line]:
    indent = 0 if event.inbound else max(4, width // 5)
    when = clock(event.at, model.eyes.now, model.zone)
    arrow = f" {model.signs.to} {event.vendor}" if not event.inbound else ""
    head = f"{' ' * indent} {when}  {event_who(event, model)}{arrow}: "
    lines: list[Line] = [((head, "strong"), (event_what(event, model), event.pen))]
    lines += said(event.body, width - (width // 5 if event.inbound else 0), indent + 2)
    return [*lines, ()]
