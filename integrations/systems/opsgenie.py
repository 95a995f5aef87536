"""Opsgenie (Alert API v2), where a supplier's people are called to an alert and answer on it.

Every write is answered by 202, which says only that it will be looked at; what became of it is asked for by
the id of the request. While that does not tell, the write is in doubt, and is looked up like a lost answer.
An alert's alias is our operation id: while the alert is open, the same create once more only counts up.
Sources: docs.opsgenie.com/docs/alert, opsgenie-oas. Atlassian ends Opsgenie in April 2027.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from integrations.answers import lost
from integrations.checks import failed, mapped
from integrations.connector import (
    Absent,
    Applied,
    Attach,
    Cap,
    Check,
    Comment,
    Cursor,
    Draft,
    FindResult,
    Found,
    Health,
    Info,
    Lagging,
    Native,
    Page,
    Ref,
    Reprioritise,
    Ticket,
    TicketUpdate,
    Transition,
)
from integrations.errors import AuthFailed, AuthTrouble, Failure, OpId, Rejected
from integrations.fitting import fitting
from integrations.mapping import named_priority
from integrations.opsgenie.config import ACKNOWLEDGED, CLOSED, OpsgenieConfig
from integrations.opsgenie.news import News, change_id
from integrations.opsgenie.wire import Accepted, Alert, Alerts, Asked, TheAccount, alert_path
from integrations.reading import read
from register.marker import marker_of, sign
from register.text import clip, one_line

if TYPE_CHECKING:
    from integrations.answers import Answer
    from integrations.http import Http

MAX_MESSAGE: Final = 130
MAX_DESCRIPTION: Final = 15_000
MAX_NOTE: Final = 25_000
"""Characters that Opsgenie keeps; it cuts what is longer, so that nothing longer is sent."""
_DO: Final = {ACKNOWLEDGED: "/acknowledge", CLOSED: "/close"}
"""State → the action that sets it. Nothing opens an alert again."""


class Opsgenie:
    """Connector of Opsgenie's alerts."""

    info: ClassVar[Info] = Info(
        kind="opsgenie",
        title="Opsgenie",
        caps=Cap.CREATE | Cap.COMMENT_PUBLIC | Cap.SET_STATE | Cap.SET_PRIORITY | Cap.WITHDRAW | Cap.POLL,
        lookup=Lagging(index_delay=timedelta(seconds=30), settle=timedelta(minutes=2)),
        idempotency=Native(window=timedelta(minutes=10)),  # as long as the alert is open, which they decide
        config=OpsgenieConfig,
        docs="https://docs.opsgenie.com/docs/alert",
    )
    root: ClassVar[str] = "/v2"

    def __init__(self, http: Http, config: OpsgenieConfig) -> None:
        self.http = http
        self.config = config
        self._news = News(http, config)

    @staticmethod
    def headers(config: OpsgenieConfig, secret: str) -> Mapping[str, str]:
        return {"Authorization": f"GenieKey {secret}"} if secret else {}

    async def create(self, draft: Draft) -> Ref:
        title = one_line(draft.title)
        body = draft.body if len(title) <= MAX_MESSAGE else f"{title}\n\n{draft.body}"
        alert: dict[str, Any] = {
            "message": clip(title, MAX_MESSAGE),
            "alias": draft.op_id,
            "description": fitting(self.http.name, sign(body, draft.op_id), MAX_DESCRIPTION),
            "priority": named_priority(self.http.name, self.config, draft),
            "tags": [self.config.tag],
            "details": {"muster": draft.op_id, **draft.fields},
            "user": self.config.user,
            "source": self.config.user,
        }
        if self.config.team:
            alert["responders"] = [{"type": "team", "id": self.config.team}]
        answer = await self.http.post("/alerts", json=alert, op_id=draft.op_id)
        made = await self._done(answer, draft.op_id)
        try:
            return self._news.ref(await self._news.alert(Ref(id=made, key=made)))
        except Failure:
            raise lost(answer.name, "made an alert that cannot be read yet", False, draft.op_id) from None

    async def get(self, ref: Ref) -> Ticket:
        return self._ticket(await self._news.alert(ref))

    async def find(self, op_id: OpId, since: datetime) -> FindResult:
        """By its alias, which finds an open alert alone: without one nothing is proved."""
        asked = {"query": f'alias: "{op_id}"', "limit": 20}
        alerts = read(Alerts, await self.http.get("/alerts", asked)).data
        found = sorted((one for one in alerts if one.alias == op_id), key=lambda one: one.createdAt)
        return Found(tuple(map(self._news.ref, found))) if found else Absent()

    async def find_comment(self, ref: Ref, op_id: OpId) -> FindResult:
        ours = [one for one in await self._news.notes(ref) if marker_of(one.note) == op_id]
        ours = [one for one in ours if one.owner == self.config.user]
        hits = tuple(ref.model_copy(update={"id": change_id(ref, one)}) for one in ours)
        return Found(hits) if hits else Absent()

    async def apply(self, ref: Ref, update: TicketUpdate, if_version: str | None = None) -> Applied:
        """`if_version` says nothing here: Opsgenie tells no version of an alert."""
        match update:
            case Comment(public=True):
                return await self._write(ref, "/notes", update.op_id, update.body)
            case Comment():
                raise Rejected(
                    f"Whoever sees the alert at {self.http.name} sees all its notes: nothing was sent."
                    " An internal comment has no place there."
                )
            case Transition():
                return await self._transition(ref, update)
            case Reprioritise():
                return await self._reprioritise(ref, update)
            case Attach():
                raise Rejected(f"Files do not go to {self.http.name}: nothing was sent.")

    async def changes(self, cursor: Cursor | None) -> Page:
        return await self._news.page(cursor)

    async def history(self, ref: Ref) -> Page:
        return await self._news.history(ref)

    async def check(self) -> Health:
        """The list, which an API integration may read; then the account, which not every key may."""
        name = self.http.name
        try:
            await self._news.page(None)
        except Failure as failure:
            return Health("", (failed("identity", failure, name),))
        account, says = self.config.user, "signed in; our key may not read the account's name"
        try:
            account = one_line(read(TheAccount, await self.http.get("/account")).data.name) or account
            says = f"signed in at the account {account}"
        except AuthFailed as failure:
            if failure.trouble is not AuthTrouble.FORBIDDEN:
                return Health("", (failed("identity", failure, name),))
        except Failure as failure:
            return Health("", (failed("identity", failure, name),))
        lines = (
            Check("identity", True, says),
            Check("alerts", True, "may be listed"),
            mapped("priorities", self.config.unranked),
        )
        return Health(account, lines)

    async def _transition(self, ref: Ref, wish: Transition) -> Applied:
        state = self.config.raw_state(wish.to)
        if state is None or state not in _DO:
            raise Rejected(
                f"No state that can be set at {self.http.name} means {wish.to}: nothing was sent. An alert "
                f'can be "{ACKNOWLEDGED}" or "{CLOSED}"; `states` in vendors.toml says what that means.'
            )
        if wish.note:
            done = await self._write(ref, _DO[state], wish.op_id, wish.note)
        elif (before := await self._news.alert(ref)).raw_state == state:
            return Applied((), self._ticket(before))
        else:
            done = await self._write(ref, _DO[state], wish.op_id, "")
        ticket = await self.get(ref)
        if ticket.raw_state != state:
            raise Rejected(
                f"{self.http.name} said yes, and {ref.key} is {ticket.raw_state}, not {state}.", 202
            )
        return Applied(done.change_ids, ticket)

    async def _reprioritise(self, ref: Ref, wish: Reprioritise) -> Applied:
        path, json = (
            alert_path(ref, "/priority"),
            {"priority": named_priority(self.http.name, self.config, wish)},
        )
        await self._done(await self.http.put(path, json=json, safe=True, op_id=wish.op_id), wish.op_id)
        return Applied((), await self.get(ref))

    async def _write(self, ref: Ref, what: str, op_id: OpId, text: str) -> Applied:
        """An action with our words, which stand as a note of their own; without any, it may be said again."""
        told = {"user": self.config.user, "source": self.config.user}
        if text:
            told["note"] = fitting(self.http.name, sign(text, op_id), MAX_NOTE)
        answer = await self.http.post(alert_path(ref, what), json=told, safe=not text, op_id=op_id)
        await self._done(answer, op_id)
        if not text:
            return Applied()
        try:
            found = await self.find_comment(ref, op_id)
        except Failure:
            found = Absent()
        if not isinstance(found, Found):
            raise lost(answer.name, "took our note, which is not there yet", False, op_id)
        return Applied(tuple(one.id for one in found.refs))

    async def _done(self, accepted: Answer, op_id: OpId) -> str:
        """The id of the alert on which it was done; in doubt while it is not told, and Rejected if not."""
        request = read(Accepted, accepted).requestId
        try:
            told = read(Asked, await self.http.get(f"/alerts/requests/{request}")).data
        except Failure:  # it is not known yet, or cannot be asked for now
            told = None
        if told is None or told.isSuccess is None:
            says = "has taken it and does not say yet what became of it"
            raise lost(accepted.name, says, accepted.repeatable, op_id)
        if not told.isSuccess:
            raise Rejected(f"{self.http.name} did not do it: {clip(one_line(told.status), 200)}.", 202)
        return told.alertId

    def _ticket(self, alert: Alert) -> Ticket:
        return Ticket(
            ref=self._news.ref(alert),
            title=one_line(alert.message),
            raw_state=alert.raw_state,
            state=self.config.meaning(alert.raw_state),
            raw_priority=alert.priority,
            assignee=one_line(alert.owner) or None,
            updated_at=alert.updatedAt,
            priorities=self.config.meant(alert.priority),
        )
