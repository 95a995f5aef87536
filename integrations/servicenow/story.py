"""What happened on incidents: words in their journals, what was set on them, and files.

Each is one question for many incidents. A journal's word has no place within its second but by its sys_id,
which says nothing; so words of one second come in an order that is nobody's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from integrations.connector import Change, ChangeKind, Ref, Unread
from integrations.errors import AuthFailed, AuthTrouble, Rejected
from integrations.servicenow.audit import Audit
from integrations.servicenow.code_tags import text_of
from integrations.servicenow.lines import PUT_THERE, WORDS, Lines
from integrations.servicenow.wire import Entry, File, Row, ref_to, web_of
from register.marker import marker_of, name_marker_of, unsigned
from register.text import MAX_TEXT, clip, one_line

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.servicenow.account import Account
    from integrations.servicenow.config import ServiceNowConfig

PUBLIC: Final = "comments"
PRIVATE: Final = "work_notes"
_RANK: Final = {ChangeKind.COMMENT: 0, ChangeKind.FILE: 1, ChangeKind.LINK: 2}
"""Within a second: whoever writes and resolves in one go says why first; states and priorities come last."""
Told = tuple[list[Change], list[Unread]]


class Story:
    """Reads it. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: ServiceNowConfig, account: Account) -> None:
        self.http = http
        self.config = config
        self._account = account
        self._web = web_of(http)
        self._lines = Lines(http, config)
        self.audit = Audit(self._lines, account)

    async def told(self, rows: Sequence[Row], since: datetime | None, files_since: datetime | None) -> Told:
        """What happened on these from `since` on, oldest first, and what of it cannot be read."""
        if not rows:
            return [], []
        refs = {row.sys_id: ref_to(self._web, row.sys_id, row.number) for row in rows}
        changes, unread = await self._words(refs, since)
        told, odd = await self.audit.told(rows, refs, since)
        changes, unread = [*changes, *told], [*unread, *odd]
        told, odd = await self._files(refs, files_since)
        changes, unread = [*changes, *told], [*unread, *odd]
        changes.sort(key=lambda change: (change.at, _RANK.get(change.kind, len(_RANK))))
        return changes, unread

    async def ours(self, ref: Ref, op_id: str) -> tuple[dict[str, str], bool]:
        """What our account put there under this id, by its id: its journal, or nothing for a file.

        And whether all of it was shown to us.
        """
        me = await self._account.me()
        try:
            words = await self._lines.of(WORDS, (ref.id,), f"elementIN{PUBLIC},{PRIVATE}^valueLIKE{op_id}")
            found = {
                one.sys_id: one.element
                for one in words.lines
                if one.sys_created_by == me and marker_of(one.value) == op_id
            }
            if found:
                return found, True
            files = await self._lines.of(PUT_THERE, (ref.id,), f"file_nameLIKE{op_id}")
        except AuthFailed as failure:
            if failure.trouble is not AuthTrouble.FORBIDDEN:
                raise
            return {}, False
        except Rejected:
            return {}, False
        found = {
            one.sys_id: ""
            for one in files.lines
            if one.sys_created_by == me and name_marker_of(one.file_name) == op_id
        }
        return found, not (words.unread or files.unread)

    async def _words(self, refs: Mapping[str, Ref], since: datetime | None) -> Told:
        elements = [PUBLIC, *([PRIVATE] if self.config.internal_comments else [])]
        found = await self._lines.of(WORDS, refs, f"elementIN{','.join(elements)}", since)
        me = await self._account.me()
        words = [
            self._word(refs[one.element_id], one, me)
            for one in found.lines
            if one.element in elements and (since is None or one.sys_created_on >= since)
        ]
        return words, found.unread

    async def _files(self, refs: Mapping[str, Ref], since: datetime | None) -> Told:
        """Files do not touch their incident, so all since the beginning are told: known ones by their id."""
        found = await self._lines.of(PUT_THERE, refs, "", since)
        me = await self._account.me()
        files = [
            self._file(refs[one.table_sys_id], one, me)
            for one in found.lines
            if since is None or one.sys_created_on >= since
        ]
        return files, found.unread

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

    def _file(self, ref: Ref, file: File, me: str) -> Change:
        return Change(
            change_id=file.sys_id,
            ref=ref,
            at=file.sys_created_on,
            kind=ChangeKind.FILE,
            author=one_line(file.sys_created_by),
            by_our_account=file.sys_created_by == me,
            body=one_line(file.file_name),
            marker=name_marker_of(file.file_name),
            size=file.size,
            place=file.sys_id,
        )
