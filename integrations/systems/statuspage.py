"""A status page at Statuspage (Atlassian), which everybody reads: one way, from us to the public.

Our operation ids stand in an incident's metadata, which the page does not show; never in its words. A word
and its id are set in one request, so that either both are there or neither. Source: developer.statuspage.io.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from integrations.checks import failed, mapped
from integrations.connector import (
    Absent,
    Applied,
    Attach,
    CannotTell,
    Cap,
    Check,
    Comment,
    Draft,
    FindResult,
    Found,
    Health,
    Info,
    Lagging,
    NoNative,
    Ref,
    Reprioritise,
    Theirs,
    Ticket,
    TicketUpdate,
    Transition,
)
from integrations.errors import Failure, OpId, Rejected
from integrations.fitting import fitting
from integrations.mapping import named_priority, state_for
from integrations.reading import read
from integrations.statuspage.config import COMPONENT, ComponentStatus, StatuspageConfig
from integrations.statuspage.wire import PageIncident, PageIncidents, Pages
from register.text import clip, one_line

if TYPE_CHECKING:
    from integrations.http import Http

MAX_NAME: Final = 255
MAX_BODY: Final = 25_000
"""Characters that an update may have."""
ROWS: Final = 100
"""Incidents of one page of the list, and the most that it gives."""
PAGES: Final = 5
"""Of the list, newest first, that are looked through for one that may have been made."""
KEPT: Final = 100
"""Operation ids that stay noted on an incident."""
_EARLIER: Final = timedelta(hours=1)
"""How far their clock may be behind ours."""


class Statuspage:
    """Connector of Statuspage. What it is told is public at once."""

    info: ClassVar[Info] = Info(
        kind="statuspage",
        title="Statuspage",
        caps=Cap.CREATE | Cap.COMMENT_PUBLIC | Cap.SET_STATE | Cap.SET_PRIORITY | Cap.WITHDRAW,
        lookup=Lagging(index_delay=timedelta(minutes=1), settle=timedelta(minutes=1)),
        idempotency=NoNative(),
        config=StatuspageConfig,
        docs="https://developer.statuspage.io",
    )
    root: ClassVar[str] = "/v1"

    def __init__(self, http: Http, config: StatuspageConfig) -> None:
        self.http = http
        self.config = config

    @staticmethod
    def headers(config: StatuspageConfig, secret: str) -> Mapping[str, str]:
        return {"Authorization": f"OAuth {secret}"} if secret else {}

    async def create(self, draft: Draft) -> Ref:
        impact = named_priority(self.http.name, self.config, draft)
        incident = {
            "name": clip(one_line(draft.title), MAX_NAME),
            "body": fitting(self.http.name, draft.body, MAX_BODY),
            "status": self.config.raw_state(Theirs.NEW) or "investigating",
            "impact_override": impact,
            "deliver_notifications": self.config.notify,
            "metadata": {"muster": {"op": draft.op_id, "said": []}},
        }
        if component := draft.fields.get(COMPONENT):
            incident["component_ids"] = [component]
            if status := self.config.component_status.get(draft.priority):
                incident["components"] = {component: status}
        told = {"incident": incident}
        answer = await self.http.post(self._path(), json=told, op_id=draft.op_id)
        return _ref(read(PageIncident, answer))

    async def get(self, ref: Ref) -> Ticket:
        return self._ticket(await self._incident(ref))

    async def find(self, op_id: OpId, since: datetime) -> FindResult:
        """In the list, newest first, as far back as it can have been made; their search reads only words."""
        found: list[PageIncident] = []
        for page in range(1, PAGES + 1):
            params = {"limit": ROWS, "page": page}
            rows = read(PageIncidents, await self.http.get(self._path(), params=params)).root
            found += [row for row in rows if row.ours.get("op") == op_id]
            if len(rows) < ROWS or rows[-1].created_at < since - _EARLIER:
                found.sort(key=lambda one: one.created_at)
                return Found(tuple(map(_ref, found))) if found else Absent()
        if found:
            return Found(tuple(map(_ref, found)))
        return CannotTell(f"{self.http.name} has more than {ROWS * PAGES} newer incidents.")

    async def find_comment(self, ref: Ref, op_id: OpId) -> FindResult:
        incident = await self._incident(ref)
        if op_id in incident.said:
            return Found((ref.model_copy(update={"id": _change_id(incident, op_id)}),))
        return Absent()

    async def apply(self, ref: Ref, update: TicketUpdate, if_version: str | None = None) -> Applied:
        """`if_version` says nothing here: Statuspage tells no version of an incident."""
        match update:
            case Comment(public=True):
                return await self._say(ref, update.op_id, update.body)
            case Comment():
                raise Rejected(
                    f"Everything on {self.http.name} is public: nothing was sent. An internal comment"
                    " has no place there."
                )
            case Transition():
                return await self._transition(ref, update)
            case Reprioritise():
                return await self._reprioritise(ref, update)
            case Attach():
                raise Rejected(f"{self.http.name} takes no files: nothing was sent.")

    async def check(self) -> Health:
        try:
            pages = read(Pages, await self.http.get("/pages")).root
        except Failure as failure:
            return Health("", (failed("identity", failure, self.http.name),))
        page = next((one for one in pages if one.id == self.config.page), None)
        name = one_line(page.name) if page else ""
        known = ", ".join(f"{one.id} ({one_line(one.name)})" for one in pages) or "none"
        lines = [
            Check("identity", True, f"signed in; its key sees {len(pages)} page{'s' * (len(pages) != 1)}"),
            Check(
                "page",
                page is not None,
                f"{self.config.page} is {name}" if page else f"the key sees no such page, but: {known}",
                "" if page else "mend `page` in vendors.toml",
            ),
            mapped("priorities", self.config.unranked),
        ]
        return Health(name or "unknown", tuple(lines))

    async def _say(self, ref: Ref, op_id: OpId, body: str, **more: Any) -> Applied:
        """A word with its operation id, and more with it, in one request."""
        before = await self._incident(ref)
        said = [*before.said, op_id][-KEPT:]
        told = {
            "body": fitting(self.http.name, body, MAX_BODY),
            "deliver_notifications": self.config.notify,
            "metadata": {**(before.metadata or {}), "muster": {**before.ours, "said": said}},
            **more,
        }
        after = await self._patch(ref, told, op_id, safe=False)
        return Applied((_change_id(after, op_id),), self._ticket(after))

    async def _transition(self, ref: Ref, wish: Transition) -> Applied:
        state = state_for(self.http.name, self.config, wish.to)
        more: dict[str, Any] = {"status": state}
        if state == "resolved" and self.config.component_status:
            incident = await self._incident(ref)
            more["components"] = {one.id: ComponentStatus.OPERATIONAL for one in incident.components or ()}
        if wish.note:
            return await self._say(ref, wish.op_id, wish.note, **more)
        told = {"deliver_notifications": self.config.notify, **more}
        return Applied((), self._ticket(await self._patch(ref, told, wish.op_id, safe=True)))

    async def _reprioritise(self, ref: Ref, wish: Reprioritise) -> Applied:
        impact = named_priority(self.http.name, self.config, wish)
        told = {"impact_override": impact, "deliver_notifications": False}
        return Applied((), self._ticket(await self._patch(ref, told, wish.op_id, safe=True)))

    async def _patch(self, ref: Ref, told: Mapping[str, Any], op_id: OpId, *, safe: bool) -> PageIncident:
        answer = await self.http.patch(self._path(ref), json={"incident": told}, safe=safe, op_id=op_id)
        return read(PageIncident, answer)

    async def _incident(self, ref: Ref) -> PageIncident:
        return read(PageIncident, await self.http.get(self._path(ref)))

    def _path(self, ref: Ref | None = None) -> str:
        path = f"/pages/{self.config.page}/incidents"
        if ref is None:
            return path
        if not (ref.id.isascii() and ref.id.isalnum()):
            raise Rejected(f"{one_line(ref.id)} is no incident of Statuspage: nothing was sent.")
        return f"{path}/{ref.id}"

    def _ticket(self, told: PageIncident) -> Ticket:
        impact = told.impact_override or told.impact or ""
        return Ticket(
            ref=_ref(told),
            title=one_line(told.name),
            raw_state=told.status,
            state=self.config.meaning(told.status),
            raw_priority="" if self.config.impact else impact,
            assignee=None,
            updated_at=told.updated_at,
            priorities=self.config.meant(impact),
        )


def _ref(told: PageIncident) -> Ref:
    return Ref(id=told.id, key=told.id, url=told.shortlink or "")


def _change_id(told: PageIncident, op_id: OpId) -> str:
    """Ours: nothing is heard from there, so an update needs no id of theirs."""
    return f"{told.id}:{op_id}"
