"""PagerDuty's Incidents API (developer.pagerduty.com): one incident of a supplier's people on call.

PagerDuty itself says that ticketing systems should use this API, and not Events. What is made carries our
operation id as its incident_key: while it is open there can be no second one under it, which is told as 400.
Who was given nothing but the key of an integration has `api = "events"`: `integrations.pagerduty.events`.
"""

from __future__ import annotations

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
    Ticket,
    TicketUpdate,
    Transition,
)
from integrations.errors import Failure, Gone, OpId, Rejected
from integrations.mapping import named_priority, state_for
from integrations.markup.formats import TextFormat, signed
from integrations.pagerduty.check import health
from integrations.pagerduty.config import PagerDutyConfig, PdUrgency
from integrations.pagerduty.events import Events, RoutingKey
from integrations.pagerduty.log import TheLog
from integrations.pagerduty.merged import moved
from integrations.pagerduty.wire import Incident, Many, One, Priorities, TheNote, path_of
from integrations.proofs import ProvedBy
from integrations.reading import read
from register.text import MAX_TITLE, clip, one_line

if TYPE_CHECKING:
    from integrations.http import Http


class PagerDuty:
    """Connector of PagerDuty. Our operation id is the incident_key, and under every text."""

    info: ClassVar[Info] = Info(
        kind="pagerduty",
        title="PagerDuty",
        caps=Cap.CREATE
        | Cap.COMMENT_PUBLIC
        | Cap.SET_STATE
        | Cap.SET_PRIORITY
        | Cap.WITHDRAW
        | Cap.POLL
        | Cap.WEBHOOK,
        lookup=Strong(settle=timedelta(seconds=60)),
        idempotency=NoNative(),  # while it is open the key makes it one; resolved, it is free again
        config=PagerDutyConfig,
        docs="https://developer.pagerduty.com/api-reference/",
    )

    def __new__(cls, http: Http, config: PagerDutyConfig) -> Any:
        """The connector that a block asks for: this one, or that of events alone."""
        return Events(http, config) if config.by_events else super().__new__(cls)

    def __init__(self, http: Http, config: PagerDutyConfig) -> None:
        self.http = http
        self.config = config
        self._log = TheLog(http, config)
        self._ranks: dict[str, str] = {}

    @classmethod
    def informed(cls, config: PagerDutyConfig) -> Info:
        """What the API that a block names can do."""
        return Events.info if config.by_events else cls.info

    @staticmethod
    def signer(config: PagerDutyConfig, secret: str) -> RoutingKey | None:
        """Events carry their credential in themselves."""
        return RoutingKey(secret.strip()) if config.by_events else None

    @staticmethod
    def headers(config: PagerDutyConfig, secret: str) -> Mapping[str, str]:
        """Its description asks for a content type with reads, too."""
        if config.by_events:
            return {}
        accepts = "application/vnd.pagerduty+json;version=2"
        told = {"From": config.user, "Accept": accepts, "Content-Type": "application/json"}
        return told | ({"Authorization": f"Token token={secret}"} if secret else {})

    @staticmethod
    def hooks(config: PagerDutyConfig, secrets: Sequence[str]) -> Hooks:
        return ProvedBy(secrets, signing.any_hex_of_body, "x-pagerduty-signature")

    async def create(self, draft: Draft) -> Ref:
        incident: dict[str, Any] = {
            "type": "incident",
            "title": clip(one_line(draft.title), MAX_TITLE),
            "service": {"id": self.config.service, "type": "service_reference"},
            "urgency": self.config.urgencies.get(draft.priority, PdUrgency.LOW).value,
            "incident_key": draft.op_id,
            "body": {
                "type": "incident_body",
                "details": signed(draft.body, draft.op_id, TextFormat.TEXT),
            },
        }
        if self.config.prioritised:
            incident["priority"] = await self._rank(draft)
        try:
            answer = await self.http.post(
                "/incidents", {"incident": incident}, op_id=draft.op_id, told=(400,)
            )
        except Gone as failure:
            raise Rejected(f"{failure.why} Is the `url` of {self.http.name} right?", 404) from None
        if answer.status != 400:
            return read(One, answer).incident.ref
        said = clip(one_line(self.http.masked(_errors(answer.json()))), 300)
        if "matching dedup key" not in said.lower():
            raise Rejected(f"{self.http.name} said no: HTTP 400 ({said}).", 400)
        found = await self.find(draft.op_id, datetime.now(UTC))
        if isinstance(found, Found):
            return found.refs[0]
        raise lost(self.http.name, "has an incident under our key and does not show it", False, draft.op_id)

    async def get(self, ref: Ref) -> Ticket:
        """The incident; Moved where it was merged."""
        return await self._unmoved(ref, read(One, await self.http.get(path_of(ref))).incident)

    async def find(self, op_id: OpId, since: datetime) -> FindResult:
        """`date_range=all`: without it, only the last month's are looked at."""
        params = {"incident_key": op_id, "date_range": "all", "limit": 100}
        rows = read(Many, await self.http.get("/incidents", params=params)).incidents
        ours = sorted((row for row in rows if row.incident_key == op_id), key=lambda row: row.incident_number)
        if ours:
            return Found(tuple(row.ref for row in ours))
        if rows:
            return CannotTell(f"{self.http.name} also gave incidents that do not carry our reference.")
        return Absent()

    async def find_comment(self, ref: Ref, op_id: OpId) -> FindResult:
        changes, unread = await self._log.written(ref)
        ours = [one for one in changes if one.marker == op_id and one.by_our_account]
        if ours:
            return Found(tuple(ref.model_copy(update={"id": one.change_id}) for one in ours))
        return CannotTell("A part of its log could not be read.") if unread else Absent()

    async def apply(self, ref: Ref, update: TicketUpdate, if_version: str | None = None) -> Applied:
        """`if_version` says nothing here: PagerDuty tells no version of an incident."""
        if isinstance(update, Comment):
            return Applied(await self._say(ref, update, look=True))
        if isinstance(update, Transition):
            return await self._transition(ref, update)
        if isinstance(update, Reprioritise):
            return await self._reprioritise(ref, update)
        assert isinstance(update, Attach)  # noqa: S101 - the rest
        raise Rejected(f"{self.http.name} takes no files: nothing was sent. Say in a reply where it is.")

    async def changes(self, cursor: Cursor | None) -> Page:
        return await self._log.page(cursor)

    async def history(self, ref: Ref) -> Page:
        changes, unread = await self._log.history(ref)
        return Page(tuple(changes), {}, done=True, unread=tuple(unread))

    async def check(self) -> Health:
        return await health(self.http, self.config)

    async def _say(self, ref: Ref, text: Comment, *, look: bool) -> tuple[str, ...]:
        """Write a note. All that see the incident read it; its entry in the log has an id of its own.

        look: first whether it was merged: it would take the note, and nobody works on it any more.
        """
        if not text.public:
            raise Rejected(
                f"{self.http.name} knows no internal notes: all its people read each of them, and nothing was"
                " sent. Make it public."
            )
        if look:
            await self.get(ref)
        note = {"note": {"content": signed(text.body, text.op_id, TextFormat.TEXT)}}
        read(TheNote, await self.http.post(f"{path_of(ref)}/notes", note, op_id=text.op_id))
        try:
            found = await self.find_comment(ref, text.op_id)
        except Failure:
            found = Absent()
        if not isinstance(found, Found):
            raise lost(self.http.name, "took our note and does not show it yet", False, text.op_id)
        return tuple(one.id for one in found.refs)

    async def _put(self, ref: Ref, change: Mapping[str, Any], op_id: OpId) -> Incident:
        json = {"incident": {"type": "incident_reference", **change}}
        try:
            answer = await self.http.put(path_of(ref), json, safe=True, op_id=op_id)
        except Rejected:
            await self.get(ref)  # Moved, where it was merged: then none of it can be changed
            raise
        done = read(One, answer).incident
        await self._unmoved(ref, done)
        return done

    async def _unmoved(self, ref: Ref, told: Incident) -> Ticket:
        moved_ = await moved(self.http, ref, told)
        if moved_ is not None:
            raise moved_
        return self._ticket(told)

    async def _transition(self, ref: Ref, wish: Transition) -> Applied:
        """The state first, which may be said twice, then the note: where the note is, both are done."""
        raw = state_for(self.http.name, self.config, wish.to)
        done = await self._put(ref, {"status": raw}, wish.op_id)
        if done.status != raw:
            raise Rejected(f"{self.http.name} said yes and left {ref.key} {one_line(done.status)}.", 200)
        ids = await self._say(ref, Comment(wish.op_id, wish.note), look=False) if wish.note else ()
        return Applied(ids, self._ticket(done))

    async def _reprioritise(self, ref: Ref, wish: Reprioritise) -> Applied:
        urgency = self.config.urgencies.get(wish.to, PdUrgency.LOW).value
        change: dict[str, Any] = {"urgency": urgency}
        if self.config.prioritised:
            change["priority"] = await self._rank(wish)
        done = await self._put(ref, change, wish.op_id)
        changes, _ = await self._log.written(ref)
        set_ = [one for one in changes if one.kind is ChangeKind.PRIORITY and one.by_our_account]
        return Applied((set_[-1].change_id,) if set_ else (), self._ticket(done))

    async def _rank(self, asked: Draft | Reprioritise) -> dict[str, str]:
        """The reference of the priority that stands for ours: each account has its own, by name."""
        name = named_priority(self.http.name, self.config, asked)
        if name not in self._ranks:
            told = read(Priorities, await self.http.get("/priorities")).priorities
            self._ranks = {one.title: one.id for one in told}
        if name not in self._ranks:
            there = ", ".join(self._ranks) or "none"
            raise Rejected(
                f"{self.http.name} has no priority {name}, but {there}: nothing was sent. Mend `priorities`"
                " in vendors.toml, or set prioritised = false."
            )
        return {"id": self._ranks[name], "type": "priority_reference"}

    def _ticket(self, told: Incident) -> Ticket:
        raw = told.priority.title if told.priority is not None else ""
        return Ticket(
            ref=told.ref,
            title=one_line(told.title),
            raw_state=one_line(told.status),
            state=self.config.meaning(told.status),
            raw_priority=raw,
            assignee=told.assignments[0].assignee.title if told.assignments else None,
            updated_at=told.updated_at,
            priorities=self.config.meant(raw),
        )


def _errors(told: Any) -> str:
    """The words of a refusal: the list that says why stands behind a sentence that says nothing."""
    error = told.get("error") if isinstance(told, dict) else None
    if not isinstance(error, dict):
        return ""
    errors = error.get("errors")
    return (
        "; ".join(map(str, errors[:5])) if isinstance(errors, list) and errors else str(error.get("message"))
    )
