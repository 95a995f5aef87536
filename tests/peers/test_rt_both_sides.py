"""Both sides at one ticket, on a real Request Tracker: its versions, its links, and a person between them."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integrations"))
from engine_kit import COORDINATOR, FAST

from integrations.collector import Collector
from integrations.connector import ChangeKind, Reprioritise
from integrations.courier import Courier
from integrations.hand import Hand
from integrations.vendors import connector_for, load_vendors, policy_of
from register.core import Command, Refused
from register.desk import ServiceDesk, kinds
from register.incident import Bond, BondState, Impact, Priority, Urgency
from register.store import open_store, outbox
from register.topics.correction import Correct
from register.topics.differences import Keep, SettleDifference
from register.topics.engagement import Engage
from register.topics.intake import Log
from register.topics.news import SupplierSaid
from register.topics.proposal import Accept, Dispute
from register.topics.relinking import Relink
from register.topics.urging import Reprioritise as Urge
from register.verify import verify
from tests.peers.conftest import Agent, Desk
from tests.peers.saying import draft, news, op

pytestmark = [pytest.mark.peers, pytest.mark.timeout(600)]


@dataclass
class Both:
    """Our engine and the supplier's person, at one ticket."""

    desk: ServiceDesk
    courier: Courier
    collector: Collector
    connector: Any
    agent: Agent
    number: str = ""

    def do(self, command: Command) -> None:
        self.desk.do(COORDINATOR, command)

    @property
    def bond(self) -> Bond:
        incident = self.desk.store.incident(self.number)
        assert incident is not None
        return incident.bonds[0]

    @property
    def ticket(self) -> str:
        assert self.bond.ref is not None
        return self.bond.ref.id

    @property
    def kinds(self) -> list[str]:
        return kinds(self.desk.store.timeline(self.number))

    async def round(self) -> None:
        """Send what is due, and listen."""
        await self.courier.until_quiet()
        await self.collector.poll()

    async def until_sent(self) -> None:
        while any(row.state != "dead" for row in outbox.unfinished(self.desk.store)):
            await self.courier.until_quiet()

    async def state(self) -> str:
        return str((await self.agent.sees(f"/ticket/{self.ticket}"))["Status"])


@pytest.fixture
async def both(tmp_path: Path, peer: Mapping[str, str], agent: Agent) -> AsyncIterator[Both]:
    file = tmp_path / "vendors.toml"
    file.write_text(
        f'[vendor.rt]\nconnector = "rt"\ntitle = "Sample supplier"\nurl = "{peer["RT5_URL"]}"\n'
        f'environment = "test"\nqueue = "{peer["RT5_QUEUE"]}"\nreference_field = "External Reference"\n'
        'deadline_seconds = 60\n\n[vendor.rt.owner]\nstate = "conflict"\n'
    )
    store = open_store(str(tmp_path / "register.db"))
    known = load_vendors(file)
    vendor = known["rt"]
    hand = Hand(ServiceDesk(store, policy_of(known)))
    connector = connector_for(vendor, lambda name: peer["RT5_TOKEN"])
    courier = Courier(hand, vendor, connector, "me", FAST)
    made = Both(hand.desk, courier, Collector(hand, vendor, connector), connector, agent)
    await made.collector.poll()
    made.number = made.desk.do(COORDINATOR, Log(title="Primary database unreachable")).number or ""
    made.do(Engage(target=made.number, vendor="rt", message="500s on /pay since 01:53"))
    await made.until_sent()
    await made.round()
    yield made
    assert verify(store).faults == []
    await connector.http.aclose()
    hand.close()
    store.close()


