"""Muster's own worker against a real Request Tracker: there and back, and killed on the way."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integrations"))
from engine_kit import COORDINATOR, engage_many, killed_at_random, mortal, wait_for

from integrations.vendors import load_vendors, policy_of
from register.desk import ServiceDesk, kinds
from register.incident import Ball, BondState, State
from register.store import Store, open_store, outbox
from register.topics.engagement import Engage, Reply
from register.topics.intake import Log
from register.topics.proposal import Accept, Dispute
from register.verify import verify

pytestmark = [pytest.mark.peers, pytest.mark.timeout(1500)]


@pytest.fixture
def own_store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(str(tmp_path / "register.db"))
    yield store
    store.close()


@pytest.fixture
def desk(own_store: Store, tmp_path: Path, peer: Mapping[str, str]) -> ServiceDesk:
    file = tmp_path / "vendors.toml"
    file.write_text(
        f'[vendor.rt]\nconnector = "rt"\ntitle = "Sample supplier"\nurl = "{peer["RT5_URL"]}"\n'
        f'environment = "test"\nqueue = "{peer["RT5_QUEUE"]}"\nreference_field = "External Reference"\n'
        "poll_seconds = 1\ndeadline_seconds = 25\n"
    )
    return ServiceDesk(own_store, policy_of(load_vendors(file)))


@pytest.fixture
def credentials(tmp_path: Path, peer: Mapping[str, str]) -> dict[str, str]:
    """The token as a systemd credential: no keyring is needed on a headless host."""
    folder = tmp_path / "credentials"
    folder.mkdir(mode=0o700)
    (folder / "muster-rt").write_text(peer["RT5_TOKEN"])
    return {"CREDENTIALS_DIRECTORY": str(folder)}


def _references(peer: Mapping[str, str], op_ids: list[str]) -> dict[str, int]:
    """How many tickets RT itself holds for each operation id, asked with the supplier's own account."""
    headers = {"Authorization": f"token {peer['RT5_AGENT_TOKEN']}"}
    counts = {}
    with httpx.Client(base_url=f"{peer['RT5_URL']}/REST/2.0", headers=headers, timeout=60) as client:
        for op_id in op_ids:
            query = f"Queue = '{peer['RT5_QUEUE']}' AND CF.{{External Reference}} = '{op_id}'"
            counts[op_id] = client.get("/tickets", params={"query": query}).json()["total"]
    return counts


def test_there_and_back(
    desk: ServiceDesk, peer: Mapping[str, str], agent: Any, credentials: dict[str, str], tmp_path: Path
) -> None:
    store = desk.store
    number = desk.do(COORDINATOR, Log(title="Primary database unreachable")).number or ""
    engage = Engage(target=number, vendor="rt", message="500s on /pay since 01:53")
    desk.do(COORDINATOR, engage)

    def bond() -> Any:
        return store.incident(number).bonds[0]

    def seen(kind: str) -> int:
        return kinds(store.timeline(number)).count(kind)

    with mortal(str(store.path), tmp_path, settle=None, env=credentials):
        wait_for(lambda: bond().ref is not None, 40, "the ticket")
        assert _references(peer, [engage.command_id]) == {engage.command_id: 1}
        asyncio.run(_agent(peer, bond().ref.id, {"say": "Failing over db-3 now"}))
        wait_for(lambda: seen("supplier_said") == 1, 20, "the agent's reply")
        wait_for(lambda: bond().raw_state == "open", 20, "RT's own change to open")
        desk.do(COORDINATOR, Reply(target=number, message="Thanks, watching."))
        wait_for(lambda: seen("delivered") == 1, 30, "our reply")
        asyncio.run(_agent(peer, bond().ref.id, {"state": "resolved"}))
        wait_for(lambda: bond().state is BondState.FIXED, 20, "their resolve")
        assert bond().ball is Ball.OURS
        desk.do(COORDINATOR, Dispute(target=number, message="Still 500 on /pay."))
        wait_for(lambda: seen("delivered") == 2, 30, "our dispute")
        assert bond().raw_state == "open"
        asyncio.run(_agent(peer, bond().ref.id, {"state": "resolved"}))
        wait_for(lambda: bond().state is BondState.FIXED, 20, "their resolve again")
        desk.do(COORDINATOR, Accept(target=number))
        wait_for(lambda: bond().state is BondState.ENDED, 30, "our yes")
    assert seen("supplier_said") == 1, "our own reply came back as news"
    assert seen("supplier_updated") == 3, "our own changes of state came back as news"
    assert store.incident(number).state is State.NEW
    assert outbox.unfinished(store) == []
    assert verify(store).faults == []


async def _agent(peer: Mapping[str, str], ticket: str, act: dict[str, str]) -> None:
    headers = {"Authorization": f"token {peer['RT5_AGENT_TOKEN']}"}
    async with httpx.AsyncClient(base_url=f"{peer['RT5_URL']}/REST/2.0", headers=headers, timeout=30) as c:
        if "say" in act:
            body = {"Content": act["say"], "ContentType": "text/plain"}
            answer = await c.post(f"/ticket/{ticket}/correspond", json=body)
        else:
            answer = await c.put(f"/ticket/{ticket}", json={"Status": act["state"]})
        assert answer.is_success, answer.text


def _killed(desk: ServiceDesk, peer: Mapping[str, str], env: dict[str, str], home: Path, count: int) -> int:
    store = desk.store
    made = engage_many(desk, count, "rt")
    kills = killed_at_random(
        str(store.path), home, settle=None, seed=11, seconds=(1.0, 12.0), limit=1300, env=env
    )
    assert _references(peer, [op_id for _, op_id in made]) == {op_id: 1 for _, op_id in made}
    assert "person_needed" not in {kind for number, _ in made for kind in kinds(store.timeline(number))}
    assert verify(store).faults == []
    return kills


def test_a_few_engagements_with_the_worker_killed(
    desk: ServiceDesk, peer: Mapping[str, str], credentials: dict[str, str], tmp_path: Path
) -> None:
    count = int(os.environ.get("MUSTER_KILLED_ENGAGEMENTS", "12"))
    kills = _killed(desk, peer, credentials, tmp_path, count)
    print(f"{count} engagements, {kills} workers killed: {count} tickets at RT, none twice, none missing")
