"""The exact request and answer of a sending: kept for a person, without secrets, gone with its incident."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from engine_kit import COORDINATOR, Engine

from integrations import exchange
from integrations.errors import Failure
from integrations.http import Http
from integrations.practice.moods import Refuse500
from integrations.practice.server import Practice
from register.core import Principal, Role
from register.store.exchanges import exchange_of, put
from register.topics.engagement import Reply
from register.topics.erasure import ErasePerson
from register.topics.privacy import Redact
from register.topics.sight import Restrict
from tui.reading import exchange_of as seen

ADMIN = Principal("ada", Role.ADMIN, "test")
OTHER = Principal("eve", Role.COORDINATOR, "test")


# In the engine


async def test_the_first_of_what_goes_well_is_kept_and_not_each(engine: Engine) -> None:
    _, first = engine.engaged()
    await engine.settle_all()
    _, second = engine.engaged("disk full")
    await engine.settle_all()
    kept = exchange_of(engine.store, first)
    assert kept is not None
    one = kept.said[-1]
    assert (one["method"], one["status"]) == ("POST", 201)
    assert first in one["body"]
    assert json.loads(one["answer"])
    assert exchange_of(engine.store, second) is None


async def test_what_fails_is_kept_with_its_answer_and_gives_way_to_what_came_after(
    engine: Engine, practice: Practice
) -> None:
    engine.engaged()
    await engine.settle_all()
    practice.moods.set(Refuse500(times=1))
    number, op_id = engine.engaged("disk full")
    await engine.courier.until_quiet()
    kept = exchange_of(engine.store, op_id)
    assert kept is not None
    assert kept.said[-1]["status"] == 500
    await engine.settle_all()
    kept = exchange_of(engine.store, op_id)
    assert kept is not None
    assert kept.said[-1]["status"] in (200, 201)
    assert engine.store.incident(number).bonds[0].ref is not None


async def test_it_goes_when_texts_of_its_incident_are_wiped(engine: Engine) -> None:
    number, op_id = engine.engaged()
    await engine.settle_all()
    assert exchange_of(engine.store, op_id) is not None
    engine.do(Reply(target=number, message="A word."))
    await engine.settle_all()
    engine.do(Redact(target=number, reason="a test", texts=True))
    assert exchange_of(engine.store, op_id) is None


async def test_it_goes_with_somebody_whom_it_quotes_but_for_what_is_held(engine: Engine) -> None:
    held, kept = engine.engaged()
    await engine.settle_all()
    _, other = engine.engaged("disk full")
    quoting = '[{"method": "POST", "url": "http://x.invalid/", "status": 400, "answer": "Lena Berg says no"}]'
    with engine.store.rows_only() as connection:
        for row_id in (kept, other):
            put(connection, row_id, quoting, "2026-03-01T00:00:00.000000Z")
    engine.desk.do(ADMIN, ErasePerson(person="p99", reason="a test", names=("Lena Berg",), left=(held,)))
    assert exchange_of(engine.store, other) is None
    assert exchange_of(engine.store, kept) is not None


async def test_of_a_restricted_incident_it_is_for_those_alone_who_may_see_it(engine: Engine) -> None:
    number, op_id = engine.engaged()
    await engine.settle_all()
    told = seen(engine.store, op_id, OTHER)
    assert told is not None
    assert told.said
    engine.do(Restrict(target=number))
    assert seen(engine.store, op_id, OTHER) is None
    assert seen(engine.store, op_id, COORDINATOR) is not None
    assert seen(engine.store, "01NOSUCH", COORDINATOR) is None


# What is kept of one


def answers(status: int, content: bytes, **headers: str) -> httpx.Response:
    """An answer whose body is still to be read, as from a line."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, stream=httpx.ByteStream(content))


async def asked(
    secret: str, header: str, answer: Callable[[httpx.Request], httpx.Response], body: Any
) -> str:
    """What is kept of one request with this credential, however it ends."""
    kept = exchange.begin()
    async with Http(
        "http://127.0.0.1:1/api", {header: secret}, transport=httpx.MockTransport(answer)
    ) as client:
        with contextlib.suppress(Failure):
            await client.post("/ticket", body, op_id="01OP")
    return exchange.told(kept)


BASIC = base64.b64encode(b"muster:hunter2secret").decode()


