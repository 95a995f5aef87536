"""Whom an escalation told with what it did last, person by person, and what came of it. Pure."""

from __future__ import annotations

from typing import Any

from register.incident import PageState
from register.plain import one_line
from tui.detail import wrapped
from tui.format import person
from tui.model import Model
from tui.signs import plain
from tui.widgets.lines import Line


def told_words(told: Any) -> tuple[str, str]:
    """Return the words behind somebody's name, and their pen. told: a register.run.Told."""
    by = one_line(told.by)
    if told.state is PageState.DELIVERED:
        return (f"paged by {by}" if by else "paged"), "good"
    if told.state is PageState.FAILED:
        return "COULD NOT BE PAGED" + (f": {by}" if by else ""), "bad"
    if told.state is PageState.ASKED:
        return "is being paged", ""
    return (f"not paged: {by}" if by else "told on the board alone"), "warn"


def reached_words(run: Any) -> str:
    """Return `told at step 2/4`. run: a register.run.Run."""
    return f"told at step {run.reached}/{len(run.plan.steps)}" if run.reached else "told"


def told_lines(run: Any, model: Model, width: int) -> list[Line]:
    """Return a line a person under one that says at which step; none where nobody was told yet."""
    if run is None or not run.told:
        return []
    eyes, signs = model.eyes, model.signs
    head = f" {signs.rule * 2} {reached_words(run)} "
    lines: list[Line] = [((head + signs.rule * max(0, width - len(head)), "dim"),)]
    for one in run.told:
        words, pen = told_words(one)
        name = person(one.person, eyes.people, eyes.me, signs)
        lines += wrapped(plain(f"{name}: {words}", signs), width, pen)
    return lines
