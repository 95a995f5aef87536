"""Zammad over its REST API, by its documentation (docs.zammad.org, api) and its source (zammad/zammad).

Attributes that Zammad does not know are dropped from a new ticket without a word; an internal article of an
account that is no agent's becomes public. So the look-up is proved by `check`, and what matters is read back.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

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
from integrations.errors import Gone, Moved, OpId, Rejected
from integrations.mapping import priority_for, state_for, unranked
from integrations.proofs import ProvedBy
from integrations.reading import read
from integrations.zammad.check import health
from integrations.zammad.config import MERGED, ZammadConfig
from integrations.zammad.news import News
from integrations.zammad.story import MERGED_INTO, Story
from integrations.zammad.tickets import Tickets, ref_of
from integrations.zammad.wire import Article, Made, ZammadTicket, number_of
from register.marker import marker_of, sign
from register.text import MAX_TITLE, clip, one_line

if TYPE_CHECKING:
    from integrations.http import Http


class Zammad:
    """Connector of Zammad. Our operation id stands in an attribute and under every text."""

    info: ClassVar[Info] = Info(
        kind="zammad",
        title="Zammad",
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
        config=ZammadConfig,
        docs="https://docs.zammad.org/en/latest/api/intro.html",
    )
    root: ClassVar[str] = "/api/v1"

    def __init__(self, http: Http, config: ZammadConfig) -> None:
        self.http = http
        self.config = config
        self._web = str(http.base).removesuffix(self.root)
        self._tickets = Tickets(http)
        self._story = Story(http, config, self._tickets)
        self._news = News(self._tickets, self._story, self._web)

    @staticmethod
    def headers(config: ZammadConfig, secret: str) -> Mapping[str, str]:
        return {"Authorization": f"Token token={secret}"} if secret else {}

    @staticmethod
    def hooks(config: ZammadConfig, secrets: Sequence[str]) -> Hooks:
        """Of a webhook with a signature token (Zammad's admin documentation, Webhook)."""
        return ProvedBy(secrets, signing.hex_sha1_of_body, "x-hub-signature")

    async def create(self, draft: Draft) -> Ref:
        ticket: dict[str, Any] = {
            "title": clip(one_line(draft.title), MAX_TITLE),
            "group": self.config.group,
            **draft.fields,
            self.config.reference_field: draft.op_id,
            "article": self._article(draft.body, draft.op_id, public=True),
        }
        if self.config.customer:
            ticket["customer_id"] = f"guess:{self.config.customer}"
        if (priority := priority_for(self.http.name, self.config, draft)) is not None:
            ticket["priority"] = priority
        try:
            answer = await self.http.post("/tickets", json=ticket, op_id=draft.op_id)
        except Gone as failure:
            raise Rejected(f"{failure.why} Is the `url` of {self.http.name} right?", 404) from None
        made = read(Made, answer)
        return Ref(id=str(made.id), key=f"#{made.number}", url=f"{self._web}/#ticket/zoom/{made.id}")

    async def get(self, ref: Ref) -> Ticket:
        told = await self._tickets.one(number_of(ref))
        if told.state == MERGED:
            raise await self._moved(ref)
        return self._ticket(told)

    async def find(self, op_id: OpId, since: datetime) -> FindResult:
        """By the attribute, in their database; before nothing is believed, by the words under our text, too.

        An attribute that is not there is refused. One that is there, and was not written, would be no proof.
        """
        rows = await self._tickets.with_reference(self.config.reference_field, op_id)
        hits = [row for row in rows if row.reference(self.config.reference_field) == op_id]
        if hits:
            return Found(tuple(ref_of(hit, self._web) for hit in hits))
        if rows:  # a condition that Zammad does not know finds everything
            return CannotTell(f"{self.http.name} does not search by {self.config.reference_field}.")
        said = await self._tickets.saying(f"[muster:{op_id}]")
        return Found(tuple(ref_of(one, self._web) for one in said)) if said else Absent()

    async def find_comment(self, ref: Ref, op_id: OpId) -> FindResult:
        articles, unread = await self._story.articles(Ref(id=str(number_of(ref)), key=ref.key))
        me = await self._tickets.me()
        ours = [one for one in articles if marker_of(one.body) == op_id and one.created_by_id == me]
        if ours:
            return Found(tuple(ref.model_copy(update={"id": str(one.id)}) for one in ours))
        return CannotTell("A part of the ticket could not be read.") if unread else Absent()

    async def apply(self, ref: Ref, update: TicketUpdate, if_version: str | None = None) -> Applied:
        """`if_version` says nothing here: Zammad tells no version of a ticket."""
        match update:
            case Comment():
                return Applied((await self._say(ref, update),))
            case Transition():
                return await self._transition(ref, update)
            case Reprioritise():
                return await self._reprioritise(ref, update)
            case Attach():
                content = base64.b64encode(update.content).decode()
                told = {"filename": update.name, "data": content, "mime-type": update.media_type}
                word = Comment(update.op_id, f"File: {update.name}")
                return Applied((await self._say(ref, word, attachments=[told]),))

    async def changes(self, cursor: Cursor | None) -> Page:
        return await self._news.page(cursor)

    async def history(self, ref: Ref) -> Page:
        number_of(ref)
        told, odd = await self._story.told(ref)
        return Page(tuple(told), {}, done=True, unread=tuple(odd))

    async def fetch(self, ref: Ref, place: str, most: int) -> bytes:
        """A file by its place, `ticket/article/file`. Its size is asked for first."""
        parts = place.split("/")
        if len(parts) != 3 or not all(part.isascii() and part.isdecimal() for part in parts):
            raise Rejected(f"{one_line(place)} is no file of {self.http.name}.")
        articles, _ = await self._story.articles(Ref(id=parts[0], key=ref.key))
        files = (one for a in articles if str(a.id) == parts[1] for one in a.attachments)
        size = next((one.size for one in files if str(one.id) == parts[2]), None)
        if size is None or size > most:
            told = "an unknown number of" if size is None else f"{size:,}"
            raise Rejected(
                f"The file has {told} bytes, and {most:,} is the most: ask {self.http.name} for it."
            )
        answer = await self.http.get(f"/ticket_attachment/{place}", most=most, page=True)
        if len(answer.body) != size:
            raise lost(answer.name, "gave another file than it told of", answer.repeatable)
        return answer.body

    async def check(self) -> Health:
        return await health(self.http, self.config, self._tickets)

    async def _say(self, ref: Ref, text: Comment, **more: Any) -> str:
        if not text.public and not self.config.internal_comments:
            raise Rejected(
                f"Internal articles are not set up for {self.http.name}: nothing was sent. Make it public, "
                "or set internal_comments = true in vendors.toml if our account is an agent's there."
            )
        article = {"ticket_id": number_of(ref), **self._article(text.body, text.op_id, text.public), **more}
        answer = await self.http.post("/ticket_articles", json=article, op_id=text.op_id)
        made = read(Article, answer)
        if not text.public and not made.internal:
            raise Rejected(
                f"{self.http.name} made our internal article on {ref.key} public: our account is no agent's "
                "there. Ask them to delete it, and set internal_comments = false.",
                201,
            )
        return str(made.id)

    async def _transition(self, ref: Ref, wish: Transition) -> Applied:
        """The state and its note in one request, so that both are there or neither."""
        state = state_for(self.http.name, self.config, wish.to)
        change: dict[str, Any] = {"state": state, **wish.fields}
        if (days := self.config.pending.get(state)) is not None:  # without a time it is refused
            change.setdefault("pending_time", self._in(days))
        if wish.note:
            change["article"] = self._article(wish.note, wish.op_id, public=True)
        path, safe = f"/tickets/{number_of(ref)}", not wish.note
        await self.http.put(path, json=change, safe=safe, op_id=wish.op_id)
        ids: tuple[str, ...] = ()
        if wish.note:
            found = await self.find_comment(ref, wish.op_id)
            ids = tuple(one.id for one in found.refs) if isinstance(found, Found) else ()
        return Applied(ids, self._as_wished(await self._tickets.one(number_of(ref)), ref, "state", state))

    def _in(self, days: int) -> str:
        """So many days on, by their clock; Zammad keeps whole minutes."""
        now = datetime.now(UTC) + (self.http.gap or timedelta())
        return (now + timedelta(days=days)).replace(second=0, microsecond=0).isoformat()

    async def _reprioritise(self, ref: Ref, wish: Reprioritise) -> Applied:
        if wish.fields:
            change: dict[str, Any] = dict(wish.fields)
        else:
            raw = priority_for(self.http.name, self.config, wish)
            if raw is None:
                raise unranked(self.http.name, self.config, wish.to)
            change = {"priority": raw}
        await self.http.put(f"/tickets/{number_of(ref)}", json=change, safe=True, op_id=wish.op_id)
        told = await self._tickets.one(number_of(ref))
        if "priority" not in change:
            return Applied((), self._ticket(told))
        ids = await self._set_by_us(ref, change["priority"])
        return Applied(ids, self._as_wished(told, ref, "priority", change["priority"]))

    async def _set_by_us(self, ref: Ref, priority: str) -> tuple[str, ...]:
        """The last line of the history that says so, if it is ours."""
        me = await self._tickets.me()
        _, lines = await self._story.history(ref)
        ours = [line for line in lines if (line.attribute, line.value_to) == ("priority", priority)]
        return tuple(f"h{line.id}" for line in ours[-1:] if line.created_by_id == me)

    async def _moved(self, ref: Ref) -> Exception:
        """To where it was merged, as its history tells."""
        _, lines = await self._story.history(ref)
        into = next((line.id_to for line in reversed(lines) if line.type == MERGED_INTO and line.id_to), None)
        if into is None:
            return Gone(
                f"{self.http.name} has merged {ref.key} into a ticket that it does not name: ask them."
            )
        told = await self._tickets.one(into)
        return Moved(f"{self.http.name} has merged {ref.key} into #{told.number}.", ref_of(told, self._web))

    def _as_wished(self, told: ZammadTicket, ref: Ref, what: str, wished: str) -> Ticket:
        if getattr(told, what) != wished:
            raise Rejected(
                f"{self.http.name} said yes and did not set the {what} of {ref.key} to {wished}.", 200
            )
        return self._ticket(told)

    def _article(self, body: str, op_id: OpId, public: bool) -> dict[str, Any]:
        return {
            "body": sign(body, op_id),
            "content_type": "text/plain",
            "type": self.config.article_type,
            "internal": not public,
        }

    def _ticket(self, told: ZammadTicket) -> Ticket:
        raw = told.priority or ""
        return Ticket(
            ref=ref_of(told, self._web),
            title=one_line(told.title),
            raw_state=told.state,
            state=self.config.meaning(told.state),
            raw_priority="" if self.config.impact else raw,
            assignee=None if told.owner in (None, "-") else one_line(str(told.owner)),
            updated_at=told.updated_at,
            priorities=self.config.meant(raw),
        )
