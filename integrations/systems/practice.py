"""Practice Desk, the made-up supplier of `integrations.practice`: the plainest whole connector.

Its API in short: tickets carry our operation id as `reference`, which it matches exactly and at once;
every change of the desk has a `seq`, and `GET /changes?after=` tells them in that order.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final
from urllib.parse import quote

from pydantic import AwareDatetime, BaseModel, Field

from integrations.answers import lost
from integrations.checks import failed, known, mapped
from integrations.connector import (
    Absent,
    Applied,
    Attach,
    CannotTell,
    Cap,
    Change,
    ChangeKind,
    Check,
    Comment,
    Cursor,
    Draft,
    FindResult,
    Found,
    Health,
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
from integrations.errors import Failure, OpId, Rejected
from integrations.marker import marked_name, marker_of, name_marker_of, sign, unsigned
from integrations.reading import read, unread_row
from register.incident import Priority
from register.text import Name, clean, one_line

if TYPE_CHECKING:
    from integrations.http import Http

PAGE: Final = 100
_NOBODY: Final = "00000000000000000000000000"
"""An operation id that was never minted: a look-up that finds it looks at nothing."""
_STATES: Final = {
    "Open": Theirs.NEW,
    "Working": Theirs.WORKING,
    "Needs customer": Theirs.WAITS_FOR_US,
    "Fixed": Theirs.FIXED,
    "Closed": Theirs.CLOSED,
    "Declined": Theirs.REFUSED,
}
_PRIORITIES: Final = {
    Priority.CRITICAL: "Urgent",
    Priority.HIGH: "High",
    Priority.MODERATE: "Normal",
    Priority.LOW: "Low",
    Priority.PLANNING: "Low",
}


class PracticeConfig(BaseModel, extra="forbid", frozen=True):
    """The keys of a [vendor.NAME] block that only the practice supplier has."""

    queue: Annotated[Name, Field(description="where our tickets go there")] = "Support"
    states: Annotated[
        dict[Name, Theirs],
        Field(description="their state → new, working, waits_for_us, fixed, closed or refused"),
    ] = _STATES
    priorities: Annotated[
        dict[Annotated[Priority, Field(strict=False)], Name],
        Field(description="our priority, 1 to 5 → theirs"),
    ] = _PRIORITIES


class _TheirTicket(BaseModel):
    id: str
    key: str
    url: str
    reference: str
    title: str
    priority: str
    state: str
    assignee: str
    updated_at: AwareDatetime
    version: int


class _TheirChange(BaseModel):
    seq: int
    ticket: str
    key: str
    kind: str
    author: str
    at: AwareDatetime
    body: str
    public: bool
    state: str


class _Account(BaseModel):
    account: str
    may: frozenset[str]


class _About(BaseModel):
    states: tuple[str, ...]
    priorities: tuple[str, ...]
    queues: tuple[str, ...]


class _Changes(BaseModel):
    changes: tuple[dict[str, Any], ...]
    last: int = 0
    desk: str = ""


class _Tickets(BaseModel):
    tickets: tuple[_TheirTicket, ...]


class _Set(BaseModel):
    ticket: _TheirTicket
    change: _TheirChange | None


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
        | Cap.ETAG,
        lookup=Strong(settle=timedelta(seconds=2)),
        idempotency=NoNative(),
        config=PracticeConfig,
        needs_secret=False,
    )

    def __init__(self, http: Http, config: PracticeConfig) -> None:
        self.http = http
        self.config = config
        self._account = ""

    @staticmethod
    def headers(config: PracticeConfig, secret: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {secret}"} if secret else {}

    async def create(self, draft: Draft) -> Ref:
        ticket = {
            **draft.fields,
            "title": draft.title,
            "body": sign(draft.body, draft.op_id),
            "reference": draft.op_id,
            "priority": self._priority(draft.priority),
            "queue": self.config.queue,
        }
        return _ref(read(_TheirTicket, await self.http.post("/tickets", json=ticket, op_id=draft.op_id)))

    async def get(self, ref: Ref) -> Ticket:
        return self._ticket(read(_TheirTicket, await self.http.get(_path(ref))))

    async def find(self, op_id: OpId, since: datetime) -> FindResult:
        answer = await self.http.get("/tickets", params={"reference": op_id})
        tickets = read(_Tickets, answer).tickets
        if any(ticket.reference != op_id for ticket in tickets):
            return CannotTell(f"{self.http.name} also gave tickets that do not carry our reference.")
        return Found(tuple(_ref(ticket) for ticket in tickets)) if tickets else Absent()

    async def find_comment(self, ref: Ref, op_id: OpId) -> FindResult:
        page = await self.history(ref)
        ours = [c for c in page.changes if c.marker == op_id and c.by_our_account]
        if not ours:
            return CannotTell("A part of the ticket could not be read.") if page.unread else Absent()
        return Found(tuple(Ref(id=c.change_id, key=c.ref.key, url=c.ref.url) for c in ours))

    async def apply(self, ref: Ref, update: TicketUpdate, if_version: str | None = None) -> Applied:
        version = {} if if_version is None else {"If-Match": f'"{if_version}"'}
        if isinstance(update, Comment):
            return Applied((await self._comment(ref, update, version),))
        if isinstance(update, Reprioritise):
            return await self._set("priority", ref, {"priority": self._priority(update.to)}, update.op_id)
        if isinstance(update, Attach):
            return Applied((await self._upload(ref, update),))
        return await self._transition(ref, update, version)

    async def changes(self, cursor: Cursor | None) -> Page:
        if cursor is None:
            start = read(_Changes, await self.http.get("/changes"))
            return Page((), {"desk": start.desk, "after": start.last}, done=True)
        answer = await self.http.get("/changes", params={"after": cursor["after"], "limit": PAGE})
        told = read(_Changes, answer)
        if told.desk != cursor["desk"]:  # another desk stands there, with a count of its own
            answer = await self.http.get("/changes", params={"after": 0, "limit": PAGE})
            told = read(_Changes, answer)
        seqs = [row["seq"] for row in told.changes if type(row.get("seq")) is int]
        if told.changes and not seqs:
            raise lost(answer.name, "told changes without their place", answer.repeatable)
        after = max(seqs, default=told.last)
        changes, unread = await self._changes(told.changes)
        return Page(changes, {"desk": told.desk, "after": after}, done=after >= told.last, unread=unread)

    async def history(self, ref: Ref) -> Page:
        told = read(_Changes, await self.http.get(f"{_path(ref)}/changes"))
        changes, unread = await self._changes(told.changes)
        return Page(changes, {}, done=True, unread=unread)

    async def check(self) -> Health:
        try:
            who = read(_Account, await self.http.get("/whoami"))
        except Failure as failure:
            return Health("", (failed("identity", failure, self.http.name),))
        self._account = who.account
        lacks = sorted({"create", "comment", "state", "priority", "attach", "read"} - who.may)
        return Health(
            who.account,
            (
                Check("identity", True, f"signed in as {one_line(who.account)}"),
                Check(
                    "permission",
                    not lacks,
                    f"may not {', '.join(lacks)}" if lacks else "may do all that is needed",
                    f"ask {self.http.name} for that right" if lacks else "",
                ),
                *await self._line("mapping", self._check_mapping),
                *await self._line("look-up", self._check_lookup),
                *await self._line("changes", self._check_changes),
            ),
        )

    async def _line(self, name: str, check: Callable[[], Awaitable[Iterable[Check]]]) -> tuple[Check, ...]:
        try:
            return tuple(await check())
        except Failure as failure:
            return (failed(name, failure, self.http.name),)

    async def _check_mapping(self) -> tuple[Check, ...]:
        about = read(_About, await self.http.get("/about"))
        return (
            known("queue", [self.config.queue], about.queues),
            known("states", self.config.states, about.states, whole=True),
            known("priorities", self.config.priorities.values(), about.priorities),
            mapped("priorities", [str(p) for p in Priority if p not in self.config.priorities]),
        )

    async def _check_lookup(self) -> tuple[Check, ...]:
        answer = await self.http.get("/tickets", params={"reference": _NOBODY})
        found = len(read(_Tickets, answer).tickets)
        says = f"finds {found} tickets under a reference that none has" if found else "matches exactly"
        todo = "is the address that of a Practice Desk?" if found else ""
        return (Check("look-up", not found, says, todo),)

    async def _check_changes(self) -> tuple[Check, ...]:
        page = await self.changes(None)
        return (Check("changes", True, f"heard from change {page.next['after']} on"),)

    async def _comment(self, ref: Ref, comment: Comment, version: Mapping[str, str]) -> str:
        body = {"body": sign(comment.body, comment.op_id), "public": comment.public}
        answer = await self.http.post(
            f"{_path(ref)}/comments", json=body, headers=version, op_id=comment.op_id
        )
        return _change_id(read(_TheirChange, answer))

    async def _transition(self, ref: Ref, wish: Transition, version: Mapping[str, str]) -> Applied:
        """The state first, which may be said twice, then the note: where the note is, both are done."""
        state = next((raw for raw, means in self.config.states.items() if means is wish.to), None)
        if state is None:
            raise Rejected(
                f"No state of {self.http.name} means {wish.to}: nothing was sent. "
                f'Add it to `states` in vendors.toml ("THEIR STATE" = "{wish.to}").'
            )
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
        told = read(_Set, answer)
        return Applied((_change_id(told.change),) if told.change else (), self._ticket(told.ticket))

    async def _upload(self, ref: Ref, file: Attach) -> str:
        body = {
            "name": marked_name(file.name, file.op_id),
            "content": base64.b64encode(file.content).decode(),
        }
        answer = await self.http.post(f"{_path(ref)}/files", json=body, op_id=file.op_id)
        return _change_id(read(_TheirChange, answer))

    async def _changes(self, rows: Iterable[dict[str, Any]]) -> tuple[tuple[Change, ...], tuple[Unread, ...]]:
        """What the rows say, without the making of a ticket, which is no news; and those that say nothing."""
        changes: list[Change] = []
        unread: list[Unread] = []
        for row in rows:
            try:
                told = _TheirChange.model_validate(row)
                if told.kind not in ("created", "priority"):
                    changes.append(self._change(told, await self._me()))
            except ValueError as error:
                unread.append(unread_row(row, ("ticket", "seq"), error))
        return tuple(changes), tuple(unread)

    async def _me(self) -> str:
        if not self._account:
            self._account = read(_Account, await self.http.get("/whoami")).account
        return self._account

    def _change(self, told: _TheirChange, me: str) -> Change:
        kind = ChangeKind(told.kind)
        raw = told.state if kind is ChangeKind.STATE else ""
        url = f"{self.http.base}/tickets/{quote(told.ticket, safe='')}"
        return Change(
            change_id=_change_id(told),
            ref=Ref(id=told.ticket, key=told.key, url=url),
            at=told.at,
            kind=kind,
            author=one_line(told.author),
            by_our_account=told.author == me,
            body=clean(unsigned(told.body)),
            public=told.public,
            raw_state=raw,
            state=self._state(raw),
            marker=name_marker_of(told.body) if kind is ChangeKind.FILE else marker_of(told.body),
        )

    def _ticket(self, told: _TheirTicket) -> Ticket:
        return Ticket(
            ref=_ref(told),
            title=one_line(told.title),
            raw_state=told.state,
            state=self._state(told.state),
            raw_priority=told.priority,
            assignee=one_line(told.assignee) or None,
            updated_at=told.updated_at,
            version=str(told.version),
        )

    def _state(self, raw: str) -> Theirs:
        return self.config.states.get(raw, Theirs.UNMAPPED)

    def _priority(self, priority: Priority) -> str:
        try:
            return self.config.priorities[priority]
        except KeyError:
            raise Rejected(
                f"No priority of {self.http.name} stands for {priority}: nothing was sent. "
                f'Add it to `priorities` in vendors.toml ({priority.value} = "THEIRS").'
            ) from None


def _path(ref: Ref) -> str:
    return f"/tickets/{quote(ref.id, safe='')}"


def _ref(ticket: _TheirTicket) -> Ref:
    return Ref(id=ticket.id, key=ticket.key, url=ticket.url)


def _change_id(change: _TheirChange) -> str:
    return f"{change.ticket}:{change.seq}"
