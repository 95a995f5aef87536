"""Webhooks taken in: proved, noted before they are answered, and nothing told to whoever is a stranger."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from integrations import door, hook_secrets, receiving, secrets
from integrations.door import BadAddress, address_of
from integrations.hand import Hand
from integrations.practice.hooks import SECRET
from integrations.receiving import Receiver
from integrations.signing import sign_standard
from integrations.vendors import read_vendors
from register.desk import ServiceDesk
from register.store import RegisterUnavailable, Store, hooks
from register.store.vendors import health

VENDORS = """
[vendor.practice]
connector = "practice"
title = "Practice"
url = "http://127.0.0.1:9"
environment = "test"
auth = "none"

[vendor.rt]
connector = "rt"
title = "A Request Tracker"
url = "http://127.0.0.1:9"
environment = "test"
queue = "Support"
reference_field = "External Reference"

[vendor.redmine]
connector = "redmine"
title = "A Redmine"
url = "http://127.0.0.1:9"
environment = "test"
project = "supplier"
reference_field = 1

[vendor.without]
connector = "practice"
title = "One without a secret"
url = "http://127.0.0.1:9"
environment = "test"
auth = "none"

[vendor.by-phone]
connector = "manual"
title = "By telephone"
phone = "+1 555 0100"
environment = "test"
"""
PLAIN = "a-secret-of-request-tracker"


class Door:
    """An open door with a receiver behind it, over a register."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self.told: list[str] = []
        self.rang: list[str] = []
        self.known = read_vendors(VENDORS)
        env = {"CREDENTIALS_DIRECTORY": str(folder), "MUSTER_KEYRING": "keyring.backends.fail.Keyring"}
        self.hand = Hand(ServiceDesk(store))
        self.receiver = Receiver(self.hand, env, lambda: self.known, self.rang.append, self.told.append)
        self.client = httpx.AsyncClient(trust_env=False, timeout=30)
        self.address = ("", 0)

    def secret(self, vendor: str, secret: str) -> None:
        (self.folder / f"muster-{vendor}.webhook").write_text(secret)

    async def post(self, name: str, body: bytes = b"{}", **headers: str) -> httpx.Response:
        return await self.client.post(
            f"http://{self.address[0]}:{self.address[1]}/hooks/{name}", content=body, headers=headers
        )

    async def raw(self, rest: bytes) -> bytes:
        """The first line of what is answered to a request that begins properly, and goes on so."""
        reader, writer = await asyncio.open_connection(*self.address[:2])
        try:
            writer.write(b"POST /hooks/practice HTTP/1.1\r\nHost: x\r\n" + rest)
            return await asyncio.wait_for(reader.readuntil(b"\r\n"), 30)
        finally:
            writer.close()

    async def signed(
        self, number: int = 1, secret: str = SECRET, at: timedelta = timedelta()
    ) -> httpx.Response:
        body = b'{"ticket":"%d"}' % number
        told = sign_standard(secret, f"msg_{number}", datetime.now(UTC) + at, body)
        return await self.post("practice", body, **told)


@asynccontextmanager
async def opened(store: Store, folder: Path) -> AsyncIterator[Door]:
    made = Door(store, folder)
    for vendor, secret in (("practice", SECRET), ("rt", PLAIN), ("redmine", "a-secret-of-redmine")):
        made.secret(vendor, secret)
    await made.receiver.read_secrets()
    listener = door.listen(("127.0.0.1", 0))
    made.address = listener.getsockname()
    serving = asyncio.create_task(door.serve(listener, made.receiver))
    try:
        yield made
    finally:
        await made.client.aclose()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        listener.close()
        made.hand.close()


@pytest.fixture
async def at(own_store: Store, tmp_path: Path) -> AsyncIterator[Door]:
    async with opened(own_store, tmp_path) as made:
        yield made


async def until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not done():
            await asyncio.sleep(0.02)


async def test_a_good_one_is_noted_before_it_is_answered_and_wakes_whoever_listens(at: Door) -> None:
    answer = await at.signed()
    assert answer.status_code == 200
    assert at.rang == ["practice"]
    assert hooks.unanswered(at.store) == ["practice"]


async def test_one_that_comes_again_rings_no_more_even_after_a_restart(
    at: Door, own_store: Store, tmp_path: Path
) -> None:
    first = [(await at.signed(number)).status_code for number in (1, 2, 1)]
    assert (first, at.rang) == ([200, 200, 200], ["practice", "practice"])
    async with opened(own_store, tmp_path) as after:
        assert (await after.signed(2)).status_code == 200
        assert after.rang == []
        assert hooks.bell(own_store, "practice").rung == 2


