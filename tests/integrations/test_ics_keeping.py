"""Calendar feeds, kept: asked for by one worker, on record where new, and held on to when they are gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations import secrets
from integrations.hand import Hand
from integrations.ics.keeping import EVERY, Feeds, sources
from register.core import Policy
from register.desk import ServiceDesk
from register.feed_health import FeedFault, FeedState, faults_of
from register.matrix_toml import read_matrix
from register.policy import Matrix
from register.store import Store, feeds
from register.store.duty import duty_now
from register.store.rosters import roster_now
from tests.integrations.feed_kit import SECRET, Host, hosting
from tests.played.calendars import GRAFANA, PAGERDUTY, calendar, event

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def matrix(feed: str, more: str = "", people: str = "") -> Matrix:
    return read_matrix(
        f"""
fallback_team = "desk"
[teams.desk]
name = "Desk"
rota = "ops"
[people.ana]
name = "Ana Sample"
login = "ana"
[people.ben]
name = "Ben Sample"
login = "ben"
{people}
[rotas.ops]
zone = "Europe/Oslo"
feed = {json.dumps(feed)}
{more}
"""
    )


class Clocked:
    """Says the time that it was given."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Kept:
    """A worker's hand on the calendars of a register, by a clock of ours."""

    def __init__(self, store: Store, policy: Matrix, env: dict[str, str] | None = None) -> None:
        self.clock = Clocked()
        self.store = store
        self.told: list[str] = []
        self.hand = Hand(ServiceDesk(store, Policy(matrix=policy), self.clock), self.clock)
        self.feeds = Feeds(self.hand, env or {}, self.told.append)

    async def look(self, **later: float) -> None:
        self.clock.now += timedelta(**later)
        await self.feeds.look()

    @property
    def matrix(self) -> Matrix:
        return self.hand.desk.policy.matrix

    def adopts(self, policy: Matrix) -> None:
        self.hand.desk = ServiceDesk(self.store, Policy(matrix=policy), self.clock)

    def on_call(self, **later: float) -> list[str]:
        names = self.store.people()
        roster = roster_now(self.store, self.matrix)
        return [names[one] for one in roster.on_call("ops", self.clock.now + timedelta(**later))]

    def state(self) -> FeedState:
        return feeds.feeds(self.store)["ops"]

    def faults(self) -> list[FeedFault]:
        said = duty_now(self.store).feeds.get("ops", ())
        return list(faults_of("ops", self.state(), said, self.clock.now))

    def written(self) -> int:
        with self.store.read() as connection:
            query = "SELECT count(*) FROM event WHERE kind = 'feed_heard'"
            return int(connection.exec_driver_sql(query).scalar_one())


@pytest.fixture
def host() -> Iterator[Host]:
    with hosting() as made:
        yield made


@pytest.fixture
def keeps(store: Store) -> Iterator[Callable[..., Kept]]:
    made: list[Kept] = []

    def make(policy: Matrix, env: dict[str, str] | None = None) -> Kept:
        made.append(Kept(store, policy, env))
        return made[-1]

    yield make
    for one in made:
        one.hand.close()


async def test_who_has_duty_by_a_calendar_is_on_call(host: Host, keeps: Any) -> None:
    kept = keeps(matrix(host.open, 'feed_people = { "b.s@example.com" = "ben" }'))
    assert kept.on_call() == []
    await kept.look()
    assert kept.on_call() == ["ana"]
    assert kept.on_call(days=2, hours=19) == ["ana"]
    assert kept.on_call(days=2, hours=20) == ["ben"]
    assert kept.on_call(days=10) == []
    assert kept.state() == FeedState(NOW, NOW)
    assert kept.faults() == []


async def test_it_is_asked_for_each_quarter_of_an_hour_and_written_once(host: Host, keeps: Any) -> None:
    kept = keeps(matrix(host.open))
    for _ in range(4):
        await kept.look()
    assert len(host.asked) == 1
    await kept.look(minutes=15)
    assert host.asked[1][1]["if-none-match"] == '"1"'
    assert kept.state().heard_at == NOW + timedelta(minutes=15)
    host.body, host.headers["ETag"] = PAGERDUTY.replace("Ben", "Ana").encode(), '"2"'
    await kept.look(minutes=14)
    assert kept.on_call(days=5) == ["ben"]
    await kept.look(minutes=1)
    assert kept.on_call(days=5) == ["ana"]
    assert (len(host.asked), kept.written()) == (3, 2)
    await kept.look(hours=12)  # what stays as it is is read to its end again: the days ahead are others
    assert "if-none-match" not in host.asked[3][1]
    assert kept.written() == 2


