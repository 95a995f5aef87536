"""The pager: looked at once more, channel by channel, in time or not at all; told in the incident."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from page_kit import BEN, MATRIX, Arrivals, arrivals, engage_urgently
from tenacity import wait_fixed

from integrations import paging, secrets
from integrations.hand import COURIER, Hand
from integrations.page_text import Words
from integrations.pager import Pager, Patience
from integrations.persons import person_of
from register.core import Policy, Principal, Role
from register.desk import ServiceDesk, kinds
from register.incident import Impact, PageState, TicketRef, Urgency
from register.matrix_toml import read_matrix
from register.rebuild import rebuild
from register.row import number_of
from register.store import RegisterAway, Store, pages
from register.store import tables as t
from register.topics.calling import CONFIRM_WITHIN, PAGED_WITHIN
from register.topics.delivery import ConfirmSending
from register.topics.paging import Tried
from register.topics.sight import Restrict
from register.topics.withdrawal import Withdraw
from register.verify import verify
from register.watch import tick

EVA = Principal("eva", Role.COORDINATOR, "test")
CAT = Principal("cat", Role.COORDINATOR, "test")
SOON = Patience(channel=5, whole=10, margin=1, retry=wait_fixed(10))


BOTH = pytest.mark.parametrize("database", ["sqlite", "postgresql"])


@pytest.fixture
def database() -> str:
    """What the pager decides is the same on both; what it asks of them runs on both."""
    return "sqlite"


@dataclass
class Channels:
    """What pages are sent through. broken: why a person's channel takes none, by `person.channel`."""

    broken: dict[str, str] = field(default_factory=dict)
    got: list[tuple[str, str, Words]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    hang: asyncio.Event | None = None
    hung: str = ""  # the person whose channels hang
    meanwhile: Callable[[], object] = lambda: None

    async def through(
        self, person: str, channel: str, words: Words, seconds: float, env: Mapping[str, str]
    ) -> Tried:
        self.asked.append(f"{person}.{channel}")
        if self.hang is not None and person == self.hung:
            await self.hang.wait()
        why = self.broken.get(f"{person}.{channel}", "")
        if not why:
            self.got.append((person, channel, words))
        await asyncio.to_thread(self.meanwhile)
        return Tried(channel=channel, ok=not why, why=why)


@dataclass
class Stage:
    """A register on which somebody is to be paged, its pager, and what that sends through."""

    desk: ServiceDesk
    pager: Pager
    channels: Channels
    clock: Any
    hand: Hand

    def due(self, who: Principal = BEN, **more: Any) -> tuple[str, str]:
        """A P1 that the supplier has not confirmed in time: (number, the sending to them)."""
        number, row = engage_urgently(self.desk, who, **more)
        tick(self.desk, self.clock.passes(seconds=CONFIRM_WITHIN.total_seconds() + 1))
        return number, row

    def kinds(self, number: str) -> list[str]:
        return kinds(self.desk.store.timeline(number))

    def card(self, number: str) -> PageState | None:
        incident = self.desk.store.incident(number)
        assert incident is not None
        call = incident.bonds[0].call
        return None if call is None else call.page

    def rows(self) -> list[tuple[str, str]]:
        return [(row.state, row.why) for row in pages.unfinished(self.desk.store)]


@pytest.fixture
def stage(store: Store, policy: Policy, clock: Any) -> Iterator[Stage]:
    facts = {"acme": replace(policy.vendors["acme"], phone="+47 22 00 00 00")}
    desk = ServiceDesk(store, replace(policy, vendors=facts, matrix=read_matrix(MATRIX)), clock)
    hand, channels = Hand(desk, clock), Channels()
    pager = Pager(hand, {}, "w1", patience=SOON, through=channels.through)
    yield Stage(desk, pager, channels, clock, hand)
    assert verify(store).faults == []
    hand.close()


@BOTH
async def test_the_engager_of_a_p1_that_nobody_confirms_is_told_whom_to_call(stage: Stage) -> None:
    number, _ = stage.due()
    await stage.pager.until_quiet()
    ((person, channel, words),) = stage.channels.got
    assert (person, channel) == ("ben", "sms")
    assert words.title == f"{number} P1: call Acme (sample)"
    assert "no ticket of theirs is confirmed since Mon 10:00 CET" in words.body  # theirs is Oslo
    assert "+47 22 00 00 00" in words.body
    assert "Checkout answers 500" in words.body
    assert f"muster call {number} WHO --vendor acme" in words.body
    assert stage.rows() == []
    assert stage.kinds(number)[-2:] == ["call_due", "notified"]
    assert stage.card(number) is PageState.DELIVERED
    assert not await stage.pager.step()


async def test_the_next_channel_is_tried_when_one_fails(stage: Stage) -> None:
    stage.channels.broken["ben.sms"] = "the service answered 503"
    number, _ = stage.due()
    await stage.pager.until_quiet()
    assert stage.channels.asked == ["ben.sms", "ben.mail"]
    (told,) = [one.event for one in stage.desk.store.timeline(number) if one.kind == "notified"]
    assert [(one.channel, one.ok) for one in told.tried] == [("sms", False), ("mail", True)]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("confirmed", "acme has answered, or was called"),
        ("off", "acme is not engaged any more"),
    ],
)
async def test_what_is_over_when_it_is_to_be_sent_is_not_sent(stage: Stage, how: str, why: str) -> None:
    number, row = stage.due()
    if how == "confirmed":
        stage.desk.do(COURIER, ConfirmSending(row_id=row, ref=TicketRef(id="7", key="ACM-7")))
    else:
        stage.desk.do(BEN, Withdraw(target=number, reason="found it"))
    await stage.pager.until_quiet()
    assert stage.channels.asked == []
    last = stage.desk.store.timeline(number)[-1]
    assert (last.kind, last.event.because) == ("page_cancelled", why)  # type: ignore[union-attr]


