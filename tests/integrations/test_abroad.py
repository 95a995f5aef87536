"""A file at a host that is not the supplier's own: what may be asked there, how, and what is kept of it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import orjson
import pytest
from certificates import Authority
from pydantic import TypeAdapter, ValidationError

from integrations import away, exchange
from integrations.addresses import FileHosts
from integrations.away import MOST_REDIRECTS, Away
from integrations.errors import Conflict, Failure, Rejected
from integrations.http import Http, Limits
from integrations.reach import is_public, on_the_internet

HOME = "https://files.example.com"
HOSTS = ("files.example.com",)
FILE = "https://files.example.com/pump%20log%2Ba~b?Expires=1&C=K%2F2026%2Fs3&Signature=opens-it~+0__==&K=A"
QUICK = Limits(connect=1, read=1, total=2)
Answers = Callable[[httpx.Request], httpx.Response]


def played(answers: Answers, asked: list[httpx.Request] | None = None) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            asked.append(request)
        return answers(request)

    return httpx.MockTransport(answer)


def answer_of(status: int, content: bytes = b"log", **headers: str) -> httpx.Response:
    return httpx.Response(status, stream=httpx.ByteStream(content), headers=headers)


def gives(status: int = 200, content: bytes = b"log", **headers: str) -> Answers:
    return lambda _: answer_of(status, content, **headers)


def sends_to(*addresses: str) -> Answers:
    """Sends from one to the next, and gives the file at last."""
    left = iter(addresses)

    def answer(_: httpx.Request) -> httpx.Response:
        to = next(left, None)
        return answer_of(200) if to is None else answer_of(302, location=to)

    return answer


async def brought(answers: Answers, address: str = FILE, most: int = 100, **more: Any) -> bytes:
    asked = more.pop("asked", None)
    one = Away("acme", QUICK, played(answers, asked))
    return await one.bring(address, HOSTS, most, monotonic() + 2, **more)


async def refused(asked: Awaitable[bytes]) -> Failure:
    with pytest.raises(Failure) as raised:
        await asked
    assert "opens-it" not in raised.value.why
    assert raised.value.__cause__ is None
    return raised.value


async def test_it_is_brought_with_nothing_of_ours() -> None:
    asked: list[httpx.Request] = []
    assert await brought(gives(), asked=asked) == b"log"
    assert str(asked[0].url) == FILE
    assert set(asked[0].headers) == {"host", "accept", "accept-encoding", "connection", "user-agent"}


@pytest.mark.parametrize(
    "address",
    [
        "http://files.example.com/a",
        "https://files.example.com:8443/a",
        "https://me:opens-it@files.example.com/a",
        "https://files.example.com.evil.example/a",
        "https://notfiles.example.com/a",
        "https://evilfiles.example.com/a",
        "https://example.com/a",
        "https://files.example.com./a",
        "https://evil.example\\@files.example.com/a",
        "https://evil.example/?files.example.com",
        "https://evil.example#files.example.com",
        "https://127.0.0.1/a",
        "https://[::1]/a",
        "file:///etc/passwd",
        "//files.example.com/a",
        "/a",
        "",
        "https://exa mple.com/a",
    ],
)
async def test_only_named_hosts_are_asked_and_only_by_https(address: str) -> None:
    asked: list[httpx.Request] = []
    failure = await refused(brought(gives(), address, asked=asked))
    assert isinstance(failure, Rejected)
    assert "file_hosts" in failure.why
    assert asked == []


async def test_a_host_below_a_named_one_is_named_too() -> None:
    assert await brought(gives(), "https://p18.FILES.example.com/a") == b"log"


@pytest.mark.parametrize("to", ["https://evil.example/a", "http://files.example.com/a", "https://127.0.0.1/"])
async def test_a_redirect_leads_to_no_other_host(to: str) -> None:
    asked: list[httpx.Request] = []
    assert isinstance(await refused(brought(sends_to(to), asked=asked)), Rejected)
    assert len(asked) == 1


async def test_so_many_redirects_are_followed_and_no_more() -> None:
    asked: list[httpx.Request] = []
    assert await brought(sends_to(*["/next"] * MOST_REDIRECTS), asked=asked) == b"log"
    assert [str(one.url) for one in asked[1:]] == ["https://files.example.com/next"] * MOST_REDIRECTS
    failure = await refused(brought(sends_to(*["/next"] * 9)))
    assert isinstance(failure, Rejected)
    assert "more than 3 times" in failure.why
    assert isinstance(await refused(brought(sends_to("/next"), redirects=0)), Rejected)


async def test_a_redirect_brings_no_cookie_to_the_next() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/b":
            return answer_of(302, location="/b", **{"set-cookie": "a=b; Path=/"})
        return answer_of(200)

    assert await brought(answer, asked=asked) == b"log"
    assert "cookie" not in asked[1].headers
    assert "referer" not in asked[1].headers


@pytest.mark.parametrize("told", [True, False])
async def test_it_is_cut_off_when_it_is_too_large(told: bool) -> None:
    taken: list[int] = []

    async def much() -> Any:
        for number in range(100):
            taken.append(number)
            yield b"x" * 50

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=much(), headers={"content-length": "5000"} if told else {})

    failure = await refused(brought(answer))
    assert isinstance(failure, Rejected)
    assert "more than 100 bytes" in failure.why
    assert len(taken) == (0 if told else 3)


async def test_time_runs_out_for_all_of_it_together() -> None:
    async def slow(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.08)
        return httpx.Response(302, headers={"location": "/next"})

    one = Away("acme", QUICK, httpx.MockTransport(slow))
    failure = await refused(one.bring(FILE, HOSTS, 100, monotonic() + 0.1))
    assert isinstance(failure, Conflict)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, Rejected),
        (401, Rejected),
        (404, Rejected),
        (400, Rejected),
        (410, Rejected),
        (300, Rejected),
        (304, Rejected),
        (408, Conflict),
        (429, Conflict),
        (500, Conflict),
        (503, Conflict),
    ],
)
async def test_what_it_answers_says_nothing_of_the_supplier(status: int, kind: type[Failure]) -> None:
    """No AuthFailed, which would stop all that goes there, no wait of a day, nothing that trips a breaker."""
    failure = await refused(brought(gives(status, b'{"message": "opens-it"}', **{"retry-after": "86400"})))
    assert type(failure) is kind
    assert f"files.example.com, which keeps a file of acme, answered HTTP {status}" in failure.why


async def test_one_that_cannot_be_reached_is_asked_again_later() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no", request=request)

    failure = await refused(brought(answer))
    assert isinstance(failure, Conflict)
    assert "files.example.com cannot be reached" in failure.why


async def test_what_is_kept_of_it_is_host_and_status() -> None:
    kept = exchange.begin()
    await brought(sends_to(FILE + "&token=opens-it-too"))
    said = exchange.told(kept)
    exchange.KEPT.set(None)
    assert [(one["url"], one["status"]) for one in orjson.loads(said)] == [
        ("https://files.example.com/", 302),
        ("https://files.example.com/", 200),
    ]
    assert "opens-it" not in said


# Where a host is


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.9.9", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"),
        *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "2002:a00:1::", "64:ff9b::a00:1"),
    ],
)
def test_an_address_of_no_public_net_is_none_to_go_to(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "64:ff9b::101:101"])
def test_an_address_of_the_internet_is(address: str) -> None:
    assert is_public(address)


async def looked_up(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[tuple[str, int]]:
    async def told(host: str, port: int, **_: Any) -> list[Any]:
        if not addresses:
            raise OSError("no such name")
        return [(0, 0, 0, "", (one, port)) for one in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", told)
    return await on_the_internet("files.example.com", 443)


async def test_a_name_that_leads_into_a_private_net_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await looked_up(monkeypatch, "1.1.1.1", "1.1.1.1", "1.0.0.1") == [
        ("1.1.1.1", 443),
        ("1.0.0.1", 443),
    ]
    with pytest.raises(Rejected, match=r"files\.example\.com leads into a private network"):
        await looked_up(monkeypatch, "1.1.1.1", "10.0.0.1")
    with pytest.raises(Conflict, match="cannot be found"):
        await looked_up(monkeypatch)


async def test_a_client_of_the_network_looks_up_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is made for a supplier: nothing in between has taken the look-up away."""

    async def told(host: str, port: int, **_: Any) -> list[Any]:
        return [(0, 0, 0, "", ("127.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", told)
    async with Http("https://acme.example.com", {"Authorization": "token a-secret"}, limits=QUICK) as http:
        with pytest.raises(Rejected, match="private network"):
            await http.away.bring(FILE, HOSTS, 100, monotonic() + 2)


# What is at home


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        ("https://acme.example.com/attachments/token/a/?name=b", True),
        ("https://ACME.example.com:443/", True),
        ("http://acme.example.com/", False),
        ("https://acme.example.com:8443/", False),
        ("https://acme.example.com.evil.example/", False),
        ("https://acme.example.com@evil.example/", False),
        ("https://me:word@acme.example.com/", False),
        ("//acme.example.com/", False),
        ("/attachments", False),
        ("", False),
    ],
)
async def test_only_what_our_credential_was_stored_for_gets_it(address: str, ours: bool) -> None:
    asked: list[httpx.Request] = []
    way = played(gives(), asked)
    async with Http("https://acme.example.com/api/v2", {"Authorization": "token x"}, transport=way) as http:
        assert http.owns(address) is ours
        if ours:
            assert (await http.page(address, 10)).body == b"log"
            assert str(asked[0].url) == address.replace("ACME", "acme").replace(":443", "")
            assert asked[0].headers["authorization"] == "token x"
        else:
            with pytest.raises(Rejected):
                await http.page(address, 10)
            assert asked == []


