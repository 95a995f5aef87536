"""The played ServiceNow as the world that the conformance rules look into and act in."""

from __future__ import annotations

from typing import Any, ClassVar

import httpx

from integrations.conformance.world import Said, World
from integrations.connector import Ref, Theirs
from integrations.servicenow.config import ServiceNowConfig
from integrations.systems.servicenow import ServiceNow
from register.incident import Priority
from tests.played.servicenow import FILES, INCIDENT, JOURNAL, LENA, PASSWORD, USER, Json, PlayedServiceNow


class ServiceNowWorld(World):
    """The played instance: ours is an account in it, and Lena one of their people."""

    system: ClassVar[Any] = ServiceNow
    url = "https://acme.service-now.com"
    patience = 2.0

    def __init__(self) -> None:
        self.desk = PlayedServiceNow()
        self.config = ServiceNowConfig(user=USER, internal_comments=True)
        self.secret = PASSWORD

    def transport(self) -> httpx.AsyncBaseTransport:
        return httpx.ASGITransport(self.desk.app)

    def of(self, ref: Ref) -> Json:
        return self.desk.of(ref.id)

    async def tickets(self, op_id: str) -> int:
        return sum(row["correlation_id"] == op_id for row in self.desk.rows[INCIDENT])

    async def said(self, ref: Ref) -> list[Said]:
        words = [one for one in self.desk.rows[JOURNAL] if one["element_id"] == ref.id]
        first = Said(self.of(ref)["description"])
        return [first, *(Said(one["value"], one["element"] == "comments") for one in words)]

    async def says(self, ref: Ref, text: str) -> None:
        self.desk.change(self.of(ref), LENA, {"comments": text})

    async def sets(self, ref: Ref, to: Theirs) -> None:
        raw = next(raw for raw, means in self.config.states.items() if means is to)
        state, reason = self.config.code_of(raw)
        self.desk.change(self.of(ref), LENA, {"state": state, "hold_reason": reason})

    async def files(self, ref: Ref) -> list[bytes]:
        files = [one for one in self.desk.rows[FILES] if one["table_sys_id"] == ref.id]
        return [self.desk.contents[one["sys_id"]] for one in files]

    async def types_as_us(self, ref: Ref, text: str) -> None:
        self.desk.change(self.of(ref), USER, {"comments": text})

    async def crowds(self, ref: Ref, count: int) -> None:
        self.desk.stays = True
        for number in range(count):
            self.desk.change(self.of(ref), LENA, {"comments": str(number)})
        self.desk.stays = False

    async def urges(self, ref: Ref, to: Priority) -> None:
        impact, _, urgency = self.config.grades[str(self.config.priorities[to])].partition("/")
        self.desk.change(self.of(ref), LENA, {"impact": impact, "urgency": urgency})

    async def expires(self) -> None:
        self.desk.password = "another"
