"""Issues of a repository on GitHub, or on a GitHub Enterprise Server (REST API, version 2022-11-28).

Priorities, and states beyond open and closed, are labels. GitHub drops labels without a word where our
account may not set them, and a reason for closing what is closed already, so results are read back. It says
403 for a limit, for a locked issue and for a right that is lacking, and 404 for what it hides.
Sources: docs.github.com/rest/issues, docs.github.com/rest/using-the-rest-api.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from integrations import signing
from integrations.connector import (
    Absent,
    Applied,
    Attach,
    Cap,
    Comment,
    Cursor,
    Draft,
    FindResult,
    Found,
    Health,
    Hooks,
    Info,
    Lagging,
    NoNative,
    Page,
    Ref,
    Reprioritise,
    Ticket,
    TicketUpdate,
    Transition,
)
from integrations.errors import AuthFailed, AuthTrouble, Gone, OpId, Rejected
from integrations.fitting import fitting
from integrations.github import wire
from integrations.github.check import health
from integrations.github.config import OPEN, REASONS, GitHubConfig
from integrations.github.news import News, stamp
from integrations.github.timeline import Timeline
from integrations.linked import listed
from integrations.mapping import named_priority, state_for
from integrations.markup.hidden import said, written
from integrations.proofs import ProvedBy
from integrations.reading import read
from register.text import clip, one_line

if TYPE_CHECKING:
    from integrations.connector import Change
    from integrations.http import Http

MAX_TITLE: Final = 256
"""Characters of a title that GitHub takes."""
MAX_BODY: Final = 65_536
_SKEW: Final = timedelta(minutes=10)
"""How far their clock may be behind ours, at most, when our issue is looked for since a time of ours."""
T = TypeVar("T")


class GitHub:
    """Connector of GitHub's issues. Our operation id stands under every text, and hidden in it."""

    info: ClassVar[Info] = Info(
        kind="github",
        title="GitHub issues",
        caps=Cap.CREATE
        | Cap.COMMENT_PUBLIC
        | Cap.SET_STATE
        | Cap.SET_PRIORITY
        | Cap.WITHDRAW
        | Cap.POLL
        | Cap.WEBHOOK,
        lookup=Lagging(index_delay=timedelta(seconds=30), settle=timedelta(minutes=2)),
        idempotency=NoNative(),
        config=GitHubConfig,
        docs="https://docs.github.com/rest/issues/issues",
    )

    def __init__(self, http: Http, config: GitHubConfig) -> None:
        self.http = http
        self.config = config
        self._timeline = Timeline(http, config)
        self._news = News(self._timeline)
        self._path = f"{self._timeline.path}/issues"

    @staticmethod
    def headers(config: GitHubConfig, secret: str) -> Mapping[str, str]:
        told = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        return {**told, "Authorization": f"Bearer {secret}"} if secret else told

    @staticmethod
    def hooks(config: GitHubConfig, secrets: Sequence[str]) -> Hooks:
        return ProvedBy(secrets, signing.hex_of_body, "x-hub-signature-256")

    async def create(self, draft: Draft) -> Ref:
        title = one_line(draft.title)
        body = draft.body if len(title) <= MAX_TITLE else f"{title}\n\n{draft.body}"
        labels = [
            named_priority(self.http.name, self.config, draft),
            *([self.config.label] if self.config.label else []),
        ]
        issue = {
            "title": clip(title, MAX_TITLE),
            "body": fitting(self.http.name, written(body, draft.op_id), MAX_BODY, " with its markup"),
            "labels": labels,
        }
        try:
            answer = await self.http.post(self._path, issue, op_id=draft.op_id)
        except Gone as failure:
            raise Rejected(
                f"{failure.why} Is `repository` of {self.http.name} right, and does it take issues?", 404
            ) from None
        return read(wire.Issue, answer).ref

    async def get(self, ref: Ref) -> Ticket:
        return self._ticket(await self._issue(ref))

    async def find(self, op_id: OpId, since: datetime) -> FindResult:
        """By the list of our own issues, not by the search, which has limits of its own and lags far more."""
        asked = {"state": "all", "creator": await self._timeline.me(), "sort": "created", "direction": "asc"}
        issues = await listed(self.http, self._path, wire.Issues, **asked, since=stamp(since - _SKEW))
        ours = [one for one in issues if one.pull_request is None and said(one.body)[1] == op_id]
        return Found(tuple(one.ref for one in ours)) if ours else Absent()

    async def find_comment(self, ref: Ref, op_id: OpId) -> FindResult:
        path = f"{self._path}/{wire.number_of(ref)}/comments"
        rows = await listed(self.http, path, wire.Comments)
        found = [one for one in rows if said(one.body)[1] == op_id]
        ours = [one for one in found if await self._timeline.ours(one.user)]
        return Found(tuple(ref.model_copy(update={"id": str(one.id)}) for one in ours)) if ours else Absent()

    async def apply(self, ref: Ref, update: TicketUpdate, if_version: str | None = None) -> Applied:
        """`if_version` says nothing here: GitHub takes no condition with a change."""
        match update:
            case Comment(public=True):
                return Applied(await self._say(ref, update.body, update.op_id))
            case Comment():
                raise Rejected(
                    f"Whoever sees an issue at {self.http.name} sees all its comments: nothing was sent."
                    " An internal comment has no place there."
                )
            case Transition():
                return await self._transition(ref, update)
            case Reprioritise():
                return await self._reprioritise(ref, update)
            case Attach():
                raise Rejected(f"GitHub takes no files by its API: nothing was sent to {self.http.name}.")

    async def changes(self, cursor: Cursor | None) -> Page:
        return await self._news.page(cursor)

    async def history(self, ref: Ref) -> Page:
        issue = await self._issue(ref)
        changes, unread = await self._timeline.told(issue.ref, issue.number)
        first = await self._timeline.beginning(issue)
        later = [one for one in changes if not _made_with(one, issue)]
        return Page((first, *later), {}, done=True, unread=tuple(unread))

    async def check(self) -> Health:
        return await health(self._timeline)

    async def _issue(self, ref: Ref) -> wire.Issue:
        issue = await self._timeline.issue(wire.number_of(ref))
        if issue.pull_request is not None:
            raise Rejected(f"{ref.key} is a pull request at {self.http.name}, not an issue.")
        return issue

    async def _say(self, ref: Ref, text: str, op_id: OpId) -> tuple[str, ...]:
        body = {"body": fitting(self.http.name, written(text, op_id), MAX_BODY, " with its markup")}
        path = f"{self._path}/{wire.number_of(ref)}/comments"
        answer = await self._open(ref, self.http.post(path, body, op_id=op_id))
        return (str(read(wire.Comment, answer).id),)

    async def _transition(self, ref: Ref, wish: Transition) -> Applied:
        """The state, which may be said again, and then the word: so a lost answer never doubles it."""
        raw = state_for(self.http.name, self.config, wish.to, "THEIR LABEL")
        before = await self._issue(ref)
        after = before
        if self._word(before) != raw:
            after = await self._patch(ref, self._to(raw, before), wish.op_id)
        if (now := self._word(after)) != raw:
            raise Rejected(
                f"{self.http.name} said yes, and {ref.key} is {one_line(now)}, not {raw}: our account may not"
                " set it, or it was closed for another reason before.",
                200,
            )
        ids = await self._say(ref, wish.note, wish.op_id) if wish.note else ()
        return Applied(ids, self._ticket(after))

    def _to(self, raw: str, before: wire.Issue) -> dict[str, Any]:
        if raw in REASONS:
            return {"state": "closed", "state_reason": raw}
        kept = [one for one in sorted(before.names) if one not in self.config.state_labels]
        return {"state": "open", "labels": kept if raw == OPEN else [*kept, raw]}

    async def _reprioritise(self, ref: Ref, wish: Reprioritise) -> Applied:
        raw = named_priority(self.http.name, self.config, wish)
        before = await self._issue(ref)
        kept = [one for one in sorted(before.names) if one not in self.config.theirs]
        issue = await self._patch(ref, {"labels": [*kept, raw]}, wish.op_id)
        if raw not in issue.names:
            raise Rejected(
                f"{self.http.name} said yes, and {ref.key} has no label {raw}: our account may not set it.",
                200,
            )
        told, _ = await self._timeline.told(issue.ref, issue.number)
        set_ = [one for one in told if one.by_our_account and one.raw_priority == raw]
        return Applied(tuple(one.change_id for one in set_[-1:]), self._ticket(issue))

    async def _patch(self, ref: Ref, change: Mapping[str, Any], op_id: OpId) -> wire.Issue:
        path = f"{self._path}/{wire.number_of(ref)}"
        asked = self.http.patch(path, change, safe=True, op_id=op_id)
        return read(wire.Issue, await self._open(ref, asked))

    async def _open(self, ref: Ref, asked: Awaitable[T]) -> T:
        """What was asked for; if it is forbidden, tell one locked issue from a right we lost."""
        try:
            return await asked
        except AuthFailed as failure:
            if failure.trouble is not AuthTrouble.FORBIDDEN or not (await self._issue(ref)).locked:
                raise
        raise Rejected(
            f"{self.http.name} has locked {ref.key}: nobody but its own people may write there. Ask them to"
            " unlock it.",
            403,
        )

    def _word(self, issue: wire.Issue) -> str:
        return self.config.word(issue.state == "open", issue.state_reason, issue.names)

    def _ticket(self, issue: wire.Issue) -> Ticket:
        word, ranked = self._word(issue), self.config.ranked(issue.names)
        return Ticket(
            ref=issue.ref,
            title=one_line(issue.title),
            raw_state=one_line(word),
            state=self.config.meaning(word),
            raw_priority=ranked,
            assignee=one_line(issue.assignee.login) if issue.assignee else None,
            updated_at=issue.updated_at,
            priorities=self.config.meant(ranked),
        )


def _made_with(change: Change, issue: wire.Issue) -> bool:
    """Whether a label came with the issue that we made: that is no news."""
    return change.at == issue.created_at and change.by_our_account and not change.body
