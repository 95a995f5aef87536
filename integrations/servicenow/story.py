"""What happened on incidents: their journals, what the audit says of their columns, and files.

Each is one question for many incidents. A journal's word has no place within its second but by its sys_id,
which says nothing; so words of one second come in an order that is nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from integrations.connector import Change, ChangeKind, Ref, Unread
from integrations.errors import AuthFailed, AuthTrouble, Rejected
from integrations.markup.formats import TextFormat, plain
from integrations.reading import unread_row
from integrations.servicenow.wire import (
    AUDIT,
    FILES,
    JOURNAL,
    Audited,
    Entry,
    File,
    Row,
    every,
    ref_to,
    stamp,
)
from register.marker import marker_of, name_marker_of, unsigned
from register.text import MAX_TEXT, clip, one_line

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.servicenow.account import Account
    from integrations.servicenow.config import ServiceNowConfig

PUBLIC: Final = "comments"
PRIVATE: Final = "work_notes"
_ENTRY: Final = "sys_id,element_id,element,value,sys_created_on,sys_created_by"
_AUDIT: Final = "sys_id,documentkey,fieldname,newvalue,user,sys_created_on,record_checkpoint"
_FILE: Final = "sys_id,table_sys_id,file_name,size_bytes,sys_created_on,sys_created_by"
_CODE: Final = re.compile(r"\[code\](.*?)\[/code\]", re.DOTALL | re.IGNORECASE)
"""What a journal shows as HTML instead of as text."""
_RANK: Final = {ChangeKind.COMMENT: 0, ChangeKind.FILE: 1, ChangeKind.STATE: 2, ChangeKind.PRIORITY: 3}
"""Within a second: whoever writes and resolves in one go says why first."""
Told = tuple[list[Change], list[Unread]]
M = TypeVar("M", bound=BaseModel)


class Story:
    """Reads it. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: ServiceNowConfig, account: Account) -> None:
        self.http = http
        self.config = config
        self._account = account

    async def told(self, rows: Sequence[Row], since: datetime | None, files_since: datetime | None) -> Told:
        """What happened on these from `since` on, oldest first, and what of it cannot be read."""
        if not rows:
            return [], []
        me = await self._account.me()
        refs = {row.sys_id: ref_to(self.http, row.sys_id, row.number) for row in rows}
        changes, unread = await self._words(refs, since, me)
        if self.config.audit:
            told, odd = await self._set(refs, since, me)
        else:
            told, odd = [change for row in rows for change in self.of_row(row, me)], []
        files, odd_files = await self._files(refs, files_since, me)
        changes += [*told, *files]
        changes.sort(key=lambda change: (change.at, _RANK[change.kind]))
        return changes, [*unread, *odd, *odd_files]

    async def ours(self, ref: Ref, op_id: str) -> tuple[dict[str, str], bool]:
        """What our account put there under this id, by its id: its journal, or nothing for a file.

        And whether all of it was shown to us.
        """
        me = await self._account.me()
        query = f"name=incident^element_id={ref.id}^elementIN{PUBLIC},{PRIVATE}^valueLIKE{op_id}"
        rows, hidden = await every(self.http, JOURNAL, f"{query}^{_IN_ORDER}", _ENTRY)
        entries, odd = _read(Entry, rows, "element_id")
        found = {
            one.sys_id: one.element
            for one in entries
            if one.element_id == ref.id and one.sys_created_by == me and marker_of(one.value) == op_id
        }
        if not found:
            query = f"table_name=incident^table_sys_id={ref.id}^file_nameLIKE{op_id}^{_IN_ORDER}"
            rows, more = await every(self.http, FILES, query, _FILE)
            files, odd_files = _read(File, rows, "table_sys_id")
            found = {
                one.sys_id: ""
                for one in files
                if one.table_sys_id == ref.id
                and one.sys_created_by == me
                and name_marker_of(one.file_name) == op_id
            }
            hidden, odd = hidden + more, [*odd, *odd_files]
        return found, not hidden and not odd

    async def priority_set(self, ref: Ref, value: str) -> tuple[str, ...]:
        """The last line of the audit that says so, if it is ours."""
        query = f"tablename=incident^documentkey={ref.id}^fieldname=priority^{_IN_ORDER}"
        lines, _ = _read(Audited, (await every(self.http, AUDIT, query, _AUDIT))[0], "documentkey")
        ours = sorted((one for one in lines if one.documentkey == ref.id), key=lambda one: one.order)[-1:]
        me = await self._account.me()
        return tuple(
            one.sys_id for one in ours if (one.fieldname, one.newvalue, one.user) == ("priority", value, me)
        )

    def of_row(self, row: Row, me: str) -> list[Change]:
        """How an incident stands, where nobody tells how it came to. Each update has ids of its own."""
        change = Change(
            change_id=f"{row.sys_id}.{row.sys_mod_count}.state",
            ref=ref_to(self.http, row.sys_id, row.number),
            at=row.sys_updated_on,
            kind=ChangeKind.STATE,
            author=one_line(row.sys_updated_by),
            by_our_account=row.sys_updated_by == me,
        )
        raw = self.config.raw_of(row.state, row.hold_reason)
        changes = [replace(change, raw_state=one_line(raw), state=self.config.meaning(raw))]
        if row.priority and not self.config.impact:
            level = self.config.level_of(row.priority)
            changes.append(
                replace(
                    change,
                    change_id=f"{row.sys_id}.{row.sys_mod_count}.priority",
                    kind=ChangeKind.PRIORITY,
                    raw_priority=one_line(level),
                    priorities=self.config.meant(level),
                )
            )
        return changes

    async def _words(self, refs: Mapping[str, Ref], since: datetime | None, me: str) -> Told:
        elements = [PUBLIC, *([PRIVATE] if self.config.internal_comments else [])]
        query = f"name=incident^element_idIN{','.join(refs)}^elementIN{','.join(elements)}"
        rows, hidden = await every(self.http, JOURNAL, self._from(query, since), _ENTRY)
        entries, unread = _read(Entry, rows, "element_id")
        self._all_seen("the journals", "sys_journal_field", bool(rows), hidden)
        kept = [one for one in entries if one.element_id in refs and one.element in elements]
        self._answered(len(kept) == len(entries), "sys_journal_field")
        words = [self._word(refs[one.element_id], one, me) for one in kept]
        if hidden:
            unread.append(self._hidden(hidden, "words in journals", kept))
        return [one for one in words if since is None or one.at >= since], unread

    async def _set(self, refs: Mapping[str, Ref], since: datetime | None, me: str) -> Told:
        query = f"tablename=incident^documentkeyIN{','.join(refs)}^fieldnameINstate,hold_reason,priority"
        rows, hidden = await every(self.http, AUDIT, self._from(query, since), _AUDIT)
        lines, unread = _read(Audited, rows, "documentkey")
        self._all_seen("the audit", "sys_audit", bool(rows), hidden)
        kept = [one for one in lines if one.documentkey in refs]
        self._answered(len(kept) == len(lines), "sys_audit")
        changes: list[Change] = []
        for update in _updates(kept):
            changes += self._of_update(refs[next(iter(update.values())).documentkey], update, me)
        return [one for one in changes if since is None or one.at >= since], unread

    def _of_update(self, ref: Ref, set_: Mapping[str, Audited], me: str) -> list[Change]:
        """What one update set: a state with its reason on hold, and a priority."""
        changes: list[Change] = []
        state, reason, priority = set_.get("state"), set_.get("hold_reason"), set_.get("priority")
        why = reason.newvalue if reason is not None else ""
        raw = self.config.raw_of(state.newvalue, why) if state is not None else self.config.held_for(why)
        line = state or reason
        if raw is not None and line is not None:
            change = self._at(ref, line, me)
            changes.append(replace(change, raw_state=one_line(raw), state=self.config.meaning(raw)))
        if priority is not None and not self.config.impact:
            level = self.config.level_of(priority.newvalue)
            change = replace(self._at(ref, priority, me), kind=ChangeKind.PRIORITY)
            changes.append(replace(change, raw_priority=one_line(level), priorities=self.config.meant(level)))
        return changes

    def _at(self, ref: Ref, line: Audited, me: str) -> Change:
        return Change(
            change_id=line.sys_id,
            ref=ref,
            at=line.sys_created_on,
            kind=ChangeKind.STATE,
            author=one_line(line.user),
            by_our_account=line.user == me,
        )

    async def _files(self, refs: Mapping[str, Ref], since: datetime | None, me: str) -> Told:
        """Files do not touch their incident, so all since the beginning are told: known ones by their id."""
        query = self._from(f"table_name=incident^table_sys_idIN{','.join(refs)}", since)
        files, unread = _read(File, (await every(self.http, FILES, query, _FILE))[0], "table_sys_id")
        kept = [one for one in files if one.table_sys_id in refs]
        self._answered(len(kept) == len(files), "sys_attachment")
        changes = [
            Change(
                change_id=one.sys_id,
                ref=refs[one.table_sys_id],
                at=one.sys_created_on,
                kind=ChangeKind.FILE,
                author=one_line(one.sys_created_by),
                by_our_account=one.sys_created_by == me,
                body=one_line(one.file_name),
                marker=name_marker_of(one.file_name),
                size=one.size,
                place=one.sys_id,
            )
            for one in kept
        ]
        return [one for one in changes if since is None or one.at >= since], unread

    def _word(self, ref: Ref, entry: Entry, me: str) -> Change:
        text = text_of(entry.value)
        return Change(
            change_id=entry.sys_id,
            ref=ref,
            at=entry.sys_created_on,
            kind=ChangeKind.COMMENT,
            author=one_line(entry.sys_created_by),
            by_our_account=entry.sys_created_by == me,
            body=clip(unsigned(text).strip(), MAX_TEXT),
            public=entry.element == PUBLIC,
            marker=marker_of(text),
        )

    def _from(self, query: str, since: datetime | None) -> str:
        if since is not None:
            query += f"^sys_created_on>={stamp(since, self.config.query_zone)}"
        return f"{query}^{_IN_ORDER}"

    def _all_seen(self, what: str, table: str, any_seen: bool, hidden: int) -> None:
        """Nothing shown where something is: that is no silence."""
        if hidden and not any_seen:
            raise AuthFailed(
                f"{self.http.name} has {hidden} lines in {what} of our incidents and shows our account none:"
                f" ask them to let it read {table}.",
                AuthTrouble.FORBIDDEN,
            )

    def _answered(self, fits: bool, table: str) -> None:
        if not fits:
            raise Rejected(
                f"{self.http.name} ignored a condition on {table} and gave lines of other records: ask them"
                " whether our account may search it by the record that a line belongs to."
            )

    def _hidden(self, count: int, what: str, shown: Sequence[Entry]) -> Unread:
        last = max((one.sys_created_on for one in shown), default=None)
        why = f"{self.http.name} keeps {count} {what} of our incidents from us: ask them for the right."
        return Unread(f"hidden {what} {last}", why, why)


