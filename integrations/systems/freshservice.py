"""Freshservice over its REST API v2 (api.freshservice.com): tickets, replies and notes.

It has no key under which a create is made once, and its search cannot look into text fields and lags: what
was made is looked for on the list of what changed since, by our reference in a field, in the subject or under
the text. No field that our account may not write, and no list of other people's tickets, is taken for ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pydantic import ValidationError

from integrations import signing
from integrations.answers import Answer
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
    Lagging,
    NoNative,
    Page,
    Ref,
    Reprioritise,
    Ticket,
    TicketUpdate,
    Transition,
)
from integrations.credential import signed_in
from integrations.errors import Gone, Moved, OpId, Rejected
from integrations.freshservice.account import Account
from integrations.freshservice.asking import shown, write
from integrations.freshservice.check import health
from integrations.freshservice.config import NUMBERS, FreshPriority, FreshserviceConfig, priority_word
from integrations.freshservice.fields import filled, kept
from integrations.freshservice.files import fetched, form
from integrations.freshservice.news import News
from integrations.freshservice.told import FILE, WITH_TICKET, WITH_WORDS, Story
from integrations.freshservice.wire import (
    CLOSED,
    ROOT,
    FreshTicket,
    One,
    Written,
    in_subject,
    merged_into,
    number_of,
    ref_to,
)
from integrations.mapping import priority_for, state_for
from integrations.markup.formats import TextFormat, signed
from integrations.proofs import ProvedBy
from integrations.reading import read
from integrations.zones import zoned
from register.marker import marker_of
from register.text import MAX_TITLE, clip, one_line

if TYPE_CHECKING:
    from integrations.http import Http

_SKEW: Final = timedelta(minutes=10)
"""How far their clock may be behind ours, at most, when our ticket is looked for since a time of ours."""
_PAGES: Final = 20
"""Pages of the list on which a ticket is looked for, before it is said that this cannot be told."""
_NOT_HERE: Final = 405
_HEADER: Final = "x-muster-secret"


class Freshservice:
    """Connector of Freshservice. Our operation id stands in a field or the subject, and under every text."""

    info: ClassVar[Info] = Info(
        kind="freshservice",
        title="Freshservice",
        caps=Cap.CREATE
        | Cap.COMMENT_PUBLIC
        | Cap.COMMENT_PRIVATE
        | Cap.ATTACH
        | Cap.SET_STATE
        | Cap.SET_PRIORITY
        | Cap.WITHDRAW
        | Cap.POLL
        | Cap.WEBHOOK,
        lookup=Lagging(index_delay=timedelta(seconds=60), settle=timedelta(minutes=2)),
        idempotency=NoNative(),
        config=FreshserviceConfig,
        oauth2=True,
        docs="https://api.freshservice.com/",
    )
    root: ClassVar[str] = ROOT

    def __init__(self, http: Http, config: FreshserviceConfig) -> None:
        self.http = http
        self.name = http.name
        self.config = config
        self._account = Account(http, config)
        self._story = Story(http, config, self._account)
        self._news = News(http, config, self._account, self._story)

    @staticmethod
    def headers(config: FreshserviceConfig, secret: str) -> Mapping[str, str]:
        """The API key goes as a user name, with any password."""
        return signed_in(secret, "X") if secret else {}

    @staticmethod
    def hooks(config: FreshserviceConfig, secrets: Sequence[str]) -> Hooks:
        """Freshservice signs nothing: a rule of theirs sends a header with the secret itself."""
        return ProvedBy(secrets, signing.the_secret_itself, _HEADER)

    async def create(self, draft: Draft) -> Ref:
        title, field = clip(one_line(draft.title), MAX_TITLE), self.config.reference_field
        given = filled({**draft.fields, **({field: draft.op_id} if field else {})})
        ticket: dict[str, Any] = {
            "subject": title if field else in_subject(title, draft.op_id),
            "description": signed(draft.body, draft.op_id, TextFormat.HTML),
            "email": self.config.requester,
            "status": self.config.statuses.get("Open", 2),
            "priority": self._priority(draft),
            **given,
        }
        if self.config.workspace is not None:
            ticket["workspace_id"] = self.config.workspace
        if self.config.group is not None:
            ticket.setdefault("group_id", self.config.group)
        try:
            answer = await write(self.http, "POST", "/tickets", ticket, safe=False, op_id=draft.op_id)
        except Gone as failure:
            raise Rejected(f"{failure.why} Is the `url` of {self.name} right?", 404) from None
        made = read(One, answer).ticket
        self._account.made(made)
        return ref_to(self.http, made.id)

    async def get(self, ref: Ref) -> Ticket:
        """The ticket; Moved where a note of theirs tells into which it was merged."""
        told = await self._one(ref)
        if told.status == CLOSED:
            into = merged_into(told, (await self._story.conversations(ref))[0])
            if into is not None and into != told.id:
                new = ref_to(self.http, into)
                raise Moved(f"{self.name} has merged {ref.key} into {new.key}.", new)
        return self._ticket(told)

    async def find(self, op_id: OpId, since: datetime) -> FindResult:
        """On the list since then: a search would not see a text field, and lags."""
        rows, whole = await self._news.since(since - _SKEW, _PAGES)
        hits, odd = [], False
        for row in rows.values():
            try:
                one = FreshTicket.model_validate(row, context=zoned(self.http.zone))
            except ValidationError:
                odd = True
                continue
            if one.carries(op_id, self.config.reference_field):
                hits.append(one)
        if hits:
            hits.sort(key=lambda one: (one.created_at, one.id))
            return Found(tuple(ref_to(self.http, one.id) for one in hits))
        if odd:
            return CannotTell(f"{self.name} lists a ticket that cannot be read.")
        if not whole:
            return CannotTell(f"{self.name} lists more tickets since then than were looked through.")
        return Absent()

    async def find_comment(self, ref: Ref, op_id: OpId) -> FindResult:
        said, odd = await self._story.conversations(ref)
        me = await self._account.me()
        ours = [one for one in said if one.user_id == me and marker_of(one.text) == op_id]
        if ours:
            ids = [change_id for one in ours for change_id in _ids(one)]
            return Found(tuple(ref.model_copy(update={"id": change_id}) for change_id in ids))
        return CannotTell("A part of the ticket could not be read.") if odd else Absent()

    async def apply(self, ref: Ref, update: TicketUpdate, if_version: str | None = None) -> Applied:
        """`if_version` says nothing here: Freshservice tells no version of a ticket, and takes none."""
        match update:
            case Comment():
                return Applied(await self._say(ref, update))
            case Attach():
                words = Comment(update.op_id, f"File: {update.name}")
                return Applied(await self._say(ref, words, update))
            case Transition():
                return await self._transition(ref, update)
            case Reprioritise():
                return await self._reprioritise(ref, update)

    async def changes(self, cursor: Cursor | None) -> Page:
        return await self._news.page(cursor)

    async def history(self, ref: Ref) -> Page:
        ticket = await self._one(ref)
        await self._account.requester()
        changes, unread = await self._story.told(ticket)
        return Page(tuple(changes), {}, done=True, unread=tuple(unread))

    async def fetch(self, ref: Ref, place: str, most: int) -> bytes:
        """A file of theirs. Where it lies is asked each time anew: its address is good for a day or so."""
        where, _, number = place.partition("/")
        if where not in (WITH_TICKET, WITH_WORDS):
            raise Rejected(f"{one_line(place)} is no file of {self.name}.")
        if where == WITH_TICKET:
            files = (await self._one(ref)).attachments or ()
        else:
            files = await self._story.files_with_words(ref)
        return await fetched(self.http, self.config, files, number, most)

    async def check(self) -> Health:
        return await health(self.http, self.config, self._account)

    async def _one(self, ref: Ref) -> FreshTicket:
        """The ticket; Gone where it is in their bin, or counts as spam: no list shows it any more."""
        answer = await shown(self._account, ref, self.http.get(_path(ref)))
        ticket = read(One, answer).ticket
        if ticket.deleted or ticket.spam:
            where = "in the bin" if ticket.deleted else "marked as spam"
            raise Gone(
                f"{ref.key} is {where} at {self.name}: nobody there works on it, and it is told of no more."
                " Ask them to restore it, or engage them anew."
            )
        return ticket

    async def _say(self, ref: Ref, text: Comment, file: Attach | None = None) -> tuple[str, ...]:
        """Write, and see what became of it."""
        if not text.public and not self.config.internal_comments:
            raise Rejected(
                f"Private notes are not set up for {self.name}: nothing was sent. Make it public, or set"
                " internal_comments = true in vendors.toml if they want to read and write notes with us."
            )
        as_reply = text.public and self.config.public_as == "reply"
        words = {"body": signed(text.body, text.op_id, TextFormat.HTML)}
        private = {} if as_reply else {"private": not text.public}
        path = f"{_path(ref)}/{'reply' if as_reply else 'notes'}"
        asked: dict[str, Any] = {}
        if file is None:
            asked["json"] = {**words, **private}
        else:
            kind, asked["content"] = form(self.name, {**words, **_spelt(private)}, file)
            asked["headers"] = {"Content-Type": kind}
        answer = await self._change(ref, "POST", path, safe=False, op_id=text.op_id, **asked)
        return self._written(ref, text, answer)

    async def _change(self, ref: Ref, method: str, path: str, **more: Any) -> Answer:
        """Write on one ticket. What is in the bin or counts as spam may be read there, and not be changed."""
        try:
            return await shown(self._account, ref, write(self.http, method, path, **more))
        except Rejected as refusal:
            if refusal.status == _NOT_HERE:
                await self._one(ref)
            raise

    def _written(self, ref: Ref, text: Comment, answer: Answer) -> tuple[str, ...]:
        made = read(Written, answer).conversation
        if made.private is text.public:
            became = "a private note, which is not meant for us" if text.public else "public to the requester"
            raise Rejected(
                f"{self.name} made our text on {ref.key} {became}: it is written, and stays so. Ask them to"
                " mend it, and whether our account may write both.",
                201,
            )
        return _ids(made)

    async def _put(self, ref: Ref, change: Mapping[str, Any], op_id: OpId) -> FreshTicket:
        """Set fields: said twice, it is so once."""
        answer = await self._change(ref, "PUT", _path(ref), json=change, safe=True, op_id=op_id)
        told = read(One, answer).ticket
        kept(self.name, ref, told, change)
        return told

    async def _transition(self, ref: Ref, wish: Transition) -> Applied:
        """The state first, for that may be said again; then its note, which may not."""
        raw = state_for(self.name, self.config, wish.to)
        number = self.config.statuses[raw]
        told = await self._put(ref, {"status": number, **filled(wish.fields)}, wish.op_id)
        if told.status != number:
            raise Rejected(
                f"{self.name} said yes and left {ref.key} {self.config.status(told.status)}, not {raw}: a"
                " rule of theirs may have set it back.",
                200,
            )
        ids = await self._say(ref, Comment(wish.op_id, wish.note)) if wish.note else ()
        return Applied(ids, self._ticket(told))

    async def _reprioritise(self, ref: Ref, wish: Reprioritise) -> Applied:
        if wish.fields:
            return Applied((), self._ticket(await self._put(ref, filled(wish.fields), wish.op_id)))
        number = self._priority(wish)
        told = await self._put(ref, {"priority": number}, wish.op_id)
        if told.priority != number:
            raise Rejected(
                f"{self.name} said yes and left {ref.key} at {priority_word(told.priority)}: their account"
                " may work priorities out of impact and urgency. Then name both in `fields` in vendors.toml.",
                200,
            )
        return Applied((), self._ticket(told))

    def _priority(self, asked: Draft | Reprioritise) -> int:
        """Its number; a new ticket must have one, also where they work it out of impact and urgency."""
        word = priority_for(self.name, self.config, asked)
        if word is None and isinstance(asked, Draft):
            word = self.config.priorities.get(asked.priority)
        return NUMBERS[FreshPriority(word or FreshPriority.LOW)]

    def _ticket(self, told: FreshTicket) -> Ticket:
        raw, word = self.config.status(told.status), priority_word(told.priority)
        return Ticket(
            ref=ref_to(self.http, told.id),
            title=told.title,
            raw_state=raw,
            state=self.config.meaning(raw),
            raw_priority="" if self.config.impact else word,
            assignee=None if told.responder_id is None else f"user {told.responder_id}",
            updated_at=told.updated_at,
            priorities=self.config.meant(word),
        )


def _path(ref: Ref) -> str:
    return f"/tickets/{number_of(ref)}"


def _spelt(flags: Mapping[str, bool]) -> dict[str, str]:
    """As a form has them."""
    return {name: str(value).lower() for name, value in flags.items()}


def _ids(made: Any) -> tuple[str, ...]:
    return (str(made.id), *(f"{file.id}{FILE}" for file in made.attachments or ()))
