"""PagerDuty's Events API v2: who has nothing but the key of an integration on their service.

One way, from us to them: an event opens, acknowledges or resolves an alert, which calls their people, and
nothing can be read back. Our operation id is the alert's `dedup_key`: while it is open, an event that comes
twice is one. So a lost answer is no doubt: it is sent again. Source: github.com/PagerDuty/developer-docs,
docs/events-API-v2.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

import orjson
from pydantic import BaseModel

from integrations.answers import Answer, lost
from integrations.checks import failed, known, mapped
from integrations.connector import (
    Applied,
    Attach,
    Cap,
    Check,
    Comment,
    Draft,
    Health,
    Info,
    Native,
    NoLookup,
    Ref,
    Theirs,
    Ticket,
    TicketUpdate,
    Transition,
)
from integrations.errors import AuthFailed, AuthTrouble, Failure, Gone, OpId, RateLimited, Rejected
from integrations.mapping import state_for
from integrations.markup.formats import TextFormat, signed
from integrations.pagerduty.config import PagerDutyConfig, PdSeverity
from integrations.reading import read
from integrations.signer import Signed, Unsigned
from register.marker import is_op_id
from register.text import clip, one_line

if TYPE_CHECKING:
    from integrations.http import Http

PATH: Final = "/v2/enqueue"
MAX_SUMMARY: Final = 1_024
MAX_EVENT: Final = 512_000
"""Bytes of an event, its key included."""
WAIT: Final = timedelta(seconds=30)
"""After a 429, which says nothing of how long: their documentation does."""
IN_TIME: Final = 0.9
"""Of the time that a request may take: past all of it the engine itself would call it in doubt."""
SOURCE: Final = "Muster"
NOTHING: Final = "muster-check"
"""A key under which no alert was ever opened: what is resolved by it is dropped."""
_DO: Final = {"acknowledged": "acknowledge", "resolved": "resolve"}


@dataclass(frozen=True, slots=True)
class RoutingKey:
    """Puts the integration's key where PagerDuty looks for it: into the body of each event."""

    secret: str = field(repr=False)

    def sign(self, request: Unsigned, at: datetime) -> Signed:
        event = orjson.loads(request.body) | {"routing_key": self.secret}
        return Signed({}, self.secret, orjson.dumps(event))


class Taken(BaseModel):
    """What is answered to an event. status: "success", or what was wrong."""

    status: str
    message: str | None = None
    errors: tuple[str, ...] | str = ()

    @property
    def why(self) -> str:
        said = "; ".join(self.errors[:5]) if isinstance(self.errors, tuple) else self.errors
        return said or self.message or self.status


