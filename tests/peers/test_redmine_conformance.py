"""The Redmine connector, measured by every rule of the conformance suite on a real Redmine.

Each rule is a test of its own (`Suite.test_conforms`): it asserts there, and fails where what comes of it is
not what is on record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from html import unescape
from typing import Any, ClassVar

import httpx
import pytest

from integrations.conformance.suite import Suite
from integrations.conformance.world import Said, World
from integrations.connector import Ref, Theirs
from integrations.redmine.config import RedmineConfig
from integrations.systems.redmine import Redmine
from register.incident import Priority
from tests.peers.conftest import RedmineAgent

pytestmark = [pytest.mark.peers, pytest.mark.timeout(600)]


class RedmineWorld(World):
    """A real Redmine: our account, and one of the supplier's people."""

    system = Redmine
    patience = 30.0

    def __init__(self, peer: Mapping[str, str], agent: RedmineAgent, us: RedmineAgent) -> None:
        self.agent, self.us = agent, us
        self.url, self.secret = peer["REDMINE_URL"], peer["REDMINE_KEY_CONNECTOR"]
        self.field = int(peer["REDMINE_CF_EXTERNAL_REF"])
        self.project = peer["REDMINE_PROJECT"]
        self.config = RedmineConfig(project=self.project, reference_field=self.field, internal_comments=True)
        self.key = self.secret

    async def tickets(self, op_id: str) -> int:
        query = f"/issues.json?project_id={self.project}&status_id=*&cf_{self.field}={op_id}"
        return int((await self.agent.sees(query))["total_count"])

    async def _issue(self, ref: Ref, include: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.agent.sees(f"/issues/{ref.id}.json?include={include}"))["issue"]
        return found

    async def said(self, ref: Ref) -> list[Said]:
        issue = await self._issue(ref, "journals")
        notes = [row for row in issue["journals"] if row["notes"]]
        # as Textile shows it: what it would take for markup is written as entities
        texts = [Said(issue["description"]), *(Said(row["notes"], not row["private_notes"]) for row in notes)]
        return [Said(unescape(one.body.replace("\r\n", "\n")), one.public) for one in texts]

    async def files(self, ref: Ref) -> list[bytes]:
        found = (await self._issue(ref, "attachments"))["attachments"]
        answers = [await self.agent.client.get(one["content_url"]) for one in found]
        return [answer.content for answer in answers]

    async def says(self, ref: Ref, text: str) -> None:
        await self.agent.updates(ref.id, notes=text)
        await asyncio.sleep(1.1)  # its times are whole seconds

    async def sets(self, ref: Ref, to: Theirs) -> None:
        told = (await self.agent.sees("/issue_statuses.json"))["issue_statuses"]
        numbers = {one["name"]: one["id"] for one in told}
        await self.agent.updates(ref.id, status_id=numbers[self.config.raw_state(to)])

    async def urges(self, ref: Ref, to: Priority) -> None:
        told = (await self.agent.sees("/enumerations/issue_priorities.json"))["issue_priorities"]
        numbers = {one["name"]: one["id"] for one in told}
        await self.agent.updates(ref.id, priority_id=numbers[self.config.priorities[to]])

    async def types_as_us(self, ref: Ref, text: str) -> None:
        await self.us.updates(ref.id, notes=text)

    async def crowds(self, ref: Ref, count: int) -> None:
        await asyncio.sleep(1.1)
        for number in range(count):
            await self.agent.updates(ref.id, notes=str(number))

    async def expires(self) -> None:
        self.key = "0" * 40

    def transport(self) -> httpx.AsyncBaseTransport:
        world = self

        class Bearing(httpx.AsyncHTTPTransport):
            """The network; a key that ran out is one that Redmine does not know."""

            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                if world.key != world.secret:
                    request.headers["X-Redmine-API-Key"] = world.key
                return await super().handle_async_request(request)

        return Bearing()


NO_BODY = "its answer to a note is 204 without a body, so no body is late, cut or unreadable"
EXEMPT = {
    "moved-is-told": "Redmine merges no tickets: a duplicate stays, and is closed",
    "word-in-doubt-charset": NO_BODY,
    "word-in-doubt-drip": NO_BODY,
    "word-in-doubt-truncated": NO_BODY,
}


class TestRedmine(Suite):
    exempt: ClassVar[Mapping[str, str]] = EXEMPT

    @pytest.fixture
    def world(
        self, redmine_peer: Mapping[str, str], redmine_agent: RedmineAgent, redmine_us: RedmineAgent
    ) -> RedmineWorld:
        return RedmineWorld(redmine_peer, redmine_agent, redmine_us)