async def test_what_ends_between_two_channels_is_not_sent_by_the_second(stage: Stage) -> None:
    number, row = stage.due()
    stage.channels.broken["ben.sms"] = "no"
    arrived = ConfirmSending(row_id=row, ref=TicketRef(id="7", key="ACM-7"))
    stage.channels.meanwhile = lambda: stage.desk.do(COURIER, arrived)
    await stage.pager.until_quiet()
    assert stage.channels.asked == ["ben.sms"]
    assert stage.kinds(number)[-1] == "page_cancelled"


@BOTH
async def test_nobody_reached_is_told_once_tried_again_and_never_late(stage: Stage) -> None:
    stage.channels.broken |= {"ben.sms": "no", "ben.mail": "no"}
    number, _ = stage.due()
    await stage.pager.until_quiet()
    assert stage.rows() == [("waiting", "sms: no; mail: no")]
    assert stage.card(number) is PageState.FAILED
    for _ in range(3):
        stage.clock.passes(seconds=11)
        await stage.pager.until_quiet()
    assert len(stage.channels.asked) == 8
    assert stage.kinds(number).count("notify_failed") == 1  # the same again is no news
    stage.channels.broken.clear()
    stage.clock.passes(seconds=PAGED_WITHIN.total_seconds())
    await stage.pager.until_quiet()
    assert len(stage.channels.asked) == 8
    ((state, why),) = stage.rows()
    assert state == "dead"
    assert why.startswith("nobody was reached until Mon 10:32 CET; last sms: no; mail: no")
    assert stage.kinds(number).count("notify_failed") == 2
    assert stage.card(number) is PageState.FAILED


async def test_a_channel_that_is_back_reaches_them(stage: Stage) -> None:
    stage.channels.broken |= {"ben.sms": "no", "ben.mail": "no"}
    number, _ = stage.due()
    await stage.pager.until_quiet()
    stage.channels.broken.clear()
    stage.clock.passes(seconds=11)
    await stage.pager.until_quiet()
    assert stage.kinds(number)[-2:] == ["notify_failed", "notified"]
    assert stage.card(number) is PageState.DELIVERED


async def test_a_page_that_no_worker_was_there_for_is_told_and_not_sent(stage: Stage) -> None:
    number, _ = stage.due()
    stage.clock.passes(hours=3)
    await stage.pager.until_quiet()
    assert stage.channels.asked == []
    ((state, why),) = stage.rows()
    assert (state, why) == ("dead", "nobody was reached until Mon 10:32 CET, for no worker was there")
    assert stage.kinds(number)[-1] == "notify_failed"


async def test_who_has_no_channel_is_told_of_at_once(stage: Stage) -> None:
    number, _ = stage.due(CAT)
    await stage.pager.until_quiet()
    ((state, why),) = stage.rows()
    assert state == "dead"
    assert "matrix.toml has nothing that Cat Sample can be reached by" in why
    assert stage.card(number) is PageState.FAILED


async def test_who_was_erased_is_not_paged(stage: Stage) -> None:
    from register.topics.erasure import ErasePerson

    number, _ = stage.due()
    (row,) = pages.unfinished(stage.desk.store)
    stage.desk.do(Principal("ada", Role.ADMIN, "cli"), ErasePerson(person=row.person, reason="they left"))
    stage.desk.store.forget(row.person)
    await stage.pager.until_quiet()
    assert stage.channels.asked == []
    assert stage.kinds(number)[-1] == "page_cancelled"


