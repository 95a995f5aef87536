"""What a `rest` block may choose of its system's habits: forms, cursors, dates and zones, ways to sign in."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import httpx
import pytest

from integrations.connector import Comment, Found, Ref
from integrations.errors import Failure, Unavailable
from integrations.practice.oauth import CLIENT_ID
from integrations.practice.server import running_practice
from tests.integrations.rest_kit import BLOCK, SINCE, Desk, draft, op

OFFSET = 'paging = { kind = "offset", param = "from", size_param = "count", size = 2 }'
LINK = 'paging = { kind = "link" }'
CURSOR = 'paging = { kind = "cursor", param = "after", next = "meta.next" }'
TOP = 'lookup = { kind = "strong", settle_seconds = 30 }'


def block(*changes: tuple[str, str]) -> str:
    text = BLOCK
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


async def test_a_cursor_is_followed_as_long_as_the_answer_names_one() -> None:
    desk, op_id = Desk(block((LINK, CURSOR))), op()
    desk.says(
        "GET /tickets",
        {"items": [{"id": 1, "ref": "another"}], "meta": {"next": "b&c=1"}},
        {"items": [], "meta": {"next": "end"}},
        {"items": [{"id": 3, "ref": op_id}], "meta": {"next": None}},
    )
    found = await desk.rest.find(op_id, SINCE)
    assert isinstance(found, Found)
    assert [ref.id for ref in found.refs] == ["3"]
    assert [dict(one.url.params) for one in desk.asked] == [
        {"ref": op_id},
        {"ref": op_id, "after": "b&c=1"},
        {"ref": op_id, "after": "end"},
    ]


async def test_a_cursor_that_comes_back_ends_the_list() -> None:
    desk, op_id = Desk(block((LINK, CURSOR))), op()
    desk.says("GET /tickets", {"items": [{"id": 1, "ref": op_id}], "meta": {"next": "x"}})
    found = await desk.rest.find(op_id, SINCE)
    assert isinstance(found, Found)
    assert len(desk.asked) == 2


async def test_pages_are_counted_until_one_is_not_full() -> None:
    paging = 'paging = { kind = "page", param = "page", first = 1, size_param = "per", size = 2 }'
    desk, op_id = Desk(block((LINK, paging))), op()
    rows = [{"id": number, "ref": op_id} for number in range(3)]
    desk.says("GET /tickets", {"items": rows[:2]}, {"items": rows[2:]})
    found = await desk.rest.find(op_id, SINCE)
    assert isinstance(found, Found)
    assert [ref.id for ref in found.refs] == ["0", "1", "2"]
    assert [(one.url.params["page"], one.url.params["per"]) for one in desk.asked] == [("1", "2"), ("2", "2")]


async def test_a_body_goes_out_as_a_form() -> None:
    old = 'method = "PATCH"\npath = "/tickets/{{ ticket.id }}"\nheaders = { If-Match = "{{ now.version }}" }'
    new = old + '\nsend = "form"'
    desk = Desk(block((old, new)))
    desk.says("GET /tickets/12", {}, ETag='"v1"')
    desk.says("PATCH /tickets/12", {"note": 77})
    await desk.rest.apply(Ref(id="12", key="T-12"), Comment(op(), "50 % & more=ü\nline"))
    sent = desk.asked[-1]
    assert sent.headers["content-type"] == "application/x-www-form-urlencoded"
    told = parse_qs(sent.content.decode(), strict_parsing=True)
    assert told["add"][0].startswith("50 % & more=ü\nline")
    assert set(told) == {"add", "public"}


@pytest.mark.parametrize(
    ("says", "form", "zone"),
    [
        ("", "%Y-%m-%dT%H:%M:%SZ", timedelta()),
        ('time_format = "%d.%m.%Y %H:%M:%S"\ntime_zone = "Asia/Kolkata"', "%d.%m.%Y %H:%M:%S", None),
        ('time_format = "epoch"', "", timedelta()),
        ('time_format = "epoch_ms"', "", timedelta()),
    ],
)
async def test_since_is_written_as_they_read_it(says: str, form: str, zone: timedelta | None) -> None:
    desk = Desk(block((TOP, f"{TOP}\n{says}")))
    now = datetime.now(UTC).replace(microsecond=0)
    desk.says("GET /me", {"login": "muster"})
    desk.says("GET /tickets", {"items": [{"id": 1, "number": "T-1", "updated": now.isoformat()}]})
    desk.says("GET /tickets/1/notes", {"notes": []})
    start = await desk.rest.changes(None)
    begin = len(desk.asked)
    await desk.rest.changes(start.next)
    since = next(one for one in desk.asked[begin:] if one.url.path == "/api/tickets").url.params["since"]
    if form:
        off = timedelta(hours=5, minutes=30) if zone is None else zone
        at = datetime.strptime(since, form).replace(tzinfo=UTC) - off
    else:
        at = datetime.fromtimestamp(int(since) / (1_000 if "_ms" in says else 1), UTC)
    assert timedelta() <= now - at <= timedelta(seconds=125)


async def test_their_times_are_read_as_the_block_says_they_write_them() -> None:
    desk = Desk(block((TOP, TOP + '\nzone = "Asia/Kolkata"\nread_format = "%d.%m.%Y %H:%M"')))
    desk.says("GET /tickets/12", {"title": "x", "state": 1, "updated": "28.11.2026 15:30"}, ETag='"v1"')
    ticket = await desk.rest.get(Ref(id="12", key="T-12"))
    assert ticket.updated_at == datetime(2026, 11, 28, 10, tzinfo=UTC)


SIGN = 'sign_in = { kind = "header", name = "X-Key", prefix = "Key " }'


@pytest.mark.parametrize(
    ("sign_in", "sends"),
    [
        ('sign_in = { kind = "bearer" }', "Bearer geheim-1234"),
        ('sign_in = { kind = "basic" }', "Basic Z2VoZWltLTEyMzQ="),
        ('sign_in = { kind = "header", name = "Authorization", prefix = "Token " }', "Token geheim-1234"),
    ],
)
async def test_each_way_to_sign_in_sends_its_own_header(sign_in: str, sends: str) -> None:
    desk = Desk(block((SIGN, sign_in)))
    desk.says("GET /tickets/12", {"title": "x", "state": 1, "updated": "2026-11-28T10:00:00Z"})
    await desk.rest.get(Ref(id="12", key="T-12"))
    assert desk.asked[0].headers["authorization"] == sends


async def test_a_client_of_oauth_gets_a_token_and_another_when_it_is_refused() -> None:
    """The authorization server is a real one (Authlib's); the secret of the client is the stored one."""
    with running_practice(oauth="geheim-1234") as supplier:
        client = f"""
[vendor.acme.oauth2]
token_url = "{supplier.url}/oauth/token"
client_id = "{CLIENT_ID}"

[vendor.acme.states]"""
        oauth = 'auth = "oauth2"\nsign_in = { kind = "bearer" }'
        desk = Desk(block((SIGN, oauth), ("\n[vendor.acme.states]", client)))
        told = {"title": "x", "state": 1, "updated": "2026-11-28T10:00:00Z"}
        desk.says("GET /tickets/12", told, httpx.Response(401), told)
        await desk.rest.get(Ref(id="12", key="T-12"))
        with pytest.raises(Unavailable, match="is read again"):
            await desk.rest.get(Ref(id="12", key="T-12"))
        await desk.rest.get(Ref(id="12", key="T-12"))
        await desk.rest.http.aclose()
    first, second, *_, last = (one.headers["authorization"] for one in desk.asked)
    assert first.startswith("Bearer ")
    assert (first == second, second == last) == (True, False)
    assert "geheim-1234" not in first


async def test_success_and_its_sentence_are_what_the_block_says() -> None:
    desk, op_id = Desk(), op()
    desk.says("POST /notes", {"id": 5})
    desk.says("POST /tickets", {"ok": False, "why": "no such queue"})
    with pytest.raises(Failure, match="no such queue"):
        await desk.rest.create(draft(op_id))
    assert json.loads(desk.asked[-1].content)["notes"] == [5]
