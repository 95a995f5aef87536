"""What comes in at the one door, and whose it is: webhooks, and whoever follows a page's link."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from starlette.types import Receive, Scope, Send

from integrations.acks.door import AckDoor
from integrations.acks.key import Keys
from integrations.acks.offer import PATH
from integrations.door import keep_open
from integrations.hand import Hand
from integrations.receiving import Receiver
from integrations.vendor import Vendor
from register.desk import ServiceDesk


class Doorway:
    """The app behind the door: to each what is theirs."""

    def __init__(self, receiver: Receiver, acks: AckDoor) -> None:
        self._receiver = receiver
        self._acks = acks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PATH):
            await self._acks(scope, receive, send)
        else:
            await self._receiver(scope, receive, send)


async def keep_taken_in(
    address: tuple[str, int],
    desk: ServiceDesk,
    env: Mapping[str, str],
    known: Callable[[], Mapping[str, Vendor]],
    rung: Callable[[str], object],
    tell: Callable[[str], object],
) -> None:
    """Have the door open, with a thread of its own to the register: couriers must not wait for it."""
    hand = Hand(desk)
    receiver = Receiver(hand, env, known, rung, tell)
    app = Doorway(receiver, AckDoor(hand, Keys(env, tell), tell))
    try:
        await receiver.read_secrets()
        async with asyncio.TaskGroup() as both:
            both.create_task(receiver.keep_secrets())
            both.create_task(keep_open(address, app, tell))
    finally:
        await receiver.settle()
        hand.close()
