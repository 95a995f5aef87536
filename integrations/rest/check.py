"""What must be true of a described system before Muster may believe what it says; and how it is shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ulid import ULID

from integrations.checks import failed, mapped
from integrations.connector import Absent, Cap, Check, Health, NoLookup
from integrations.errors import AuthFailed, Failure, Gone, NotSent, RateLimited
from integrations.rest.feed import ref_of

if TYPE_CHECKING:
    from integrations.systems.rest import Rest

_AGO: Final = timedelta(minutes=5)
_COARSE: Final = timedelta(days=1)
"""Some filters take a day, or go by another zone: what lies further back was not filtered."""
_ASKS: Final = {"identity": "me", "look-up": "find", "feed": "changes"}
"""Part of the check → the operation that it asks by."""


async def health(desk: Rest) -> Health:
    """Identity, the look-up, the feed and the mapping, each a line. Makes nothing."""
    name = desk.http.name
    account = ""
    if desk.config.me:
        try:
            account = await desk.whoami()
        except Failure as failure:
            return Health("", (_failed("identity", failure, name),))
        lines = [Check("identity", True, f"signed in as {account}")]
    else:
        lines = [Check("identity", True, "not asked: the block has no `me`")]
    parts: tuple[tuple[str, Callable[[Rest], Awaitable[Iterable[Check]]]], ...] = (
        ("look-up", _look_up),
        ("feed", _feed),
    )
    for part, check in parts:
        try:
            lines += await check(desk)
        except Failure as failure:
            lines.append(_failed(part, failure, name))
    if Cap.SET_PRIORITY in desk.info.caps or _uses_priority(desk.config):
        lines.append(mapped("priorities", desk.config.unranked))
    return Health(account or name, tuple(lines))


async def _look_up(desk: Rest) -> Iterable[Check]:
    """An id that no ticket has must find nothing: a filter that is ignored finds everything."""
    if isinstance(desk.info.lookup, NoLookup):
        return (Check("look-up", True, "none: a create is settled by the key that they honour"),)
    found = await desk.find(str(ULID()), datetime.now(UTC) - _AGO)
    ok = isinstance(found, Absent)
    says = "an id that no ticket has finds none" if ok else "an id that no ticket has finds tickets"
    return (Check("look-up", ok, says, "" if ok else "mend `find` in vendors.toml: its filter is ignored"),)


async def _feed(desk: Rest) -> Iterable[Check]:
    if not desk.config.changes:
        return (Check("feed", True, "none: nothing is heard from them"),)
    since = datetime.now(UTC) - _AGO
    rows = await desk.listed(since)
    changed = [desk.feed.changed(row) for row in rows]
    if changed and min(changed) < since - _COARSE:
        says = f"asked for what changed in the last 5 minutes, it lists what did on {min(changed):%Y-%m-%d}"
        return (Check("feed", False, says, "mend `changes` in vendors.toml: its filter is ignored"),)
    return (Check("feed", True, f"{len(rows)} changed in the last 5 minutes"), *await _history(desk, rows))


async def _history(desk: Rest, rows: Sequence[Mapping[str, Any]]) -> Iterable[Check]:
    """One ticket as it is looked at when it changed; nothing is said where none changed lately."""
    if not rows:
        return ()
    ref = ref_of(rows[-1])
    page = await desk.history(ref)
    says = f"of {ref.key}, {len(page.changes)} changes are read"
    if page.unread:
        says += f", and {len(page.unread)} cannot be: {page.unread[0].why}"
    ok = bool(page.changes) or not page.unread  # a single odd one is set aside, and holds nothing up
    return (Check("history", ok, says, "" if ok else _todo("history", desk.http.name)),)


def _failed(part: str, failure: Failure, name: str) -> Check:
    """The line of a part that failed; where an answer came that was not what the block says, what to mend."""
    line = failed(part, failure, name)
    if isinstance(failure, AuthFailed | NotSent | RateLimited):
        return line
    todo = _todo(_ASKS[part], name)
    return replace(line, todo=f"is its `url` right? If it is, {todo}" if isinstance(failure, Gone) else todo)


def _todo(operation: str, name: str) -> str:
    way = "" if operation == "me" else f" (muster vendors try {name} {operation} shows what comes)"
    return f"mend `{operation}` in vendors.toml{way}; or check again, if their system has trouble"


def _uses_priority(config: Any) -> bool:
    return any(step.mentions("priority") or step.mentions("priority_code") for step in config.create)
