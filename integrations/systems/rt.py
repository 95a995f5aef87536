"""Request Tracker 5 over REST 2.0 (docs.bestpractical.com/rt/5.0.3/RT/REST2.html), found out on 5.0.3.

RT says yes to much that it does not do: a field it does not know is dropped, a field misspelt in a search
finds nothing, a PUT that it refused answers 200. So whatever matters is read back, or proved by `check`.
Dates are never searched by: RT reads them in the zone of whoever asks.
"""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from integrations.answers import lost
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
from integrations.errors import AuthFailed, AuthTrouble, Conflict, Gone, Moved, OpId, Rejected
from integrations.mapping import state_for
from integrations.markup.formats import TextFormat, signed
from integrations.reading import read
from integrations.rt.check import QUEUE, health
from integrations.rt.config import RtConfig
from integrations.rt.filling import fill, kept
from integrations.rt.priority import PriorityOf
from integrations.rt.tickets import Tickets
from integrations.rt.transactions import Transactions
from integrations.rt.wire import (
    ME,
    MOVED,
    Made,
    TheirTicket,
    any_of,
    number_of,
    quoted,
    row_id,
    types,
)
from register.incident import Priority
from register.text import MAX_TITLE, clip, one_line

if TYPE_CHECKING:
    from integrations.answers import Answer
    from integrations.http import Http

OVERLAP: Final = 40
"""Ids looked back over: where transactions run side by side, a lower id may appear after a higher one."""
_TYPES: Final = {TextFormat.TEXT: "text/plain", TextFormat.HTML: "text/html"}
CALM: Final = 10
"""Polls without news, after which nothing can still be on its way below the cursor."""
SELDOM: Final = 20
"""Every so many of these it is asked whether our account is still shown the queue."""


