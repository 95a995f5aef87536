"""What must be true of a described system before Muster may believe what it says; and how it is shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ulid import ULID

from integrations.checks import failed, mapped
from integrations.connector import Absent, Cap, Check, Health, NoLookup
from integrations.errors import Failure

if TYPE_CHECKING:
    from integrations.systems.rest import Rest

_AGO: Final = timedelta(minutes=5)


async def health(desk: Rest) -> Health:
    """Identity, the look-up, the feed and the mapping, each a line. Makes nothing."""
    name = desk.http.name
    account = ""
    if desk.config.me:
        try:
            account = await desk.whoami()
        except Failure as failure:
            return Health("", (failed("identity", failure, name),))
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
            lines.append(failed(part, failure, name))
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
    rows = await desk.listed(datetime.now(UTC) - _AGO)
    return (Check("feed", True, f"{len(rows)} changed in the last 5 minutes"),)


def _uses_priority(config: Any) -> bool:
    return any(step.mentions("priority") or step.mentions("priority_code") for step in config.create)
