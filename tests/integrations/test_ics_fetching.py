"""A calendar is asked for once, within bounds, of the very server that matrix.toml names; by real HTTP."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest

from integrations.errors import Failure, NotSent, RateLimited, Rejected, Unavailable
from integrations.ics.fetching import MOST, Fetched, fetch
from integrations.transfer import Limits
from tests.integrations.feed_kit import SECRET, Host, hosting
from tests.played.calendars import PAGERDUTY


@pytest.fixture
def host() -> Iterator[Host]:
    with hosting() as made:
        yield made


async def test_it_is_asked_for_as_it_was_named_and_known_again(host: Host) -> None:
    first = await fetch("ops", host.url)
    assert first == Fetched(PAGERDUTY.encode(), '"1"', "")
    path, headers = host.asked[0]
    assert path == f"/private/{SECRET}/feed?token={SECRET}&a=1&a=2"
    assert headers["accept"].startswith("text/calendar")
    assert "if-none-match" not in headers
    assert await fetch("ops", host.url, first) == Fetched(None, '"1"', "")
    host.headers["ETag"] = '"2"'
    assert (await fetch("ops", host.url, first)).body == PAGERDUTY.encode()


async def test_a_date_does_where_there_is_no_tag(host: Host) -> None:
    host.headers = {"Last-Modified": "Sat, 28 Nov 2026 08:00:00 GMT"}
    first = await fetch("ops", host.url)
    await fetch("ops", host.url, first)
    assert host.asked[1][1]["if-modified-since"] == "Sat, 28 Nov 2026 08:00:00 GMT"


async def test_an_address_without_a_path_or_with_signs_in_it(host: Host) -> None:
    origin = host.url.partition("/private")[0]
    await fetch("ops", origin)
    await fetch("ops", f"{origin}/ical/a%40group.example.com/public/basic.ics")
    assert [path for path, _ in host.asked] == ["/", "/ical/a%40group.example.com/public/basic.ics"]


@pytest.mark.parametrize(
    ("status", "kind", "why"),
    [
        (404, Rejected, "The calendar of ops is gone"),
        (410, Rejected, "The calendar of ops is gone"),
        (401, Rejected, "is not shown to us"),
        (403, Rejected, "is not shown to us"),
        (400, Rejected, "said no"),
        (302, Rejected, "a redirect, which is not followed"),
        (429, RateLimited, "asks us to wait"),
        (500, Unavailable, "has trouble"),
        (503, Unavailable, "has trouble"),
    ],
)
async def test_what_is_no_calendar(host: Host, status: int, kind: type[Failure], why: str) -> None:
    host.status, host.body = status, f"no such thing: {host.url} {SECRET}".encode()
    host.headers = {"Location": "http://127.0.0.1:1/elsewhere", "Content-Type": "text/plain"}
    with pytest.raises(kind, match=why) as failed:
        await fetch("ops", host.url)
    assert SECRET not in failed.value.why
    assert len(host.asked) == 1


async def test_nothing_secret_is_told_of_one_who_is_not_there() -> None:
    with pytest.raises(NotSent) as failed:
        await fetch("ops", f"http://127.0.0.1:9/private/{SECRET}/feed")
    assert failed.value.why == "The calendar of ops cannot be reached."
    assert failed.value.__cause__ is None


@pytest.mark.parametrize("packed", [False, True])
async def test_a_bomb_is_not_taken_in(host: Host, packed: bool) -> None:
    bomb = b"BEGIN:VCALENDAR\r\n" + b"X" * (MOST + 1)
    host.body = gzip.compress(bomb) if packed else bomb
    host.headers = {"Content-Encoding": "gzip"} if packed else {}
    with pytest.raises(Rejected, match="more than 4,194,304 bytes"):
        await fetch("ops", host.url)


async def test_one_that_does_not_answer_is_not_waited_for(host: Host) -> None:
    host.seconds = 3.0
    with pytest.raises(Unavailable, match="did not"):
        await fetch("ops", host.url, limits=Limits(connect=0.5, read=0.2, total=0.4))
