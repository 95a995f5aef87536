"""Lines of `muster vendors check` that connectors have in common."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from integrations.connector import Check
from integrations.errors import AuthFailed, AuthTrouble, Failure, NotSent, RateLimited
from register.text import one_line

_TODO: Final[Mapping[type[Failure], str]] = {
    NotSent: "is its `url` right, does the supplier's system run, and may this host reach it?",
    RateLimited: "wait, then check again",
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
    return Check(name, False, failure.why, todo)


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
