"""Zendesk Support over its Ticketing API v2 (developer.zendesk.com/api-reference/ticketing/introduction).

A create goes under an `Idempotency-Key`, which is honoured for two hours, and carries our operation id as
`external_id`, by which it is found whenever. What is closed cannot be changed any more, by nobody, so we
solve. Everything else is one PUT on the ticket, and its answer tells what was done, as an audit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from pydantic import ValidationError

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
    Native,
    Page,
    Ref,
    Strong,
    Ticket,
    TicketUpdate,
    Transition,
)
from integrations.credential import signed_in
from integrations.errors import Conflict, Gone, OpId, Rejected
from integrations.mapping import priority_for
from integrations.proofs import ProvedBy
from integrations.reading import read
from integrations.zendesk.account import Account
from integrations.zendesk.audits import Audits, text_of
from integrations.zendesk.check import health
from integrations.zendesk.config import ZendeskConfig
from integrations.zendesk.feed import Feed
from integrations.zendesk.fields import kept_under
from integrations.zendesk.files import fetched, uploaded
from integrations.zendesk.wire import (
    ROOT,
    Listed,
    One,
    TheirComment,
    every,
    number_of,
    ref_to,
)
from integrations.zendesk.writing import Writing, ids_of, words_of
from integrations.zones import zoned
from register.marker import marker_of
from register.text import MAX_TITLE, clip, one_line

if TYPE_CHECKING:
    from integrations.http import Http

T = TypeVar("T")
_UNFIT: Final = 422
"""How Zendesk refuses what it understood: a closed ticket, a field that must be filled."""


class Zendesk:
    """Connector of Zendesk Support. Our operation id is a ticket's external_id, and under every text."""

    info: ClassVar[Info] = Info(
        kind="zendesk",
        title="Zendesk Support",
        caps=Cap.CREATE
        | Cap.COMMENT_PUBLIC
        | Cap.COMMENT_PRIVATE
        | Cap.ATTACH
        | Cap.SET_STATE
        | Cap.SET_PRIORITY
        | Cap.WITHDRAW
        | Cap.POLL
        | Cap.WEBHOOK
        | Cap.ETAG,
        lookup=Strong(settle=timedelta(seconds=60)),  # sent again within two hours, the key makes it one
        idempotency=Native(window=timedelta(hours=2)),
        config=ZendeskConfig,
        oauth2=True,
        docs="https://developer.zendesk.com/api-reference/ticketing/introduction/",
        feed_lag=timedelta(seconds=75),  # the export leaves out the last minute
    )
    root: ClassVar[str] = ROOT

    def __init__(self, http: Http, config: ZendeskConfig) -> None:
        self.http = http
        self.config = config
        self._account = Account(http)
        self._audits = Audits(http, config, self._account)
        self._writing = Writing(http, config, self._account, self._audits)
        self._feed = Feed(http, config, self._account, self._audits)

    @staticmethod
    def headers(config: ZendeskConfig, secret: str) -> Mapping[str, str]:
        """An API token goes with the address of its account; without one it is an OAuth token."""
        return signed_in(config.user and f"{config.user}/token", secret)

    @staticmethod
    def hooks(config: ZendeskConfig, secrets: Sequence[str]) -> Hooks:
        header = "x-zendesk-webhook-signature"
        return ProvedBy(secrets, signing.base64_of_stamped, header, f"{header}-timestamp")

    async def create(self, draft: Draft) -> Ref:
        ticket: dict[str, Any] = {
            "subject": clip(one_line(draft.title), MAX_TITLE),
            "comment": words_of(draft.body, draft.op_id, public=True),
            "external_id": draft.op_id,
            **kept_under(draft.fields),
        }
        if self.config.group is not None:
            ticket.setdefault("group_id", self.config.group)
        if (priority := priority_for(self.http.name, self.config, draft)) is not None:
            ticket["priority"] = priority
        key = {"Idempotency-Key": draft.op_id}
        try:
            answer = await self.http.post("/tickets", {"ticket": ticket}, key, op_id=draft.op_id)
        except Gone as failure:
            raise Rejected(f"{failure.why} Is the `url` of {self.http.name} right?", 404) from None
        except Conflict:
            answer = None
        except Rejected as failure:
            if "IdempotentRequestError" not in failure.why:
                raise
            answer = None
        if answer is None:  # the key is known there: what was first sent under it was taken, or is being
            raise lost(
                self.http.name, "has a ticket under our key already, or is making it", False, draft.op_id
            )
        return ref_to(self.http, read(One, answer).ticket.id)

    async def get(self, ref: Ref) -> Ticket:
        return await self._writing.get(ref)

    async def find(self, op_id: OpId, since: datetime) -> FindResult:
        found = read(Listed, await self.http.get("/tickets", params={"external_id": op_id})).tickets
        hits = sorted(ticket.id for ticket in found if ticket.external_id == op_id)
        if hits:
            return Found(tuple(ref_to(self.http, number) for number in hits))
        if found:
            return CannotTell(f"{self.http.name} also gave tickets that do not carry our reference.")
        if not await self._account.sees_all():
            return CannotTell(
                f"{self.http.name} does not show our account all tickets: ours may be among the rest."
            )
        return Absent()

    async def find_comment(self, ref: Ref, op_id: OpId) -> FindResult:
        rows, _ = await every(self.http, number_of(ref), "comments")
        me, odd = await self._account.me(), False
        hits: list[Ref] = []
        for row in rows:
            try:
                one = TheirComment.model_validate(row, context=zoned(self.http.zone))
            except ValidationError:
                odd = True
                continue
            if one.author_id == me and marker_of(text_of(one)) == op_id:
                hits += [ref.model_copy(update={"id": change_id}) for change_id in ids_of((one,))]
        if hits:
            return Found(tuple(hits))
        return CannotTell("A part of the ticket could not be read.") if odd else Absent()

    async def apply(self, ref: Ref, update: TicketUpdate, if_version: str | None = None) -> Applied:
        """A comment only ever adds, so it needs no version."""
        if isinstance(update, Comment):
            return await self._writing.say(ref, update)
        if isinstance(update, Attach):
            token = await uploaded(self.http, update)
            words = Comment(update.op_id, f"File: {update.name}")
            return await self._writing.say(ref, words, uploads=[token])
        if isinstance(update, Transition):
            return await self._writing.transition(ref, update, if_version)
        return await self._writing.reprioritise(ref, update, if_version)

    async def changes(self, cursor: Cursor | None) -> Page:
        return await self._feed.page(cursor)

    async def history(self, ref: Ref) -> Page:
        changes, unread = await self._writing.shown(ref, self._audits.told(number_of(ref)))
        return Page(tuple(changes), {}, done=True, unread=tuple(unread))

    async def fetch(self, ref: Ref, place: str, most: int) -> bytes:
        return await fetched(self.http, self.config, place, most)

    async def check(self) -> Health:
        return await health(self.http, self.config, self._account)
