"""Real Request Tracker 5 and real Redmine, each with two accounts: ours, and the supplier's person.

Redmine: REDMINE_URL, REDMINE_PROJECT, REDMINE_CF_EXTERNAL_REF, REDMINE_CF_SITE_CODE and the keys of
connector (ours), agent, reporter (may not edit), outsider (no member) and admin, as REDMINE_KEY_NAME, in the
environment or in the file that `MUSTER_PEER_REDMINE` names.

Request Tracker: RT5_URL (without /REST/2.0), RT5_QUEUE, RT5_USER and RT5_TOKEN (ours: creates, replies,
comments, modifies, sees comments), RT5_AGENT_TOKEN (the supplier's person: may also delete), RT5_READER_TOKEN
(sees only), RT5_NORIGHTS_TOKEN, RT5_NEWYORK_TOKEN (like ours, in another time zone), from the environment or
from the file that `MUSTER_PEER_RT5` names. The queue has the free-text custom fields `External Reference` and
`Serial Number`. Nothing is reset: tests make tickets of their own.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from integrations.http import Http
from integrations.redmine.config import RedmineConfig
from integrations.rt.config import RtConfig
from integrations.systems.redmine import Redmine
from integrations.systems.rt import RequestTracker

FIELD = "External Reference"
_FILE = Path(os.environ.get("MUSTER_PEER_RT5", "/var/lib/rt5-peer/credentials.env"))
_REDMINE = Path(os.environ.get("MUSTER_PEER_REDMINE", "/var/tmp/muster-peers/redmine/env"))
_START = "`make test-peers` starts one, or name a running one's file in"


def _facts(name: str, prefix: str, proof: str, file: Path, variable: str, path: str) -> Mapping[str, str]:
    """What is known of a running system; without one, the test is skipped and says what to do."""
    env = {key: value for key, value in os.environ.items() if key.startswith(prefix)}
    if proof not in env:
        if not os.access(file, os.R_OK):
            pytest.skip(f"no {name}: {file} cannot be read; {_START} {variable}")
        pairs = (line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
        env = {key: value.strip() for key, value in pairs}
    where = env.get(f"{prefix}URL", "")
    try:
        httpx.get(f"{where}{path}", timeout=10)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        pytest.skip(f"no {name}: {where!r} does not answer ({type(error).__name__}); {_START} {variable}")
    return env


@pytest.fixture(scope="session")
def peer() -> Mapping[str, str]:
    """What is known of the running RT."""
    return _facts("Request Tracker", "RT5_", "RT5_TOKEN", _FILE, "MUSTER_PEER_RT5", "/REST/2.0/rt")


@pytest.fixture(scope="session")
def redmine_peer() -> Mapping[str, str]:
    """What is known of the running Redmine."""
    proof = "REDMINE_KEY_CONNECTOR"
    return _facts("Redmine", "REDMINE_", proof, _REDMINE, "MUSTER_PEER_REDMINE", "/issue_statuses.json")


class Agent:
    """The supplier's person, working in RT."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def _ok(self, method: str, path: str, json: Any = None) -> Any:
        answer = await self.client.request(method, path, json=json)
        assert answer.is_success, answer.text
        return answer.json()

    async def replies(self, ticket: str, text: str, kind: str = "text/plain", **more: Any) -> None:
        message = {"Content": text, "ContentType": kind, **more}
        await self._ok("POST", f"/ticket/{ticket}/correspond", message)

    async def comments(self, ticket: str, text: str) -> None:
        await self._ok("POST", f"/ticket/{ticket}/comment", {"Content": text, "ContentType": "text/plain"})

    async def sets(self, ticket: str, **fields: Any) -> None:
        await self._ok("PUT", f"/ticket/{ticket}", fields)

    async def sees(self, path: str) -> Any:
        return await self._ok("GET", path)


@pytest.fixture
async def agent(peer: Mapping[str, str]) -> AsyncIterator[Agent]:
    headers = {"Authorization": f"token {peer['RT5_AGENT_TOKEN']}"}
    base = f"{peer['RT5_URL']}/REST/2.0"
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=30) as client:
        yield Agent(client)


class Desk:
    """Makes connectors, and closes their clients afterwards."""

    def __init__(self, peer: Mapping[str, str]) -> None:
        self.peer = peer
        self.open: list[Http] = []

    def __call__(self, token: str = "RT5_TOKEN", url: str = "", **config: Any) -> RequestTracker:
        made = RtConfig(**({"queue": self.peer["RT5_QUEUE"], "reference_field": FIELD} | config))
        headers = RequestTracker.headers(made, self.peer.get(token, token))
        http = Http((url or self.peer["RT5_URL"]) + RequestTracker.root, headers, name="acme")
        self.open.append(http)
        return RequestTracker(http, made)


@pytest.fixture
async def desk(peer: Mapping[str, str]) -> AsyncIterator[Desk]:
    made = Desk(peer)
    yield made
    for http in made.open:
        await http.aclose()


class RedmineAgent:
    """The supplier's person, working in Redmine; `admin` changes what roles may do."""

    def __init__(self, client: httpx.AsyncClient, admin_key: str) -> None:
        self.client = client
        self.admin_key = admin_key

    async def updates(self, issue: str, **fields: Any) -> None:
        answer = await self.client.put(f"/issues/{issue}.json", json={"issue": fields})
        assert answer.status_code == 204, answer.text

    async def sees(self, path: str) -> Any:
        answer = await self.client.get(path)
        assert answer.is_success, answer.text
        return answer.json()


@pytest.fixture
async def redmine_agent(redmine_peer: Mapping[str, str]) -> AsyncIterator[RedmineAgent]:
    async with _at_redmine(redmine_peer, "AGENT") as agent:
        yield agent


@pytest.fixture
async def redmine_us(redmine_peer: Mapping[str, str]) -> AsyncIterator[RedmineAgent]:
    """A person who works there under the account that is the connector's."""
    async with _at_redmine(redmine_peer, "CONNECTOR") as us:
        yield us


@asynccontextmanager
async def _at_redmine(peer: Mapping[str, str], key: str) -> AsyncIterator[RedmineAgent]:
    headers = {"X-Redmine-API-Key": peer[f"REDMINE_KEY_{key}"]}
    async with httpx.AsyncClient(base_url=peer["REDMINE_URL"], headers=headers, timeout=30) as client:
        yield RedmineAgent(client, peer["REDMINE_KEY_ADMIN"])


class RedmineDesk:
    """Makes connectors, and closes their clients afterwards."""

    def __init__(self, peer: Mapping[str, str]) -> None:
        self.peer = peer
        self.open: list[Http] = []

    def __call__(self, key: str = "CONNECTOR", url: str = "", **config: Any) -> Redmine:
        own = {
            "project": self.peer["REDMINE_PROJECT"],
            "reference_field": int(self.peer["REDMINE_CF_EXTERNAL_REF"]),
        }
        made = RedmineConfig(**(own | config))
        headers = Redmine.headers(made, self.peer.get(f"REDMINE_KEY_{key}", key))
        http = Http(url or self.peer["REDMINE_URL"], headers, name="acme")
        self.open.append(http)
        return Redmine(http, made)


@pytest.fixture
async def redmine_desk(redmine_peer: Mapping[str, str]) -> AsyncIterator[RedmineDesk]:
    made = RedmineDesk(redmine_peer)
    yield made
    for http in made.open:
        await http.aclose()
