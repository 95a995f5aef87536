"""What happened to an issue, as its journals tell it: who wrote, what became of the state."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from integrations.connector import Change, ChangeKind, Unread
from integrations.markup.formats import plain
from integrations.reading import read, unread_row
from integrations.redmine.account import PRIORITIES, STATUSES
from integrations.redmine.wire import Issue, Journal, Named, One, issue_path
from register.incident import TicketRef
from register.marker import marker_of, unsigned
from register.text import MAX_TEXT, clip, one_line

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.redmine.account import Account
    from integrations.redmine.config import RedmineConfig
from integrations.zones import zoned

STATE: Final = ".state"
"""What is added to a journal's number for the change of state in it: one journal may bring both."""
PRIORITY: Final = ".priority"
_LINKS: Final[Mapping[str, str]] = {
    "relates": "relates to",
    "copied_to": "copied to",
    "copied_from": "copied from",
    "child_id": "has the part",
    "parent_id": "is a part of",
}
"""Redmine's names of relations and of the family, as they are told; the others are told as they are."""
FILE: Final = ".file"
"""What is added to an attachment's number for its being put there."""
_WITH: Final = "journals,attachments,allowed_statuses"
Told = tuple[list[Change], list[Unread]]


class Journals:
    """Reads them. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: RedmineConfig, account: Account) -> None:
        self.http = http
        self.config = config
        self._account = account

    async def issue(self, number: int) -> Issue:
        """One issue with all its journals, which lists do not give."""
        answer = await self.http.get(issue_path(number), params={"include": _WITH})
        return read(One, answer).issue

    async def told(self, issue: Issue, since: datetime | None = None) -> Told:
        """What the journals say, oldest first, from `since` on; and those that could not be read."""
        changes: list[Change] = []
        unread: list[Unread] = []
        for row in issue.journals:
            try:
                journal = Journal.model_validate(row, context=zoned(self.http.zone))
            except ValidationError as error:
                unread.append(replace(unread_row(row, ("id",), error), ticket=str(issue.id)))
                continue
            if since is None or journal.created_on >= since:
                changes += await self._changes(issue, journal)
        return changes, unread

    async def beginning(self, issue: Issue) -> list[Change]:
        """The text that the issue was made with, and the files, of which no journal tells."""
        text = issue.description or ""
        first = await self._comment(issue, f"issue {issue.id}", issue.author, issue.created_on, text)
        told: set[str] = set()
        for row in issue.journals:
            with contextlib.suppress(ValidationError):  # told by itself
                told |= Journal.model_validate(row, context=zoned(self.http.zone)).files.keys()
        made_with = [one for one in issue.attachments if str(one.id) not in told]
        files = [
            await self._file(issue, str(one.id), one_line(one.filename), one.author, one.created_on)
            for one in made_with
        ]
        return [first, *files]

    async def ours(self, issue: Issue, op_id: str) -> tuple[Journal, ...]:
        """The journals in which our account wrote the text of this operation; those unreadable are none."""
        found = []
        for row in issue.journals:
            try:
                journal = Journal.model_validate(row, context=zoned(self.http.zone))
            except ValidationError:
                continue
            if marker_of(journal.notes or "") == op_id and await self._is_us(journal.user):
                found.append(journal)
        return tuple(found)

    async def ours_setting(self, issue: Issue, priority: int) -> tuple[str, ...]:
        """The change id of the last journal in which our account set this priority, if there is one."""
        for row in reversed(issue.journals):
            try:
                journal = Journal.model_validate(row, context=zoned(self.http.zone))
            except ValidationError:
                continue
            if journal.priority == priority and await self._is_us(journal.user):
                return (f"{journal.id}{PRIORITY}",)
        return ()

    def ref(self, number: int) -> TicketRef:
        return TicketRef(id=str(number), key=f"#{number}", url=f"{self.http.base}/issues/{number}")

    async def _changes(self, issue: Issue, journal: Journal) -> list[Change]:
        """A note, its files, then the state: whoever writes and closes in one go says why first."""
        who = journal.user
        about = Change(
            change_id=str(journal.id),
            ref=self.ref(issue.id),
            at=journal.created_on,
            kind=ChangeKind.STATE,
            author=one_line(who.name) if who else "",
            by_our_account=await self._is_us(who),
        )
        changes = await self._said(issue, journal)
        if journal.status is not None:
            raw = one_line(await self._account.name_of(STATUSES, journal.status))
            state = self.config.meaning(raw)
            changes.append(replace(about, change_id=f"{journal.id}{STATE}", raw_state=raw, state=state))
        if journal.priority is not None:
            raw = one_line(await self._account.name_of(PRIORITIES, journal.priority))
            meant = self.config.meant(raw)
            changes.append(
                replace(
                    about,
                    change_id=f"{journal.id}{PRIORITY}",
                    kind=ChangeKind.PRIORITY,
                    raw_priority=raw,
                    priorities=meant,
                )
            )
        for how, number in journal.links:
            changes.append(
                replace(
                    about,
                    change_id=f"{journal.id}.{how}.{number}",
                    kind=ChangeKind.LINK,
                    link=self.ref(number),
                    body=_LINKS.get(how, one_line(how)),
                )
            )
        return changes

    async def _said(self, issue: Issue, journal: Journal) -> list[Change]:
        """The note, where there is one, and the files that came with it."""
        public, who, at = not journal.private_notes, journal.user, journal.created_on
        if not public and not self.config.internal_comments:
            return []
        text = (journal.notes or "").strip()
        said = [await self._comment(issue, str(journal.id), who, at, text)] if text else []
        marker = marker_of(plain(text, self.config.format))
        for number, name in journal.files.items():
            said.append(replace(await self._file(issue, number, name, who, at), marker=marker))
        return [replace(change, public=public) for change in said]

    async def _file(self, issue: Issue, number: str, name: str, who: Named | None, at: datetime) -> Change:
        """A file that was put there; one that was taken away since has neither size nor place."""
        there = next((one for one in issue.attachments if str(one.id) == number), None)
        return Change(
            change_id=f"{one_line(number)}{FILE}",
            ref=self.ref(issue.id),
            at=at,
            kind=ChangeKind.FILE,
            author=one_line(who.name) if who else "",
            by_our_account=await self._is_us(who),
            body=name,
            size=there.filesize if there else None,
            place=str(there.id) if there else "",
        )

    async def _comment(
        self, issue: Issue, change_id: str, who: Named | None, at: datetime, text: str
    ) -> Change:
        said = plain(text, self.config.format)
        return Change(
            change_id=change_id,
            ref=self.ref(issue.id),
            at=at,
            kind=ChangeKind.COMMENT,
            author=one_line(who.name) if who else "",
            by_our_account=await self._is_us(who),
            body=clip(unsigned(said).strip(), MAX_TEXT),
            marker=marker_of(said),
        )

    async def _is_us(self, who: Named | None) -> bool:
        return who is not None and who.id == await self._account.me()