class Events:
    """Connector of PagerDuty's events. What it cannot do it refuses before anything is sent."""

    info: ClassVar[Info] = Info(
        kind="pagerduty_events",  # measured by itself: what is on record of the other API says nothing of it
        title="PagerDuty (events)",
        caps=Cap.CREATE | Cap.SET_STATE | Cap.WITHDRAW,
        lookup=NoLookup(),
        idempotency=Native(window=timedelta(minutes=10)),  # as long as the alert is open: they decide
        config=PagerDutyConfig,
        docs="https://developer.pagerduty.com/docs/events-api-v2-overview",
    )

    def __init__(self, http: Http, config: PagerDutyConfig) -> None:
        self.http = http
        self.config = config
        http.limits = replace(http.limits, total=http.limits.total * IN_TIME)

    async def create(self, draft: Draft) -> Ref:
        """The alert's only name to us is our own: 202 says that it was taken, and no number."""
        severity = self.config.priority_of(draft.priority, draft.impact, draft.urgency)
        if severity is None:
            raise Rejected(
                f"No severity of {self.http.name} stands for {draft.priority}: nothing was sent. Add it to"
                f' `severities` in vendors.toml ({draft.priority.value} = "error").'
            )
        words = self._payload(draft.title, draft.body, draft.op_id, str(severity))
        await self._send("trigger", draft.op_id, draft.op_id, client=SOURCE, payload=words)
        return Ref(id=draft.op_id, key=draft.op_id)

    async def get(self, ref: Ref) -> Ticket:
        """What is known of an alert: nothing. Its state is unknown, so what we ask for is sent."""
        return Ticket(ref, "", "", Theirs.UNMAPPED, "", None, datetime.now(UTC))

    async def apply(self, ref: Ref, update: TicketUpdate, if_version: str | None = None) -> Applied:
        if isinstance(update, Transition):
            return await self._transition(ref, update)
        what = (
            "words" if isinstance(update, Comment) else "files" if isinstance(update, Attach) else "changes"
        )
        raise Rejected(
            f"{self.http.name} is spoken to by events alone, which take no {what} for an alert that is open:"
            " nothing was sent. Call them."
        )

    async def check(self) -> Health:
        """Whether the key is taken: by resolving what was never opened, which does nothing there."""
        try:
            await self._send("resolve", NOTHING, "")
        except Failure as failure:
            return Health("", (failed("identity", failure, self.http.name),))
        lines = (
            Check("identity", True, "the integration's key is taken; whose it is, is not told"),
            known("states", self.config.states, ("triggered", *_DO), whole=True),
            mapped("severities", self.config.unranked),
        )
        return Health("an integration", lines)

    async def _transition(self, ref: Ref, wish: Transition) -> Applied:
        raw = state_for(self.http.name, self.config, wish.to)
        action = _DO.get(raw)
        if action is None:
            raise Rejected(
                f"No event makes an alert at {self.http.name} {one_line(raw)}: nothing was sent. It can be"
                f" {' or '.join(_DO)}."
            )
        if not is_op_id(ref.id):  # a person's word: their number of it, which no event can name
            raise Rejected(
                f"{one_line(ref.key)} is not the key of ours under which {self.http.name} has the alert, and"
                " an event can name it by no other: nothing was sent. Call them."
            )
        more = {}
        if wish.note:
            more["payload"] = self._payload(wish.note, wish.note, wish.op_id, PdSeverity.INFO)
        await self._send(action, ref.id, wish.op_id, **more)
        return Applied((), await self.get(ref))

    def _payload(self, title: str, body: str, op_id: OpId, severity: str) -> dict[str, Any]:
        return {
            "summary": clip(one_line(title), MAX_SUMMARY),
            "source": SOURCE,
            "severity": severity,
            "custom_details": {"text": signed(body, op_id, TextFormat.TEXT)},
        }

    async def _send(self, action: str, key: str, op_id: OpId, **more: Any) -> None:
        """Send an event. Whatever was lost of its answer, it may come twice."""
        name = self.http.name
        event = {"event_action": action, "dedup_key": key, **more}
        size = len(orjson.dumps(event)) + 64  # with the routing key
        if size > MAX_EVENT:
            raise Rejected(
                f"{name} takes {MAX_EVENT:,} bytes at most, and this has {size:,}: nothing was sent. Make it"
                " shorter."
            )
        try:
            answer = await self.http.post(PATH, event, safe=True, op_id=op_id, told=(400,))
        except Gone as failure:
            raise Rejected(f"{failure.why} Is the `url` of {name} right?", 404) from None
        except RateLimited as failure:
            raise RateLimited(failure.why, failure.retry_after or WAIT) from None
        except Rejected as failure:
            if failure.status >= 400:
                raise
            says = "gave an answer that its events do not have"
            raise lost(name, says, False, op_id) from None
        self._taken(answer)

    def _taken(self, answer: Answer) -> None:
        """Raise unless the event was taken."""
        told = read(Taken, answer)
        if answer.status != 400 and told.status == "success":
            return
        said = clip(one_line(self.http.masked(told.why)), 300)
        if "routing key" in said.lower().replace("_", " "):
            raise AuthFailed(
                f"{self.http.name} does not accept the stored key of its integration: HTTP {answer.status}"
                f" ({said}).",
                AuthTrouble.REFUSED,
            )
        raise Rejected(f"{self.http.name} said no: HTTP {answer.status} ({said}).", answer.status)
