"""The played Zendesk as the world that the conformance rules look into and act in."""

from __future__ import annotations

from html import escape
from typing import Any, ClassVar

import httpx

from integrations.conformance.world import Said, World
from integrations.connector import Ref, Theirs
from integrations.markup.html import text_of_html
from integrations.systems.zendesk import Zendesk
from integrations.zendesk.config import ZendeskConfig
from register.incident import Priority
from tests.played.hosts import Hosts
from tests.played.zendesk import LENA, TOKEN, USER, WE, Json, PlayedZendesk


class ZendeskWorld(World):
    """The played account: ours is an administrator in it, and Lena one of their people."""

    system: ClassVar[Any] = Zendesk
    url = "https://acme.zendesk.com"
    patience = 2.0

    def __init__(self) -> None:
        self.desk = PlayedZendesk()
        self.hosts = Hosts({"acme.zendesk.com": self.desk.app, self.desk.cdn.host: self.desk.cdn.app})
        self.config = ZendeskConfig(user=USER, internal_comments=True)
        self.secret = TOKEN

    def transport(self) -> httpx.AsyncBaseTransport:
        return self.hosts

    def _of(self, ref: Ref) -> Json:
        return self.desk.tickets[int(ref.id)]

    async def tickets(self, op_id: str) -> int:
        return sum(one["external_id"] == op_id for one in self.desk.tickets.values())

    def _comments(self, ref: Ref) -> list[Json]:
        audits = self.desk.audits[int(ref.id)]
        return [event for audit in audits for event in audit["events"] if event["type"] == "Comment"]

    async def said(self, ref: Ref) -> list[Said]:
        return [Said(text_of_html(one["html_body"]), one["public"]) for one in self._comments(ref)]

    async def says(self, ref: Ref, text: str) -> None:
        self._write(ref, LENA, text)

    def _write(self, ref: Ref, author: int, text: str, at: str | None = None) -> None:
        html = "<p>" + escape(text).replace("\n", "<br>") + "</p>"
        self.desk.audit(self._of(ref), author, [self.desk.comment(author, html)], at=at)

    async def sets(self, ref: Ref, to: Theirs) -> None:
        raw = next(raw for raw, means in self.config.states.items() if means is to)
        ticket = self._of(ref)
        self.desk.audit(ticket, LENA, [self.desk.change(ticket, "status", raw)])

    async def files(self, ref: Ref) -> list[bytes]:
        return [self.desk.files[file["id"]] for one in self._comments(ref) for file in one["attachments"]]

    async def types_as_us(self, ref: Ref, text: str) -> None:
        self._write(ref, WE, text)

    async def crowds(self, ref: Ref, count: int) -> None:
        at = self.desk.tick()
        for number in range(count):
            self._write(ref, LENA, str(number), at)

    async def merges(self, ref: Ref) -> Ref:
        """As their button does it: the first is closed, with a tag and a sentence that names the other."""
        desk, ticket = self.desk, self._of(ref)
        other = desk.made(LENA, "Collected", desk.comment(LENA, "<p>all of it</p>"))
        says = f'<p>This request was closed and merged into request #{other["id"]} "Collected".</p>'
        note = desk.comment(LENA, says, public=False)
        tags = desk.change(ticket, "tags", [*ticket["tags"], "closed_by_merge"])
        desk.audit(ticket, LENA, [note, desk.change(ticket, "status", "closed"), tags])
        other["collaborator_ids"] = [WE]
        return Ref(id=str(other["id"]), key=f"#{other['id']}")

    async def urges(self, ref: Ref, to: Priority) -> None:
        ticket = self._of(ref)
        raw = str(self.config.priorities[to])
        self.desk.audit(ticket, LENA, [self.desk.change(ticket, "priority", raw)])

    async def expires(self) -> None:
        self.desk.token = "another"