async def test_two_workers_ask_once(host: Host, keeps: Any) -> None:
    policy = matrix(host.open)
    one, other = keeps(policy), keeps(policy)
    host.seconds = 0.2
    await asyncio.gather(one.look(), other.look())
    assert len(host.asked) == 1
    other.clock.now += EVERY
    await other.look()
    assert len(host.asked) == 2
    assert one.written() == 1


async def test_a_worker_that_dies_of_it_is_followed_by_another(host: Host, keeps: Any) -> None:
    kept = keeps(matrix(host.open))
    version = sources(kept.matrix)["ops"].version(kept.matrix)
    feeds.claim(kept.store, "ops", version, NOW, NOW + timedelta(minutes=2))
    await kept.look()
    assert host.asked == []
    await kept.look(minutes=2)
    assert kept.on_call() == ["ana"]


async def test_another_policy_is_followed_at_once(host: Host, keeps: Any) -> None:
    host.body = calendar(event("20261128T000000Z", "20261210T000000Z", "Zoe")).encode()
    kept = keeps(matrix(host.open))
    await kept.look()
    assert kept.on_call() == []
    assert "names nobody whom matrix.toml knows: Zoe (from 2026-11-28 00:00 UTC)" in kept.state().trouble
    kept.adopts(matrix(host.open, people='[people.zoe]\nname = "Zoe"\nlogin = "zoe"'))
    await kept.look()
    assert kept.on_call() == ["zoe"]


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (404, b"", "The calendar of ops is gone: nothing is at its address any more."),
        (410, b"", "The calendar of ops is gone"),
        (403, b"", "is not shown to us"),
        (200, b"<html><body>Sign in to go on</body></html>", "is no calendar (a page to sign in, perhaps)"),
        (200, PAGERDUTY.encode()[:400], "is damaged, or cut off"),
        (200, b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n", "has no shift within the next 60 days"),
        (200, PAGERDUTY.replace("2026", "2025").encode(), "has no shift within the next 60 days"),
        (200, calendar(event("20261128T000000Z", "20261210T000000Z", "Stranger")).encode(), "names nobody"),
        (200, calendar("DTEND:20261210T000000Z\nSUMMARY:ana").encode(), "has no event that could be read"),
        (200, b"BEGIN:VCALENDAR\r\n" + b"X" * (4 * 2**20), "more than 4,194,304 bytes"),
        (
            200,
            calendar(event("20261128T000000Z", "20261128T000001Z", more="RRULE:FREQ=SECONDLY\n")).encode(),
            "has an event that repeats secondly: that is no rota",
        ),
        (
            200,
            calendar(event("20261128T000000Z", "20261128T003000Z", more="RRULE:FREQ=HOURLY\n")).encode(),
            "has more than 1,000 shifts within 60 days",
        ),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
async def test_what_cannot_be_read_leaves_the_last_shifts_and_is_told(
    host: Host, keeps: Any, status: int, body: bytes, why: str
) -> None:
    kept = keeps(matrix(host.open))
    await kept.look()
    host.status, host.body, host.headers = status, body, {}
    await kept.look(minutes=15)
    assert kept.on_call() == ["ana"]
    assert kept.written() == 1
    assert why in kept.state().trouble
    (fault,) = kept.faults()
    assert why in fault.says
    assert (
        "It was last read 2026-11-28 12:00 UTC: what it said holds, until 2026-12-08 08:00 UTC." in fault.says
    )
    assert "Open its address in a browser" in fault.todo
    assert fault.urgent
    host.status, host.body = 200, PAGERDUTY.encode()
    await kept.look(minutes=15)
    assert kept.faults() == []


async def test_who_is_away_for_a_while_is_no_news_and_after_a_day_it_is(host: Host, keeps: Any) -> None:
    kept = keeps(matrix(host.open))
    await kept.look()
    host.status = 503
    waits = []
    for _ in range(6):
        before = len(host.asked)
        while len(host.asked) == before:
            await kept.look(minutes=1)
        waits.append(round((kept.clock.now - NOW).total_seconds() / 60))
    assert waits == [15, 16, 18, 22, 30, 45]
    assert kept.state().failures == 6
    assert kept.faults() == []
    await kept.look(hours=24)
    (fault,) = kept.faults()
    assert fault.says.startswith(
        "its calendar was last read 2026-11-28 12:00 UTC: what it said holds, until 2026-12-08"
    )
    assert "has trouble: HTTP 503" in fault.says
    assert kept.on_call() == ["ana"]


async def test_whoever_asks_us_to_wait_is_not_asked_before(host: Host, keeps: Any) -> None:
    kept = keeps(matrix(host.open))
    host.status, host.headers = 429, {"Retry-After": "7200"}
    await kept.look()
    await kept.look(minutes=119)
    assert len(host.asked) == 1
    await kept.look(minutes=2)
    assert len(host.asked) == 2


async def test_that_the_last_shift_ends_is_told_two_days_before(host: Host, keeps: Any) -> None:
    kept = keeps(matrix(host.open))
    await kept.look()
    kept.clock.now = datetime(2026, 12, 6, 9, tzinfo=UTC)
    await kept.look()
    (fault,) = kept.faults()
    assert fault.says == "its last shift ends 2026-12-08 08:00 UTC, and nobody's follows."
    assert kept.on_call() == ["ben"]
    kept.clock.now = datetime(2026, 12, 8, 9, tzinfo=UTC)
    await kept.look()
    (fault,) = kept.faults()
    assert "nobody is on call by it." in fault.says


async def test_one_stranger_is_told_beside_those_who_are_known(host: Host, keeps: Any) -> None:
    host.body = PAGERDUTY.replace("Ben Sample", "Zoe Stranger").encode()
    kept = keeps(matrix(host.open))
    await kept.look()
    assert kept.on_call() == ["ana"]
    (fault,) = kept.faults()
    assert fault.says.startswith(
        "shifts of its calendar are nobody's here: matrix.toml knows nobody by On Call - Zoe"
    )
    assert "(from 2026-12-01 08:00 UTC)" in fault.says
    assert "feed_people of [rotas.ops]" in fault.todo
    host.headers["ETag"] = '"1"'
    await kept.look(minutes=15)  # as it was
    assert len(kept.faults()) == 1


async def test_an_address_that_is_a_secret_is_in_the_keyring_alone(
    host: Host, keeps: Any, tmp_path: Any
) -> None:
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    kept = keeps(matrix("keyring"), env)
    await kept.look()
    assert "cannot be looked up where Muster serves: No keyring is here" in kept.state().trouble
    (fault,) = kept.faults()
    assert fault.says.startswith("its calendar was never read: nobody is on call by it.")
    assert fault.todo == "Whoever runs `muster serve` stores it: `muster oncall login ops`."
    (tmp_path / f"muster-{secrets.rota_slot('ops')}").write_text(host.url + "\n")
    await kept.look()
    assert kept.on_call() == ["ana"]
    host.status, host.body = 404, f"nothing at {host.url}".encode()
    await kept.look(minutes=15)
    assert SECRET not in json.dumps([kept.told, kept.state().trouble, [str(one) for one in kept.faults()]])
    with kept.store.read() as connection:
        events = connection.exec_driver_sql("SELECT data FROM event").scalars()
        assert not any(SECRET in (data or "") for data in events)


async def test_a_worker_without_the_address_says_nothing_while_another_reads(
    host: Host, keeps: Any, tmp_path: Any
) -> None:
    (tmp_path / "muster-rota.ops").write_text(host.url)
    (tmp_path / "none").mkdir()
    one = keeps(matrix("keyring"), {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    other = keeps(matrix("keyring"), {"CREDENTIALS_DIRECTORY": str(tmp_path / "none")})
    await one.look()
    other.clock.now += EVERY
    await other.look()
    assert one.state().trouble == ""
    other.clock.now += timedelta(hours=2)
    await other.look()
    assert "cannot be looked up where Muster serves" in one.state().trouble


async def test_grafanas_calendar(host: Host, keeps: Any) -> None:
    host.body = GRAFANA.encode()
    kept = keeps(matrix(host.open))
    await kept.look()
    assert kept.on_call() == ["ana"]
    assert kept.on_call(hours=8) == ["ben"]


async def test_nothing_is_asked_where_no_rota_has_a_calendar(keeps: Any) -> None:
    kept = keeps(read_matrix('fallback_team = "desk"\n[teams.desk]\nname = "Desk"\n'))
    await kept.look()
    assert feeds.feeds(kept.store) == {}
