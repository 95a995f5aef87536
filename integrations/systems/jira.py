"""Jira over its REST API: Cloud (v3), Data Center (v2), and Service Management's requests on either
(developer.atlassian.com/cloud/jira/platform/rest/v3, docs.atlassian.com/software/jira/docs/api/REST).

Jira knows no key by which a create is made once, and its search lags: a hit proves, an empty answer does not.
Its states are changed by transitions, whose fields are asked for first. Texts are documents (ADF) in Cloud's
v3, wiki marks elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from integrations import signing
from integrations.connector import (
    Absent,
    Applied,
    Attach,
    CannotTell,
    Cap,
    ChangeKind,
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
    Ticket,
    TicketUpdate,
    Transition,
)
from integrations.credential import signed_in
from integrations.errors import Moved, OpId
from integrations.jira.account import Account
from integrations.jira.check import health
from integrations.jira.config import JiraConfig
from integrations.jira.feed import LAG, Feed
from integrations.jira.files import fetched
from integrations.jira.finding import found
from integrations.jira.issues import Issues
from integrations.jira.making import Making
from integrations.jira.writing import Writing
from integrations.proofs import ProvedBy

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.jira.wire import Issue


class Jira:
    """Connector of Jira. Our operation id is a label and under every text."""

    info: ClassVar[Info] = Info(
        kind="jira",
        title="Jira",
        caps=Cap.CREATE
        | Cap.COMMENT_PUBLIC
        | Cap.COMMENT_PRIVATE
        | Cap.ATTACH
        | Cap.SET_STATE
        | Cap.SET_PRIORITY
        | Cap.WITHDRAW
        | Cap.POLL
        | Cap.WEBHOOK,
        lookup=Lagging(index_delay=LAG, settle=timedelta(seconds=60)),
        idempotency=NoNative(),
        config=JiraConfig,
        oauth2=True,
        docs="https://developer.atlassian.com/cloud/jira/platform/rest/v3/",
        feed_lag=timedelta(seconds=30),
    )

    def __init__(self, http: Http, config: JiraConfig) -> None:
        self.http = http
        self.config = config
        self._account = Account(http, config)
        self._issues = Issues(http, config, self._account)
        self._writing = Writing(http, config, self._account, self._issues)
        self._feed = Feed(http, config, self._account, self._issues)
        self.making = Making(http, config)

    @staticmethod
    def headers(config: JiraConfig, secret: str) -> Mapping[str, str]:
        """An API token goes with the address of its account; a personal access token, or OAuth's, alone."""
        return signed_in(config.user, secret)

    @staticmethod
    def hooks(config: JiraConfig, secrets: Sequence[str]) -> Hooks:
        """Only webhooks that an administrator made with a secret are signed."""
        return ProvedBy(secrets, signing.hex_of_body, "x-hub-signature")

    async def create(self, draft: Draft) -> Ref:
        return await self.making.make(draft)

    async def get(self, ref: Ref) -> Ticket:
        """The issue; Moved where it has another key by now: its id stays."""
        issue = await self._issues.stands(ref)
        return self._unmoved(ref, issue)

    def _unmoved(self, ref: Ref, issue: Issue) -> Ticket:
        ticket = self._issues.ticket(issue)
        if (ref.id, ref.key) != (ticket.ref.id, ticket.ref.key):
            raise Moved(f"{self.http.name} has {ref.key} as {ticket.ref.key} now.", ticket.ref)
        return ticket

    async def find(self, op_id: OpId, since: datetime) -> FindResult:
        return await found(self.http, self.config, self._account, op_id)

    async def find_comment(self, ref: Ref, op_id: OpId) -> FindResult:
        """Comments and files that we wrote: the issue itself is asked, which does not lag."""
        changes, unread = await self._issues.told(await self._issues.whole(ref))
        hits = [
            ref.model_copy(update={"id": one.change_id})
            for one in changes
            if one.marker == op_id
            and one.by_our_account
            and one.kind in (ChangeKind.COMMENT, ChangeKind.FILE)
        ]
        if hits:
            return Found(tuple(hits))
        return CannotTell("A part of the issue could not be read.") if unread else Absent()

    async def apply(self, ref: Ref, update: TicketUpdate, if_version: str | None = None) -> Applied:
        """`if_version` says nothing here: Jira takes no version of an issue."""
        if isinstance(update, Comment):
            return await self._writing.say(ref, update)
        if isinstance(update, Attach):
            return await self._writing.attach(ref, update)
        if isinstance(update, Transition):
            return await self._writing.transition(ref, update)
        return await self._writing.reprioritise(ref, update)

    async def changes(self, cursor: Cursor | None) -> Page:
        return await self._feed.page(cursor)

    async def history(self, ref: Ref) -> Page:
        issue = await self._issues.whole(ref)
        changes, unread = await self._issues.told(issue)
        first = await self._issues.beginning(issue)
        return Page((*first, *changes), {}, done=True, unread=tuple(unread))

    async def fetch(self, ref: Ref, place: str, most: int) -> bytes:
        return await fetched(self.http, self.config, place, most)

    async def check(self) -> Health:
        return await health(self.http, self.config, self._account, self.making)
