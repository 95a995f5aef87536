"""A system without a connector: real Roundup by a block of vendors.toml, measured by every rule.

Each rule is a test of its own (`Suite.test_conforms`): it asserts there, and fails where what comes of it is
not what is on record.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from integrations.conformance.suite import Suite
from integrations.conformance.world import NotShown, Said, World
from integrations.connector import Ref, Theirs
from integrations.systems.rest import Rest
from integrations.vendors import read_vendors
from register.incident import Priority
from tests.peers.roundup_kit import THEM, US, Roundup, RoundupPerson, numbers, person, running_roundup

pytestmark = [pytest.mark.peers, pytest.mark.timeout(600)]
BLOCK = Path(__file__).parent.parent / "described" / "roundup.toml"


@pytest.fixture(scope="module")
def roundup() -> Iterator[Roundup]:
    with running_roundup() as made:
        yield made


class RoundupWorld(World):
    """A real Roundup: our account, and one of the supplier's people."""

    system = Rest
    patience = 20.0
    zone = "UTC"

    def __init__(self, made: Roundup, agent: RoundupPerson, us: RoundupPerson) -> None:
        self.agent, self.us, self.made = agent, us, made
        self.url, self.secret = made.rest, ":".join(US)
        self.config = read_vendors(BLOCK.read_text())["roundup"].config
        self._over = False

    def decides(self, request: httpx.Request) -> bool:
        """A message or file is seen by nobody until an issue names it."""
        return request.method == "PATCH" or (request.method == "POST" and request.url.path.endswith("/issue"))

    async def tickets(self, op_id: str) -> int:
        told = await self.agent.sees("/data/msg", **{"messageid:": op_id})
        found = {
            issue["id"]
            for message in told["collection"]
            for issue in (await self.agent.sees("/data/issue", messages=message["id"]))["collection"]
        }
        return len(found)

    async def said(self, ref: Ref) -> list[Said]:
        issue = await self.agent.sees(f"/data/issue/{ref.id}", **{"@fields": "messages"})
        told = [
            await self.agent.sees(f"/data/msg/{one['id']}", **{"@verbose": "3"})
            for one in issue["attributes"]["messages"]
        ]
        return [Said(one["attributes"]["content"]) for one in told]

    async def files(self, ref: Ref) -> list[bytes]:
        issue = await self.agent.sees(f"/data/issue/{ref.id}", **{"@fields": "files"})
        found = []
        for one in issue["attributes"]["files"]:
            answer = await self.agent.client.get(
                f"/data/file/{one['id']}/binary_content", headers={"Accept": "*/*"}
            )
            found.append(answer.content)
        return found

    async def says(self, ref: Ref, text: str) -> None:
        await self.agent.writes(ref.id, text)

    async def sets(self, ref: Ref, to: Theirs) -> None:
        await self.agent.changes(ref.id, status=self.config.raw_state(to))

    async def urges(self, ref: Ref, to: Priority) -> None:
        await self.agent.changes(ref.id, priority=self.config.priorities[to])

    async def types_as_us(self, ref: Ref, text: str) -> None:
        await self.us.writes(ref.id, text)

    async def crowds(self, ref: Ref, count: int) -> None:
        await asyncio.to_thread(self.made.crowds, ref.id, count)

    async def merges(self, ref: Ref) -> Ref:
        raise NotShown

    async def expires(self) -> None:
        self._over = True

    def transport(self) -> httpx.AsyncBaseTransport:
        world = self

        class Bearing(httpx.AsyncHTTPTransport):
            """The network; a password that was changed is one that Roundup does not know."""

            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                if world._over:
                    request.headers["Authorization"] = "Basic bXVzdGVyOm5vLW1vcmU="
                return await super().handle_async_request(request)

        return Bearing()


class TestRoundup(Suite):
    exempt: ClassVar = {
        "moved-is-told": "Roundup merges no issues: one that supersedes another stands beside it",
        "their-state-is-heard": "its REST API tells no history of states: of two between two looks, the last",
        "their-priority-is-heard": "its REST API tells no history of priorities: of two, the last is heard",
    }

    @pytest.fixture
    async def world(self, roundup: Roundup) -> AsyncIterator[RoundupWorld]:
        known = numbers(roundup)
        agent = person(roundup.rest, THEM, known[THEM[0]])
        us = person(roundup.rest, US, known[US[0]])
        yield RoundupWorld(roundup, agent, us)
        for one in (agent, us):
            await one.client.aclose()
        await asyncio.sleep(0)
