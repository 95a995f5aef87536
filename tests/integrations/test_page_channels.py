"""Channels on a bad day, through real sockets: each is told of in words, none keeps another waiting."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from certificates import Authority
from page_kit import Arrivals, arrivals

from integrations import paging, secrets
from integrations.page_text import Words
from register.topics.paging import Tried

WORDS = Words("INC-7 P1", "Please call Acme.\nToken hunter2 is not here.")


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """By what people are paged: their slot → the address."""
    held: dict[str, str] = {}

    def look(name: str, env: Mapping[str, str]) -> str | None:
        return held.get(name)

    monkeypatch.setattr(secrets, "look", look)
    return held


@pytest.fixture
def receiver() -> Iterator[Arrivals]:
    with arrivals() as made:
        yield made


@contextmanager
def silent() -> Iterator[int]:
    """A port of this machine at which everything is taken and nothing answered."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        yield listening.getsockname()[1]


@contextmanager
def untrusted(folder: Path) -> Iterator[int]:
    """A port that speaks TLS with a certificate that nobody vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Authority().signs(folder / "server.pem"))

    def greet() -> None:
        with contextlib.suppress(OSError):
            while True:
                taken, _ = listening.accept()
                with contextlib.suppress(OSError), taken:
                    context.wrap_socket(taken, server_side=True)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=greet, daemon=True).start()
        yield listening.getsockname()[1]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


async def _send(channel: str = "sms", person: str = "ben", seconds: float = 30) -> Tried:
    return await paging.send(person, channel, WORDS, seconds, {})


@pytest.mark.parametrize("scheme", ["json", "mailto"])
async def test_where_nothing_takes_connections_is_told(addresses: dict[str, str], scheme: str) -> None:
    more = "?from=a@example.com&to=b@example.com" if scheme == "mailto" else "/x?token=hunter2"
    addresses["page.ben.sms"] = f"{scheme}://127.0.0.1:{_free_port()}{more}"
    assert (await _send()).why == "nothing takes connections at its address"


async def test_a_certificate_that_nobody_vouches_for_is_told(
    addresses: dict[str, str], tmp_path: Path
) -> None:
    with untrusted(tmp_path) as port:
        addresses["page.ben.sms"] = f"jsons://127.0.0.1:{port}/hunter2"
        assert (await _send()).why == "its certificate cannot be trusted, so nothing was sent"


async def test_what_speaks_no_tls_is_told(addresses: dict[str, str], receiver: Arrivals) -> None:
    addresses["page.ben.sms"] = receiver.url.replace("json:", "jsons:")
    assert (await _send()).why == "no encrypted connection to it could be made, so nothing was sent"
    assert receiver.got == []


@pytest.mark.parametrize("code", [401, 403])
async def test_a_login_that_is_not_taken_is_told(
    addresses: dict[str, str], receiver: Arrivals, code: int
) -> None:
    receiver.code = code
    addresses["page.ben.sms"] = receiver.url
    why = f"the service answered {code}: it does not take the login or token in its address"
    assert await _send() == Tried(channel="sms", ok=False, why=why)


async def test_a_name_that_nobody_has_is_told(addresses: dict[str, str]) -> None:
    addresses["page.ben.sms"] = "jsons://muster.invalid/hunter2"
    assert (await _send()).why == "its host's name cannot be found"


@pytest.mark.parametrize("seconds", [30, 0.3], ids=["apprise gives up", "we give up"])
async def test_silence_is_told_as_no_answer(
    addresses: dict[str, str], monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """What was sent and not answered may arrive all the same."""
    monkeypatch.setattr(paging, "PATIENCE", 1.0)
    with silent() as port:
        addresses["page.ben.sms"] = f"json://127.0.0.1:{port}/x"
        assert (await _send(seconds=seconds)).why == paging.NO_ANSWER


async def test_what_hangs_for_many_keeps_nobody_else_waiting(
    addresses: dict[str, str], receiver: Arrivals
) -> None:
    """Not even in the library: left to itself it sends from a few threads that all share."""
    with silent() as port:
        for n in range(40):
            addresses[f"page.p{n}.sms"] = f"json://127.0.0.1:{port}/x"
        addresses["page.eva.sms"] = receiver.url
        hanging = [asyncio.create_task(_send(person=f"p{n}")) for n in range(40)]
        await asyncio.sleep(0.5)
        assert (await _send(person="eva", seconds=9)).ok
        assert not any(task.done() for task in hanging)
        assert len(receiver.got) == 1
        for task in hanging:
            task.cancel()


async def test_a_channel_that_hangs_for_good_takes_no_more_than_its_share_of_threads(
    addresses: dict[str, str], receiver: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page by it would leave a thread behind; the next channel is tried at once instead."""
    go = threading.Event()
    real = paging._sent

    def sent(address: str, words: Words) -> str:
        if address.startswith("jsons"):
            go.wait(60)
        return real(address, words)

    monkeypatch.setattr(paging, "_sent", sent)
    addresses |= {"page.ben.sms": "jsons://127.0.0.1:9/x", "page.ben.mail": receiver.url}
    tried = await asyncio.gather(*(_send(seconds=0.1) for _ in range(paging.MOST)))
    assert {one.why for one in tried} == {paging.NO_ANSWER}
    assert (await _send(seconds=30)).why == paging.HANGS
    assert (await _send("mail")).ok
    go.set()
    async with asyncio.timeout(30):
        while (await _send(seconds=30)).why == paging.HANGS:
            await asyncio.sleep(0.01)


async def test_no_secret_is_in_what_is_told(
    addresses: dict[str, str], receiver: Arrivals, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """The library is asked for every detail of a failure; none of it but our own words goes on."""
    told = []
    with untrusted(tmp_path) as port:
        for where in (f"jsons://127.0.0.1:{port}", f"json://127.0.0.1:{_free_port()}", receiver.url):
            receiver.code = 500
            addresses["page.ben.sms"] = f"{where}/hunter2?token=hunter2"
            told.append((await _send()).why)
    assert len(told) == len(set(told)) == 3
    assert "hunter2" not in f"{told}{caplog.text}"
    assert "127.0.0.1" not in f"{told}{caplog.text}"
