"""Both sides do as they like for a while, on bad days too: in the end both know the same, without an echo."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import pytest
from engine_kit import Engine

from integrations.practice.desk import MAY, PRIORITIES, DeskRefused
from integrations.practice.moods import CommitThenDrop, DropBeforeCommit, Meanwhile, MergedAway
from integrations.practice.people import WE
from integrations.practice.server import Practice
from register.core import Command, Refused
from register.incident import Bond, BondState, Impact, Urgency
from register.merging import Owner, Shared
from register.store import outbox
from register.topics.correction import Correct
from register.topics.delivery import RetrySending
from register.topics.differences import Keep, SettleDifference
from register.topics.engagement import Reply
from register.topics.news import SupplierReprioritised, SupplierSaid, SupplierUpdated
from register.topics.proposal import Dispute
from register.topics.relinking import Relink
from register.topics.urging import Reprioritise

SAID: Final = ("comment", "state", "priority", "split")
STATES: Final = tuple(sorted(set(MAY) - {"Closed", "Declined"}))
ASKED: Final = ("reply", "urge", "dispute", "settle", "also")
BAD: Final = (
    CommitThenDrop(on="writes"),
    DropBeforeCommit(on="writes"),
    MergedAway(on="state"),
    MergedAway(on="priority"),
    Meanwhile(comment="meanwhile", on="state"),
    Meanwhile(priority="Low", on="priority"),
)


class Story:
    """One incident with its supplier, and a dice."""

    def __init__(self, engine: Engine, practice: Practice, seed: int) -> None:
        self.engine, self.desk, self.moods = engine, practice.desk, practice.moods
        self.dice = random.Random(seed)
        self.number = ""
        self.said = 0

    @property
    def bond(self) -> Bond:
        incident = self.engine.store.incident(self.number)
        assert incident is not None
        return incident.bonds[0]

    @property
    def ticket(self) -> str:
        assert self.bond.ref is not None
        return self.desk.ticket(self.bond.ref.id).id

    async def play(self, steps: int) -> None:
        await self.engine.collector.poll()
        self.number, _ = self.engine.engaged()
        await self.engine.settle_all()
        await self.engine.collector.poll()
        for _ in range(steps):
            await self.step()
        self.moods.set()
        for _ in range(4):
            await self.rest()

    async def step(self) -> None:
        what = self.dice.choice((*SAID, *SAID, *ASKED, "send", "send", "listen", "listen", "bad day"))
        if what in SAID:
            self.theirs(what)
        elif what in ASKED:
            self.ours(what)
        elif what == "send":
            await self.send()
        elif what == "listen":
            await self.engine.collector.poll()
        else:
            self.moods.set(self.dice.choice(BAD))

    async def rest(self) -> None:
        """Both sides come to rest; a person sees to what waits for one."""
        await self.send()
        for row in outbox.unfinished(self.engine.store):
            if not any(one.row_id == row.row_id for one in self.bond.differences):
                self.engine.do(RetrySending(row_id=row.row_id))
        self.ours("settle")
        await self.send()
        await self.engine.collector.poll()

    async def send(self) -> None:
        """Send until nothing moves by itself any more; what is dead holds up what is behind it."""
        end = time.monotonic() + 30
        while any(row.state != "dead" for row in outbox.unfinished(self.engine.store)):
            await self.engine.courier.until_quiet()
            if any(row.state == "dead" for row in outbox.unfinished(self.engine.store)):
                return
            assert time.monotonic() < end, outbox.unfinished(self.engine.store)
            await asyncio.sleep(0.02)

    def theirs(self, what: str) -> None:
        self.said += 1
        do: Mapping[str, Callable[[], object]] = {
            "comment": lambda: self.desk.comment(self.ticket, "Lena", f"word {self.said}"),
            "state": lambda: self.desk.set_state(self.ticket, "Lena", self.dice.choice(STATES)),
            "priority": lambda: self.desk.set_priority(self.ticket, "Lena", self.dice.choice(PRIORITIES)),
            "split": lambda: self.desk.split(self.ticket, "Lena", "a part of it"),
        }
        with contextlib.suppress(DeskRefused):  # from where it is, their desk lets it not go there
            do[what]()

    def ours(self, what: str) -> None:
        number, keep = self.number, self.dice.choice(list(Keep))
        ways = [self.dice.choice(list(kind)) for kind in (Impact, Urgency)]
        links = self.bond.links
        do: Mapping[str, tuple[Command, ...]] = {
            "reply": (Reply(target=number, message="a word of ours"),),
            "urge": (
                Correct(target=number, reason="so it is", impact=ways[0], urgency=ways[1]),
                Reprioritise(target=number),
            ),
            "dispute": (Dispute(target=number, message="not so"),),
            "settle": tuple(
                SettleDifference(target=number, keep=keep, what=one.field) for one in self.bond.differences
            ),
            "also": tuple(Relink(target=number, ticket=one.ref.key, also=True) for one in links[:1]),
        }
        for command in do[what]:
            with contextlib.suppress(Refused):  # there is nothing to it just now
                self.engine.do(command)


@pytest.mark.parametrize(
    ("seed", "owner"),
    [(3, Owner.THEIRS), (17, Owner.OURS), (17, Owner.CONFLICT), (19, Owner.OURS), (66, Owner.CONFLICT)],
)
async def test_in_the_end_both_know_the_same(
    engine: Engine, practice: Practice, owner: Owner, seed: int
) -> None:
    owned = {Shared.STATE: owner, Shared.PRIORITY: owner}
    policy = engine.desk.policy
    engine.desk.policy = replace(
        policy, vendors={"practice": replace(policy.vendors["practice"], owner=owned)}
    )
    engine.courier._vendor = engine.vendor.model_copy(update={"owner": owned})
    story = Story(engine, practice, seed)
    await story.play(40)
    bond, ticket = story.bond, practice.desk.ticket(story.ticket)
    assert (bond.dead, bond.doubtful, bond.differences, outbox.unfinished(engine.store)) == (
        False,
        False,
        (),
        [],
    )
    assert bond.raw_state in (ticket.state, "")
    assert (bond.state is BondState.FIXED) == (ticket.state == "Fixed")
    words = engine.vendor.config.priorities  # type: ignore[attr-defined]
    assert (bond.their_priority or words[bond.told_priority]) == ticket.priority
    people = engine.store.people()
    events = [one.event for one in engine.store.timeline(story.number)]
    decided = [e for e in events if isinstance(e, SupplierUpdated | SupplierReprioritised)]
    assert WE not in {people[event.author] for event in decided}, "no echo"
    told = [event.body for event in events if isinstance(event, SupplierSaid) and event.of is None]
    ids = {ref.id for ref in (bond.ref, *bond.former) if ref is not None}
    theirs = [
        c.body
        for c in practice.desk.changes
        if c.kind == "comment" and c.author == "Lena" and c.ticket in ids
    ]
    assert sorted(told) == sorted(theirs), "each once"