async def test_what_they_do_between_our_look_and_our_word_is_seen(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RT answers 412, the ticket is looked at again, and the state alone decides: it is as we saw it."""
    await both.agent.sets(both.ticket, Status="resolved")
    await both.round()
    assert both.bond.state is BondState.FIXED
    assert both.bond.version is not None
    asked, between = both.connector.apply, [2]

    async def apply(ref: Any, update: Any, version: str | None = None) -> Any:
        if between[0]:
            between[0] -= 1
            await both.agent.comments(ref.id, f"a note of ours to ourselves {between[0]}")
        return await asked(ref, update, version)

    monkeypatch.setattr(both.connector, "apply", apply)
    both.do(Dispute(target=both.number, message="Still 500 on /pay."))
    await both.until_sent()
    assert between == [0]
    assert await both.state() == "open"
    assert both.kinds[-1] == "delivered"
    before = both.kinds.count("supplier_updated")
    await both.round()
    await both.round()
    assert both.kinds.count("supplier_updated") == before, "our own state came back as news"


@pytest.mark.parametrize("keep", list(Keep))
async def test_a_state_that_both_changed_waits_for_a_person(both: Both, keep: Keep) -> None:
    await both.agent.sets(both.ticket, Status="resolved")
    await both.round()
    await both.agent.sets(both.ticket, Status="open")
    both.do(Accept(target=both.number))
    await both.courier.until_quiet()
    (one,) = both.bond.differences
    assert (one.ours, one.theirs) == ("closed", "open")
    assert await both.state() == "open", "nothing was written"
    both.do(SettleDifference(target=both.number, keep=keep))
    await both.until_sent()
    await both.round()
    ours = keep is Keep.OURS
    assert await both.state() == ("resolved" if ours else "open")
    assert both.bond.state is (BondState.ENDED if ours else BondState.OPEN)
    assert both.bond.differences == ()


async def test_their_priority_is_heard_and_ours_comes_back_as_no_news(both: Both) -> None:
    both.do(Correct(target=both.number, reason="worse", impact=Impact.HIGH, urgency=Urgency.HIGH))
    both.do(Urge(target=both.number))
    await both.until_sent()
    await both.round()
    assert "supplier_reprioritised" not in both.kinds
    await both.agent.sets(both.ticket, Priority=25)
    await both.round()
    await both.round()
    assert both.kinds.count("supplier_reprioritised") == 1
    assert (both.bond.told_priority, both.bond.their_priority) == (Priority.CRITICAL, "25")
    both.do(Urge(target=both.number))
    await both.until_sent()
    await both.round()
    assert both.kinds.count("supplier_reprioritised") == 1
    assert (both.bond.told_priority, both.bond.their_priority) == (Priority.CRITICAL, "")


async def test_a_part_of_it_in_another_ticket_is_proposed_and_then_heard(both: Both, desk: Desk) -> None:
    part = await desk("RT5_AGENT_TOKEN").create(draft(op(), "the network's part"))
    await both.agent.sets(part.id, AddMemberOf=int(both.ticket))
    await both.agent.replies(part.id, "we look at the switch")
    await both.round()
    assert [(one.ref.key, one.how) for one in both.bond.links] == [(part.key, "has the part")]
    both.do(Relink(target=both.number, ticket=part.key, also=True))
    for _ in range(2):
        await both.round()
    said = [e.event for e in both.desk.store.timeline(both.number) if isinstance(e.event, SupplierSaid)]
    assert [(one.body, one.of and one.of.key) for one in said][-1] == ("we look at the switch", part.key)
    await both.agent.sets(both.ticket, Status="resolved")
    await both.round()
    with pytest.raises(Refused, match="still"):
        both.do(Accept(target=both.number))
    await both.agent.sets(part.id, Status="resolved")
    await both.round()
    both.do(Accept(target=both.number))
    assert [one.over for one in both.bond.further] == [True]


async def test_the_connector_tells_links_and_priorities(desk: Desk, agent: Agent) -> None:
    rt = desk()
    ref, other = await rt.create(draft(op())), await rt.create(draft(op()))
    start = await rt.changes(None)
    await agent.sets(ref.id, AddRefersTo=[int(other.id), "https://example.com/wiki"])
    await agent.sets(ref.id, Priority=25)
    done = await rt.apply(ref, Reprioritise(op(), Priority.CRITICAL))
    heard, _ = await news(rt, start.next, ref)
    links = [(one.link, one.body) for one in heard if one.kind is ChangeKind.LINK]
    assert links == [(other, "refers to")]
    told = [(one.raw_priority, one.priorities) for one in heard if one.kind is ChangeKind.PRIORITY]
    assert told == [("25", (Priority.LOW,)), ("100", (Priority.CRITICAL,))]
    assert done.change_ids == tuple(one.change_id for one in heard if one.by_our_account)
    assert done.ticket is not None
    assert done.ticket.priorities == (Priority.CRITICAL,)