async def test_strangers_learn_nothing_not_even_who_is_known(at: Door) -> None:
    body = b"{}"
    good = sign_standard(SECRET, "msg_1", datetime.now(UTC), body)
    answers = [
        await at.post("practice", body),
        await at.post("practice", b"{ }", **good),
        await at.post("practice", body, **{"x-muster-secret": "a guess"}),
        await at.signed(secret="whsec_b3RoZXI="),
        await at.signed(at=timedelta(hours=-1)),
        await at.post("rt", body, **good),
        await at.post("without", body, **good),
        await at.post("by-phone", body, **good),
        await at.post("nobody", body, **good),
        await at.post("", body, **good),
        await at.post("a/b", body),
        await at.post("%00", body),
        await at.post("practice/", body, **good),
    ]
    told = {
        (one.status_code, one.content, *(f"{k}: {v}" for k, v in one.headers.items() if k != "date"))
        for one in answers
    }
    assert len(told) == 1
    assert next(iter(told))[0] == 401
    assert (at.rang, hooks.unanswered(at.store)) == ([], [])


async def test_the_secret_itself_wakes_any_system_as_a_script_would(at: Door) -> None:
    assert (await at.post("rt", b"", **{"X-Muster-Secret": PLAIN})).status_code == 200
    assert (await at.post("rt", b"", **{"X-Muster-Secret": PLAIN})).status_code == 200
    assert (await at.post("practice", b"", **{"X-Muster-Secret": SECRET})).status_code == 200
    assert at.rang == ["rt", "rt", "practice"]


async def test_redmines_trunk_is_proved_by_its_own_header(at: Door) -> None:
    """Shaped as app/models/webhook_payload.rb makes it; no Redmine of ours sends any."""
    body = (
        b'{"type":"issue.updated","timestamp":"2026-11-27T14:02:00Z","data":{"issue":{"id":7,"project":'
        b'{"id":1,"name":"Supplier"},"status":{"id":2,"name":"In Progress","is_closed":false},"subject":""},'
        b'"journal":{"id":12,"created_on":"2026-11-27T14:02:00Z","notes":"We look","user":{"id":6,"name":'
        b'"Alva Agent"},"details":[{"property":"attr","prop_key":"status_id","old_value":"1","value":"2"}]}}}'
    )
    proof = "sha256=" + hmac.new(b"a-secret-of-redmine", body, hashlib.sha256).hexdigest()
    headers = {"content-type": "application/json", "user-agent": "Redmine", "accept": "*/*"}
    assert (await at.post("redmine", body, **headers)).status_code == 401
    assert (
        await at.post("redmine", body, **headers, **{"X-Redmine-Signature-256": proof})
    ).status_code == 200
    assert (await at.post("redmine", body, **{"X-Redmine-Signature-256": proof})).status_code == 200
    assert at.rang == ["redmine"], "its signature has no time: the same bytes are no news"


async def test_what_is_refused_is_counted_told_once_and_over_with_the_next_good_one(at: Door) -> None:
    for number in range(5):
        await at.signed(number, secret="whsec_b3RoZXI=")
    await until(lambda: hooks.bell(at.store, "practice").refused)
    refused = [line for line in at.told if "refused" in line]
    assert len(refused) == 1
    assert refused[0].startswith("practice: webhook refused: signature wrong.")
    await at.post("without", b"")
    await until(lambda: hooks.bell(at.store, "without").refused)
    assert "muster vendors login without --webhook" in at.told[-1]
    assert health(at.store)["practice"].bell.refused_why == "signature wrong"
    assert SECRET not in "".join(at.told)
    await at.signed()
    assert health(at.store)["practice"].bell.refused == 0
    await at.signed(9, secret="whsec_b3RoZXI=")
    await until(lambda: hooks.bell(at.store, "practice").refused == 1)
    assert len([line for line in at.told if line.startswith("practice: webhook refused")]) == 2


async def test_a_secret_that_was_changed_counts_without_a_restart_and_the_old_one_beside_it(at: Door) -> None:
    new = "whsec_bmV3LXNlY3JldC1vZi1wcmFjdGljZQ=="
    assert (await at.signed(1, new)).status_code == 401
    at.secret("practice", f"{new}\n{SECRET}\n")
    await at.receiver.read_secrets()
    assert [(await at.signed(n, one)).status_code for n, one in ((2, new), (3, SECRET))] == [200, 200]
    at.secret("practice", new)
    await at.receiver.read_secrets()
    assert [(await at.signed(n, one)).status_code for n, one in ((4, new), (5, SECRET))] == [200, 401]


async def test_a_refusal_has_the_secrets_looked_at_again(at: Door) -> None:
    keeping = asyncio.create_task(at.receiver.keep_secrets())
    try:
        new = "whsec_bmV3LXNlY3JldC1vZi1wcmFjdGljZQ=="
        at.secret("practice", new)
        number = 0
        async with asyncio.timeout(30):
            while (await at.signed(number := number + 1, new)).status_code != 200:
                await asyncio.sleep(0.05)
    finally:
        keeping.cancel()