# Over a real socket


class Server:
    """TLS on loopback; keeps the heads that it was asked."""

    def __init__(self, pem: Path) -> None:
        self.asked: list[str] = []
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(pem)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nlog")
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.mark.parametrize("named", ["files.example.com", "other.example.com"])
async def test_the_place_that_was_judged_is_asked_and_must_prove_its_name(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority()
    monkeypatch.setattr(away, "trusted", lambda: ssl.create_default_context(cadata=authority.pem))
    server = Server(authority.signs(tmp_path / "pem", host=named))
    listening = await asyncio.start_server(server, "127.0.0.1", 0, ssl=server.tls)
    port = listening.sockets[0].getsockname()[1]
    looked: list[str] = []

    async def here(host: str, _: int) -> list[tuple[str, int]]:
        looked.append(host)
        return [("127.0.0.1", port)]

    async with listening:
        one = Away("acme", QUICK, look_up=here)
        if named == "files.example.com":
            assert await one.bring(FILE, HOSTS, 100, monotonic() + 2) == b"log"
            assert server.asked[0].startswith(f"GET {FILE.removeprefix(HOME)} HTTP/1.1\r\n")
            assert "\r\nHost: files.example.com\r\n" in server.asked[0]
            assert "uthorization" not in server.asked[0]
        else:
            failure = await refused(one.bring(FILE, HOSTS, 100, monotonic() + 2))
            assert isinstance(failure, Conflict)
            assert "its certificate is for another name" in failure.why
            assert server.asked == []
    assert looked == ["files.example.com"]


async def test_another_place_is_tried_where_one_takes_no_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority()
    monkeypatch.setattr(away, "trusted", lambda: ssl.create_default_context(cadata=authority.pem))
    server = Server(authority.signs(tmp_path / "pem", host="files.example.com"))
    listening = await asyncio.start_server(server, "127.0.0.1", 0, ssl=server.tls)
    port = listening.sockets[0].getsockname()[1]

    async def here(_host: str, _port: int) -> list[tuple[str, int]]:
        return [("127.0.0.1", 1), ("127.0.0.1", port)]

    async with listening:
        assert await Away("acme", QUICK, look_up=here).bring(FILE, HOSTS, 100, monotonic() + 2) == b"log"


# What vendors.toml may name


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.0.0.1",
        "localhost",
        "com",
        "*.example.com",
        "https://a.example",
        "a.example:8443",
        "a.example/b",
        ".example.com",
        "a..example",
        "Files.example.com",
        "[::1]",
        "a.example\n",
        "",
    ],
)
def test_further_hosts_are_names_of_two_parts_at_least(host: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[tuple[str, ...]](FileHosts).validate_python((host,))


def test_a_further_host_is_a_name() -> None:
    hosts = ("files.example.com", "a-1.b2.example", "xn--4ca.example")
    assert TypeAdapter[tuple[str, ...]](FileHosts).validate_python(hosts) == hosts
