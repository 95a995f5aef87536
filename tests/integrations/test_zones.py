"""Times of suppliers: in UTC, by the zone that they name or that vendors.toml names, never by a guess."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import orjson
import pytest
from pydantic import BaseModel, ValidationError

from integrations.checks import clock
from integrations.connector import Ref
from integrations.errors import Unavailable
from integrations.vendors import VendorsFileError, connector_for, read_vendors
from integrations.zones import TheirTime, gap_of, zoned

BLOCK = """[vendor.acme]
connector = "rt"
title = "ACME"
url = "https://support.acme.example"
environment = "test"
queue = "Muster"
reference_field = "Reference"
"""


class Told(BaseModel):
    at: TheirTime


@pytest.mark.parametrize(
    ("told", "zone", "utc"),
    [
        ("2026-11-27T14:02:00Z", "Europe/Oslo", "2026-11-27T14:02:00+00:00"),
        ("2026-11-27T14:02:00-05:00", "", "2026-11-27T19:02:00+00:00"),
        ("2026-11-27 14:02:00", "Europe/Oslo", "2026-11-27T13:02:00+00:00"),
        ("2026-07-27 14:02:00", "America/New_York", "2026-07-27T18:02:00+00:00"),
        ("2026-10-25 02:30:00", "Europe/Oslo", "2026-10-25T00:30:00+00:00"),  # twice: the first of them
        ("2026-03-29 02:30:00", "Europe/Oslo", "2026-03-29T01:30:00+00:00"),  # never: as before the change
    ],
)
def test_a_time_is_read_in_its_zone(told: str, zone: str, utc: str) -> None:
    assert Told.model_validate({"at": told}, context=zoned(zone)).at.isoformat() == utc


@pytest.mark.parametrize("context", [None, zoned("")])
def test_a_time_without_a_zone_is_no_time(context: object) -> None:
    with pytest.raises(ValidationError, match=r"has no time zone: set `zone` in vendors\.toml"):
        Told.model_validate({"at": "2026-11-27 14:02:00"}, context=context)


async def _ticket(more: str) -> datetime:
    """A ticket of a system that tells its times without a zone, as the connector reads it."""
    told = {"id": 7, "Subject": "x", "Status": "open", "Owner": {"id": "Nobody"}}
    body = orjson.dumps(told | {"LastUpdated": "2026-11-27 14:02:00"})

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(body))

    vendor = read_vendors(BLOCK + more)["acme"]
    connector = connector_for(vendor, lambda name: "secret", httpx.MockTransport(answer))
    try:
        return (await connector.get(Ref(id="7", key="#7"))).updated_at
    finally:
        await connector.http.aclose()


async def test_the_zone_of_vendors_toml_reaches_what_a_connector_reads() -> None:
    assert await _ticket('zone = "Europe/Oslo"\n') == datetime(2026, 11, 27, 13, 2, tzinfo=UTC)
    with pytest.raises(Unavailable, match="tells times without a time zone"):
        await _ticket("")


def test_a_zone_that_is_none_is_told() -> None:
    with pytest.raises(VendorsFileError, match=r"line 8, vendor\.acme\.zone: is no time zone: did you mean"):
        read_vendors(BLOCK + 'zone = "Europe/Olso"\n')


def test_their_clock_is_compared_with_ours() -> None:
    now = datetime(2026, 11, 27, 14, 2, tzinfo=UTC)
    assert gap_of({"date": "Fri, 27 Nov 2026 14:05:00 GMT"}, now) == timedelta(minutes=3)
    assert gap_of({"date": "soon"}, now) is None
    assert gap_of({}, now) is None
    assert clock(timedelta(seconds=2), "").says == "as ours"
    assert clock(None, "Europe/Oslo").says.endswith("times that name no zone are taken for Europe/Oslo")
    near = clock(timedelta(minutes=3), "")
    assert (near.ok, near.says) == (True, "theirs is 3 min 0 s ahead of ours")
    far = clock(timedelta(hours=-1, seconds=2), "")
    assert (far.ok, far.says) == (False, "theirs is 59 min 58 s behind ours")
    assert "a zone that one of the two has wrong" in far.todo
