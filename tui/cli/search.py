"""`muster search`: full text over titles, descriptions, notes, resolutions and what suppliers wrote."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from register.store.searching import Hit, search
from register.text import clip, one_line
from register.words import NothingToFind, Term, asked, snippet
from tui.cli.answer import Answer
from tui.cli.filters import take_in
from tui.cli.here import Here, here
from tui.cli.tabular import columns
from tui.cli.telling import name_of
from tui.cli.trouble import WrongUse

_HELP = 'words, "a phrase", or begin*; all must stand in one text or its incident\'s title'


def search_(
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help=_HELP)],
    limit: Annotated[int, typer.Option(min=1, max=1000, help="so many incidents at most")] = 50,
) -> Answer:
    """Find incidents by what was written about them, those written about last first."""
    try:
        terms = asked(" ".join(words))
    except NothingToFind as nothing:
        typed = clip(one_line(" ".join(words)), 40)
        raise WrongUse(f"{typed!r} cannot be looked for: {nothing}.", "words") from nothing
    with here() as at:
        take_in(at.store)
        found, more = search(at.store, at.who, terms, limit=limit)
        data = [_data(at, hit, terms) for hit in found]
    if not found:
        return Answer([], ["Nothing was found. A part of a word is found by its beginning: begin*"])
    lines = columns(("NUMBER", "PRI", "STATE", "TITLE"), [_cells(hit) for hit in found], cut=True)
    told = lines[:1]
    for line, one in zip(lines[1:], data, strict=True):
        when = one["at"].astimezone().strftime("%Y-%m-%d %H:%M")
        what = f"{one['kind'].replace('_', ' ')} by {one['actor'] or 'nobody'}, {when}"
        told += [line, f"    {what}{': ' if one['snippet'] else ''}{one['snippet']}"]
    return Answer(
        data, [*told, f"The newest {limit}; there are more: add a word, or --limit."] if more else told
    )


def _cells(hit: Hit) -> tuple[str, ...]:
    return hit.number, f"P{hit.priority}", hit.state, hit.title


def _data(at: Here, hit: Hit, terms: tuple[Term, ...]) -> dict[str, Any]:
    return {
        "number": hit.number,
        "priority": f"P{hit.priority}",
        "state": hit.state,
        "title": hit.title,
        "at": hit.at,
        "kind": hit.kind,
        "actor": name_of(at, hit.actor),
        "snippet": snippet(hit.text, terms) or snippet(hit.called, terms),
    }
