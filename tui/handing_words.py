"""How a line of a handover reads, on the screen and on the command line. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, Final

from register.plain import clip, one_line
from tui.format import clock, duration
from tui.run_words import target_words
from tui.signs import UNICODE, Signs, plain
from tui.widgets.lines import Line


@dataclass(frozen=True, slots=True)
class Eye:
    """With what a line is read: the time (epoch s), the zone (None: the host's), names by id, signs."""

    now: float
    zone: tzinfo | None = None
    people: Mapping[str, str] = field(default_factory=dict)
    signs: Signs = UNICODE
    me: str | None = None

    @classmethod
    def of(cls, model: Any) -> Eye:
        """With what a terminal reads. model: a tui.model.Model."""
        eyes = model.eyes
        return cls(eyes.now, model.zone, eyes.people, eyes.signs, eyes.me)

    def when(self, at: datetime) -> str:
        return clock(at.timestamp(), self.now, self.zone)

    def ago(self, at: datetime) -> str:
        return duration(max(0, self.now - at.timestamp()))

    def name(self, person: str | None) -> str:
        if person is None:
            return "nobody"
        return "you" if person == self.me else one_line(self.people.get(person, person))


def parts(line: Any, eye: Eye) -> list[str]:
    """Return what there is to know of an incident, each in few words. line: a register.handing.Line."""
    return [
        *_escalation(line, eye),
        *_hold(line, eye),
        *(turn_words(turn, eye) for turn in line.turns),
        *_word(line, eye),
        *([f"maintenance until {eye.when(line.maintenance)}"] if line.maintenance else []),
    ]


def _escalation(line: Any, eye: Eye) -> Iterator[str]:
    step = f"step {line.step}/{line.of}" if line.step else "no step yet"
    if line.paging == "exhausted":
        yield f"{eye.signs.alarm} every step taken, nobody answered"
    elif line.paging == "suppressed":
        until = f" until {eye.when(line.held_until)}" if line.held_until else ""
        yield f"silent{until}: {one_line(line.held)}"
    elif line.paging == "acknowledged":
        yield "acknowledged" + (f", asks again at {eye.when(line.next_at)}" if line.next_at else "")
    elif line.paging and line.next_at is not None:
        who = ", ".join(target_words(to, line.team, eye.people) for to in line.next_to)
        yield f"{step}, next: {who or 'again'} at {eye.when(line.next_at)}"
    elif line.paging:
        yield step


def _hold(line: Any, eye: Eye) -> Iterator[str]:
    if line.hold:
        yield f"waits for {one_line(line.hold)}" + (
            f", looks again {eye.when(line.hold_until)}" if line.hold_until else ""
        )


def turn_words(turn: Any, eye: Eye) -> str:
    """Return `acme: their turn 12m, promised until 14:00`."""
    whose = "OUR TURN" if turn.ball == "ours" else "their turn"
    told = f"{one_line(turn.vendor)}: {whose} {eye.ago(turn.since)}"
    told += f", promised until {eye.when(turn.promised)}" if turn.promised else ""
    return told + (f", closes it {eye.when(turn.closes)}" if turn.closes else "")


_SPOKE: Final[Mapping[str, str]] = {"caller": "the caller waits since {}", "us": "users told at {}"}


def _word(line: Any, eye: Eye) -> Iterator[str]:
    if line.word_at is not None and line.word in _SPOKE:
        yield _SPOKE[line.word].format(eye.when(line.word_at))


def counted(number: int, what: str = "incident") -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def offered_words(handover: Any, eye: Eye) -> str:
    """Return `ana hands over 5 incidents to you`, `you offer 5 incidents and the shift of app to ben`."""
    what = [counted(len(handover.mine))] if handover.mine or not handover.rotas else []
    what += [f"the shift of {', '.join(map(one_line, handover.rotas))}"] if handover.rotas else []
    told = " and ".join(what)
    if handover.giver == eye.me:
        return f"you offer {told} to {eye.name(handover.to)}"
    return f"{eye.name(handover.giver)} hands over {told} to {eye.name(handover.to)}"


def handed_line(handovers: tuple[Any, ...], eye: Eye, width: int) -> list[Line]:
    """Return the board's line `ana hands over 5 incidents to you: h`; none where nobody does."""
    if not handovers:
        return []
    more = f", and {len(handovers) - 1} more" if len(handovers) > 1 else ""
    text = f"{offered_words(handovers[0], eye)}{more}:"
    return [((f" {clip(plain(text, eye.signs), max(1, width - 4))} ", "warn"), ("h", "strong"))]


def head_of(told: Any, eye: Eye) -> str:
    """Return `INC-7  P1  In Progress  Checkout answers 500`; of a restricted one its number. told: a Told."""
    line = told.line
    if line is None:
        return f"{told.number}  restricted"
    whose = "" if told.given else f"  ({eye.name(line.owner)}, {one_line(line.team)})"
    return f"{line.number}  P{line.priority}  {line.state}  {one_line(line.title)}{whose}"


def under(told: Any, eye: Eye, to: str | None = None) -> list[str]:
    """Return the lines under it: what there is to know of it, and that it stays. to: who is to take over."""
    known = [] if told.line is None else parts(told.line, eye)
    whom = "you" if to is not None and to == eye.me else "them"
    stays = [f"restricted, and does not name {whom}: it stays where it is"] if told.secret else []
    return [*(["; ".join(known)] if known else []), *stays]


def stands(handover: Any, eye: Eye, now: datetime) -> str:
    """Return how a handover stands: `open until 11-29 14:05`, `declined 14:05 by ben: "I am ill."`"""
    how = handover.stands(now)
    if handover.is_open(now):
        return f"open until {eye.when(handover.lapses_at)}"
    if handover.ended_at is None:
        return str(how)
    word = f': "{one_line(handover.word)}"' if handover.word else ""
    left = f", but for {', '.join(handover.left)}" if handover.left else ""
    return f"{how} {eye.when(handover.ended_at)} by {eye.name(handover.ended)}{left}{word}"
