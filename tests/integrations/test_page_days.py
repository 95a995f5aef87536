"""Bad days of a step's pages, on the whole way: the tick, the outbox, the pager, and back into the run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tenacity import wait_fixed

from integrations import secrets
from integrations.hand import Hand
from integrations.page_text import Words
from integrations.pager import Pager, Patience
from integrations.paging import send
from register.desk import ServiceDesk
from register.incident import PageState
from register.store import RegisterAway, Store, pages
from register.topics.ownership import Acknowledge
from register.topics.paging import Tried
from register.verify import verify
from register.watch import tick
from tests.register.escalating import MATRIX, PEOPLE, escalating, fired, run_of, urgent
from tests.register.saying import ANA

SOON = Patience(channel=5, whole=10, margin=1, retry=wait_fixed(10))
BOTH = pytest.mark.parametrize("database", ["sqlite", "postgresql"])
REMINDED = MATRIX.replace('to = ["person:ana"]\nwait = "5m"', 'to = ["person:ana"]\nwait = "5m"\nremind = 2')


@pytest.fixture
def database() -> str:
    """What is decided is the same on both; what is asked of them runs on both where it says so."""
    return "sqlite"


@dataclass
class Day:
    """One day: a desk, its clock, a pager, and whom it reached. dead: people, or `person.channel`s."""

    desk: ServiceDesk
    clock: Any
    hand: Hand
    pager: Pager = field(init=False)
    dead: set[str] = field(default_factory=set)
    got: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    def __post_init__(self) -> None:
        self.pager = Pager(self.hand, {}, "w1", patience=SOON, through=self.through)

    async def through(
        self, person: str, channel: str, words: Words, seconds: float, env: Mapping[str, str]
    ) -> Tried:
        slot = f"{person}.{channel}"
        self.asked.append(slot)
        self.meanwhile()
        if self.dead & {person, slot, "all"}:
            return Tried(channel=channel, ok=False, why="nothing takes connections at its address")
        self.got.append(slot)
        return Tried(channel=channel, ok=True)

    async def after(self, **passed: float) -> None:
        """Let that much time pass; then what a worker does: tick, page, and tick for what came of it."""
        self.clock.passes(**passed)
        for _ in range(3):
            tick(self.desk, self.clock.now)
            await self.pager.until_quiet()

    def told(self, number: str) -> dict[str, tuple[PageState | None, str]]:
        logins = self.desk.store.logins()
        return {logins[one.person]: (one.state, one.by) for one in run_of(self.desk, number).told}

    def kinds(self, number: str) -> list[str]:
        return [one.kind for one in self.desk.store.timeline(number)]


@pytest.fixture
def matrix() -> str:
    return MATRIX


@pytest.fixture
def day(store: Store, matrix: str) -> Iterator[Day]:
    desk, clock = escalating(store, matrix)
    hand = Hand(desk, lambda: clock.now)
    yield Day(desk, clock, hand)
    assert verify(store).faults == []
    hand.close()


def _reach(key: str, reach: str) -> str:
    """The matrix where somebody is reached by something else."""
    table = next(part for part in PEOPLE.split("[people.") if part.startswith(key))
    return MATRIX.replace(table, table.replace('reach = ["sms"]\n', reach))


@BOTH
async def test_a_step_pages_each_and_the_run_knows_by_what(day: Day) -> None:
    number = urgent(day.desk)
    await day.after(seconds=1)
    assert day.told(number) == {"ana": (PageState.DELIVERED, "sms")}
    await day.after(minutes=5)
    assert sorted(day.got) == ["ana.sms", "ben.sms", "carl.sms"]


@pytest.mark.parametrize("matrix", [_reach("ana", 'reach = ["sms", "mail"]\n')], ids=["two"])
async def test_a_dead_channel_has_the_next_one_tried(day: Day) -> None:
    day.dead.add("ana.sms")
    number = urgent(day.desk)
    await day.after(seconds=1)
    assert day.told(number) == {"ana": (PageState.DELIVERED, "mail")}
    assert fired(day.desk, number) == [(0, "step", "ana")]


@pytest.mark.parametrize("matrix", [_reach("ana", "")], ids=["none"])
async def test_a_person_without_an_address_is_told_of_and_the_next_step_does_not_wait(day: Day) -> None:
    number = urgent(day.desk)
    await day.after(seconds=1)
    assert [told for _, _, told in fired(day.desk, number)] == ["ana", "ben carl"]
    (failed,) = [one.event for one in day.desk.store.timeline(number) if one.kind == "notify_failed"]
    assert "matrix.toml has nothing that Ana Sample can be reached by: give them a `reach`" in str(failed)
    assert sorted(day.got) == ["ben.sms", "carl.sms"]


async def test_an_address_that_is_in_no_keyring_is_told_with_the_command_that_stores_it(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "look", lambda name, env: None)
    day.pager = Pager(day.hand, {}, "w1", patience=SOON, through=send)
    number = urgent(day.desk)
    await day.after(seconds=1)
    state, why = day.told(number)["ana"]
    assert state is PageState.FAILED
    assert "its address is not stored where Muster serves: `muster page login ana sms`" in why
    await day.after(minutes=5)
    assert [told for _, _, told in fired(day.desk, number)] == ["ana", "ben carl"]


async def test_all_channels_dead_goes_through_all_steps_and_says_of_each_that_nobody_was_reached(
    day: Day,
) -> None:
    day.dead.add("all")
    number = urgent(day.desk)
    await day.after(seconds=1)
    assert day.told(number)["ana"][0] is PageState.FAILED
    for _ in range(200):
        await day.after(seconds=30)
    kinds = day.kinds(number)
    assert "escalation_exhausted" in kinds
    assert kinds.count("escalated_hierarchical") == 2  # ben, who leads them, and eva above
    assert day.got == []
    assert {row.state for row in pages.unfinished(day.desk.store)} == {"dead"}
    assert len(fired(day.desk, number)) == 4  # two steps, twice: never one more for a page that failed


@pytest.mark.parametrize("matrix", [MATRIX, REMINDED], ids=["the next step", "the same person again"])
@pytest.mark.parametrize("first", ["tick", "pager"])
async def test_after_an_hour_without_a_worker_what_is_late_is_said_and_one_step_pages(
    day: Day, first: str
) -> None:
    number = urgent(day.desk)
    tick(day.desk, day.clock.now)
    day.clock.passes(hours=1)
    if first == "pager":
        await day.pager.until_quiet()
    await day.after()
    late = [one.event for one in day.desk.store.timeline(number) if one.kind == "notify_failed"]
    assert ["for no worker was there" in str(one) for one in late] == [True]
    steps = fired(day.desk, number)
    assert [minutes for minutes, _, _ in steps] == [0, 60]
    assert len(day.got) == len(steps[-1][2].split())
    assert all(state is PageState.DELIVERED for state, _ in day.told(number).values())
    await day.after(minutes=4)
    assert len(fired(day.desk, number)) == 2


@pytest.mark.parametrize("matrix", [REMINDED], ids=["reminded"])
async def test_when_a_channel_is_back_only_the_newest_of_somebodys_pages_comes(day: Day) -> None:
    day.dead.add("ana")
    number = urgent(day.desk)
    for _ in range(12):
        await day.after(minutes=1)
    assert [why for _, why, _ in fired(day.desk, number)] == ["step", "reminder", "reminder"]
    day.dead.clear()
    await day.after(minutes=1)
    assert day.got == ["ana.sms"]
    ended = [one.event.because for one in day.desk.store.timeline(number) if one.kind == "page_cancelled"]
    assert ended == ["they are told again by now"] * 2
    assert day.told(number) == {"ana": (PageState.DELIVERED, "sms")}


async def test_a_page_that_expires_while_a_later_one_arrived_hurries_nobody(day: Day) -> None:
    """The first loop's page of somebody is not the second one's."""
    day.dead.add("ana")
    number = urgent(day.desk)
    await day.after(seconds=1)
    for _ in range(14):
        await day.after(minutes=1)
    assert [told for _, _, told in fired(day.desk, number)] == ["ana", "ben carl"]
    day.dead.clear()
    await day.after(minutes=1)
    assert [told for _, _, told in fired(day.desk, number)] == ["ana", "ben carl", "ana"]
    assert day.told(number) == {"ana": (PageState.DELIVERED, "sms")}
    for _ in range(4):
        await day.after(minutes=1)
    assert len(fired(day.desk, number)) == 3


async def test_whoever_acknowledges_meanwhile_is_not_paged_by_the_next_channel(day: Day) -> None:
    day.dead.add("ana.sms")
    number = urgent(day.desk)
    day.meanwhile = lambda: day.desk.do(ANA, Acknowledge(target=number))
    await day.after(seconds=1)
    assert day.kinds(number)[-1] != "notified"
    await day.after(minutes=1)
    assert day.asked == ["ana.sms"]
    assert day.kinds(number)[-1] == "page_cancelled"


@BOTH
async def test_the_database_away_in_the_middle_loses_nothing_and_pages_nobody_twice(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    do, away = day.hand.do, [RegisterAway("The database is away.")] * 3

    async def flaky(*about: Any) -> Any:
        if away:
            raise away.pop()
        return await do(*about)

    monkeypatch.setattr(day.hand, "do", flaky)
    day.pager = Pager(day.hand, {}, "w1", patience=replace(SOON, again=0.01), through=day.through)
    number = urgent(day.desk)
    await day.after(seconds=1)
    assert away == []
    assert day.got == ["ana.sms"]
    assert day.told(number) == {"ana": (PageState.DELIVERED, "sms")}


@pytest.mark.parametrize(
    "matrix", [f'{MATRIX}[services]\nNet = ""\n[[ownership]]\nservice = "Net"\nteam = "nets"\n']
)
async def test_a_flood_for_one_keeps_nobody_else_waiting(day: Day) -> None:
    """500 of one person's in a minute, by a gateway that hangs: others' are there at once."""
    go, open_ = asyncio.Event(), 0

    async def gateway(person: str, *about: Any) -> Tried:
        nonlocal open_
        if person == "ana":
            open_ += 1
            assert open_ <= SOON.each
            await go.wait()
            open_ -= 1
        day.got.append(person)
        return Tried(channel="sms", ok=True)

    pager = Pager(day.hand, {}, "w1", patience=replace(SOON, whole=600), through=gateway)
    numbers = [urgent(day.desk) for _ in range(500)]
    tick(day.desk, day.clock.now)
    assert len(pages.unfinished(day.desk.store)) == 500
    await pager.step()
    late = urgent(day.desk, service="Net")
    tick(day.desk, day.clock.now)
    async with asyncio.timeout(60):
        while len(day.got) < 2:
            await pager.step()
            await asyncio.sleep(0.01)
    assert sorted(day.got) == ["carl", "dora"]
    assert len(run_of(day.desk, late).told) == 2
    go.set()
    await pager.until_quiet()
    assert day.got.count("ana") == 500
    assert {run_of(day.desk, number).told[0].state for number in numbers} == {PageState.DELIVERED}
