"""What must be true of a supplier's Zammad before Muster may believe what it says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, RootModel

from integrations.checks import failed, known, mapped
from integrations.connector import Check, Health
from integrations.errors import AuthFailed, AuthTrouble, Failure, Gone
from integrations.reading import read
from register.text import one_line

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.zammad.config import ZammadConfig
    from integrations.zammad.tickets import Tickets

_NOBODY: Final = "00000000000000000000000000"
"""An operation id that was never minted: a look-up that finds it looks at nothing."""


class _Named(BaseModel):
    name: str


class _Names(RootModel[tuple[_Named, ...]]):
    pass


async def health(http: Http, config: ZammadConfig, tickets: Tickets) -> Health:
    """Identity, mapping and look-up, each a line."""
    try:
        account = await tickets.account()
    except Failure as failure:
        return Health("", (failed("identity", failure, http.name),))
    who = one_line(account.login) or f"user {account.id}"
    lines = [Check("identity", True, f"signed in as {who}")]
    parts: tuple[tuple[str, Callable[[], Awaitable[Iterable[Check]]]], ...] = (
        ("mapping", lambda: _mapping(http, config)),
        ("look-up", lambda: _look_up(http.name, config, tickets)),
        ("history", lambda: _history(http)),
    )
    for name, check in parts:
        try:
            lines += await check()
        except Failure as failure:
            lines.append(failed(name, failure, http.name))
    return Health(who, tuple(lines))


async def _mapping(http: Http, config: ZammadConfig) -> Iterable[Check]:
    states, priorities = [
        [one.name for one in read(_Names, await http.get(path)).root]
        for path in ("/ticket_states", "/ticket_priorities")
    ]
    return (
        known("states", config.states, states),
        known("priorities", config.theirs, priorities),
        mapped("priorities", config.unranked),
    )


async def _history(http: Http) -> Iterable[Check]:
    """Whether it is shown to us: an agent is told that there is no ticket 0, a customer is refused."""
    try:
        await http.get("/ticket_history/0")
    except Gone:
        pass
    except AuthFailed as failure:
        if failure.trouble is not AuthTrouble.FORBIDDEN:
            raise
        says = "not for customers, as our account is one: states are told as they stand when a ticket changed"
        return (Check("history", True, says),)
    return (Check("history", True, "told whole"),)


async def _look_up(vendor: str, config: ZammadConfig, tickets: Tickets) -> Iterable[Check]:
    """An attribute that is not there is refused here, and dropped without a word where a ticket is made."""
    field = config.reference_field
    try:
        rows = await tickets.with_reference(field, _NOBODY)
    except Failure as failure:
        todo = f"mend `reference_field`, or ask {vendor} for a text attribute {field} of tickets"
        return (Check("reference", False, f"a look-up by {field} fails: {failure.why}", todo),)
    says = f"finds {len(rows)} tickets under a reference that none has" if rows else f"by {field}, exactly"
    todo = f"ask {vendor} what kind of attribute {field} is: it must be a text" if rows else ""
    return (Check("reference", not rows, says, todo),)