@pytest.mark.parametrize(
    ("header", "value", "secrets"),
    [
        ("Authorization", "token 1-34-0123456789abcdef", ["1-34-0123456789abcdef"]),
        ("Authorization", f"Basic {BASIC}", [BASIC, "hunter2secret"]),
        ("X-Redmine-API-Key", 'k"ey/with+signs==', ['k"ey/with', "k%22ey", 'k\\"ey', "with+signs"]),
    ],
)
async def test_no_secret_is_in_it_however_it_is_written(header: str, value: str, secrets: list[str]) -> None:
    def echoes(request: httpx.Request) -> httpx.Response:
        quoted = httpx.QueryParams({"key": value})
        whole = secrets if header == "Authorization" else ()
        said = {"headers": dict(request.headers), "again": [value, str(quoted), *whole]}
        as_php = json.dumps(value).replace("/", "\\/")
        body = f'{json.dumps(said)[:-1]}, "php": {as_php}}}'
        return answers(400, body.encode(), X_Echo=value, Set_Cookie="session=abcdefgh")

    told = await asked(value, header, echoes, {"note": f"the key is {value}", "title": "db down"})
    for secret in (*secrets, value, "abcdefgh"):
        assert secret not in told, told
        assert json.dumps(secret)[1:-1] not in told
    (one,) = json.loads(told)
    assert (one["method"], one["status"]) == ("POST", 400)
    assert "db down" in one["body"]
    assert '"again"' in one["answer"]
    assert {name.lower(): text for name, text in one["headers"].items()}[header.lower()] == exchange.HIDDEN


async def test_it_is_no_longer_than_it_may_be() -> None:
    told = await asked(
        "token 0123456789",
        "Authorization",
        lambda _: answers(400, b"y" * 15_000),
        {"t": "x" * 50_000},
    )
    (one,) = json.loads(told)
    assert len(one["body"]) < exchange.MOST + 40
    assert len(one["answer"]) < exchange.MOST + 40
    assert "50,008 bytes" in one["body"]
    assert one["answer"].endswith("… (15,000 bytes)")


@pytest.mark.parametrize("before", [exchange.MOST - 30, exchange.MOST - 5, exchange.MOST - 1])
async def test_no_part_of_a_secret_is_left_where_a_body_is_cut(before: int) -> None:
    secret = "0123456789abcdefghij"
    told = await asked(
        f"token {secret}", "Authorization", lambda _: answers(400, b"y" * before + secret.encode() * 3), {}
    )
    (one,) = json.loads(told)
    kept = one["answer"].rpartition("…")[0].lstrip("y").replace(exchange.HIDDEN, "")
    assert kept == ""
    assert len(one["answer"]) > before


def test_of_a_large_body_no_more_is_looked_at_than_can_be_kept() -> None:
    """The loop that sends to all suppliers does it."""
    looked: list[int] = []

    def masked(text: str, most: int | None = None) -> str:
        looked.append(len(text))
        return text[:most]

    request = httpx.Request("POST", "http://x.invalid/", content=b"x" * 2_000_000)
    request.headers["content-type"] = "application/json"
    silent: Any = SimpleNamespace(response=None, body=bytearray())
    (one,) = json.loads(exchange.told([exchange.Asked(request, silent, masked, frozenset())]))
    assert one["body"].endswith("x… (2,000,000 bytes)")
    assert len(one["body"]) < exchange.MOST + 40
    assert max(looked) < 300_000


async def test_a_line_that_breaks_leaves_the_request_alone() -> None:
    def breaks(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("gone")

    (one,) = json.loads(await asked("token 0123456789", "Authorization", breaks, {"t": "x"}))
    assert one["status"] is None
    assert "answer" not in one


def test_bytes_that_are_no_text_are_told_by_their_size() -> None:
    request = httpx.Request(
        "POST", "http://x.invalid/", content=b"\x00\xff" * 90, headers={"Content-Type": "image/png"}
    )
    silent: Any = SimpleNamespace(response=None, body=bytearray())
    (one,) = json.loads(
        exchange.told([exchange.Asked(request, silent, lambda text, most=None: text, frozenset())])
    )
    assert one["body"] == "(180 bytes of image/png)"


@pytest.mark.parametrize(
    "address",
    [
        "https://s3.example/a?X-Amz-Credential=opens%2Fit&X-Amz-Signature=opensit&X-Amz-Date=2026",
        "https://f.example/a?Expires=1&Signature=opens~it__&Key-Pair-Id=opensit",
        "https://p.example/attachment/1?token=opens.it",
        "https://acme.example/attachments/token/opensit/?name=a.log",
    ],
)
async def test_an_address_that_opens_a_file_is_kept_shut(address: str) -> None:
    """Wherever it stands: in a request, in a header, and in JSON as each language writes it."""
    said = json.dumps({"file": address, "escaped": address.replace("&", "\\u0026")}).encode()

    def answer(_: httpx.Request) -> httpx.Response:
        headers = {"location": address, "content-type": "application/json"}
        return httpx.Response(302, headers=headers, stream=httpx.ByteStream(said))

    kept = exchange.begin()
    async with Http("https://acme.example/", transport=httpx.MockTransport(answer)) as http:
        with contextlib.suppress(Failure):
            await http.get("/attachments/token/opensit", {"token": "opensit"})
    told = exchange.told(kept)
    exchange.KEPT.set(None)
    assert "opens" not in told
    assert "acme.example/attachments/token/•••" in told
