"""The pane beside the board: one incident in short. Pure: rows and events in, lines out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from rich.cells import cell_len

from register.plain import one_line
from register.pressing import FOR_A_PERSON, hidden, our_turn
from tui.columns import Eyes
from tui.format import (
    bond_words,
    clock,
    duration,
    fit,
    is_over,
    person,
    promise_text,
    state_and_alert,
)
from tui.messages import Row
from tui.model import Model
from tui.signs import plain
from tui.widgets.lines import Line

PERSON: Final = "\x00"
"""Stands in `Told.what` where a person's name belongs: names are looked up when it is shown."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event as the timeline tells it: when, who (a person's id), and the words."""

    at: float
    who: str
    what: str
    body: str = ""
    vendor: str = ""  # the supplier it came from or went to
    inbound: bool = False
    bond: str = ""
    pen: str = ""
    people: tuple[str, ...] = ()  # ids, in the order of the PERSON signs in `what`


@dataclass(frozen=True, slots=True)
class Detail:
    """What is read of the incident under the cursor, beyond its row."""

    number: str
    opened_by: str
    caller: str | None
    told: tuple[Told, ...]
    incident: Any = None  # register.incident.Incident: not imported here, for the first paint's sake
    clocks: tuple[Any, ...] = ()  # register.clocks.clock.Clock: all of its clocks
    to_call: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)  # by supplier: Contacts
    waiting: tuple[Any, ...] = ()  # tui.outbox.Sent: of its sendings those that wait for a person
    asides: tuple[Any, ...] = ()  # register.aside.AsideFacts: of its suppliers' changes what was not taken in
    paused: Mapping[str, tuple[str, bool, datetime]] = field(default_factory=dict)
    # by supplier: why, whether a person says so, since when


def pane(row: Row | None, detail: Detail | None, model: Model, width: int, height: int) -> list[Line]:
    """Return the pane's lines for this row; `detail` is None until it has been read."""
    if row is None or width < 4:
        return []
    eyes, now = model.eyes, model.eyes.now
    if hidden(row):
        return [((f" {row['number']}  restricted", "strong"),)]
    signs = eyes.signs
    major = f"{signs.major} " if row["p"] == 1 else ""
    lines: list[Line] = [
        (
            (f" {major}{one_line(row['number'])}  P{row['p']}", "bad" if row["p"] == 1 else "strong"),
            (f"  {one_line(state_and_alert(row))}", ""),
        ),
        *wrapped(one_line(row["title"]), width, "strong", most=3),
        _where(row, eyes),
        *_since(row, detail, model),
        _due(row, eyes, now),
    ]
    if detail is not None and detail.clocks:
        from tui.ticking import beside  # clocks are not imported for the first paint

        lines += beside(detail.clocks, model)
    lines += _run(row, detail, model, width)
    lines += _quiet(row, detail, model, width)
    lines += [_bond(bond, eyes, now) for bond in row["bonds"]]
    lines += _closing(detail, model)
    lines.append(((f" {signs.rule * 2} latest {signs.rule * max(0, width - 12)}", "dim"),))
    room = height - len(lines)
    if detail is not None and room > 0:
        lines += latest(detail.told, model, width, room)
    return lines


def _where(row: Row, eyes: Eyes) -> Line:
    owner = person(row["owner"], eyes.people, eyes.me, eyes.signs)
    team = f" ({one_line(row['team'])})" if row["team"] else ""
    parts = [one_line(row["service"]), one_line(row["category"]), f"{owner}{team}"]
    return ((" " + f" {eyes.signs.dot} ".join(part for part in parts if part), ""),)


def _since(row: Row, detail: Detail | None, model: Model) -> list[Line]:
    now, signs = model.eyes.now, model.signs
    text = f" opened {clock(row['opened'], now, model.zone)}, {duration(max(0, now - row['opened']))} ago"
    if detail is not None:
        text += f" by {person(detail.opened_by, model.eyes.people, model.eyes.me, signs)}"
    if row["acked"]:
        text += f" {signs.known} ack"
    return [((text, ""),)]


def _due(row: Row, eyes: Eyes, now: float) -> Line:
    paused = "held" in row
    if row["due"] is None and not paused:
        return ((" no time promised", "dim"),)
    over = is_over(row, now)
    left = promise_text(row, now, eyes.signs) + ("" if over else " left")
    return ((" resolve ", ""), (left, "bad" if over else ""))


