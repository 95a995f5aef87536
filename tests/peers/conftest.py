"""Real Request Tracker 5, played against with two accounts: ours, and the supplier's person.

The environment says where it is, or the file of KEY=value lines that `MUSTER_PEER_RT5` names: RT5_URL
(without /REST/2.0), RT5_QUEUE, RT5_USER and RT5_TOKEN (our account: creates, replies, comments, modifies,
sees comments), RT5_AGENT_TOKEN (the supplier's person: may also delete), RT5_READER_TOKEN (sees only),
RT5_NORIGHTS_TOKEN, RT5_NEWYORK_TOKEN (like ours, in another time zone). The queue has the free-text custom
fields `External Reference` and `Serial Number`. Nothing is reset: tests make tickets of their own.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from integrations.http import Http
from integrations.rt.config import RtConfig
from integrations.systems.rt import RequestTracker

FIELD = "External Reference"
_FILE = Path(os.environ.get("MUSTER_PEER_RT5", "/var/lib/rt5-peer/credentials.env"))
_START = "`make test-peers` starts one, or name a running one's file in MUSTER_PEER_RT5"


@pytest.fixture(scope="session")
def peer() -> Mapping[str, str]:
    """What is known of the running RT; without one, the test is skipped and says what to do."""
    env = {key: value for key, value in os.environ.items() if key.startswith("RT5_")}
    if "RT5_TOKEN" not in env:
        if not os.access(_FILE, os.R_OK):
            pytest.skip(f"no Request Tracker: {_FILE} cannot be read; {_START}")
        pairs = (line.split("=", 1) for line in _FILE.read_text().splitlines() if "=" in line)
        env = {key: value.strip() for key, value in pairs}
    where = env.get("RT5_URL", "")
    try:
        httpx.get(f"{where}/REST/2.0/rt", timeout=10)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        pytest.skip(f"no Request Tracker: {where!r} does not answer ({type(error).__name__}); {_START}")
    return env


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
