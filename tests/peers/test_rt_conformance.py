"""The Request Tracker connector, measured by every rule of the conformance suite on a real RT 5.

Each rule is a test of its own (`Suite.test_conforms`): it asserts there, and fails where what comes of it is
not what is on record.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar

import httpx
import pytest

from integrations.conformance.suite import Suite
from integrations.conformance.world import Said, World
from integrations.connector import Ref, Theirs
from integrations.rt.config import RtConfig
from integrations.systems.rt import RequestTracker
from register.incident import Priority
from tests.peers.conftest import FIELD, Agent

pytestmark = pytest.mark.peers


class RtWorld(World):
    """A real RT: our account, and one of the supplier's people."""

    system = RequestTracker
    patience = 30.0

    def __init__(self, peer: Mapping[str, str], agent: Agent, us: Agent) -> None:
        self.agent, self.us = agent, us
        self.url, self.secret = peer["RT5_URL"], peer["RT5_TOKEN"]
        self.config = RtConfig(queue=peer["RT5_QUEUE"], reference_field=FIELD, internal_comments=True)
        self.token = self.secret

    async def tickets(self, op_id: str) -> int:
        query = f"'CF.{{{FIELD}}}' = '{op_id}'"
        told = await self.agent.client.get("/tickets", params={"query": query})
        return int(told.json()["count"])

    async def said(self, ref: Ref) -> list[Said]:
        texts = []
        for row in await self._rows(ref):
            parts = (await self.agent.sees(f"/transaction/{row['id']}/attachments"))["items"]
            files = [await self.agent.sees(f"/attachment/{part['id']}") for part in parts]
            text = next(file for file in files if not file.get("Filename"))
            body = base64.b64decode(text["Content"]).decode().replace("\r\n", "\n")
            texts.append(Said(body, row["Type"] != "Comment"))
        return texts

    async def files(self, ref: Ref) -> list[bytes]:
        found = []
        for row in await self._rows(ref):
            parts = (await self.agent.sees(f"/transaction/{row['id']}/attachments"))["items"]
            files = [await self.agent.sees(f"/attachment/{part['id']}") for part in parts]
            found += [base64.b64decode(file["Content"]) for file in files if file.get("Filename")]
        return found

    async def _rows(self, ref: Ref) -> list[dict[str, Any]]:
        kinds = "(Type = 'Create' OR Type = 'Correspond' OR Type = 'Comment')"
        params = {
            "query": f"ObjectType = 'RT::Ticket' AND ObjectId = {ref.id} AND {kinds}",
            "fields": "Type",
            "orderby": "id",
            "per_page": "100",
        }
        rows: list[dict[str, Any]] = (await self.agent.client.get("/transactions", params=params)).json()[
            "items"
        ]
        return rows

    async def says(self, ref: Ref, text: str) -> None:
        await self.agent.replies(ref.id, text)

    async def sets(self, ref: Ref, to: Theirs) -> None:
        await self.agent.sets(ref.id, Status=self.config.raw_state(to))

    async def types_as_us(self, ref: Ref, text: str) -> None:
        await self.us.replies(ref.id, text)

    async def crowds(self, ref: Ref, count: int) -> None:
        for number in range(count):
            await self.agent.replies(ref.id, str(number))

    async def merges(self, ref: Ref) -> Ref:
        told = {"Queue": self.config.queue, "Subject": "Collected"}
        other = str((await self.agent._ok("POST", "/ticket", told))["id"])
        await self.agent.sets(ref.id, MergeInto=int(other))
        return Ref(id=other, key=f"#{other}")

    async def urges(self, ref: Ref, to: Priority) -> None:
        await self.agent.sets(ref.id, Priority=self.config.priorities[to])

    async def expires(self) -> None:
        self.token = "1-34-00000000000000000000000000000000"

    def transport(self) -> httpx.AsyncBaseTransport:
        world = self

        class Bearing(httpx.AsyncHTTPTransport):
            """The network; a token that ran out is one that RT does not know."""

            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                if world.token != world.secret:
                    request.headers["Authorization"] = f"token {world.token}"
                return await super().handle_async_request(request)

        return Bearing()


class TestRequestTracker(Suite):
    exempt: ClassVar[Mapping[str, str]] = {
        "a-crowd-is-heard": "RT's feed goes by number, never by time; test_rt_connector.py hears a crowd",
    }

    @pytest.fixture
    async def world(self, peer: Mapping[str, str], agent: Agent) -> AsyncIterator[RtWorld]:
        headers = {"Authorization": f"token {peer['RT5_TOKEN']}"}
        async with httpx.AsyncClient(
            base_url=f"{peer['RT5_URL']}/REST/2.0", headers=headers, timeout=30
        ) as us:
            yield RtWorld(peer, agent, Agent(us))