async def test_a_hanging_channel_of_one_keeps_nobody_else_waiting(stage: Stage) -> None:
    stage.channels.hang, stage.channels.hung = asyncio.Event(), "ben"
    stuck = [stage.due()[0] for _ in range(SOON.each + 2)]
    other, _ = stage.due(EVA)
    assert await stage.pager.step()
    async with asyncio.timeout(30):
        while "notified" not in stage.kinds(other):
            await asyncio.sleep(0.01)
    assert stage.channels.asked.count("ben.sms") == SOON.each  # the rest of his wait for room
    stage.channels.hang.set()
    await stage.pager.until_quiet()
    assert all(stage.kinds(number)[-1] == "notified" for number in stuck)
    assert len(stage.channels.got) == len(stuck) + 1


async def test_what_hangs_takes_nobodys_place(stage: Stage) -> None:
    """A gateway that answers nobody is many people's at once: pages by other ways do not wait for it."""
    stage.channels.hang, stage.channels.hung = asyncio.Event(), "ben"
    few = replace(SOON, most=2, each=2, slow=0.2)
    pager = Pager(stage.hand, {}, "w1", patience=few, through=stage.channels.through)
    for _ in range(2):
        stage.due()
    assert await pager.step()
    async with asyncio.timeout(30):
        while len(stage.channels.asked) < 2:
            await asyncio.sleep(0.01)
        other, _ = stage.due(EVA)
        while "notified" not in stage.kinds(other):
            await pager.step()
            await asyncio.sleep(0.01)
    assert stage.channels.asked == ["ben.sms", "ben.sms", "eva.mail"]
    stage.channels.hang.set()
    await pager.until_quiet()


async def test_a_page_that_cannot_be_read_keeps_no_other_back(stage: Stage) -> None:
    """They share one look at the register."""
    broken, _ = stage.due()
    fine, _ = stage.due()
    with stage.desk.store.rows_only() as connection:
        row = t.incident.c
        connection.execute(t.incident.update().where(row.n == number_of(broken)).values(doc="{}"))
    told: list[str] = []
    pager = Pager(stage.hand, {}, "w1", patience=SOON, through=stage.channels.through, tell=told.append)
    await pager.step()
    await pager.landed()
    assert stage.kinds(fine)[-1] == "notified"
    assert [one.startswith(f"A page for {broken} stopped") for one in told] == [True]
    rebuild(stage.desk.store)
    stage.clock.passes(seconds=30)
    await pager.until_quiet()
    assert stage.kinds(broken)[-1] == "notified"


@BOTH
async def test_two_workers_page_once(stage: Stage) -> None:
    for _ in range(6):
        stage.due()
    other = Pager(stage.hand, {}, "w2", patience=SOON, through=stage.channels.through)
    await asyncio.gather(stage.pager.until_quiet(), other.until_quiet())
    await asyncio.gather(stage.pager.until_quiet(), other.until_quiet())
    assert len(stage.channels.got) == 6
    assert stage.rows() == []


async def test_what_a_restricted_incident_is_about_stays_here(stage: Stage) -> None:
    stage.desk.policy.vendors["acme"]
    number, _ = engage_urgently(stage.desk, title="Salary list of Ada leaked")
    stage.desk.do(BEN, Restrict(target=number))
    tick(stage.desk, stage.clock.passes(minutes=3))
    await stage.pager.until_quiet()
    ((_, _, words),) = stage.channels.got
    assert "Salary" not in f"{words}"
    assert f"{number}, P1: restricted" in words.body


async def test_text_from_outside_is_harmless_in_a_page(stage: Stage) -> None:
    stage.due(title="disk\x1b]0;x\x07 @everyone <!channel> \u202efull\nSubject: x")
    await stage.pager.until_quiet()
    ((_, _, words),) = stage.channels.got
    assert "disk" in words.body
    for bad in ("\x1b", "\u202e", "@everyone", "<!", "\nSubject"):
        assert bad not in words.body


async def test_a_p2_is_paged_and_a_p3_is_not(stage: Stage) -> None:
    stage.due(impact=Impact.HIGH, urgency=Urgency.MEDIUM)
    stage.due(impact=Impact.MEDIUM, urgency=Urgency.MEDIUM)
    await stage.pager.until_quiet()
    assert [words.title.split()[1] for _, _, words in stage.channels.got] == ["P2:"]


@BOTH
async def test_a_pager_that_runs_is_woken_and_waits_for_what_is_in_the_air(stage: Stage) -> None:
    stage.channels.hang, stage.channels.hung = asyncio.Event(), "ben"
    stop = asyncio.Event()
    running = asyncio.create_task(stage.pager.run(sole=True, stop=stop))
    number, _ = await stage.hand.call(stage.due)
    stage.pager.wake()
    async with asyncio.timeout(30):
        while not stage.channels.asked:
            await asyncio.sleep(0.01)
    stop.set()
    await asyncio.sleep(0)
    assert not running.done()
    stage.channels.hang.set()
    await asyncio.wait_for(running, 30)
    assert stage.kinds(number)[-1] == "notified"


