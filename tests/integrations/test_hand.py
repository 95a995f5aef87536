"""What the engine asks for at the same time shares a commit; each asker gets its own answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from integrations.hand import COURIER, Hand
from register.core import Command, Principal, Refused, Role
from register.desk import Receipt, ServiceDesk
from register.topics.delivery import PauseVendor
from register.topics.intake import Log
from register.topics.notes import Note

ANA = Principal("ana", Role.COORDINATOR, "test")


async def test_what_is_asked_together_shares_a_commit(
    desk: ServiceDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    inner = desk.do_all

    def counted(asked: Sequence[tuple[Principal, Command]]) -> list[Receipt]:
        sizes.append(len(asked))
        return inner(asked)

    monkeypatch.setattr(desk, "do_all", counted)
    hand = Hand(desk)
    receipts = await asyncio.gather(*(hand.do(ANA, Log(title=f"Outage {n}")) for n in range(20)))
    assert [receipt.number for receipt in receipts] == [f"INC-{n}" for n in range(1, 21)]
    assert max(sizes) > 1
    assert sum(sizes) == 20
    hand.close()


async def test_one_refusal_is_one_askers(desk: ServiceDesk) -> None:
    hand = Hand(desk)
    asked = [
        hand.do(ANA, Log(title="Outage")),
        hand.do(ANA, Note(target="INC-99", text="nowhere")),
        hand.do(COURIER, PauseVendor(vendor="acme", why="401")),
        hand.do(ANA, Log(title="Another")),
    ]
    first, refused, paused, last = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(refused, Refused)
    assert [one.number for one in (first, last) if isinstance(one, Receipt)] == ["INC-1", "INC-2"]
    assert isinstance(paused, Receipt)
    assert paused.events[0].kind == "vendor_paused"
    hand.close()


async def test_who_gives_up_waiting_takes_nothing_from_the_others(desk: ServiceDesk) -> None:
    hand = Hand(desk)
    impatient = asyncio.create_task(hand.do(ANA, Log(title="Outage")))
    other = asyncio.create_task(hand.do(ANA, Log(title="Another")))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await other).number == "INC-2"
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert desk.store.incident("INC-1") is not None
    hand.close()


async def test_what_nobody_foresaw_of_one_takes_nothing_from_the_others(
    desk: ServiceDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged incident is one asker's trouble: the outcomes of other deliveries are on record."""
    inner = desk._one

    def broken(transaction: Any, principal: Principal, command: Command, said_at: Any = None) -> Receipt:
        if command.given("title") == "Damaged":
            raise KeyError("doc")
        return inner(transaction, principal, command, said_at)

    monkeypatch.setattr(desk, "_one", broken)
    hand = Hand(desk)
    asked = [hand.do(ANA, Log(title=title)) for title in ("Outage", "Damaged", "Another")]
    first, fault, last = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(fault, KeyError)
    assert [one.number for one in (first, last) if isinstance(one, Receipt)] == ["INC-1", "INC-2"]
    hand.close()


async def test_who_asks_when_the_writing_is_over_is_told_and_never_left_waiting(desk: ServiceDesk) -> None:
    """Those who wait behind a commit that is under way, and who ask afterwards."""
    hand, under_way, go_on = Hand(desk), threading.Event(), threading.Event()

    def writes() -> None:
        under_way.set()
        assert go_on.wait(30)

    busy = asyncio.create_task(hand.call(writes))
    assert await asyncio.to_thread(under_way.wait, 30)
    first = asyncio.create_task(hand.do(ANA, Log(title="Outage")))
    while hand._asked or hand._writing is None:  # until it stands behind what is written
        await asyncio.sleep(0)
    behind = asyncio.create_task(hand.do(ANA, Log(title="Another")))
    closing = asyncio.create_task(asyncio.to_thread(hand.close))
    while not hand._thread._shutdown:
        await asyncio.sleep(0.001)
    go_on.set()
    await asyncio.wait_for(asyncio.gather(busy, closing), 30)
    done = await asyncio.wait_for(asyncio.gather(first, behind, return_exceptions=True), 30)
    assert isinstance(done[0], Receipt)
    assert isinstance(done[1], RuntimeError)
    with pytest.raises(RuntimeError):
        await asyncio.wait_for(hand.do(ANA, Log(title="Late")), 30)
