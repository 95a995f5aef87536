"""For tests of acknowledging from elsewhere: a page that was sent, and the door that its link leads to."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from page_kit import BEN, MATRIX, engage_urgently

from integrations import door
from integrations.acks.door import AckDoor
from integrations.acks.key import Keys
from integrations.doorway import Doorway
from integrations.hand import Hand
from integrations.page_text import Words
from integrations.pager import Pager
from integrations.receiving import Receiver
from register.core import Policy, Principal
from register.desk import ServiceDesk, kinds
from register.matrix_toml import read_matrix
from register.store import Store
from register.topics.calling import CONFIRM_WITHIN
from register.topics.paging import Tried
from register.watch import tick

KEY = "a key that is known to nobody but the tests"
ANSWERED = """
[pages]
link = "https://muster.example.net"

[pages.replies]
imap = "imaps://mail.example.net"
user = "muster"
"""
TOKEN = re.compile(r"/ack/([a-z2-7]{48})")


@dataclass
class AckStage:
    """A register, its pager and its door, all with the key that signs."""

    desk: ServiceDesk
    clock: Any
    hand: Hand
    env: dict[str, str]
    got: list[tuple[str, str, Words]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    client: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(trust_env=False, timeout=30))
    address: tuple[str, int] = ("", 0)

    @property
    def store(self) -> Store:
        return self.desk.store

    async def page(self, who: Principal = BEN, **more: Any) -> tuple[str, str]:
        """Have somebody paged: (number, token)."""
        number, _ = engage_urgently(self.desk, who, **more)
        tick(self.desk, self.clock.passes(seconds=CONFIRM_WITHIN.total_seconds() + 1))
        await self.send()
        found = TOKEN.search(self.got[-1][2].body)
        return number, found[1] if found else ""

    async def send(self) -> None:
        """Send what is due, into `got`."""
        await Pager(self.hand, self.env, "w1", through=self._through, tell=self.told.append).until_quiet()

    async def _through(
        self, person: str, channel: str, words: Words, seconds: float, env: Mapping[str, str]
    ) -> Tried:
        self.got.append((person, channel, words))
        return Tried(channel=channel, ok=True)

    async def ask(self, method: str, token: str, **more: Any) -> httpx.Response:
        url = f"http://{self.address[0]}:{self.address[1]}/ack/{token}"
        return await self.client.request(method, url, **more)

    def kinds(self, number: str) -> list[str]:
        return kinds(self.store.timeline(number))

    def acknowledged(self, number: str) -> list[tuple[str, str]]:
        """Who acknowledged, by login, and by which door."""
        names = self.store.people()
        told = self.store.timeline(number)
        return [(names[one.actor], one.source) for one in told if one.kind == "acknowledged"]


@asynccontextmanager
async def ack_stage(
    store: Store, policy: Policy, clock: Any, folder: Path, more: str = ANSWERED, first: str = ""
) -> AsyncIterator[AckStage]:
    """An open door on loopback over this register."""
    (folder / "muster-page.key").write_text(KEY)
    env = {"CREDENTIALS_DIRECTORY": str(folder), "MUSTER_KEYRING": "keyring.backends.fail.Keyring"}
    desk = ServiceDesk(store, replace(policy, matrix=read_matrix(first + MATRIX + more)), clock)
    hand = Hand(desk, clock)
    made = AckStage(desk, clock, hand, env)
    receiver = Receiver(hand, env, dict, lambda name: None, made.told.append)
    acks = AckDoor(hand, Keys(env, made.told.append, clock), made.told.append)
    listener = door.listen(("127.0.0.1", 0))
    made.address = listener.getsockname()
    serving = asyncio.create_task(door.serve(listener, Doorway(receiver, acks)))
    try:
        yield made
    finally:
        await made.client.aclose()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        listener.close()
        hand.close()
