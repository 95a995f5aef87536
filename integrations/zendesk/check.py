"""What must be true of a supplier's Zendesk before Muster may believe what it says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel

from integrations.checks import failed, known, mapped
from integrations.connector import Check, Health
from integrations.errors import Failure
from integrations.reading import read
from integrations.zendesk.account import AGENTS
from integrations.zendesk.config import KEPT_UNDER
from integrations.zendesk.feed import EARLIER, EXPORT
from integrations.zendesk.wire import Export, Listed
from register.text import one_line

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.zendesk.account import Account
    from integrations.zendesk.config import ZendeskConfig
    from integrations.zendesk.wire import Person

NOBODY: Final = "00000000000000000000000000"
"""A reference that no ticket has."""
STATES: Final = ("new", "open", "pending", "hold", "solved", "closed")


class _Field(BaseModel):
    id: int
    title: str = ""
    active: bool = True


class _Fields(BaseModel):
    ticket_fields: tuple[_Field, ...]


async def health(http: Http, config: ZendeskConfig, account: Account) -> Health:
    """Identity, rights, look-up, feed, mapping and fields, each a line."""
    try:
        user = await account.user()
    except Failure as failure:
        return Health("", (failed("identity", failure, http.name),))
    who = one_line(user.email or user.name) or f"user {user.id}"
    lines = [Check("identity", True, f"signed in as {who}"), _rights(http.name, user)]
    parts: tuple[tuple[str, Callable[[], Awaitable[Iterable[Check]]]], ...] = (
        ("look-up", lambda: _look_up(http)),
        ("feed", lambda: _feed(http)),
        ("fields", lambda: _fields(http, config)),
    )
    for name, check in parts:
        try:
            lines += await check()
        except Failure as failure:
            lines.append(failed(name, failure, http.name))
    lines += (
        known("states", config.states, STATES, whole=True),
        mapped("priorities", config.unranked),
    )
    return Health(who, tuple(lines))


def _rights(vendor: str, user: Person) -> Check:
    """An end user has no part in this API; a restricted agent finds nothing of what is there."""
    role = one_line(user.role) or "of no role"
    if user.role not in AGENTS:
        todo = f"ask {vendor} to make our account an agent"
        return Check("permission", False, f"our account is {role} there, which may not do this", todo)
    if user.ticket_restriction is not None:
        says = f"our account sees only some tickets there ({one_line(user.ticket_restriction)})"
        return Check("permission", False, says, f"ask {vendor} to let it see all tickets, or its own always")
    return Check("permission", True, f"is {role} there, and sees all tickets")


async def _look_up(http: Http) -> Iterable[Check]:
    found = read(Listed, await http.get("/tickets", params={"external_id": NOBODY})).tickets
    if found:
        says = "a search by external_id is ignored: it finds other tickets"
        return (
            Check("look-up", False, says, f"ask {http.name} what stands between: no create is proved so"),
        )
    return (Check("look-up", True, "matches exactly"),)


async def _feed(http: Http) -> Iterable[Check]:
    """Only an administrator may use the export."""
    first = int((datetime.now(UTC) + (http.gap or timedelta(0)) - EARLIER).timestamp())
    read(Export, await http.get(EXPORT, params={"start_time": first, "per_page": 1}))
    return (Check("feed", True, "our account may read the export of changed tickets"),)


async def _fields(http: Http, config: ZendeskConfig) -> Iterable[Check]:
    wanted = {*config.fields.values(), *config.close.fields, config.close.field} - {*KEPT_UNDER, ""}
    if not wanted:
        return (Check("fields", True, "none are asked for"),)
    told = read(_Fields, await http.get("/ticket_fields")).ticket_fields
    there = {str(field.id): one_line(field.title) for field in told if field.active}
    lacks = ", ".join(sorted(wanted - there.keys(), key=int))
    if not lacks:
        return (Check("fields", True, "all are there"),)
    names = ", ".join(f"{number} {title}" for number, title in there.items()) or "none"
    says = f"there is no ticket field {lacks}, but: {names}"
    return (Check("fields", False, says, "mend `fields` or `close` in vendors.toml"),)