_IN_ORDER: Final = "ORDERBYsys_created_on^ORDERBYsys_id"


def _updates(lines: list[Audited]) -> list[dict[str, Audited]]:
    """The lines of the audit by update, column → line: of an incident, a second, a version, a person."""
    lines.sort(key=lambda one: (one.documentkey, one.order[:2], one.user, one.sys_id))
    updates: list[dict[str, Audited]] = []
    before: object = None
    for line in lines:
        of = (line.documentkey, line.order[:2], line.user)
        if of != before or line.fieldname in updates[-1]:
            updates.append({})
        updates[-1][line.fieldname] = line
        before = of
    return updates


def text_of(value: str) -> str:
    """A word as its reader sees it there: what stands between code tags is HTML to them."""
    shown = _CODE.sub(lambda found: plain(found[1], TextFormat.HTML), value)
    return plain(shown, TextFormat.TEXT)


def _read(model: type[M], rows: Iterable[dict[str, Any]], ticket_key: str) -> tuple[list[M], list[Unread]]:
    """Rows one by one: one may be odd."""
    found: list[M] = []
    unread: list[Unread] = []
    for row in rows:
        try:
            found.append(model.model_validate(row))
        except ValidationError as error:
            unread.append(unread_row(row, ("sys_id",), error, ticket_key))
    return found, unread