async def test_only_a_post_of_some_length_is_taken(at: Door) -> None:
    base = f"http://{at.address[0]}:{at.address[1]}"
    for method in ("GET", "PUT", "HEAD", "OPTIONS"):
        assert (await at.client.request(method, f"{base}/hooks/practice")).status_code == 405
    assert (await at.client.post(f"{base}/", content=b"")).status_code == 404
    assert b"413" in await at.raw(b"Content-Length: %d\r\n\r\n" % (receiving.MOST + 1))
    chunk = b"%x\r\n%b\r\n" % (2**16, b"x" * 2**16)
    assert b"413" in await at.raw(b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 17)
    full = b"x" * receiving.MOST
    told = sign_standard(SECRET, "msg_full", datetime.now(UTC), full)
    assert (await at.post("practice", full, **told)).status_code == 200


async def test_one_that_dawdles_is_given_up_and_keeps_no_other_waiting(
    at: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "SECONDS", 0.5)
    slow = asyncio.create_task(at.raw(b"Content-Length: 9\r\n\r\n{"))
    assert (await at.signed()).status_code == 200
    assert not slow.done() or b"408" in slow.result()
    assert b"408" in await slow


@pytest.mark.parametrize("before", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_a_caller_who_never_says_what_it_wants_is_hung_up_on(
    own_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bytes
) -> None:
    monkeypatch.setattr(door, "SILENT", 0.2)
    async with opened(own_store, tmp_path) as at:
        reader, writer = await asyncio.open_connection(*at.address[:2])
        writer.write(before)
        if before:
            await asyncio.wait_for(reader.readuntil(b"}"), 30)
        writer.write(b"POST /hooks/practice HTTP/1.1\r\nHost:")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(1), 30)
        writer.close()


async def test_no_more_than_so_many_at_once(at: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    open_ = [await asyncio.open_connection(*at.address[:2]) for _ in range(door.MOST - 1)]
    for _, writer in open_:
        writer.write(b"POST /hooks/practice HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        await writer.drain()
    async with asyncio.timeout(30):
        while (await at.signed()).status_code != 503:
            await asyncio.sleep(0.05)
    for _, writer in open_:
        writer.close()
    async with asyncio.timeout(30):
        while (await at.signed()).status_code != 200:
            await asyncio.sleep(0.05)


async def test_one_that_cannot_be_noted_is_asked_to_come_again(
    at: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any) -> bool:
        raise RegisterUnavailable("The database is away.")

    with monkeypatch.context() as patch:
        patch.setattr(hooks, "ring", away)
        answer = await at.signed()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert at.rang == []
    assert (await at.signed()).status_code == 200
    assert at.rang == ["practice"]


async def test_a_fault_of_ours_is_told_and_the_webhook_is_to_come_again(
    at: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*args: Any) -> bool:
        raise ZeroDivisionError(SECRET)

    with monkeypatch.context() as patch:
        patch.setattr(hooks, "ring", faulty)
        assert (await at.signed()).status_code == 500
    assert at.told[-1] == "A webhook was not taken in by a fault of Muster: ZeroDivisionError."
    assert (await at.signed()).status_code == 200


@pytest.mark.parametrize(
    "kept", ["", "soon the-one-before", "2026-12-04 the-one-before", "2099-01-01T00:00:00+00:00"]
)
def test_what_is_kept_of_an_older_secret_and_says_nothing_counts_for_nothing(
    kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = {"webhook": "the-newest-of-them", "webhook-before": kept}
    monkeypatch.setattr(secrets, "look", lambda vendor, env, kind: held[kind])
    assert hook_secrets.secrets_of("acme", {}, datetime.now(UTC)) == ("the-newest-of-them",)


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("", None),
        ("127.0.0.1:8790", ("127.0.0.1", 8790)),
        ("[::1]:8790", ("::1", 8790)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
    ],
)
def test_where_webhooks_are_taken_is_an_address(told: str, address: tuple[str, int] | None) -> None:
    assert address_of({"MUSTER_WEBHOOKS": told}) == address


@pytest.mark.parametrize(
    "told", ["8790", "localhost:8790", "127.0.0.1:", "127.0.0.1:99999", ":8790", "1:2:3"]
)
def test_what_is_no_address_is_told(told: str) -> None:
    with pytest.raises(BadAddress, match="write it like"):
        address_of({"MUSTER_WEBHOOKS": told})


async def test_a_port_that_is_taken_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "AGAIN", 0.05)
    told: list[str] = []

    async def nobody(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("nobody called")

    taken = door.listen(("127.0.0.1", 0))
    taken.listen()
    waiting = asyncio.create_task(door.keep_open(taken.getsockname(), nobody, told.append))
    try:
        await until(lambda: len(told) > 1)
        assert told[0].startswith("No webhooks are taken in at 127.0.0.1:")
        taken.close()
        await until(lambda: told[-1].startswith("Webhooks are taken in at http://127.0.0.1:"))
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
