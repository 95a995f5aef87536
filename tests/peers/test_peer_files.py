"""Files of a supplier's on real systems: told with their size and place, fetched whole, ours no news."""

from __future__ import annotations

import base64
import hashlib
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integrations"))
from engine_kit import COORDINATOR, FAST

from integrations.collector import Collector
from integrations.connector import Change, ChangeKind, Fetches
from integrations.courier import Courier
from integrations.errors import Gone, Rejected
from integrations.hand import Hand
from integrations.vendors import connector_for, load_vendors, policy_of
from register.desk import ServiceDesk, kinds
from register.incident import Label
from register.store import Store, files, open_store, outbox
from register.topics.engagement import Engage
from register.topics.fetching import FetchFile
from register.topics.files import Attach as Put
from register.topics.intake import Log
from register.topics.sending_files import SendFile
from register.verify import verify
from tests.peers.conftest import Agent, Desk, RedmineAgent, RedmineDesk
from tests.peers.saying import draft, news, op

pytestmark = [pytest.mark.peers, pytest.mark.timeout(600)]

PAGE = "<p>Grüße: nothing but a page</p>".encode()
LOG = bytes(range(256)) * 2_000
MOST = 25_000_000
THEIRS = {"page ä.html": ("text/html", PAGE), "trace.bin": ("application/octet-stream", LOG)}
LATIN = "Grüße aus Köln\n".encode("latin-1")


async def rt_puts(agent: Agent, ticket: str, theirs: Mapping[str, tuple[str, bytes]]) -> None:
    told = [
        {"FileName": name, "FileType": kind, "FileContent": base64.b64encode(content).decode()}
        for name, (kind, content) in theirs.items()
    ]
    await agent.replies(ticket, "see there", Attachments=told)


async def redmine_puts(agent: RedmineAgent, ticket: str, theirs: Mapping[str, tuple[str, bytes]]) -> None:
    told = []
    for name, (kind, content) in theirs.items():
        headers = {"Content-Type": "application/octet-stream"}
        answer = await agent.client.post(
            "/uploads.json", params={"filename": name}, content=content, headers=headers
        )
        told.append({"token": answer.json()["upload"]["token"], "filename": name, "content_type": kind})
    await agent.updates(ticket, notes="see there", uploads=told)


def files_in(heard: list[Change]) -> dict[str, Change]:
    return {change.body: change for change in heard if change.kind is ChangeKind.FILE}


async def test_files_on_request_tracker(desk: Desk, agent: Agent) -> None:
    rt = desk()
    assert isinstance(rt, Fetches)
    ref = await rt.create(draft(op()))
    start = await rt.changes(None)
    await rt_puts(agent, ref.id, {**THEIRS, "latin.txt": ("text/plain; charset=iso-8859-1", LATIN)})
    heard, _ = await news(rt, start.next, ref)
    assert [change.body for change in heard if change.kind is ChangeKind.COMMENT] == ["see there"]
    told = files_in(heard)
    names = [name for name in told if name.startswith("page")]  # RT 5.0.3 spoils other letters than ASCII
    assert len(told) == 3
    (page, trace) = told[names[0]], told["trace.bin"]
    assert trace.size == len(LOG)
    assert not page.by_our_account
    assert await rt.fetch(ref, page.place, MOST) == PAGE
    assert await rt.fetch(ref, trace.place, MOST) == LOG
    assert await rt.fetch(ref, told["latin.txt"].place, MOST), "as RT keeps it, which may be in UTF-8"
    asked = rt.http.asked
    with pytest.raises(Rejected, match="512,000 bytes, and 511,999 is the most"):
        await rt.fetch(ref, trace.place, len(LOG) - 1)
    assert rt.http.asked == asked + 1, "its size was asked for, and no more"
    with pytest.raises(Gone):
        await rt.fetch(ref, "99999999", MOST)
    with pytest.raises(Rejected):
        await rt.fetch(ref, "1/../2", MOST)
    assert files_in(list((await rt.history(ref)).changes)) == told


async def test_files_on_redmine(redmine_desk: RedmineDesk, redmine_agent: RedmineAgent) -> None:
    redmine = redmine_desk()
    assert isinstance(redmine, Fetches)
    ref = await redmine.create(draft(op()))
    start = await redmine.changes(None)
    await redmine_puts(redmine_agent, ref.id, THEIRS)
    heard, _ = await news(redmine, start.next, ref)
    assert [change.body for change in heard if change.kind is ChangeKind.COMMENT] == ["see there"]
    told = files_in(heard)
    assert {name: change.size for name, change in told.items()} == {
        name: len(content) for name, (_, content) in THEIRS.items()
    }
    for name, (_, content) in THEIRS.items():
        assert await redmine.fetch(ref, told[name].place, MOST) == content
    asked = redmine.http.asked
    with pytest.raises(Rejected, match="512,000 bytes, and 511,999 is the most"):
        await redmine.fetch(ref, told["trace.bin"].place, len(LOG) - 1)
    assert redmine.http.asked == asked + 1, "its size was asked for, and no more"
    with pytest.raises(Gone):
        await redmine.fetch(ref, "99999999", MOST)
    with pytest.raises(Rejected):
        await redmine.fetch(ref, "1/../2", MOST)
    assert files_in(list((await redmine.history(ref)).changes)) == told