def _run(row: Row, detail: Detail | None, model: Model, width: int) -> list[Line]:
    """How its escalation stands, where one runs: who is told next, and when."""
    if "run" not in row:
        return []
    from tui.run_words import pane_line  # where nobody is told, the first paint does without

    ((text, pen),) = pane_line(row, detail and detail.incident, model.eyes, model.zone)
    return wrapped(text.strip(), width, pen, most=2)


def _quiet(row: Row, detail: Detail | None, model: Model, width: int) -> list[Line]:
    """Why nobody is paged for it, where that is so, and until when."""
    if "mute" not in row and not model.in_force.windows:
        return []
    from tui.quiet import why_quiet

    said = why_quiet(row, model, detail)
    return [line for text, pen in said for line in wrapped(text, width, pen, most=3)]


def _bond(bond: list[Any], eyes: Eyes, now: float) -> Line:
    vendor, key, flag = bond[0], bond[4], bond[5]
    name = one_line(vendor) + (f" {eyes.signs.to} {one_line(key)}" if key else "")
    words = bond_words(bond, now, eyes.signs)
    pen = "bad" if flag in FOR_A_PERSON else "warn" if flag == "?" or our_turn(bond) else ""
    return ((f" {name}: ", ""), (words, pen))


def _closing(detail: Detail | None, model: Model) -> list[Line]:
    """Whose turn it is, and until when, where a supplier is about to close its ticket."""
    bonds = () if detail is None or detail.incident is None else detail.incident.bonds
    told = [(one.vendor, one.closing_at.timestamp()) for one in bonds if one.closing_at is not None]
    return [
        (
            (f" {model.signs.alarm} our turn: ", "bad"),
            (f"{one_line(vendor)} closes it {clock(at, model.eyes.now, model.zone)}", "bad"),
        )
        for vendor, at in told
    ]


def latest(told: Sequence[Told], model: Model, width: int, room: int) -> list[Line]:
    """Return the newest events first, as many as there is room for."""
    lines: list[Line] = []
    for event in reversed(told):
        when = clock(event.at, model.eyes.now, model.zone)
        who = event_who(event, model)
        text = event_what(event, model) + (f": {event.body}" if event.body else "")
        head = f" {when} {who} "
        first, *rest = wrapped(one_line(text), width - cell_len(head) + 1, "", most=2) or [(("", ""),)]
        lines.append(((f" {when} ", "dim"), (f"{who} ", "strong"), (first[0][0].lstrip(), event.pen)))
        lines += [((" " * cell_len(head) + line[0][0].lstrip(), event.pen),) for line in rest]
        if len(lines) >= room:
            break
    return lines[:room]


def event_who(event: Told, model: Model) -> str:
    """Return who did it, as short as the eye wants it."""
    if event.inbound and event.vendor:
        return one_line(event.vendor)
    return person(event.who, model.eyes.people, model.eyes.me, model.signs).split(" ")[0]


def event_what(event: Told, model: Model) -> str:
    """Return the words with the names put in."""
    text = event.what
    for who in event.people:
        text = text.replace(PERSON, person(who, model.eyes.people, model.eyes.me, model.signs), 1)
    return plain(one_line(text), model.signs)


def wrapped(text: str, width: int, pen: str, most: int = 1000) -> list[Line]:
    """Return `text` broken at spaces into lines of ` …`, the last one cut when there are too many."""
    room = width - 2
    if room < 1 or not text:
        return []
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        for piece in _pieces(word, room):
            joined = f"{line} {piece}" if line else piece
            if cell_len(joined) <= room:
                line = joined
            else:
                lines.append(line)
                line = piece
        if len(lines) > most:
            break
    lines.append(line)
    if len(lines) > most:
        lines[most - 1] += "…" if cell_len(lines[most - 1]) < room else ""
    return [((f" {part}", pen),) for part in lines[:most]]


def _pieces(word: str, room: int) -> list[str]:
    """Return a word cut so that each piece fits into a line."""
    if cell_len(word) <= room:
        return [word]
    pieces, piece, used = [], "", 0
    for letter in word:
        size = cell_len(letter)
        if used + size > room:
            pieces.append(piece)
            piece, used = "", 0
        piece, used = piece + letter, used + size
    return [*pieces, piece]


def one_line_latest(detail: Detail | None, model: Model, width: int) -> Line:
    """Return the newest event as one line, for screens too narrow for a pane."""
    if detail is None or not detail.told:
        return ()
    event = detail.told[-1]
    text = f"{event_who(event, model)}: {event_what(event, model)}" + (
        f": {event.body}" if event.body else ""
    )
    when = clock(event.at, model.eyes.now, model.zone)
    return (
        (f" {when} ", "dim"),
        (fit(one_line(text), max(0, width - len(when) - 3), model.signs), event.pen),
    )
