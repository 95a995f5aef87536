"""What must be true of a supplier's Jira before Muster may believe what it says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, RootModel

from integrations.checks import failed, known, mapped
from integrations.connector import Check, Health
from integrations.errors import Failure
from integrations.jira.feed import search
from integrations.jira.wire import Found, Named, Status
from integrations.reading import read
from register.text import one_line

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.jira.account import Account
    from integrations.jira.config import JiraConfig
    from integrations.jira.making import Making

RIGHTS: Final = {
    "BROWSE_PROJECTS": "see issues",
    "CREATE_ISSUES": "make issues",
    "ADD_COMMENTS": "comment",
    "TRANSITION_ISSUES": "set states",
    "EDIT_ISSUES": "set priorities",
    "CREATE_ATTACHMENTS": "attach files",
}
"""What our account must be allowed in the project: Jira's name, what it is for."""


class _Right(BaseModel):
    havePermission: bool = False


class _Rights(BaseModel):
    permissions: dict[str, _Right]


class _Type(BaseModel):
    name: str = ""
    statuses: tuple[Status, ...] = ()


class _Types(RootModel[tuple[_Type, ...]]):
    pass


class _Priorities(RootModel[tuple[Named, ...]]):
    pass


async def health(http: Http, config: JiraConfig, account: Account, making: Making) -> Health:
    """Identity, rights, feed, states, priorities and the form, each a line."""
    try:
        user = await account.user()
    except Failure as failure:
        return Health("", (failed("identity", failure, http.name),))
    who = one_line(user.emailAddress or "") or user.shown
    lines = [Check("identity", True, f"signed in as {who}")]
    parts: tuple[tuple[str, Callable[[], Awaitable[Iterable[Check]]]], ...] = (
        ("permission", lambda: _rights(http, config)),
        ("feed", lambda: _feed(http, config)),
        ("states", lambda: _states(http, config)),
        ("priorities", lambda: _priorities(http, config)),
        ("form", lambda: _form(config, making)),
    )
    for name, check in parts:
        try:
            lines += await check()
        except Failure as failure:
            lines.append(failed(name, failure, http.name))
    return Health(who, tuple(lines))


async def _rights(http: Http, config: JiraConfig) -> Iterable[Check]:
    asked: dict[str, Any] = {"projectKey": config.project}
    if config.is_cloud:  # which asks for their names; Data Center tells all
        asked["permissions"] = ",".join(RIGHTS)
    there = read(_Rights, await http.get(f"{config.api}/mypermissions", asked)).permissions
    lacks = [says for name, says in RIGHTS.items() if not there.get(name, _Right()).havePermission]
    if lacks:
        says = f"our account may not {', '.join(lacks)} in {config.project}"
        return (Check("permission", False, says, f"ask {http.name} for these rights in the project"),)
    return (Check("permission", True, f"may do in {config.project} what is needed"),)


async def _feed(http: Http, config: JiraConfig) -> Iterable[Check]:
    """Whether a search by epoch milliseconds is understood: one in the future finds nothing."""
    jql = f'project = "{config.project}" AND updated >= 32503680000000 ORDER BY updated ASC, key ASC'
    if read(Found, await search(http, config, jql)).issues:
        says = "a search for changes that are to come finds some: it is not understood"
        return (Check("feed", False, says, f"ask {http.name} what stands between"),)
    return (Check("feed", True, "a search for changes is understood"),)


async def _states(http: Http, config: JiraConfig) -> Iterable[Check]:
    """Statuses of our type of issues in the project; what we name beside them does no harm."""
    types = read(_Types, await http.get(f"{config.api}/project/{config.project}/statuses")).root
    ours = [one for one in types if config.service_desk or one.name == config.issue_type]
    if not ours:
        says = f"there is no type {config.issue_type} in {config.project}, but "
        says += ", ".join(one_line(one.name) for one in types)
        return (Check("states", False, says, "mend `issue_type` in vendors.toml"),)
    there = {status.name: status for one in ours for status in one.statuses}
    by_category: dict[Any, object] = dict(config.categories_of_states)
    unnamed = [
        one_line(name)
        for name, status in there.items()
        if name not in config.states
        and (status.statusCategory is None or status.statusCategory.key not in by_category)
    ]
    wrong = [raw for raw in config.transitions.values() if raw not in there]
    if unnamed or wrong:
        says = f"{', '.join(unnamed)} means nothing to us" if unnamed else f"there is no {', '.join(wrong)}"
        return (Check("states", False, says, "mend `states` or `transitions` in vendors.toml"),)
    by_name = [one_line(name) for name in there if name in config.states]
    rest = [one_line(name) for name in there if name not in config.states]
    says = f"known by name: {', '.join(by_name) or 'none'}"
    says += f"; by category alone, so that they are heard and not set: {', '.join(rest)}" if rest else ""
    return (Check("states", True, says),)


async def _priorities(http: Http, config: JiraConfig) -> Iterable[Check]:
    there = read(_Priorities, await http.get(f"{config.api}/priority")).root
    return (
        known("priorities", config.theirs, [one.name for one in there]),
        mapped("priorities", config.unranked),
    )


async def _form(config: JiraConfig, making: Making) -> Iterable[Check]:
    """What a request type asks for that we do not fill, and what of ours it has no place for."""
    if not config.service_desk:
        return ()
    form = await making.asked_for()
    ours = {"summary", "description", "priority", "labels"}
    ours |= {name.partition(":")[0] for name in config.fields.values()}
    lacks = [
        f"{one.fieldId} ({one_line(one.name)})" for one in form if one.required and one.fieldId not in ours
    ]
    if lacks:
        says = f"the request type asks for {', '.join(lacks)}, which we do not fill"
        return (Check("form", False, says, "add it to `fields` in vendors.toml, or ask for another type"),)
    there = {one.fieldId for one in form}
    if not {"summary", "description"} <= there:
        says = "the request type has no summary, or no description, for our words and our reference"
        return (Check("form", False, says, "ask for a request type that has both"),)
    without = "" if "priority" in there else "; it has no priority, which is set when it is raised later"
    return (Check("form", True, f"takes our requests{without}"),)
