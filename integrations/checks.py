"""Lines of `muster vendors check` that connectors have in common."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final

from integrations.connector import Check
from integrations.errors import (
    NOTHING_THERE,
    AuthFailed,
    AuthTrouble,
    Failure,
    Gone,
    NoToken,
    NotSent,
    RateLimited,
    Unavailable,
)
from register.text import one_line

NEAR: Final = 5
"""Seconds that an answer may take."""
FAR: Final = 300
"""Seconds from which on clocks that differ are more than untidy."""
_TODO: Final[Mapping[type[Failure], str]] = {
    NoToken: "is its `token_url` right, and does what gives out tokens there run?",
    NotSent: "is its `url` right, does the supplier's system run, and may this host reach it?",
    RateLimited: "wait, then check again",
    Gone: "is its `url` right, up to where its API begins, and what vendors.toml names there?",
    Failure: "check again; if it stays so, ask the supplier",
}


def failed(name: str, failure: Failure, vendor: str) -> Check:
    """The line of a check that could not be made."""
    if isinstance(failure, AuthFailed):
        todo = f"store a valid credential: muster vendors login {vendor}"
        if failure.trouble is AuthTrouble.FORBIDDEN:
            todo = "ask the supplier to give our account this right"
    else:
        todo = next(todo for kind, todo in _TODO.items() if isinstance(failure, kind))
    passing = isinstance(failure, NotSent | RateLimited | Unavailable)
    why = failure.why.replace(NOTHING_THERE, "has nothing at this address")  # nothing was there before
    return Check(name, False, why, todo, passing)


def clock(gap: timedelta | None, zone: str) -> Check:
    """How their clock goes beside ours, by what their last answer said of it, and in which zone they tell."""
    told = f"; times that name no zone are taken for {zone}" if zone else ""
    if gap is None:
        return Check("clock", True, f"they do not tell the time{told}")
    off = abs(round(gap.total_seconds()))
    if off <= NEAR:
        return Check("clock", True, f"as ours{told}")
    way = "ahead of" if gap > timedelta(0) else "behind"
    says = f"theirs is {off // 60} min {off % 60} s {way} ours{told}"
    hours = off % 1_800 < NEAR or off % 1_800 > 1_800 - NEAR
    hint = "it looks like a zone that one of the two has wrong: " if hours else ""
    todo = f"{hint}compare both with the right time; what they tell is shown by their clock"
    return Check("clock", off < FAR, says, todo)


def known(name: str, ours: Collection[str], theirs: Sequence[str], *, whole: bool = False) -> Check:
    """Whether all that we name exists there; with `whole`, also whether we name all that does."""
    strange = [one for one in ours if one not in theirs]
    unnamed = [one_line(one) for one in theirs if one not in ours] if whole else []
    if strange:
        says = f"there is no {', '.join(strange)} there, but {', '.join(map(one_line, theirs))}"
        return Check(name, False, says, f"mend `{name}` in vendors.toml")
    if unnamed:
        says = f"{', '.join(unnamed)} means nothing to us"
        return Check(name, False, says, f"add it to `{name}` in vendors.toml")
    return Check(name, True, "all known there")


def mapped(name: str, missing: Collection[str]) -> Check:
    """Whether all of ours has something that stands for it there."""
    if missing:
        says = f"nothing stands for {', '.join(missing)}"
        return Check(name, False, says, f"add it to `{name}` in vendors.toml")
    return Check(name, True, "all of ours mapped")