class RequestTracker:
    """Connector of Request Tracker 5. Our operation id stands in a custom field and under every text."""

    info: ClassVar[Info] = Info(
        kind="rt",
        title="Request Tracker 5",
        caps=Cap.CREATE
        | Cap.COMMENT_PUBLIC
        | Cap.COMMENT_PRIVATE
        | Cap.ATTACH
        | Cap.SET_STATE
        | Cap.SET_PRIORITY
        | Cap.WITHDRAW
        | Cap.POLL
        | Cap.ETAG,
        lookup=Strong(settle=timedelta(seconds=60)),  # creates were answered after up to 20 s under load
        idempotency=NoNative(),
        config=RtConfig,
        docs="https://docs.bestpractical.com/rt/5.0.3/RT/REST2.html",
    )
    root: ClassVar[str] = "/REST/2.0"

    def __init__(self, http: Http, config: RtConfig) -> None:
        self.http = http
        self.config = config
        self._tickets = Tickets(http, config)
        self._transactions = Transactions(http, config, self._ref)
        self._priority = PriorityOf(http, config, self._transactions)
        self._quiet = 0

    @staticmethod
    def headers(config: RtConfig, secret: str) -> Mapping[str, str]:
        """The word is `token`: RT refuses Bearer."""
        return {"Authorization": f"token {secret}"} if secret else {}

    async def create(self, draft: Draft) -> Ref:
        ticket: dict[str, Any] = {
            "Subject": _subject(draft.title),
            "Content": signed(draft.body, draft.op_id, self.config.format),
            "ContentType": _TYPES[self.config.format],
            "CustomFields": {**draft.fields, self.config.reference_field: draft.op_id},
        }
        ticket["Queue"] = ticket["CustomFields"].pop(QUEUE, self.config.queue)
        priority = self.config.priority_of(draft.priority, draft.impact, draft.urgency)
        if priority is not None:
            ticket["Priority"] = priority
        if self.config.requestor:
            ticket["Requestor"] = self.config.requestor
        try:
            answer = await self.http.post("/ticket", json=ticket, op_id=draft.op_id)
        except Gone as failure:
            raise Rejected(f"{failure.why} Is the `url` of {self.http.name} right?", 404) from None
        made = self._ref(read(Made, answer).id)
        await kept(
            self.http, made, ticket["CustomFields"].keys() - {self.config.reference_field}, draft.op_id
        )
        return made

    async def get(self, ref: Ref) -> Ticket:
        number = number_of(ref)
        try:
            answer = await self.http.get(f"/ticket/{number}")
        except AuthFailed as failure:
            if failure.trouble is not AuthTrouble.FORBIDDEN:
                raise
            answer = None
        if answer is None:
            await (
                self._tickets.queue()
            )  # forbidden too: then our account lost its rights, not this one ticket
            raise Rejected(
                f"{self.http.name} does not show {ref.key} to our account any more; "
                "it may have been moved to another queue: ask them.",
                403,
            )
        told = read(TheirTicket, answer)
        if told.id != number:
            new = self._ref(told.id)
            raise Moved(f"{self.http.name} has merged {ref.key} into {new.key}.", new)
        return self._ticket(told, answer)

    async def find(self, op_id: OpId, since: datetime) -> FindResult:
        """By the reference field. Naming EffectiveId brings merged tickets too; deleted ones never come."""
        field, name = self.config.reference_field, self.http.name
        told = await self._tickets.search(
            f"EffectiveId > 0 AND 'CF.{{{field}}}' = {quoted(op_id)}", "CustomFields"
        )
        hits = sorted(hit.id for hit in told.items if hit.carries(field, op_id))
        if hits:
            return Found(tuple(map(self._ref, hits)))
        if told.items or told.total != 0:
            return CannotTell(f"{name} does not say for sure that no ticket carries our reference.")
        if not (await self._tickets.queue()).has(field):
            return CannotTell(f"{name} has no field {field} on its queue any more.")
        if not await self._tickets.sees_own():
            return CannotTell(f"{name} shows our account no ticket that it made: they may be hidden from it.")
        return Absent()

    async def find_comment(self, ref: Ref, op_id: OpId) -> FindResult:
        numbers = {number_of(ref)}
        try:
            await self.get(ref)
        except Moved as moved:
            numbers.add(number_of(moved.new))  # what we write to a merged ticket stands on the other
        on = any_of(*(f"ObjectId = {number}" for number in numbers))
        rows = await self._transactions.every(f"{on} AND Creator = {ME} AND {types(*self._texts)}")
        changes, unread, _ = await self._transactions.read(rows)
        ours = (c for c in changes if c.marker == op_id and c.kind is not ChangeKind.FILE)
        hits = tuple(Ref(id=c.change_id, key=ref.key, url=ref.url) for c in ours)
        if hits:
            return Found(hits)
        return CannotTell("A part of the ticket could not be read.") if unread else Absent()

    async def apply(self, ref: Ref, update: TicketUpdate, if_version: str | None = None) -> Applied:
        """A comment only ever adds, so it needs no version: RT would answer 412 to any, the right one too."""
        if isinstance(update, Transition):
            return await self._transition(ref, update, if_version)
        if isinstance(update, Reprioritise):
            if update.fields:
                await fill(self.http, ref, update.fields, update.op_id)
                return Applied((), await self.get(ref))
            return await self._priority.set_to(ref, update, if_version, self.get)
        if isinstance(update, Attach):
            return Applied((await self._upload(ref, update),))
        if not update.public and not self.config.internal_comments:
            raise Rejected(
                f"Internal comments are not set up for {self.http.name}: nothing was sent. Make it public, "
                "or set internal_comments = true in vendors.toml if they show theirs to our account."
            )
        how = "correspond" if update.public else "comment"
        return Applied((await self._say(ref, how, update),))

    async def changes(self, cursor: Cursor | None) -> Page:
        queue = any_of(f"TicketQueue = {quoted(self.config.queue)}", f"TicketCreator = {ME}")
        news = f"{queue} AND {any_of(types(*self._texts, 'Status'), MOVED)}"
        if cursor is None:
            newest = await self._transactions.page(news, newest_first=True, rows=OVERLAP)
            return Page((), _cursor(0, map(row_id, newest)), done=True)
        after, seen = int(cursor["after"]), frozenset(cursor["seen"])
        back = OVERLAP if self._quiet < CALM else 0
        rows = await self._transactions.page(f"{news} AND id > {max(after - back, 0)}")
        if not rows and seen and (back or self._quiet % SELDOM == 0):
            await self._tickets.queue()  # 200 and nothing is what an account without rights is shown, too
        fresh = [row for row in rows if row_id(row) not in seen]
        changes, unread, read = await self._transactions.read(fresh, partly=True)
        self._quiet = 0 if fresh else self._quiet + 1
        known = {*map(row_id, rows), *seen} - set(map(row_id, fresh[read:]))
        return Page(changes, _cursor(after, known), done=not fresh, unread=unread)

    async def history(self, ref: Ref) -> Page:
        told = any_of(types("Create", *self._texts, "Status"), MOVED)
        rows = await self._transactions.every(f"ObjectId = {number_of(ref)} AND {told}")
        changes, unread, _ = await self._transactions.read(rows)
        return Page(changes, {}, done=True, unread=unread)

    async def fetch(self, ref: Ref, place: str, most: int) -> bytes:
        """A file by the number of its part. Its size is asked for before; it comes in base64, in JSON."""
        return await self._transactions.content(number_of(Ref(id=place, key=place)), most)

    async def check(self) -> Health:
        return await health(self.http, self.config, self._tickets, self._transactions)

    async def _transition(self, ref: Ref, wish: Transition, if_version: str | None) -> Applied:
        """A note goes in the same request: by itself, a reply would open a closed ticket again."""
        state = state_for(self.http.name, self.config, wish.to)
        if wish.fields:
            await self._unchanged(ref, if_version)
            await fill(self.http, ref, wish.fields, wish.op_id)
            if_version = None  # it has changed by what we filled in
        if wish.note:
            await self._unchanged(ref, if_version)
            note = Comment(wish.op_id, wish.note)
            ids: tuple[str, ...] = (await self._say(ref, "correspond", note, Status=state),)
            said = "took our note, but"
        else:
            ids, said = (), await self._set_state(ref, state, if_version, wish.op_id)
        ticket = await self.get(ref)
        if ticket.raw_state != state:
            why = f"{self.http.name} {said} left {ref.key} {one_line(ticket.raw_state)}, not {state}."
            raise Rejected(why, 200)
        return Applied(ids, ticket)

    async def _upload(self, ref: Ref, file: Attach) -> str:
        """As a reply that carries the file: a file by itself has no place in a ticket's story."""
        words = Comment(file.op_id, f"File: {file.name}")
        return await self._say(ref, "correspond", words, Attachments=[_packed(file)])

    async def _unchanged(self, ref: Ref, if_version: str | None) -> None:
        if if_version is not None and (now := (await self.get(ref)).version) != if_version:
            raise Conflict(f"{ref.key} at {self.http.name} has changed since we last looked.", now)

    async def _set_state(self, ref: Ref, state: str, if_version: str | None, op_id: OpId) -> str:
        """Ask for the state; return what RT said, since it answers 200 when it does not do it."""
        path, json = f"/ticket/{number_of(ref)}", {"Status": state}
        match = {} if if_version is None else {"If-Match": f'"{if_version}"'}
        try:
            answer = await self.http.put(path, json=json, headers=match, safe=True, op_id=op_id)
        except Conflict:
            if (await self.get(ref)).raw_state == state:  # our own earlier try, whose answer was lost
                return ""
            raise
        said = "; ".join(map(str, answer.json()))
        return f"answered “{clip(one_line(self.http.masked(said)), 300)}” and"

    async def _say(self, ref: Ref, how: str, text: Comment, **more: Any) -> str:
        """Write to the ticket; return the transaction's id, which RT tells in `Location` alone."""
        how_said = self.config.format
        message = {
            "Content": signed(text.body, text.op_id, how_said),
            "ContentType": _TYPES[how_said],
            **more,
        }
        path = f"/ticket/{number_of(ref)}/{how}"
        try:
            answer = await self.http.post(path, json=message, op_id=text.op_id)
        except Rejected as refusal:
            if refusal.status == 400:  # as it says of a ticket that is not there: then that is told
                await self.get(ref)
            raise
        place, _, number = answer.headers.get("location", "").rpartition("/")
        if not (place.endswith("/transaction") and number.isdecimal()):
            raise lost(answer.name, "did not say where it put our text", answer.repeatable, text.op_id)
        return number

    @property
    def _texts(self) -> tuple[str, ...]:
        return ("Correspond", "Comment") if self.config.internal_comments else ("Correspond",)

    def _ticket(self, told: TheirTicket, answer: Answer) -> Ticket:
        return Ticket(
            ref=self._ref(told.id),
            title=one_line(told.Subject),
            raw_state=told.Status,
            state=self.config.meaning(told.Status),
            raw_priority="" if told.Priority is None or self.config.impact else str(told.Priority),
            assignee=None if told.Owner.id == "Nobody" else one_line(told.Owner.id),
            updated_at=told.LastUpdated,
            priorities=() if told.Priority is None else self._meant(told.Priority),
            version=answer.headers.get("etag", "").strip('"') or None,
        )

    def _meant(self, raw: str | int) -> tuple[Priority, ...]:
        return self.config.meant(str(raw))

    def _ref(self, number: int) -> Ref:
        web = str(self.http.base).removesuffix(self.root)
        return Ref(id=str(number), key=f"#{number}", url=f"{web}/Ticket/Display.html?id={number}")


def _packed(file: Attach) -> dict[str, str]:
    return {
        "FileName": _plain_name(file.name),
        "FileType": file.media_type,
        "FileContent": base64.b64encode(file.content).decode(),
    }


def _plain_name(name: str) -> str:
    """A file's name in ASCII: RT 5.0.3 spoils any other letter; the text beside it has the whole name."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return letters if letters.rpartition(".")[0].strip() else f"file{letters}"


def _subject(title: str) -> str:
    """One line that RT keeps whole: it cuts after 200 bytes, not characters, and says nothing."""
    text = clip(one_line(title), MAX_TITLE)
    if len(text.encode()) <= MAX_TITLE:
        return text
    return text.encode()[: MAX_TITLE - len("…".encode())].decode("utf-8", "ignore") + "…"


def _cursor(after: int, told: Iterable[int]) -> Cursor:
    """Where to go on, with the ids already told that the next poll looks back over."""
    known = sorted(set(told))
    top = max([after, *known])
    return {"after": top, "seen": [number for number in known if number > top - OVERLAP]}
