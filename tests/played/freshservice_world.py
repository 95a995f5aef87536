"""The played Freshservice as the world that the conformance rules look into and act in."""

from __future__ import annotations

from typing import Any, ClassVar

import httpx

from integrations.conformance.world import Said, World
from integrations.connector import Ref, Theirs
from integrations.freshservice.config import NUMBERS, FreshserviceConfig
from integrations.markup.html import text_of_html
from integrations.systems.freshservice import Freshservice
from register.incident import Priority
from tests.played.freshservice import FIELD, KEY, LENA, OURS, REQUESTER, WE, PlayedFreshservice, as_html
from tests.played.hosts import Hosts


class FreshserviceWorld(World):
    """The played account: ours is an agent in it, and Lena one of their people."""

    system: ClassVar[Any] = Freshservice
    url = "https://acme.freshservice.com"
    patience = 2.0
    secret = KEY

    def __init__(self, **more: Any) -> None:
        self.desk = PlayedFreshservice()
        self.hosts = Hosts({"acme.freshservice.com": self.desk.app, self.desk.cdn.host: self.desk.cdn.app})
        told = {"requester": OURS, "reference_field": FIELD, "internal_comments": True, **more}
        self.config = FreshserviceConfig.model_validate(told)

    def transport(self) -> httpx.AsyncBaseTransport:
        return self.hosts

    async def tickets(self, op_id: str) -> int:
        return sum(f"[muster:{op_id}]" in one["description"] for one in self.desk.tickets.values())

    async def said(self, ref: Ref) -> list[Said]:
        first = Said(text_of_html(self.desk.tickets[int(ref.id)]["description"]))
        rows = self.desk.said[int(ref.id)]
        return [first, *(Said(text_of_html(one["body"]), not one["private"]) for one in rows)]

    async def says(self, ref: Ref, text: str) -> None:
        self.desk.say(int(ref.id), LENA, as_html(text))

    async def sets(self, ref: Ref, to: Theirs) -> None:
        raw = next(raw for raw, means in self.config.states.items() if means is to)
        self.desk.change(self.desk.tickets[int(ref.id)], status=self.config.statuses[raw])

    async def files(self, ref: Ref) -> list[bytes]:
        rows = self.desk.said[int(ref.id)]
        return [self.desk.files[file["id"]] for one in rows for file in one["attachments"]]

    async def types_as_us(self, ref: Ref, text: str) -> None:
        self.desk.say(int(ref.id), WE, as_html(text))

    async def crowds(self, ref: Ref, count: int) -> None:
        at = self.desk.tick()
        for number in range(count):
            self.desk.say(int(ref.id), LENA, str(number), at)

    async def merges(self, ref: Ref) -> Ref:
        told = {"subject": "Collected", "description": "all of it", "status": 2, "priority": 2}
        into = self.desk.make(REQUESTER, told)["id"]
        self.desk.merge(int(ref.id), into)
        return Ref(id=str(into), key=f"#{into}")

    async def urges(self, ref: Ref, to: Priority) -> None:
        self.desk.change(self.desk.tickets[int(ref.id)], priority=NUMBERS[self.config.priorities[to]])

    async def expires(self) -> None:
        self.desk.key = "another"
