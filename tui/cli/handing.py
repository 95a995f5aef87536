"""Handing a shift over: what would be in it now, and what is offered to whom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import typer

from register.store.adopted import adopted
from register.store.handing import Hands, Picture, Told, hands_of
from register.text import one_line
from tui.cli.answer import Answer
from tui.cli.here import Here, here
from tui.cli.telling import name_of
from tui.handing_words import Eye, counted, head_of, offered_words, stands, under


def show(context: typer.Context) -> Answer | None:
    """Show what you would hand over now, and what is offered to you."""
    if context.invoked_subcommand is not None:
        return None
    with here() as at:
        now = datetime.now(UTC)
        hands, eye = _hands(at, now), _eye(at, now)
        names = {person: name_of(at, person) for person in at.people}
    to_me, mine = hands.to_me(now), hands.mine(now)
    data = {
        "lines": [_line_data(one, names) for one in hands.draft.lines],
        "shifts": [{"rota": rota, "until": until} for rota, until in hands.shifts],
        "offered_to_you": [_offer_data(one, names, now) for one in to_me],
        "offered_by_you": None if mine is None else _offer_data(mine, names, now),
    }
    return Answer(data, [*_answerable(to_me, mine, eye), *_draft(hands, eye)])


def list_() -> Answer:
    """List handovers of the last two days: who offered what to whom, and what came of it."""
    with here() as at:
        now = datetime.now(UTC)
        hands, eye = _hands(at, now), _eye(at, now)
        names = {person: name_of(at, person) for person in at.people}
    lines: list[str] = []
    for one in hands.offers:
        lines += _offer_lines(one, eye, now)
    return Answer(
        [_offer_data(one, names, now) for one in hands.offers],
        lines or ["Nothing was handed over in the last two days: `muster handover` shows what you have."],
    )


def _hands(at: Here, now: datetime) -> Hands:
    return hands_of(at.store, at.who, adopted(at.store).policy.matrix, now)


def _eye(at: Here, now: datetime) -> Eye:
    return Eye(now.timestamp(), None, at.people, me=at.me)


def _answerable(to_me: tuple[Picture, ...], mine: Picture | None, eye: Eye) -> Iterator[str]:
    for one in to_me:
        if one.handover is not None:
            told = offered_words(one.handover, eye)
            yield f"{told[:1].upper()}{told[1:]}: `muster handover accept`, or `decline`."
            yield from _body(one, eye)
            yield ""
    if mine is not None and mine.handover is not None:
        until = eye.when(mine.handover.lapses_at)
        yield f"Y{offered_words(mine.handover, eye)[1:]}, until {until}: nothing has changed yet."
        yield ""


def _draft(hands: Hands, eye: Eye) -> Iterator[str]:
    given = [one for one in hands.draft.lines if one.given]
    rest = len(hands.draft.lines) - len(given)
    more = f", and would tell of {rest} more of your team's" if rest else ""
    yield f"You would hand over {counted(len(given))}{more}."
    for rota, until in hands.shifts:
        yield f"You are on call by {rota} until {eye.when(until)}: --shift {rota} hands that over, too."
    yield from _lines(hands.draft, eye)
    yield "`muster handover offer LOGIN` offers it: until they accept, pages go where they went."


def _offer_lines(one: Picture, eye: Eye, now: datetime) -> Iterator[str]:
    handover = one.handover
    if handover is None:
        return
    head = f"{handover.id[-6:]}  {eye.when(handover.at)}  {offered_words(handover, eye)}"
    yield f"{head}: {stands(handover, eye, now)}"
    if handover.is_open(now):
        yield from _body(one, eye)


def _body(one: Picture, eye: Eye) -> Iterator[str]:
    note = one.handover.note if one.handover is not None else ""
    yield from (f"  {one_line(part)}" for part in note.splitlines() if part.strip())
    yield from _lines(one, eye)


def _lines(picture: Picture, eye: Eye) -> Iterator[str]:
    to = None if picture.handover is None else picture.handover.to
    for one in picture.lines:
        yield f"  {head_of(one, eye)}"
        yield from (f"      {text}" for text in under(one, eye, to))
        if one.words:
            yield f"      > {one_line(one.words)}"


def _offer_data(one: Picture, names: dict[str, str | None], now: datetime) -> dict[str, Any]:
    handover = one.handover
    if handover is None:
        return {}
    return {
        "id": handover.id,
        "state": str(handover.stands(now)),
        "giver": names.get(handover.giver),
        "to": names.get(handover.to),
        "at": handover.at,
        "lapses_at": handover.lapses_at,
        "shifts": list(handover.rotas),
        "note": handover.note,
        "ended_by": names.get(handover.ended),
        "ended_at": handover.ended_at,
        "word": handover.word,
        "left": list(handover.left),
        "lines": [_line_data(line, names) for line in one.lines],
    }


def _line_data(one: Told, names: dict[str, str | None]) -> dict[str, Any]:
    if one.line is None:
        return {"number": one.number, "restricted": True, "given": one.given}
    data = asdict(one.line) | {"words": one.words, "given": one.given, "stays": one.secret}
    data["owner"] = names.get(one.line.owner or "")
    data["turns"] = [turn._asdict() for turn in one.line.turns]
    return data
