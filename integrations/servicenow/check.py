"""What must be true of a supplier's ServiceNow before Muster may believe what it says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from integrations.checks import failed, mapped
from integrations.connector import Check, Health
from integrations.errors import Failure, Unavailable
from integrations.reading import read
from integrations.servicenow.config import DISPLAY
from integrations.servicenow.wire import AUDIT, JOURNAL, TABLE, One, Row, listed, stamp, text_in
from register.text import one_line

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.servicenow.account import Account
    from integrations.servicenow.config import ServiceNowConfig

NOBODY: Final = "00000000000000000000000000"
"""A reference that no incident has."""
LATER: Final = "proved with our first ticket there"
_QUOTA: Final = 60
"""Seconds that ServiceNow lets a request run by its own default rules."""
Lines = Iterable[Check]


async def health(http: Http, config: ServiceNowConfig, account: Account) -> Health:
    """Identity, look-up, feed, journals, audit and mapping, each a line."""
    try:
        told = await account.told()
        who = told or await account.me()
    except Failure as failure:
        return Health("", (_asleep(failed("identity", failure, http.name), failure),))
    lines = [_who(http.name, config, told, who)]
    parts: tuple[tuple[str, Callable[[], Awaitable[Lines]]], ...] = (
        ("look-up", lambda: _look_up(http)),
        ("feed", lambda: _feed(http, config)),
        ("journals", lambda: _journals(http)),
        ("audit", lambda: _audit(http, config)),
        ("states", lambda: _states(http, config)),
    )
    for name, check in parts:
        try:
            lines += await check()
        except Failure as failure:
            lines.append(failed(name, failure, http.name))
    lines += (mapped("priorities", config.unranked), _deadline(http))
    return Health(who, tuple(lines))


def _who(vendor: str, config: ServiceNowConfig, told: str, who: str) -> Check:
    if told and config.user and told != config.user:
        says = f"signed in as {told}, and `user` says {config.user}: its words would be taken for theirs"
        return Check("identity", False, says, "mend `user` in vendors.toml: it is the user name, exactly")
    return Check("identity", True, f"signed in as {who}")


def _asleep(check: Check, failure: Failure) -> Check:
    """A developer instance that nobody used for a while answers everything with a page, and 200."""
    if not isinstance(failure, Unavailable) or "web page" not in failure.why:
        return check
    todo = "if it is a developer instance it hibernates: wake it at developer.servicenow.com; else mend `url`"
    return Check(check.name, False, check.says, todo, passing=True)


async def _look_up(http: Http) -> Lines:
    """A condition that is not understood is ignored: then everything is found."""
    found = await listed(http, TABLE, f"correlation_id={NOBODY}", "sys_id,correlation_id", limit=1)
    if found.rows or found.total:
        says = "a search by correlation_id is ignored: it finds other incidents"
        todo = f"ask {http.name} to let our account read correlation_id of incidents"
        return (Check("look-up", False, says, todo),)
    ours = await _newest(http, "correlation_id")
    known = [text_in(row, "correlation_id") for row in ours]
    if not known:
        return (Check("look-up", True, LATER),)
    if not known[0]:
        says = f"our reference is not on {_number(ours[0])}: our account may not write or read correlation_id"
        return (Check("look-up", False, says, f"ask {http.name} for both"),)
    again = (await listed(http, TABLE, f"correlation_id={known[0]}", "sys_id,correlation_id", limit=5)).rows
    if known[0] not in [text_in(row, "correlation_id") for row in again]:
        says = f"{_number(ours[0])} is not found by its own reference"
        return (Check("look-up", False, says, f"ask {http.name}: no create is proved so"),)
    return (Check("look-up", True, "matches exactly"),)


async def _feed(http: Http, config: ServiceNowConfig) -> Lines:
    """Whether a time in a query is read as we mean it: an incident is there from its own second, no later."""
    query = f"{config.listen}^ORDERBYDESCsys_updated_on"
    told = await listed(http, TABLE, query, "sys_id,number,sys_updated_on,sys_mod_count", limit=20)
    lines = []
    if told.hidden:
        says = (
            f"{told.hidden} of the last {told.hidden + len(told.rows)} incidents are hidden from our account"
        )
        todo = f"ask {http.name} for the right to read them, or mend `listen` in vendors.toml"
        lines.append(Check("permission", False, says, todo))
    else:
        lines.append(Check("permission", True, "may read the incidents that are listened to"))
    if not told.rows:
        return (*lines, Check("feed", True, LATER))
    try:
        row = Row.model_validate(told.rows[0])
    except ValidationError:
        says = "what it tells of its newest incident cannot be read"
        return (*lines, Check("feed", False, says, f"ask {http.name} what stands between"))
    mine = f"sys_id={row.sys_id}^sys_updated_on>="
    times = [stamp(row.sys_updated_on + at, config.query_zone) for at in (timedelta(), timedelta(seconds=1))]
    there = [bool((await listed(http, TABLE, mine + time, "sys_id", limit=1)).rows) for time in times]
    if there != [True, False] and not await _moved(http, row):
        says = f"an incident is not found by its time as {config.query_zone}: changes would be passed over"
        todo = (
            "set `query_zone` in vendors.toml to the time zone of our account there, or ask"
            f" {http.name} to let it query incident by sys_updated_on (query_range)"
        )
        return (*lines, Check("feed", False, says, todo))
    return (*lines, Check("feed", True, f"times in a query are read as {config.query_zone}"))


async def _moved(http: Http, row: Row) -> bool:
    """Whether it has changed since: then it proves nothing."""
    now = (await listed(http, TABLE, f"sys_id={row.sys_id}", "sys_id,sys_mod_count", limit=1)).rows
    return bool(now) and text_in(now[0], "sys_mod_count") != row.sys_mod_count


async def _journals(http: Http) -> Lines:
    """To read the journals is a right of its own; who lacks it is told that there is nothing, with 200."""
    todo = f"ask {http.name} to let our account read sys_journal_field"
    ours = [text_in(row, "sys_id") for row in await _newest(http, "sys_id")]
    if not ours:
        return (Check("journals", True, LATER),)
    query = f"name=incident^element_idIN{','.join(ours)}^elementINcomments,work_notes"
    told = await listed(http, JOURNAL, query, "sys_id,element_id", limit=20)
    if told.rows and not told.hidden:
        return (Check("journals", True, "our account may read them"),)
    if told.hidden:
        return (Check("journals", False, f"{told.hidden} words on our incidents are hidden from us", todo),)
    for sys_id in ours:
        params = {"sysparm_fields": "comments", "sysparm_display_value": "true"}
        said = read(One, await http.get(f"{TABLE}/{sys_id}", params)).result
        if text_in(said, "comments").strip():
            return (Check("journals", False, "there are words on our incidents, and none are shown", todo),)
    return (Check("journals", True, "nothing was said yet: " + LATER),)


async def _audit(http: Http, config: ServiceNowConfig) -> Lines:
    if not config.audit:
        return (Check("audit", True, "not read: of several states between two polls the last one is told"),)
    ours = await _newest(http, "sys_id,sys_mod_count")
    if not ours:
        return (Check("audit", True, LATER),)
    keys = ",".join(text_in(row, "sys_id") for row in ours)
    told = await listed(http, AUDIT, f"tablename=incident^documentkeyIN{keys}", "sys_id", limit=5)
    changed = any(text_in(row, "sys_mod_count") not in ("", "0") for row in ours)
    if told.hidden or (changed and not told.rows):
        says = "what the audit has on our incidents is not shown to us"
        todo = f"ask {http.name} to let our account read sys_audit, or set audit = false in vendors.toml"
        return (Check("audit", False, says, todo),)
    return (Check("audit", True, "our account may read it" if told.rows else LATER),)


async def _states(http: Http, config: ServiceNowConfig) -> Lines:
    """Their list of states, where it is shown to us."""
    query = "name=incident^element=state^inactive=false^ORDERBYsequence"
    rows = (await listed(http, "/v2/table/sys_choice", query, "value,label,element")).rows
    theirs = {
        text_in(row, "value"): text_in(row, "label") for row in rows if text_in(row, "element") == "state"
    }
    if not theirs:
        return (Check("states", True, "their list of states is not shown to our account"),)
    ours = {code.partition("/")[0]: raw for raw, code in config.state_codes.items() if raw in config.states}
    strange = ", ".join(f"{raw} ({value})" for value, raw in ours.items() if value not in theirs)
    unnamed = ", ".join(
        f"{one_line(label)} ({value})" for value, label in theirs.items() if value not in ours
    )
    if strange:
        says = f"there is no {strange} there, but {', '.join(map(one_line, theirs.values()))}"
        return (Check("states", False, says, "mend `states` and `state_codes` in vendors.toml"),)
    if unnamed:
        says = f"{unnamed} means nothing to us"
        return (Check("states", False, says, "add it to `states` and `state_codes` in vendors.toml"),)
    return (Check("states", True, "all known there"),)


def _deadline(http: Http) -> Check:
    seconds = http.limits.total
    if seconds <= _QUOTA:
        return Check(
            "deadline", True, f"{seconds:g} s, and they may take {_QUOTA}: deadline_seconds = 120 is better"
        )
    return Check("deadline", True, f"{seconds:g} s, which is longer than they let a request run")


async def _newest(http: Http, fields: str) -> tuple[dict[str, Any], ...]:
    query = f"correlation_display={DISPLAY}^ORDERBYDESCsys_created_on"
    rows = (await listed(http, TABLE, query, f"{fields},number,correlation_display", limit=5)).rows
    return tuple(row for row in rows if text_in(row, "correlation_display") == DISPLAY)


def _number(row: dict[str, Any]) -> str:
    return one_line(text_in(row, "number"))
