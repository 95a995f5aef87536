"""Practice Desk, the made-up supplier of `integrations.practice`: the plainest whole connector.

Its API in short: tickets carry our operation id as `reference`, which it matches exactly and at once;
every change of the desk has a `seq`, and `GET /changes?after=` tells them in that order.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import quote

from integrations import signing
from integrations.answers import lost
from integrations.connector import (
    Absent,
    Applied,
    Attach,
    CannotTell,
    Cap,
    Change,
    ChangeKind,
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
    Theirs,
    Ticket,
    TicketUpdate,
    Transition,
    Unread,
)
from integrations.errors import Conflict, Gone, Moved, OpId
from integrations.mapping import named_priority, state_for
from integrations.practice.check import health
from integrations.practice.config import PracticeConfig
from integrations.practice.wire import Account, Changes, Set, TheirChange, TheirTicket, Tickets
from integrations.proofs import ProvedBy
from integrations.reading import read, unread_row
from register.marker import marked_name, marker_of, name_marker_of, sign, unsigned
from register.text import clean, one_line

if TYPE_CHECKING:
    from integrations.http import Http
from integrations.zones import zoned

PAGE: Final = 100
_KINDS: Final[Mapping[str, ChangeKind]] = {"merged": ChangeKind.STATE, "split": ChangeKind.LINK}
"""Kinds that are called otherwise there."""
_SAID: Final[Mapping[str, str]] = {"merged": "", "priority": "", "split": "split into"}
"""What is said instead of a body that names a ticket."""


class PracticeDesk:
    """Connector of the practice supplier."""

    info: ClassVar[Info] = Info(
        kind="practice",
        title="Practice Desk",
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
        lookup=Strong(settle=timedelta(seconds=2)),
        idempotency=NoNative(),
        config=PracticeConfig,
        needs_secret=False,
        oauth2=True,
    )

    def __init__(self, http: Http, config: PracticeConfig) -> None:
        self.http = http
        self.config = config
        self._account = ""

    @staticmethod
    def headers(config: PracticeConfig, secret: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {secret}"} if secret else {}

    @staticmethod
    def hooks(config: PracticeConfig, secrets: Sequence[str]) -> Hooks:
        return ProvedBy(secrets, signing.standard)

    async def create(self, draft: Draft) -> Ref:
        ticket = {
            "queue": self.config.queue,
            **draft.fields,
            "title": draft.title,
            "body": sign(draft.body, draft.op_id),
            "reference": draft.op_id,
            "priority": named_priority(self.http.name, self.config, draft),
        }
        return _ref(read(TheirTicket, await self.http.post("/tickets", json=ticket, op_id=draft.op_id)))

    async def get(self, ref: Ref) -> Ticket:
        """The ticket; Moved when it goes on as another. Nobody is told that it is gone for being nobody."""
        try:
            told = read(TheirTicket, await self.http.get(_path(ref)))
        except Gone:
            await self._sign_in()
            raise
        if ref.id not in (told.id, told.key):
            raise Moved(f"{self.http.name} has merged {ref.key} into {told.key}.", _ref(told))
        return self._ticket(told)

    async def find(self, op_id: OpId, since: datetime) -> FindResult:
        answer = await self.http.get("/tickets", params={"reference": op_id})
        tickets = read(Tickets, answer).tickets
        if any(ticket.reference != op_id for ticket in tickets):
            return CannotTell(f"{self.http.name} also gave tickets that do not carry our reference.")
        if not tickets:
            await self._sign_in()  # whoever is not known there finds nothing, and is not told why
        return Found(tuple(_ref(ticket) for ticket in tickets)) if tickets else Absent()

    async def find_comment(self, ref: Ref, op_id: OpId) -> FindResult:
        page = await self.history(ref)
        ours = [c for c in page.changes if c.marker == op_id and c.by_our_account]
        if not ours:
            return CannotTell("A part of the ticket could not be read.") if page.unread else Absent()
        return Found(tuple(Ref(id=c.change_id, key=c.ref.key, url=c.ref.url) for c in ours))

    async def apply(self, ref: Ref, update: TicketUpdate, if_version: str | None = None) -> Applied:
        try:
            return await self._apply(ref, update, if_version)
        except Conflict:
            await self.get(ref)  # it says so when the ticket was merged: then that is why
            raise

    async def _apply(self, ref: Ref, update: TicketUpdate, if_version: str | None) -> Applied:
        version = {} if if_version is None else {"If-Match": f'"{if_version}"'}
        if isinstance(update, Comment):
            return Applied((await self._comment(ref, update, version),))
        if isinstance(update, Reprioritise):
            priority = {"priority": named_priority(self.http.name, self.config, update)}
            return await self._set("priority", ref, priority, update.op_id, version)
        if isinstance(update, Attach):
            return Applied((await self._upload(ref, update),))
        return await self._transition(ref, update, version)

    async def fetch(self, ref: Ref, place: str, most: int) -> bytes:
        return (await self.http.get(f"{_path(ref)}/files/{quote(place, safe='')}", most=most)).body

    async def changes(self, cursor: Cursor | None) -> Page:
        if cursor is None:
            start = read(Changes, await self.http.get("/changes"))
            return Page((), {"desk": start.desk, "after": start.last}, done=True)
        after = cursor["after"]
        answer = await self.http.get("/changes", params={"after": after, "limit": PAGE})
        told = read(Changes, answer)
        if told.desk != cursor["desk"]:  # another desk stands there, with a count of its own
            after = 0
            answer = await self.http.get("/changes", params={"after": after, "limit": PAGE})
            told = read(Changes, answer)
        elif told.last < after:
            await self._sign_in()  # less than it had told: that is what one is shown who is not known there
        rows = sorted(told.changes, key=_seq)
        if rows and _seq(rows[-1]) == 0:
            raise lost(answer.name, "told changes without their place", answer.repeatable)
        after = max(after, _seq(rows[-1])) if rows else after
        changes, unread = await self._changes(rows)
        done = not rows or after >= told.last
        return Page(changes, {"desk": told.desk, "after": after}, done=done, unread=unread)

    async def history(self, ref: Ref) -> Page:
        told = read(Changes, await self.http.get(f"{_path(ref)}/changes"))
        if not told.changes:
            await self._sign_in()  # there is none without its making
        changes, unread = await self._changes(sorted(told.changes, key=_seq))
        return Page(changes, {}, done=True, unread=unread)

    async def _sign_in(self) -> Account:
        """Who we are there; AuthFailed when we are nobody any more."""
        return read(Account, await self.http.get("/whoami"))

    async def check(self) -> Health:
        found = await health(self.http, self.config, self.changes)
        self._account = found.account
        return found

    async def _comment(self, ref: Ref, comment: Comment, version: Mapping[str, str]) -> str:
        body = {"body": sign(comment.body, comment.op_id), "public": comment.public}
        answer = await self.http.post(
            f"{_path(ref)}/comments", json=body, headers=version, op_id=comment.op_id
        )
        return _change_id(read(TheirChange, answer))

    async def _transition(self, ref: Ref, wish: Transition, version: Mapping[str, str]) -> Applied:
        """The state first, which may be said twice, then the note: where the note is, both are done."""
        state = state_for(self.http.name, self.config, wish.to)
        done = await self._set("state", ref, {"state": state}, wish.op_id, version)
        if not wish.note:
            return done
        note = await self._comment(ref, Comment(wish.op_id, wish.note), {})
        return Applied((*done.change_ids, note), done.ticket)

    async def _set(
        self, what: str, ref: Ref, json: object, op_id: OpId, headers: Mapping[str, str] | None = None
    ) -> Applied:
        """Put the ticket into a state or priority: said twice, it is there once."""
        path = f"{_path(ref)}/{what}"
        answer = await self.http.put(path, json=json, headers=headers or {}, safe=True, op_id=op_id)
        told = read(Set, answer)
        return Applied((_change_id(told.change),) if told.change else (), self._ticket(told.ticket))

    async def _upload(self, ref: Ref, file: Attach) -> str:
        body = {
            "name": marked_name(file.name, file.op_id),
            "content": base64.b64encode(file.content).decode(),
        }
        answer = await self.http.post(f"{_path(ref)}/files", json=body, op_id=file.op_id)
        return _change_id(read(TheirChange, answer))

    async def _changes(self, rows: Iterable[dict[str, Any]]) -> tuple[tuple[Change, ...], tuple[Unread, ...]]:
        """What the rows say, without the making of a ticket, which is no news; and those that say nothing."""
        changes: list[Change] = []
        unread: list[Unread] = []
        for row in rows:
            try:
                told = TheirChange.model_validate(row, context=zoned(self.http.zone))
                if told.kind != "created":
                    changes.append(self._change(told, await self._me()))
            except ValueError as error:
                unread.append(unread_row(row, ("ticket", "seq"), error, "ticket"))
        return tuple(changes), tuple(unread)

    async def _me(self) -> str:
        if not self._account:
            self._account = (await self._sign_in()).account
        return self._account

    def _change(self, told: TheirChange, me: str) -> Change:
        kind = _KINDS.get(told.kind) or ChangeKind(told.kind)
        raw = told.state if kind is ChangeKind.STATE else ""
        raw = f"merged into {told.body}" if told.kind == "merged" else raw
        body = _SAID.get(told.kind, clean(unsigned(told.body)))
        priority = one_line(told.body) if kind is ChangeKind.PRIORITY else ""
        url = f"{self.http.base}/tickets/{quote(told.ticket, safe='')}"
        return Change(
            change_id=_change_id(told),
            ref=Ref(id=told.ticket, key=told.key, url=url),
            at=told.at,
            kind=kind,
            author=one_line(told.author),
            by_our_account=told.author == me,
            body=body,
            public=told.public,
            raw_state=one_line(raw),
            state=self._state(raw),
            moved=told.kind == "merged",
            version=str(told.seq),
            marker=name_marker_of(told.body) if kind is ChangeKind.FILE else marker_of(told.body),
            size=told.size,
            place=str(told.seq) if kind is ChangeKind.FILE else "",
            raw_priority=priority,
            priorities=self.config.meant(priority),
            link=Ref(id=told.body, key=told.body) if kind is ChangeKind.LINK else None,
        )

    def _ticket(self, told: TheirTicket) -> Ticket:
        return Ticket(
            ref=_ref(told),
            title=one_line(told.title),
            raw_state=told.state,
            state=self._state(told.state),
            raw_priority=told.priority,
            assignee=one_line(told.assignee) or None,
            updated_at=told.updated_at,
            version=str(told.version),
            priorities=self.config.meant(told.priority),
        )

    def _state(self, raw: str) -> Theirs:
        return self.config.meaning(raw)


def _path(ref: Ref) -> str:
    return f"/tickets/{quote(ref.id, safe='')}"


def _ref(ticket: TheirTicket) -> Ref:
    return Ref(id=ticket.id, key=ticket.key, url=ticket.url)


def _seq(row: Mapping[str, Any]) -> int:
    """A row's place in the feed; 0 when it tells none."""
    seq = row.get("seq")
    return seq if type(seq) is int else 0


def _change_id(change: TheirChange) -> str:
    return f"{change.ticket}:{change.seq}"