async def test_what_was_sent_is_written_down_when_the_register_is_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, _ = stage.due()
    do, away = stage.hand.do, [RegisterAway("The register is away.")] * 2

    async def flaky(*about: Any) -> Any:
        if away:
            raise away.pop()
        return await do(*about)

    monkeypatch.setattr(stage.hand, "do", flaky)
    told: list[str] = []
    patience = replace(SOON, again=0.01)
    pager = Pager(stage.hand, {}, "w1", patience=patience, through=stage.channels.through, tell=told.append)
    await pager.until_quiet()
    assert away == []
    assert stage.channels.asked == ["ben.sms"]
    assert stage.kinds(number)[-1] == "notified"
    assert told[0] == "What became of a page is not written down yet: The register is away."


# Through apprise, to a place where it arrives


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Arrivals]:
    with arrivals() as made:
        known = {"page.ben.sms": f"{made.url}/sms", "page.ben.mail": f"{made.url}/mail?token=hunter2"}

        monkeypatch.setattr(secrets, "look", lambda name, env: known.get(name))
        yield made


async def test_a_page_arrives_by_apprise(stage: Stage, receiver: Arrivals, caplog: Any) -> None:
    number, _ = stage.due()
    pager = Pager(stage.hand, {}, "w1", patience=SOON)
    await pager.until_quiet()
    (got,) = receiver.got
    assert (got["path"], got["title"], got["type"]) == ("/sms", f"{number} P1: call Acme (sample)", "warning")
    assert "Call Acme (sample): +47 22 00 00 00\n" in got["message"]
    assert stage.kinds(number)[-1] == "notified"
    assert caplog.text == ""


@pytest.mark.parametrize("code", [500, 307])
async def test_what_a_service_answers_is_told_without_its_address(
    stage: Stage, receiver: Arrivals, caplog: Any, capfd: Any, code: int
) -> None:
    receiver.code = code
    number, _ = stage.due(EVA)
    other, _ = stage.due()
    pager = Pager(stage.hand, {}, "w1", patience=SOON)
    await pager.until_quiet()
    story = f"{[one.event for one in stage.desk.store.timeline(other)]}"
    assert f"mail: the service answered {code}" in dict(stage.rows())["waiting"] or code == 500
    assert "hunter2" not in story + caplog.text + "".join(capfd.readouterr())
    assert "127.0.0.1" not in story
    assert receiver.got == []  # nor did it go where a redirect led
    (told,) = [one.event for one in stage.desk.store.timeline(number) if one.kind == "notify_failed"]
    assert "muster page login eva mail" in told.tried[0].why  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("json://example.com/hunter2", "unencrypted to another machine: write jsons://"),
        ("jsons://example.com/hunter2?verify=no", "verify=no"),
        ("mailtos://a:hunter2@example.com?mode=insecure", "unencrypted"),
        ("mailto://a:hunter2@example.com?smtp=10.0.0.1", "write mailtos://"),
        ("syslog://", "where nobody sits"),
        ("hunter2", "no address that apprise can use"),
        ("json://[::1]:8/x", ""),
        ("mailto://127.0.0.1:2525?from=a@example.com&to=b@example.com", ""),
        ("mailtos://a:hunter2@example.com", ""),
        ("tgram://123456789:abcdefg_hijklmnop/12345/", ""),
    ],
)
def test_an_address_leads_nowhere_unsafe(address: str, told: str) -> None:
    said = paging.fault_in(address)
    assert told in said
    assert bool(told) is bool(said)
    assert "hunter2" not in said


def test_somebody_is_found_by_login_or_by_this_hosts_number(monkeypatch: pytest.MonkeyPatch) -> None:
    people = '[people.a]\nname = "A"\nlogin = "ann"\n[people.b]\nname = "B"\nuid = 4711\n'
    people += '[people.c]\nname = "C, of a container"\nuid = 4712\n'
    matrix = read_matrix('fallback_team = "desk"\n[teams.desk]\nname = "Desk"\n' + people)

    def getpwuid(uid: int) -> SimpleNamespace:
        if uid != 4711:
            raise KeyError(uid)
        return SimpleNamespace(pw_name="bob")

    monkeypatch.setattr("pwd.getpwuid", getpwuid)
    found = [person_of(matrix, login) for login in ("ann", "bob", "uid-4712", "eve")]
    assert found == ["a", "b", "c", None]


async def test_what_hangs_is_given_up_and_what_it_says_later_is_nobodys() -> None:
    import threading

    go = threading.Event()
    with pytest.raises(TimeoutError):
        await paging.in_thread(lambda: go.wait(30), 0.01)
    go.set()
    await asyncio.sleep(0.05)
    assert await paging.in_thread(lambda: 7, 30) == 7
    with pytest.raises(ZeroDivisionError):
        await paging.in_thread(lambda: 1 // 0, 30)
