"""What must be true of a Practice Desk before Muster may believe what it says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Final

from integrations.checks import failed, known, mapped
from integrations.connector import Check, Cursor, Health, Page
from integrations.errors import Failure
from integrations.practice.config import PracticeConfig
from integrations.practice.wire import About, Account, Tickets
from integrations.reading import read
from register.text import one_line

if TYPE_CHECKING:
    from integrations.http import Http

_NOBODY: Final = "00000000000000000000000000"
"""An operation id that was never minted: a look-up that finds it looks at nothing."""
_NEEDED: Final = frozenset({"create", "comment", "state", "priority", "attach", "read"})


async def health(
    http: Http, config: PracticeConfig, changes: Callable[[Cursor | None], Awaitable[Page]]
) -> Health:
    """Identity, permission, mapping, look-up and feed, each a line."""
    try:
        who = read(Account, await http.get("/whoami"))
    except Failure as failure:
        return Health("", (failed("identity", failure, http.name),))
    lacks = sorted(_NEEDED - who.may)
    lines = [
        Check("identity", True, f"signed in as {one_line(who.account)}"),
        Check(
            "permission",
            not lacks,
            f"may not {', '.join(lacks)}" if lacks else "may do all that is needed",
            f"ask {http.name} for that right" if lacks else "",
        ),
    ]
    parts: tuple[tuple[str, Callable[[], Awaitable[Iterable[Check]]]], ...] = (
        ("mapping", lambda: _mapping(http, config)),
        ("look-up", lambda: _look_up(http)),
        ("changes", lambda: _changes(changes)),
    )
    for name, check in parts:
        try:
            lines += await check()
        except Failure as failure:
            lines.append(failed(name, failure, http.name))
    return Health(who.account, tuple(lines))


async def _mapping(http: Http, config: PracticeConfig) -> Iterable[Check]:
    about = read(About, await http.get("/about"))
    return (
        known("queue", [config.queue], about.queues),
        known("states", config.states, about.states, whole=True),
        known("priorities", config.theirs, about.priorities),
        mapped("priorities", config.unranked),
    )


async def _look_up(http: Http) -> Iterable[Check]:
    answer = await http.get("/tickets", params={"reference": _NOBODY})
    found = len(read(Tickets, answer).tickets)
    says = f"finds {found} tickets under a reference that none has" if found else "matches exactly"
    todo = "is the address that of a Practice Desk?" if found else ""
    return (Check("look-up", not found, says, todo),)


async def _changes(changes: Callable[[Cursor | None], Awaitable[Page]]) -> Iterable[Check]:
    page = await changes(None)
    return (Check("changes", True, f"heard from change {page.next['after']} on"),)