def _block(kind: str, peers: Mapping[str, str]) -> tuple[str, str]:
    """The block of a real system, and our credential there."""
    if kind == "rt":
        where, own = (
            peers["RT5_URL"],
            f'queue = "{peers["RT5_QUEUE"]}"\nreference_field = "External Reference"',
        )
        return where + "\n" + own, peers["RT5_TOKEN"]
    field, project = peers["REDMINE_CF_EXTERNAL_REF"], peers["REDMINE_PROJECT"]
    own = f'project = "{project}"\nreference_field = {field}'
    return peers["REDMINE_URL"] + "\n" + own, peers["REDMINE_KEY_CONNECTOR"]


class Peer:
    """The engine against one of them, over a register of its own."""

    def __init__(self, store: Store, home: Path, kind: str, peers: Mapping[str, str]) -> None:
        told, credential = _block(kind, peers)
        where, _, own = told.partition("\n")
        file = home / "vendors.toml"
        file.write_text(
            f'[vendor.peer]\nconnector = "{kind}"\ntitle = "Sample"\nurl = "{where}"\n'
            f'environment = "test"\ndeadline_seconds = 25\n{own}\n'
        )
        known = load_vendors(file)
        self.store, self.desk = store, ServiceDesk(store, policy_of(known))
        self.hand = Hand(self.desk)
        self.connector = connector_for(known["peer"], lambda name: credential)
        self.courier = Courier(self.hand, known["peer"], self.connector, "me", FAST)
        self.collector = Collector(self.hand, known["peer"], self.connector)

    async def sent(self) -> None:
        end = time.monotonic() + 120
        while outbox.unfinished(self.store):
            assert time.monotonic() < end, outbox.unfinished(self.store)
            await self.courier.until_quiet()

    async def close(self) -> None:
        await self.connector.http.aclose()
        self.hand.close()


async def _there_and_back(peer: Peer, puts: Callable[[str], Awaitable[None]]) -> None:
    await peer.collector.poll()
    number = peer.desk.do(COORDINATOR, Log(title="Files")).number or ""
    peer.desk.do(COORDINATOR, Engage(target=number, vendor="peer", message="files there and back"))
    await peer.sent()
    await peer.collector.poll()
    digest = hashlib.sha256(LOG).hexdigest()
    files.put_bytes(peer.store, digest, LOG)
    peer.desk.do(
        COORDINATOR, Put(target=number, name="ours.bin", size=len(LOG), sha256=digest, label=Label.SHAREABLE)
    )
    peer.desk.do(COORDINATOR, SendFile(target=number, file="ours.bin"))
    await peer.sent()
    incident = peer.store.incident(number)
    assert incident is not None
    bond = incident.bonds[0]
    assert bond.ref is not None
    await puts(bond.ref.id)
    end = time.monotonic() + 60
    while "supplier_file" not in kinds(peer.store.timeline(number)):
        assert time.monotonic() < end
        await peer.collector.poll()
    for _ in range(3):
        await peer.collector.poll()
    told: list[Any] = [one.event for one in peer.store.timeline(number) if one.kind == "supplier_file"]
    assert [(one.name, one.size, one.perhaps_ours) for one in told] == [("trace.bin", len(LOG), False)]
    peer.desk.do(COORDINATOR, FetchFile(target=number, file="trace.bin"))
    await peer.sent()
    with peer.store.read() as connection:
        kept = {one.name: one for one in files.files_of(connection, number)}
    assert kept.keys() == {"ours.bin", "trace.bin"}
    assert files.content_of(peer.store, kept["trace.bin"]) == LOG
    assert verify(peer.store).faults == []


async def test_theirs_is_fetched_and_ours_is_no_news_on_request_tracker(
    peer: Mapping[str, str], agent: Agent, tmp_path: Path
) -> None:
    store = open_store(str(tmp_path / "r.db"))
    at = Peer(store, tmp_path, "rt", peer)
    theirs = {"trace.bin": THEIRS["trace.bin"]}
    try:
        await _there_and_back(at, lambda ticket: rt_puts(agent, ticket, theirs))
    finally:
        await at.close()
        store.close()


async def test_theirs_is_fetched_and_ours_is_no_news_on_redmine(
    redmine_peer: Mapping[str, str], redmine_agent: RedmineAgent, tmp_path: Path
) -> None:
    store = open_store(str(tmp_path / "r.db"))
    at = Peer(store, tmp_path, "redmine", redmine_peer)
    theirs = {"trace.bin": THEIRS["trace.bin"]}
    try:
        await _there_and_back(at, lambda ticket: redmine_puts(redmine_agent, ticket, theirs))
    finally:
        await at.close()
        store.close()
