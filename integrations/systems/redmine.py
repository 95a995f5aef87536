"""Redmine over its REST API (redmine.org/projects/redmine/wiki/Rest_api), found out on 5.0.4.

Redmine says 204 to much that it does not do: a status that the workflow does not allow, a note or a field
that our role may not write are dropped, a private note becomes public. A wrong key finds nothing, and says
200. So rights are asked for before, results are read back, and no list is believed but the project's own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from integrations import signing
from integrations.answers import lost
from integrations.connector import (
    Absent,
    Applied,
    Attach,
    CannotTell,
    Cap,
    Comment,
    Cursor,
    Draft,
    FindResult,
    Found,
    Health,
    Hooks,
    Info,
    NoNative,
    Page,
    Ref,
    Reprioritise,
    Strong,
    Ticket,
    TicketUpdate,
    Transition,
)
from integrations.errors import AuthFailed, AuthTrouble, Failure, Gone, OpId, Rejected
from integrations.mapping import priority_for, state_for, unranked
from integrations.markup.formats import signed
from integrations.proofs import ProvedBy
from integrations.reading import read
from integrations.redmine.account import PRIORITIES, STATUSES, Account
from integrations.redmine.check import health
from integrations.redmine.config import NO_NUMBERS, RedmineConfig
from integrations.redmine.feed import Feed
from integrations.redmine.fields import custom, filled, numbered
from integrations.redmine.files import fetched, uploaded
from integrations.redmine.journals import FILE, STATE, Journals
from integrations.redmine.news import News
from integrations.redmine.wire import (
    Issue,
    Journal,
    One,
    Row,
    Rows,
    issue_path,
    names,
    number_of,
)
from register.marker import marker_of
from register.text import MAX_TITLE, clip, one_line

if TYPE_CHECKING:
    from integrations.http import Http

T = TypeVar("T")


class Redmine:
    """Connector of Redmine. Our operation id stands in a custom field and under every text."""

    info: ClassVar[Info] = Info(
        kind="redmine",
        title="Redmine",
        caps=Cap.CREATE
        | Cap.COMMENT_PUBLIC
        | Cap.COMMENT_PRIVATE
        | Cap.ATTACH
        | Cap.SET_STATE
        | Cap.SET_PRIORITY
        | Cap.WITHDRAW
        | Cap.POLL
        | Cap.WEBHOOK,
        lookup=Strong(settle=timedelta(seconds=60)),
        idempotency=NoNative(),
        config=RedmineConfig,
        docs="https://www.redmine.org/projects/redmine/wiki/Rest_api",
    )

    def __init__(self, http: Http, config: RedmineConfig) -> None:
        self.http = http
        self.config = config
        self._account = Account(http, config)
        self._journals = Journals(http, config, self._account)
        self._news = News(Feed(http, config), self._journals)

    @staticmethod
    def headers(config: RedmineConfig, secret: str) -> Mapping[str, str]:
        return {"X-Redmine-API-Key": secret} if secret else {}

    @staticmethod
    def hooks(config: RedmineConfig, secrets: Sequence[str]) -> Hooks:
        """Of Redmine's trunk (app/models/webhook.rb); 5.0 sends none."""
        return ProvedBy(secrets, signing.hex_of_body, "x-redmine-signature-256")

    async def create(self, draft: Draft) -> Ref:
        kept = {name: draft.fields[name] for name in NO_NUMBERS if name in draft.fields}
        rest = {name: word for name, word in draft.fields.items() if name not in kept}
        fields = {self.config.reference_field: draft.op_id} | numbered(rest)
        priority = priority_for(self.http.name, self.config, draft)
        try:
            issue: dict[str, Any] = {
                "project_id": self.config.project,
                "tracker_id": await self._account.tracker(kept.get("tracker", "")),
                "subject": clip(one_line(draft.title), MAX_TITLE),
                "description": signed(draft.body, draft.op_id, self.config.format),
                "custom_fields": [{"id": number, "value": value} for number, value in fields.items()],
            }
            if priority is not None:
                issue["priority_id"] = await self._account.number_of(PRIORITIES, priority)
            if "category" in kept:
                issue["category_id"] = await self._account.category(kept["category"])
            answer = await self.http.post("/issues.json", json={"issue": issue}, op_id=draft.op_id)
        except Gone as failure:
            raise Rejected(f"{failure.why} Are `url` and `project` of {self.http.name} right?", 404) from None
        made = read(One, answer).issue
        self._account.made_as(issue["tracker_id"], made.tracker)
        return self._journals.ref(made.id)

    async def get(self, ref: Ref) -> Ticket:
        return self._ticket(await self._issue(ref))

    async def find(self, op_id: OpId, since: datetime) -> FindResult:
        """By the field in the project, which proves our key; then by our words in all projects."""
        field, name = self.config.reference_field, self.http.name
        here = await self._search(f"/projects/{self.config.project}/issues.json", {f"cf_{field}": op_id})
        there = await self._search("/issues.json", {"description": f"~{op_id}"})
        hits = {row.id for row in (*here, *there) if _is_ours(row, field, op_id)}
        if hits:
            return Found(tuple(map(self._journals.ref, sorted(hits))))
        if here or there:  # a filter that Redmine does not know finds everything
            return CannotTell(f"{name} does not search by custom field {field}, or not by description.")
        return Absent()

    async def find_comment(self, ref: Ref, op_id: OpId) -> FindResult:
        issue = await self._issue(ref)
        found = await self._journals.ours(issue, op_id)
        if found:
            return Found(tuple(ref.model_copy(update={"id": str(journal.id)}) for journal in found))
        _, unread = await self._journals.told(issue)
        return CannotTell("A part of the ticket could not be read.") if unread else Absent()

    async def apply(self, ref: Ref, update: TicketUpdate, if_version: str | None = None) -> Applied:
        """`if_version` says nothing here: Redmine tells no version of an issue."""
        if isinstance(update, Transition):
            return await self._transition(ref, update)
        if isinstance(update, Reprioritise):
            return await self._reprioritise(ref, update)
        if isinstance(update, Attach):
            return await self._upload(ref, update)
        if not update.public:
            await self._may_be_private()
        return await self._say(ref, update)

    async def changes(self, cursor: Cursor | None) -> Page:
        return await self._news.page(cursor)

    async def history(self, ref: Ref) -> Page:
        issue = await self._issue(ref)
        changes, unread = await self._journals.told(issue)
        first = await self._journals.beginning(issue)
        return Page((*first, *changes), {}, done=True, unread=tuple(unread))

    async def fetch(self, ref: Ref, place: str, most: int) -> bytes:
        return await fetched(self.http, number_of(Ref(id=place, key=place)), most)

    async def check(self) -> Health:
        return await health(self.http, self.config, self._account)

    async def _search(self, path: str, by: Mapping[str, str]) -> tuple[Row, ...]:
        """Issues open or closed: without `status_id` the closed ones would be left out."""
        return read(Rows, await self.http.get(path, params={"status_id": "*", **by})).issues

    async def _issue(self, ref: Ref) -> Issue:
        return await self._shown(ref, self._journals.issue(number_of(ref)))

    async def _shown(self, ref: Ref, asked: Awaitable[T]) -> T:
        """What was asked for; if it is forbidden, tell one ticket hidden from us from a right we lost."""
        try:
            return await asked
        except AuthFailed as failure:
            if failure.trouble is not AuthTrouble.FORBIDDEN:
                raise
        await self._account.project()  # forbidden too: then our account lost its rights
        raise Rejected(
            f"{self.http.name} does not let our account at {ref.key} any more; "
            "it may have been moved to another project, or made private: ask them.",
            403,
        )

    async def _put(self, ref: Ref, issue: Mapping[str, Any], op_id: OpId, *, safe: bool) -> None:
        path, json = issue_path(number_of(ref)), {"issue": issue}
        await self._shown(ref, self.http.put(path, json=json, safe=safe, op_id=op_id))

    async def _say(self, ref: Ref, text: Comment, **more: Any) -> Applied:
        """Write a note, and more with it; read it back, for 204 says neither where it is nor whether."""
        note = {"notes": signed(text.body, text.op_id, self.config.format), "private_notes": not text.public}
        await self._put(ref, {**note, **more}, text.op_id, safe=False)
        try:
            issue = await self._issue(ref)
            written = await self._journals.ours(issue, text.op_id)
        except Failure:
            written, issue = (), None
        if issue is None:
            raise lost(self.http.name, "took our note and could then not be read", False, text.op_id)
        if not written:
            raise Rejected(
                f"{self.http.name} said yes and wrote no note on {ref.key}: our account may not write there.",
                204,
            )
        if not text.public and not all(journal.private_notes for journal in written):
            await self._hide(ref, written, text.op_id)
        return Applied(_ids(written), self._ticket(issue))

    async def _may_be_private(self) -> None:
        """Asked for each time: without the right, Redmine would make the note public and say nothing."""
        have = await self._account.rights()
        if self.config.internal_comments and (have is None or "set_notes_private" in have):
            return
        raise Rejected(
            f"Our account may write no private notes at {self.http.name}: nothing was sent. Make it public, "
            "or ask them for the right to set notes as private and set internal_comments = true."
        )

    async def _hide(self, ref: Ref, written: tuple[Journal, ...], op_id: OpId) -> None:
        """A right taken away between our look and our note: take the words back, and tell."""
        said = "and it was taken back"
        try:
            for journal in written:
                path = f"/journals/{journal.id}.json"
                await self.http.put(path, json={"journal": {"notes": ""}}, safe=True, op_id=op_id)
        except Failure:
            said = "and could not be taken back: ask them to delete it"
        raise Rejected(
            f"{self.http.name} made our private note on {ref.key} public to whoever sees it, {said}.", 204
        )

    async def _transition(self, ref: Ref, wish: Transition) -> Applied:
        """Only what the workflow allows is asked for: the rest is dropped, and a note with it stays."""
        raw = state_for(self.http.name, self.config, wish.to)
        before = await self._issue(ref)
        number = await self._account.number_of(STATUSES, raw)
        allowed = before.allowed_statuses
        if before.status.id != number and allowed is not None and number not in {each.id for each in allowed}:
            raise Rejected(
                f"{self.http.name} does not let our account set {ref.key} from "
                f"{one_line(before.status.name)} to {raw}, only to {names(allowed)}: nothing was sent.",
                204,
            )
        change = {"status_id": number, **custom(wish.fields)}
        if wish.note:
            done = await self._say(ref, Comment(wish.op_id, wish.note), **change)
        elif before.status.id == number:
            return Applied((), self._ticket(before))
        else:
            await self._put(ref, change, wish.op_id, safe=True)
            done = Applied((), await self.get(ref))
        if wish.fields:
            filled(self.http.name, ref, await self._issue(ref), wish.fields)
        return self._proved(done, done.ticket is not None and done.ticket.raw_state == raw, ref, raw)

    async def _reprioritise(self, ref: Ref, wish: Reprioritise) -> Applied:
        if wish.fields:
            await self._put(ref, custom(wish.fields), wish.op_id, safe=True)
            filled(self.http.name, ref, await self._issue(ref), wish.fields)
            return Applied((), await self.get(ref))
        raw = priority_for(self.http.name, self.config, wish)
        if raw is None:  # they work it out, and this was asked for before that was said of them
            raise unranked(self.http.name, self.config, wish.to)
        number = await self._account.number_of(PRIORITIES, raw)
        await self._put(ref, {"priority_id": number}, wish.op_id, safe=True)
        issue = await self._issue(ref)
        ticket, ids = self._ticket(issue), await self._journals.ours_setting(issue, number)
        return self._proved(Applied(ids, ticket), ticket.raw_priority == raw, ref, raw)

    async def _upload(self, ref: Ref, file: Attach) -> Applied:
        """The bytes first, which stay unseen until a note names their token."""
        token = await uploaded(self.http, file)
        told = {"token": token, "filename": file.name, "content_type": file.media_type}
        return await self._say(ref, Comment(file.op_id, f"File: {file.name}"), uploads=[told])

    def _proved(self, done: Applied, as_wished: bool, ref: Ref, wished: str) -> Applied:
        if as_wished:
            return done
        raise Rejected(
            f"{self.http.name} said yes and did not set {ref.key} to {wished}: its workflow or our account's "
            "role does not allow it.",
            204,
        )

    def _ticket(self, issue: Issue) -> Ticket:
        return Ticket(
            ref=self._journals.ref(issue.id),
            title=one_line(issue.subject),
            raw_state=issue.status.name,
            state=self.config.meaning(issue.status.name),
            raw_priority=issue.priority.name if issue.priority and not self.config.impact else "",
            assignee=one_line(issue.assigned_to.name) if issue.assigned_to else None,
            updated_at=issue.updated_on,
            priorities=self.config.meant(issue.priority.name if issue.priority else ""),
        )


def _is_ours(row: Row, field: int, op_id: OpId) -> bool:
    return row.carries(field, op_id) or marker_of(row.description or "") == op_id


def _ids(journals: tuple[Journal, ...]) -> tuple[str, ...]:
    """The change ids of what these journals tell."""
    notes = tuple(str(journal.id) for journal in journals)
    files = tuple(f"{number}{FILE}" for journal in journals for number in journal.files)
    return notes + files + tuple(f"{j.id}{STATE}" for j in journals if j.status is not None)
