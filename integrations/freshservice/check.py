"""What must be true of a supplier's Freshservice before Muster may believe what it says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from integrations.checks import failed, known, mapped
from integrations.connector import Check, Health
from integrations.errors import AuthFailed, AuthTrouble, Failure
from integrations.freshservice.fields import KNOWN
from integrations.freshservice.wire import Listed, just_before
from integrations.reading import read
from register.text import one_line

if TYPE_CHECKING:
    from integrations.freshservice.account import Account
    from integrations.freshservice.config import FreshserviceConfig
    from integrations.http import Http


class _Choice(BaseModel):
    id: Any = None
    value: Any = None


class _Field(BaseModel):
    name: str
    choices: tuple[_Choice, ...] | dict[str, Any] | None = None


class _Fields(BaseModel):
    ticket_fields: tuple[_Field, ...] = Field(default=())


async def health(http: Http, config: FreshserviceConfig, account: Account) -> Health:
    """Identity, requester, list, fields and mapping, each a line."""
    try:
        agent = await account.agent()
    except Failure as failure:
        return Health("", (failed("identity", failure, http.name),))
    who = one_line(agent.email or agent.first_name or "") or f"agent {agent.id}"
    lines = [Check("identity", True, f"signed in as {who}")]
    parts: tuple[tuple[str, Callable[[], Awaitable[Iterable[Check]]]], ...] = (
        ("requester", lambda: _requester(config, account)),
        ("feed", lambda: _feed(http, config)),
        ("fields", lambda: _fields(http, config)),
    )
    for name, check in parts:
        try:
            lines += await check()
        except Failure as failure:
            lines.append(failed(name, failure, http.name))
    lines.append(mapped("priorities", config.unranked))
    return Health(who, tuple(lines))


async def _requester(config: FreshserviceConfig, account: Account) -> Iterable[Check]:
    """Until they know the requester no ticket is known as ours; the first ticket makes one."""
    if await account.requester():
        return (Check("requester", True, f"{config.requester} is known there"),)
    says = (
        f"{config.requester} is not known there yet, or our account may not look: what they write is heard"
        " from the first ticket of this process on"
    )
    if config.department is not None:
        return (Check("requester", True, says),)
    todo = "ask them to add this requester, and to let our account see requesters"
    return (Check("requester", False, says, todo),)


async def _feed(http: Http, config: FreshserviceConfig) -> Iterable[Check]:
    since = datetime.now(UTC) + (http.gap or timedelta(0)) - timedelta(minutes=1)
    asked: dict[str, Any] = {"updated_since": just_before(since), "per_page": 1, "page": 1}
    if config.workspace is not None:
        asked["workspace_id"] = config.workspace
    read(Listed, await http.get("/tickets", asked))
    where = "their primary workspace" if config.workspace is None else f"workspace {config.workspace}"
    return (Check("feed", True, f"our account may list the tickets of {where}"),)


async def _fields(http: Http, config: FreshserviceConfig) -> Iterable[Check]:
    """A field that is not there, and a status that has another number."""
    wanted = {*config.fields.values(), *config.close.fields, config.close.field, config.reference_field}
    asked = {} if config.workspace is None else {"workspace_id": config.workspace}
    try:
        told = read(_Fields, await http.get("/ticket_form_fields", asked)).ticket_fields
    except AuthFailed as failure:
        if failure.trouble is not AuthTrouble.FORBIDDEN:
            raise
        says = "our account may not list their ticket fields, so `fields` and `statuses` were not compared"
        return (Check("fields", True, says),)
    there = [field.name for field in told]
    lines = [known("fields", sorted(wanted - {*KNOWN, ""}), there)]
    status = next((field.choices for field in told if field.name == "status"), None)
    if isinstance(status, tuple):
        numbers = [str(choice.id) for choice in status]
        ours = [str(config.statuses[raw]) for raw in config.states]
        lines.append(known("statuses", ours, numbers, whole=True))
    return lines
