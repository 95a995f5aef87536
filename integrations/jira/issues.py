"""One issue as it stands, and what happened on it: comments, and changes of its fields."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from integrations.connector import Change, ChangeKind, Ref, Theirs, Ticket, Unread
from integrations.errors import Rejected
from integrations.jira import wire
from integrations.jira.wire import MOST_PAGES, PAGE, Issue, issue_path, ref_to
from integrations.markup.formats import plain
from integrations.reading import read, unread_row
from integrations.zones import zoned
from register.marker import marker_of, name_marker_of, unsigned
from register.text import MAX_TEXT, clip, one_line

if TYPE_CHECKING:
    from datetime import datetime

    from integrations.http import Http
    from integrations.jira.account import Account
    from integrations.jira.config import JiraConfig

FILE: Final = ".file"
STATE: Final = ".status"
PRIORITY: Final = ".priority"
_STANDS: Final = "summary,status,priority,assignee,updated"
_ALL: Final = f"{_STANDS},comment,attachment,issuelinks,creator,created,description"
Told = tuple[list[Change], list[Unread]]


class Issues:
    """Reads them. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: JiraConfig, account: Account) -> None:
        self.http = http
        self.config = config
        self._account = account
        self._categories: dict[str, str] = {}  # of statuses that were seen, by their ids

    async def stands(self, ref: Ref) -> Issue:
        return self._seen(read(Issue, await self.http.get(issue_path(self.config, ref), {"fields": _STANDS})))

    async def whole(self, ref: Ref) -> Issue:
        """An issue with its comments and changes, as many as Jira gives along with it."""
        asked = {"fields": _ALL, "expand": "changelog"}
        return self._seen(read(Issue, await self.http.get(issue_path(self.config, ref), asked)))

    def _seen(self, issue: Issue) -> Issue:
        status = issue.fields.status
        if status.statusCategory is not None:
            self._categories[status.id] = status.statusCategory.key
        return issue

    async def told(self, issue: Issue, since: datetime | None = None) -> Told:
        """What happened on an issue, oldest first, and what of it could not be read.

        since: without what is older.
        """
        me = await self._account.me()
        changes: list[Change] = []
        unread: list[Unread] = []
        for row in await self._comments(issue, since):
            try:
                comment = wire.TheirComment.model_validate(row, context=zoned(self.http.zone))
            except ValidationError as error:
                unread.append(replace(unread_row(row, ("id",), error), ticket=issue.id))
                continue
            if since is None or comment.created >= since:
                changes += self._said(issue, comment, me)
        for row in await self._histories(issue, since):
            try:
                history = wire.Change.model_validate(row, context=zoned(self.http.zone))
            except ValidationError as error:
                odd = unread_row(row, ("id",), error)
                unread.append(replace(odd, change_id=f"{odd.change_id}.history", ticket=issue.id))
                continue
            if since is None or history.created >= since:
                changes += self._done(issue, history, me)
        changes.sort(key=lambda change: change.at)
        return changes, unread

    async def beginning(self, issue: Issue) -> list[Change]:
        """The words that an issue was made with, where others made it."""
        fields = issue.fields
        text = plain(fields.description, self.config.format)
        if not text.strip() or fields.creator is None or fields.creator.id == await self._account.me():
            return []
        return [
            Change(
                change_id=f"{issue.id}.description",
                ref=self.ref(issue),
                at=fields.created or fields.updated,
                kind=ChangeKind.COMMENT,
                author=fields.creator.shown,
                by_our_account=False,
                body=clip(unsigned(text).strip(), MAX_TEXT),
                marker=marker_of(text),
            )
        ]

    def ref(self, issue: Issue) -> Ref:
        return ref_to(self.http, self.config, issue.id, issue.key)

    def ticket(self, issue: Issue) -> Ticket:
        fields = issue.fields
        raw = fields.priority.name if fields.priority is not None else ""
        return Ticket(
            ref=self.ref(issue),
            title=one_line(fields.summary or ""),
            raw_state=one_line(fields.status.name),
            state=self.meaning(fields.status.name, fields.status.id),
            raw_priority="" if self.config.impact else one_line(raw),
            assignee=fields.assignee.shown if fields.assignee is not None else None,
            updated_at=fields.updated,
            priorities=self.config.meant(raw),
        )

    def meaning(self, raw: str, number: str) -> Theirs:
        """What a status means: by its name, or by its category where that is not mapped."""
        means = self.config.meaning(raw)
        if means is not Theirs.UNMAPPED or raw in self.config.states:
            return means
        by_category: dict[Any, Theirs] = dict(self.config.categories_of_states)
        return by_category.get(self._categories.get(number, ""), Theirs.UNMAPPED)

    async def _comments(self, issue: Issue, since: datetime | None) -> list[dict[str, Any]]:
        """All comments, oldest first: those that came along, or from their list where these are not all."""
        given = issue.fields.comment
        if given.total <= len(given.comments):
            return list(given.comments)
        rows: list[dict[str, Any]] = []
        path = f"{issue_path(self.config, self.ref(issue))}/comment"
        for _ in range(MOST_PAGES):
            asked = {"startAt": len(rows), "maxResults": PAGE, "orderBy": "-created"}
            page = read(wire.Comments, await self.http.get(path, asked))
            rows += page.comments
            if not page.comments or len(rows) >= page.total or self._is_before(page.comments[-1], since):
                return rows[::-1]
        raise self._endless(issue)

    async def _histories(self, issue: Issue, since: datetime | None) -> list[dict[str, Any]]:
        """All changes of fields. Along with an issue come the newest hundred, the newest first."""
        given = issue.changelog
        if given.total <= len(given.histories) or any(self._is_before(one, since) for one in given.histories):
            return list(reversed(given.histories))
        rows: list[dict[str, Any]] = []
        path = f"{issue_path(self.config, self.ref(issue))}/changelog"
        for _ in range(MOST_PAGES):
            asked = {"startAt": len(rows), "maxResults": PAGE}
            page = read(wire.ChangelogPage, await self.http.get(path, asked))
            rows += page.values
            if page.isLast or not page.values:
                return rows
        raise self._endless(issue)

    def _is_before(self, row: dict[str, Any], since: datetime | None) -> bool:
        if since is None:
            return False
        try:
            return wire.Dated.model_validate(row, context=zoned(self.http.zone)).created < since
        except ValidationError:
            return False

    def _endless(self, issue: Issue) -> Rejected:
        return Rejected(f"{self.http.name} goes on telling of {issue.key} for ever: its list does not end.")

    def _about(self, issue: Issue, at: datetime, author: wire.Person | None, me: str) -> Change:
        return Change(
            change_id="",
            ref=self.ref(issue),
            at=at,
            kind=ChangeKind.COMMENT,
            author=author.shown if author is not None else "",
            by_our_account=author is not None and author.id == me,
        )

    def _said(self, issue: Issue, comment: wire.TheirComment, me: str) -> list[Change]:
        if not comment.public and not self.config.internal_comments:
            return []
        text = plain(comment.body, self.config.format)
        about = self._about(issue, comment.created, comment.author, me)
        body = clip(unsigned(text).strip(), MAX_TEXT)
        return [
            replace(about, change_id=comment.id, body=body, public=comment.public, marker=marker_of(text))
        ]

    def _done(self, issue: Issue, history: wire.Change, me: str) -> list[Change]:
        about = self._about(issue, history.created, history.author, me)
        changes = []
        for item in history.items:
            raw = one_line(item.toString or "")
            if item.field == "status":
                means = self.meaning(raw, item.to or "")
                one = replace(about, kind=ChangeKind.STATE, raw_state=raw, state=means)
                changes.append(replace(one, change_id=f"{history.id}{STATE}"))
            elif item.field == "Key":
                one = replace(about, kind=ChangeKind.STATE, raw_state=f"moved to {raw}", moved=True)
                changes.append(replace(one, change_id=f"{history.id}.key"))
            elif item.field == "priority" and not self.config.impact:
                one = replace(about, kind=ChangeKind.PRIORITY, raw_priority=raw)
                one = replace(one, priorities=self.config.meant(raw))
                changes.append(replace(one, change_id=f"{history.id}{PRIORITY}"))
            elif item.field == "Attachment" and item.to:
                changes.append(self._file(issue, item, about))
            elif item.field == "Link" and item.to:
                changes += self._link(issue, item, history.id, about)
        return changes

    def _file(self, issue: Issue, item: wire.Item, about: Change) -> Change:
        name, number = one_line(item.toString or ""), item.to or ""
        size = next((one.size for one in issue.fields.attachment if one.id == number), None)
        return replace(
            about,
            change_id=f"{number}{FILE}",
            kind=ChangeKind.FILE,
            body=name,
            size=size,
            place=number,
            marker=name_marker_of(name),
        )

    def _link(self, issue: Issue, item: wire.Item, history: str, about: Change) -> list[Change]:
        """Another issue beside this one; the change names its key, the issue tells its id."""
        sides = (side for link in issue.fields.issuelinks for side in (link.inwardIssue, link.outwardIssue))
        other = next((one for one in sides if one is not None and one.key == item.to), None)
        if other is None:
            return []
        to = ref_to(self.http, self.config, other.id, other.key)
        says = one_line(item.toString or "")
        return [
            replace(about, change_id=f"{history}.link.{other.id}", kind=ChangeKind.LINK, body=says, link=to)
        ]
