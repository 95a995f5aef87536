"""What happened on one issue: its timeline, in which comments, states and labels stand in their order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from integrations.connector import Change, ChangeKind, Ref, Unread
from integrations.errors import AuthFailed, AuthTrouble, Gone
from integrations.github.wire import Account, Event, Issue
from integrations.linked import Rows, listed
from integrations.markup.hidden import said
from integrations.reading import read, unread_row
from integrations.zones import zoned
from register.text import one_line

if TYPE_CHECKING:
    from integrations.github.config import GitHubConfig
    from integrations.http import Http

EVENT: Final = ".event"
"""What is added to an event's number: those of comments are counted by themselves."""
_TOLD: Final = ("commented", "closed", "reopened", "labeled", "unlabeled")
Told = tuple[list[Change], list[Unread]]


class Timeline:
    """Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: GitHubConfig) -> None:
        self.http = http
        self.config = config
        self.path = f"/repos/{config.repository}"
        self._me = config.account or ""

    async def me(self) -> str:
        """The login of our account, asked for once."""
        if not self._me:
            self._me = read(Account, await self.http.get("/user")).login
        return self._me

    async def ours(self, who: Account | None) -> bool:
        return who is not None and who.login.lower() == (await self.me()).lower()

    async def issue(self, number: int) -> Issue:
        return read(Issue, await self.http.get(f"{self.path}/issues/{number}"))

    async def visible(self) -> None:
        """Raise unless the repository is there for us: GitHub says 404 to those who may not see it."""
        try:
            await self.http.get(self.path)
        except Gone as gone:
            why = f"{self.http.name} has no repository {self.config.repository}, or hides it from our account"
            raise AuthFailed(f"{why} ({gone.why})", AuthTrouble.FORBIDDEN) from None

    async def told(self, ref: Ref, number: int) -> Told:
        """All that is told of an issue after it was made, oldest first; and what could not be read."""
        changes: list[Change] = []
        unread: list[Unread] = []
        labels: set[str] = set()
        is_open, reason = True, None
        for row in await listed(self.http, f"{self.path}/issues/{number}/timeline", Rows):
            if row.get("event") not in _TOLD:
                continue
            try:
                event = Event.model_validate(row, context=zoned(self.http.zone))
            except ValidationError as error:
                unread.append(replace(unread_row(row, ("event", "id"), error), ticket=str(number)))
                continue
            about = await self._about(ref, event)
            if event.event == "commented":
                changes.append(_comment(about, event))
                continue
            before = self.config.word(is_open, reason, labels)
            is_open, reason = _opened(event, is_open, reason)
            _label(event, labels)
            word = self.config.word(is_open, reason, labels)
            if word != before:
                raw = one_line(word)
                changes.append(replace(about, raw_state=raw, state=self.config.meaning(word)))
            if event.event == "labeled" and event.label and event.label.name in self.config.theirs:
                changes.append(self._ranked(about, event.label.name))
        return changes, unread

    async def beginning(self, issue: Issue) -> Change:
        """The words that it was made with."""
        body, marker = said(issue.body)
        who = issue.user
        return Change(
            change_id=f"issue {issue.number}",
            ref=issue.ref,
            at=issue.created_at,
            kind=ChangeKind.COMMENT,
            author=one_line(who.login) if who else "",
            by_our_account=await self.ours(who),
            body=body,
            marker=marker,
        )

    def ref(self, number: int) -> Ref:
        host = self.http.base.host.removeprefix("api.")
        return Ref(
            id=str(number), key=f"#{number}", url=f"https://{host}/{self.config.repository}/issues/{number}"
        )

    async def _about(self, ref: Ref, event: Event) -> Change:
        who = event.user or event.actor
        return Change(
            change_id=f"{event.id}{EVENT}",
            ref=ref,
            at=event.created_at,
            kind=ChangeKind.STATE,
            author=one_line(who.login) if who else "",
            by_our_account=await self.ours(who),
        )

    def _ranked(self, about: Change, label: str) -> Change:
        return replace(
            about,
            change_id=f"{about.change_id}.priority",
            kind=ChangeKind.PRIORITY,
            raw_priority=one_line(label),
            priorities=self.config.meant(label),
        )


def _comment(about: Change, event: Event) -> Change:
    body, marker = said(event.body)
    return replace(about, change_id=str(event.id), kind=ChangeKind.COMMENT, body=body, marker=marker)


def _opened(event: Event, is_open: bool, reason: str | None) -> tuple[bool, str | None]:
    if event.event == "closed":
        return False, event.state_reason
    return (True, None) if event.event == "reopened" else (is_open, reason)


def _label(event: Event, labels: set[str]) -> None:
    if event.label is None:
        return
    change: Any = labels.add if event.event == "labeled" else labels.discard
    change(event.label.name)
