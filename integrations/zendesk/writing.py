"""What is written on a ticket: each is one PUT, whose answer tells what was done, as an audit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from integrations.answers import lost
from integrations.connector import Applied, Comment, Ref, Reprioritise, Ticket, Transition
from integrations.errors import AuthFailed, AuthTrouble, Conflict, Moved, OpId, Rejected
from integrations.mapping import priority_for, state_for
from integrations.markup.formats import TextFormat, signed
from integrations.reading import read
from integrations.zendesk.audits import FILE, text_of
from integrations.zendesk.fields import filled, kept_under
from integrations.zendesk.wire import (
    MERGED,
    Event,
    One,
    TheirTicket,
    Updated,
    number_of,
    ref_to,
    stamp,
    ticket_path,
)
from register.marker import marker_of
from register.text import one_line

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.zendesk.account import Account
    from integrations.zendesk.audits import Audits
    from integrations.zendesk.config import ZendeskConfig

T = TypeVar("T")
_UNFIT: Final = 422
"""How Zendesk refuses what it understood: a closed ticket, a field that must be filled."""


class Writing:
    """Reads one ticket and changes it. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: ZendeskConfig, account: Account, audits: Audits) -> None:
        self.http = http
        self.name = http.name
        self.config = config
        self._account = account
        self._audits = audits

    async def get(self, ref: Ref) -> Ticket:
        """The ticket; Moved where it was merged and its audits tell into which."""
        number = number_of(ref)
        told = read(One, await self.shown(ref, self.http.get(ticket_path(number)))).ticket
        if told.status == "closed" and MERGED in told.tags:
            into = await self._audits.moved_to(number)
            if into is not None and into != number:
                new = ref_to(self.http, into)
                raise Moved(f"{self.name} has merged {ref.key} into {new.key}.", new)
        return self._ticket(told)

    async def shown(self, ref: Ref, asked: Awaitable[T]) -> T:
        """What was asked for; if it is forbidden, tell one ticket hidden from us from a right we lost."""
        try:
            return await asked
        except AuthFailed as failure:
            if failure.trouble is not AuthTrouble.FORBIDDEN:
                raise
        await self._account.user()
        raise Rejected(
            f"{self.name} does not let our account at {ref.key} any more; it may have been given to a group"
            " that our account does not see: ask them.",
            403,
        )

    async def _put(
        self, ref: Ref, change: Mapping[str, Any], op_id: OpId, version: str | None, *, safe: bool
    ) -> Updated:
        """Update the ticket, where it is still as it was at `version`."""
        guard = {} if version is None else {"safe_update": True, "updated_stamp": version}
        json, path = {"ticket": {**change, **guard}}, ticket_path(number_of(ref))
        try:
            answer = await self.shown(ref, self.http.put(path, json, safe=safe, op_id=op_id))
        except Rejected as failure:
            if failure.status != _UNFIT:
                raise
            refusal = failure
        else:
            return read(Updated, answer)
        if (await self.get(ref)).raw_state == "closed":  # Moved, where it was merged
            raise Rejected(
                f"{ref.key} at {self.name} is closed, and nobody can change a closed ticket there: nothing"
                " was written. What is still to be said goes into a ticket of its own: engage them anew, and"
                f" name {ref.key} in it.",
                _UNFIT,
            )
        raise refusal

    async def say(self, ref: Ref, text: Comment, version: str | None = None, **more: Any) -> Applied:
        """Write a comment, and more with it. What was written, and for whom, is in the answer."""
        if not text.public and not self.config.internal_comments:
            raise Rejected(
                f"Internal notes are not set up for {self.name}: nothing was sent. Make it public, or set"
                " internal_comments = true in vendors.toml if they want to read and write notes with us."
            )
        words = words_of(text.body, text.op_id, public=text.public)
        if "uploads" in more:
            words["uploads"] = more.pop("uploads")
        done = await self._put(ref, {**more, "comment": words}, text.op_id, version, safe=False)
        events = done.audit.events if done.audit is not None else ()
        ours = [e for e in events if e.is_comment and marker_of(text_of(e)) == text.op_id]
        if not ours:
            raise lost(self.name, "did not say where it put our text", False, text.op_id)
        if any(e.public is not None and e.public is not text.public for e in ours):
            became = (
                "an internal note, which is not meant for us" if text.public else "public to whoever sees it"
            )
            raise Rejected(
                f"{self.name} made our text on {ref.key} {became}: it is written, and stays so. Ask them to"
                " mend it, and whether our account may write both (a light agent may not).",
                200,
            )
        filled(self.name, ref, done.ticket, more)
        return Applied(ids_of(events, *more), self._ticket(done.ticket))

    async def transition(self, ref: Ref, wish: Transition, version: str | None) -> Applied:
        raw = state_for(self.name, self.config, wish.to)
        change = {"status": raw, **kept_under(wish.fields)}
        if wish.note:
            done = await self.say(ref, Comment(wish.op_id, wish.note), version, **change)
        else:
            done = await self._set(ref, change, wish.op_id, version, lambda ticket: ticket.raw_state == raw)
        ticket = done.ticket or await self.get(ref)
        if ticket.raw_state != raw:
            raise Rejected(
                f"{self.name} said yes and left {ref.key} {one_line(ticket.raw_state)}, not {raw}: a rule of"
                " theirs may have set it back.",
                200,
            )
        return replace(done, ticket=ticket)

    async def reprioritise(self, ref: Ref, wish: Reprioritise, version: str | None) -> Applied:
        if wish.fields:
            return await self._set(ref, kept_under(wish.fields), wish.op_id, version)
        raw = priority_for(self.name, self.config, wish)
        change = {"priority": raw}
        done = await self._set(ref, change, wish.op_id, version, lambda ticket: ticket.raw_priority == raw)
        if done.ticket is not None and done.ticket.raw_priority != raw:
            raise Rejected(f"{self.name} said yes and did not set {ref.key} to {raw}.", 200)
        return done

    async def _set(
        self,
        ref: Ref,
        change: Mapping[str, Any],
        op_id: OpId,
        version: str | None,
        is_so: Callable[[Ticket], bool] | None = None,
    ) -> Applied:
        """Set fields: said twice, it is so once. is_so: whether a ticket is already as wished."""
        try:
            done = await self._put(ref, change, op_id, version, safe=True)
        except Conflict:
            ticket = await self.get(ref)
            if is_so is not None and is_so(ticket):  # our own earlier try, whose answer was lost
                return Applied((), ticket)
            raise
        filled(self.name, ref, done.ticket, change)
        events = done.audit.events if done.audit is not None else ()
        return Applied(ids_of(events, *change), self._ticket(done.ticket))

    def _ticket(self, told: TheirTicket) -> Ticket:
        raw = told.priority or ""
        return Ticket(
            ref=ref_to(self.http, told.id),
            title=one_line(told.subject or ""),
            raw_state=one_line(told.status),
            state=self.config.meaning(told.status),
            raw_priority="" if self.config.impact else one_line(raw),
            assignee=self._audits.named(told.assignee_id) or None,
            updated_at=told.updated_at,
            version=stamp(told.updated_at),
            priorities=self.config.meant(raw),
        )


def words_of(body: str, op_id: OpId, *, public: bool) -> dict[str, Any]:
    """A comment as HTML: in what Zendesk calls plain, stars and lines are read as Markdown."""
    return {"html_body": signed(body, op_id, TextFormat.HTML), "public": public}


def ids_of(events: Sequence[Event], *asked: str) -> tuple[str, ...]:
    """The change ids of what we did: words, files, and the fields that were asked for.

    A state that our words brought about is none of ours: it is news, as they tell it.
    """
    set_ = [e for e in events if e.field_name in asked and e.type == "Change" and not e.by_rule]
    told = [str(e.id) for e in events if e.is_comment or e in set_]
    return (*told, *(f"{file.id}{FILE}" for e in events if e.is_comment for file in e.files))
