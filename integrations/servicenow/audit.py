"""What the audit says of an incident's columns: states, priorities and parents, one by one, and who set them.

Where it is not read (`audit = false`, or our account may not), an incident says how it stands, and nobody how
it came to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from integrations.connector import Change, ChangeKind, Ref, Unread
from integrations.errors import AuthFailed, AuthTrouble
from integrations.servicenow.lines import SET, Lines
from integrations.servicenow.wire import TABLE, Audited, Row, listed, ref_to, text_in, web_of
from register.text import one_line

if TYPE_CHECKING:
    from integrations.servicenow.account import Account
    from integrations.servicenow.config import ServiceNowConfig

_COLUMNS: Final = "fieldnameINstate,hold_reason,priority,parent_incident"
Told = tuple[list[Change], list[Unread]]


class Audit:
    """Reads it. Raises `integrations.errors` kinds."""

    def __init__(self, lines: Lines, account: Account) -> None:
        self.config: ServiceNowConfig = lines.config
        self._lines = lines
        self._account = account
        self._web = web_of(lines.http)

    async def told(self, rows: Sequence[Row], refs: Mapping[str, Ref], since: datetime | None) -> Told:
        """What was set on these incidents. refs: theirs, by sys_id."""
        me = await self._account.me()
        if not self.config.audit:
            return self._standing(rows, me), []
        try:
            found = await self._lines.of(SET, refs, _COLUMNS, since)
        except AuthFailed as failure:
            if failure.trouble is not AuthTrouble.FORBIDDEN:
                raise
            why = f"{failure.why} Until then, or with audit = false, of several states the last one is told."
            month = max(row.sys_updated_on for row in rows)
            return self._standing(rows, me), [Unread(f"hidden sys_audit {month:%Y-%m}", why, why)]
        above = {one.newvalue for one in found.lines if one.fieldname == _PARENT and one.newvalue}
        parents = await self._numbers(above)
        changes: list[Change] = []
        for update in _updates(found.lines):
            ref = refs[next(iter(update.values())).documentkey]
            changes += self._state(ref, update, me)
            changes += self._priority(ref, update, me)
            changes += self._parent(ref, update, me, parents)
        return [one for one in changes if since is None or one.at >= since], found.unread

    async def priority_set(self, row: Row) -> tuple[str, ...]:
        """The change ids of our having set the priority that it has: the last line that set one, if ours."""
        by_version = (version_of(row, "priority"),)
        if not self.config.audit:
            return by_version
        try:
            found = await self._lines.of(SET, (row.sys_id,), "fieldname=priority")
        except AuthFailed as failure:
            if failure.trouble is not AuthTrouble.FORBIDDEN:
                raise
            return by_version
        last = sorted(found.lines, key=lambda one: one.order)[-1:]
        ours = "priority", row.priority, await self._account.me()
        return tuple(one.sys_id for one in last if (one.fieldname, one.newvalue, one.user) == ours)

    def _standing(self, rows: Sequence[Row], me: str) -> list[Change]:
        return [change for row in rows for change in self._of_row(row, me)]

    def _of_row(self, row: Row, me: str) -> list[Change]:
        """How an incident stands. Each of its versions has ids of its own."""
        change = Change(
            change_id=version_of(row, "state"),
            ref=ref_to(self._web, row.sys_id, row.number),
            at=row.sys_updated_on,
            kind=ChangeKind.STATE,
            author=one_line(row.sys_updated_by),
            by_our_account=row.sys_updated_by == me,
        )
        changes = [self._with_state(change, self.config.raw_of(row.state, row.hold_reason))]
        if row.priority and not self.config.impact:
            priority = replace(change, change_id=version_of(row, "priority"), kind=ChangeKind.PRIORITY)
            changes.append(self._with_priority(priority, row.priority))
        return changes

    def _state(self, ref: Ref, update: Mapping[str, Audited], me: str) -> list[Change]:
        """A state with its reason on hold, or another reason by itself."""
        state, reason = update.get("state"), update.get("hold_reason")
        why = reason.newvalue if reason is not None else ""
        raw = self.config.raw_of(state.newvalue, why) if state is not None else self.config.held_for(why)
        line = state or reason
        if raw is None or line is None:
            return []
        return [self._with_state(_at(ref, line, me), raw)]

    def _priority(self, ref: Ref, update: Mapping[str, Audited], me: str) -> list[Change]:
        line = update.get("priority")
        if line is None or self.config.impact:
            return []
        return [self._with_priority(replace(_at(ref, line, me), kind=ChangeKind.PRIORITY), line.newvalue)]

    def _parent(
        self, ref: Ref, update: Mapping[str, Audited], me: str, numbers: Mapping[str, str]
    ) -> list[Change]:
        """That it was put under another one, with which it is often resolved."""
        line = update.get(_PARENT)
        if line is None or line.newvalue not in numbers:
            return []
        parent = ref_to(self._web, line.newvalue, numbers[line.newvalue])
        change = replace(_at(ref, line, me), kind=ChangeKind.LINK)
        return [replace(change, body="is a child of", link=parent)]

    async def _numbers(self, ids: set[str]) -> dict[str, str]:
        """What people call these incidents; those that are hidden from us are left out."""
        if not ids:
            return {}
        query = f"sys_idIN{','.join(sorted(ids))}"
        rows = (await listed(self._lines.http, TABLE, query, "sys_id,number")).rows
        told = {text_in(row, "sys_id"): text_in(row, "number") for row in rows}
        return {sys_id: number for sys_id, number in told.items() if sys_id in ids}

    def _with_state(self, change: Change, raw: str) -> Change:
        return replace(change, raw_state=one_line(raw), state=self.config.meaning(raw))

    def _with_priority(self, change: Change, value: str) -> Change:
        level = self.config.level_of(value)
        return replace(change, raw_priority=one_line(level), priorities=self.config.meant(level))


_PARENT: Final = "parent_incident"


def version_of(row: Row, what: str) -> str:
    """The change id of what a version of an incident has, where no audit tells."""
    return f"{row.sys_id}.{row.sys_mod_count}.{what}"


def _at(ref: Ref, line: Audited, me: str) -> Change:
    return Change(
        change_id=line.sys_id,
        ref=ref,
        at=line.sys_created_on,
        kind=ChangeKind.STATE,
        author=one_line(line.user),
        by_our_account=line.user == me,
    )


def _updates(lines: list[Audited]) -> list[dict[str, Audited]]:
    """The lines by update, column → line: of an incident, a second, a version, a person."""
    ordered = sorted(lines, key=lambda one: (one.documentkey, one.order[:2], one.user, one.sys_id))
    updates: list[dict[str, Audited]] = []
    before: object = None
    for line in ordered:
        of = (line.documentkey, line.order[:2], line.user)
        if of != before or line.fieldname in updates[-1]:
            updates.append({})
        updates[-1][line.fieldname] = line
        before = of
    return updates
