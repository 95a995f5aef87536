"""The shared client against real sockets: what a lost, late, huge or hostile answer turns into."""

from __future__ import annotations

import asyncio
import gzip
import logging
import re
import shutil
import ssl
import subprocess
import traceback
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from integrations import answers
from integrations.answers import retry_after
from integrations.credential import Masks
from integrations.errors import (
    Ambiguous,
    AuthFailed,
    AuthTrouble,
    Conflict,
    Failure,
    Gone,
    NotSent,
    RateLimited,
    Rejected,
    Unavailable,
)
from integrations.http import MAX_CONNECTIONS, Http, Limits
from register.text import one_line as in_one_line

SECRET = "1-34-0123456789abcdef"
HEADERS = {"Authorization": f"token {SECRET}"}
OP = "01K0000000000000000000000A"
QUICK = Limits(connect=1, read=0.3, total=0.6, answer=1_000_000)
Reply = Callable[[asyncio.StreamWriter, str], Awaitable[None]]
"""What a server does with a connection once a request has come; the text is the request's head."""


class Server:
    """A socket on loopback that keeps what it was asked, and answers as it is told."""

    def __init__(self, answer: Reply) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.connections = 0
        self.tasks: set[asyncio.Task[None] | None] = set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.tasks.add(asyncio.current_task())
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(length[1]) if length else 0)
                self.asked.append(head + body.decode())
                await self.answer(writer, head)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(answer: Reply, limits: Limits = QUICK, **more: Any) -> AsyncIterator[tuple[Http, Server]]:
    server = Server(answer)
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with Http(f"http://127.0.0.1:{port}/api", HEADERS, name="acme", limits=limits, **more) as http:
        yield http, server
    listening.close()
    for task in filter(None, server.tasks):
        task.cancel()
        await asyncio.wait([task])


def says(
    status: str, body: bytes = b"{}", *headers: str
) -> Callable[[asyncio.StreamWriter, str], Awaitable[None]]:
    async def answer(writer: asyncio.StreamWriter, _head: str) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
        if not any(line.lower().startswith("content-type") for line in headers):
            lines.append("Content-Type: application/json")
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    return answer


async def cut(writer: asyncio.StreamWriter, _head: str) -> None:
    """The request was carried out; the answer never leaves."""
    writer.transport.abort()


async def cut_within(writer: asyncio.StreamWriter, _head: str) -> None:
    writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.transport.abort()


async def hang(_writer: asyncio.StreamWriter, _head: str) -> None:
    await asyncio.sleep(30)


async def drip(writer: asyncio.StreamWriter, _head: str) -> None:
    """A byte now and then: no read ever times out, only the whole does."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.1)


async def garbage(writer: asyncio.StreamWriter, _head: str) -> None:
    writer.write(b"220 smtp.example.com ESMTP\r\n")
    await writer.drain()
    writer.close()


async def flood(writer: asyncio.StreamWriter, _head: str) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(160):  # 10 MB, without a length told beforehand
        writer.write(b"10000\r\n" + b"1" * 0x10000 + b"\r\n")
        await writer.drain()


HTML = says("200 OK", b"<html>Please log in</html>", "Content-Type: text/html; charset=utf-8")
LOST = {
    "cut": cut,
    "cut within the body": cut_within,
    "hang": hang,
    "drip": drip,
    "not HTTP": garbage,
    "a web page": HTML,
    "broken JSON": says("200 OK", b'{"id": '),
    "nothing": says("200 OK", b""),
    "broken gzip": says("200 OK", b"not gzip", "Content-Encoding: gzip"),
    "unknown packing": says("200 OK", b"????", "Content-Encoding: br"),
    "500": says("500 Oops"),
    "502": says("502 Bad Gateway", b"<html>nginx</html>", "Content-Type: text/html"),
    "503": says("503 Later", b"{}", "Retry-After: 7"),
    "408": says("408 Request Timeout"),
}


@pytest.mark.parametrize("how", LOST)
async def test_an_answer_lost_is_ambiguous_for_what_makes_something(how: str) -> None:
    async with serving(LOST[how]) as (http, server):
        with pytest.raises(Ambiguous) as caught:
            (await http.post("/tickets", json={"a": 1}, op_id=OP)).json()
        assert caught.value.op_id == OP
        assert len(server.asked) == 1, "a request that makes something goes out once"
        assert server.asked[0].endswith('{"a":1}')


@pytest.mark.parametrize("how", LOST)
async def test_an_answer_lost_is_unavailable_for_what_may_be_repeated(how: str) -> None:
    async with serving(LOST[how]) as (http, _):
        with pytest.raises(Unavailable):
            (await http.get("/tickets")).json()
        with pytest.raises(Unavailable):
            (await http.post("/search", json={}, safe=True)).json()
        with pytest.raises(Unavailable):
            (await http.put("/tickets/1", json={}, safe=True)).json()


async def test_a_web_page_is_no_yes_where_nothing_is_read_of_an_answer() -> None:
    """As a page to sign in at, which a proxy answers with 200."""
    async with serving(HTML) as (http, _):
        with pytest.raises(Ambiguous):
            await http.put("/tickets/1", json={}, safe=False, op_id=OP)


async def test_a_change_that_may_not_be_repeated_is_ambiguous() -> None:
    async with serving(cut) as (http, server):
        with pytest.raises(Ambiguous):
            await http.put("/tickets/1", json={}, safe=False, op_id=OP)
        with pytest.raises(Ambiguous):
            await http.patch("/tickets/1", json={}, safe=False, op_id=OP)
        assert [head.split()[0] for head in server.asked] == ["PUT", "PATCH"]


async def test_the_deadline_covers_the_whole_exchange_and_is_told() -> None:
    async with serving(drip) as (http, _):
        start = datetime.now(UTC)
        with pytest.raises(Ambiguous) as caught:
            await http.post("/tickets", json={})
        took = datetime.now(UTC) - start
        assert timedelta(seconds=0.5) < took < timedelta(seconds=9)
        assert caught.value.deadline is not None
        assert abs(caught.value.deadline - (start + timedelta(seconds=0.6))) < timedelta(seconds=3)


async def test_a_cancellation_from_outside_passes_through() -> None:
    async with serving(hang, Limits()) as (http, _):
        task = asyncio.create_task(http.post("/tickets", json={}))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(TimeoutError):  # and so does a deadline that is not ours
            async with asyncio.timeout(0.1):
                await http.get("/tickets")


async def test_no_connection_means_nothing_was_sent() -> None:
    listening = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    listening.close()
    await listening.wait_closed()
    async with Http(f"http://127.0.0.1:{port}", HEADERS, name="acme") as http:
        with pytest.raises(NotSent, match="acme cannot be reached"):
            await http.post("/tickets", json={})


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.PoolTimeout,
        httpx.UnsupportedProtocol,
    ],
)
async def test_what_fails_before_the_first_byte_is_not_sent(error: type[httpx.TransportError]) -> None:
    async with broken(error("no")) as http:
        with pytest.raises(NotSent):
            await http.post("/tickets", json={})


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadError,
        httpx.WriteError,
        httpx.CloseError,
        httpx.ReadTimeout,
        httpx.WriteTimeout,
        httpx.RemoteProtocolError,
        httpx.LocalProtocolError,
        httpx.DecodingError,
        httpx.TooManyRedirects,
        httpx.ProxyError,
        httpx.StreamClosed,
        ssl.SSLError,
        OSError,
    ],
)
async def test_everything_else_is_ambiguous(error: type[Exception]) -> None:
    async with broken(error() if error is httpx.StreamClosed else error("no")) as http:
        with pytest.raises(Ambiguous):
            await http.post("/tickets", json={})
        with pytest.raises(Unavailable):
            await http.get("/tickets")


@asynccontextmanager
async def broken(error: Exception) -> AsyncIterator[Http]:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise error

    async with Http(
        "https://acme.example", HEADERS, name="acme", transport=httpx.MockTransport(fail)
    ) as http:
        yield http


async def test_a_deadline_while_connecting_is_not_sent() -> None:
    listening = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, backlog=1)
    port = listening.sockets[0].getsockname()[1]
    limits = Limits(connect=30, read=30, total=0.3)
    # TLS is part of connecting: this server takes the connection and never greets.
    async with Http(f"https://127.0.0.1:{port}", HEADERS, name="acme", limits=limits) as http:
        with pytest.raises(NotSent, match="did not take the connection"):
            await http.post("/tickets", json={})
    listening.close()


async def test_ten_megabytes_are_not_taken() -> None:
    limits = Limits(read=5, total=20)
    async with serving(flood, limits) as (http, _):
        with pytest.raises(Ambiguous, match="more than 8,388,608 bytes"):
            await http.post("/tickets", json={})
        with pytest.raises(Rejected, match="a person must look"):  # asking again would bring the same
            await http.get("/tickets")


def test_of_a_refusal_as_large_as_an_answer_may_be_little_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is judged on the loop that sends to all suppliers; and no part of a secret is left at the cut."""
    masks, looked = Masks(), list[int]()
    masks.learn({"Authorization": f"token {SECRET}"})

    def one_line(text: str) -> str:
        looked.append(len(text))
        return in_one_line(text)

    monkeypatch.setattr(answers, "one_line", one_line)
    headers = {"content-type": "text/plain"}
    for before in (b" " * (answers._READ - 3), b"no " * 2**21):
        body = before + SECRET.encode() * 2
        failure = answers.judge(
            "acme", httpx.Response(400, headers=headers), body, masks.over, True, "op", datetime.now(UTC)
        )
        assert SECRET[:3] not in failure.why
    assert max(looked) <= answers._READ


async def test_a_small_packed_answer_that_unpacks_to_a_huge_one_is_not_taken() -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < QUICK.answer
    async with serving(says("200 OK", bomb, "Content-Encoding: gzip")) as (http, _):
        tracemalloc.start()
        with pytest.raises(Rejected, match="more than"):
            await http.get("/tickets")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 10_000_000, "it is never unpacked whole"


async def test_a_packed_answer_is_read() -> None:
    async with serving(says("200 OK", gzip.compress(b'{"id": 7}'), "Content-Encoding: gzip")) as (http, _):
        assert (await http.get("/tickets")).json() == {"id": 7}


async def test_an_endless_error_body_does_not_hide_its_status() -> None:
    async def refuse(writer: asyncio.StreamWriter, _head: str) -> None:
        writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 99\r\n\r\nno")
        await writer.drain()
        await asyncio.sleep(30)

    async with serving(refuse) as (http, _):
        with pytest.raises(AuthFailed):
            await http.post("/tickets", json={})


STATUSES = {
    "400 Bad Request": Rejected,
    "401 Unauthorized": AuthFailed,
    "403 Forbidden": AuthFailed,
    "404 Not Found": Gone,
    "405 Method Not Allowed": Rejected,
    "409 Conflict": Conflict,
    "410 Gone": Gone,
    "412 Precondition Failed": Conflict,
    "413 Too Large": Rejected,
    "415 Unsupported": Rejected,
    "420 Enhance Your Calm": RateLimited,
    "422 Unprocessable": Rejected,
    "429 Too Many": RateLimited,
    "501 Not Implemented": Rejected,
}


@pytest.mark.parametrize("status", STATUSES)
async def test_a_refusal_says_what_it_is(status: str) -> None:
    async with serving(says(status, b'{"message": "the queue\\n is \\u001b[31mclosed"}')) as (http, _):
        for call in (http.get("/x"), http.post("/x", json={}), http.put("/x", json={}, safe=False)):
            with pytest.raises(Failure) as caught:
                await call
            assert type(caught.value) is STATUSES[status]
            assert "the queue is [31mclosed" in caught.value.why
            assert f"HTTP {status[:3]}" in caught.value.why


async def test_a_refused_credential_differs_from_a_missing_right() -> None:
    for status, trouble in (("401 No", AuthTrouble.REFUSED), ("403 No", AuthTrouble.FORBIDDEN)):
        async with serving(says(status)) as (http, _):
            with pytest.raises(AuthFailed) as caught:
                await http.get("/x")
            assert caught.value.trouble is trouble


async def test_forbidden_for_going_too_fast_is_a_limit() -> None:
    async with serving(says("403 Slow", b"{}", "X-RateLimit-Remaining: 0", "Retry-After: 60")) as (http, _):
        with pytest.raises(RateLimited) as caught:
            await http.get("/x")
        assert caught.value.retry_after == timedelta(seconds=60)


async def test_a_long_refusal_is_cut_and_a_web_page_is_left_out() -> None:
    async with serving(says("400 No", b"x" * 9_000, "Content-Type: text/plain")) as (http, _):
        with pytest.raises(Rejected) as caught:
            await http.post("/x", json={})
        assert len(caught.value.why) < 400
        assert caught.value.status == 400
    async with serving(says("400 No", b"<html>big</html>", "Content-Type: text/html")) as (http, _):
        with pytest.raises(Rejected) as caught:
            await http.post("/x", json={})
        assert caught.value.why == "acme said no: HTTP 400."


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"message": "Forbidden"}', "(Forbidden)"),
        (b'{"errorMessages": [], "errors": {"summary": "is required"}}', "(summary: is required)"),
        (
            b'{"error": {"message": "No Record found", "detail": "ACL"}, "status": "failure"}',
            "(No Record found)",
        ),
        (b'["Queue not set", "and more"]', "(Queue not set; and more)"),
        (b'{"error": true, "code": 5}', "(code: 5)"),
        (b"[[[[[[1]]]]]]", "HTTP 400."),
        (b"\xff\xfe", "HTTP 400"),
    ],
)
async def test_the_sentence_is_found_in_every_shape(body: bytes, said: str) -> None:
    async with serving(says("400 No", body)) as (http, _):
        with pytest.raises(Rejected) as caught:
            await http.get("/x")
        assert said in caught.value.why


NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "120"}, 120),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "1.5"}, 2),
        ({"retry-after": "Sun, 01 Mar 2026 12:00:30 GMT"}, 30),
        ({"retry-after": "2026-03-01T12:01:00Z"}, 60),
        ({"retry-after": "2026-03-01T14:01:00+02:00"}, 60),
        ({"retry-after": "Sun, 01 Mar 2026 11:00:00 GMT"}, 0),
        ({"retry-after": "Sun, 01 Mar 2026 13:00:30 GMT", "date": "Sun, 01 Mar 2026 13:00:00 GMT"}, 30),
        ({"x-ratelimit-reset": str(int(NOW.timestamp()) + 45)}, 45),
        ({"x-ratelimit-reset": "2026-03-01T12:00:10Z"}, 10),
        ({"ratelimit-limit": "960", "ratelimit-remaining": "0", "ratelimit-reset": "30"}, 30),
        ({"retry-after": "99999999"}, 86_400),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_retry_after_in_all_its_forms(headers: dict[str, str], seconds: int | None) -> None:
    assert retry_after(headers, NOW) == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 Other", "307 Temporary", "308 Permanent"])
async def test_a_redirect_is_never_followed(status: str) -> None:
    async with serving(says("200 OK", b'{"stolen": true}')) as (there, thief):
        headers = (f"Location: {there.base}/steal", "Set-Cookie: RT_SID=1")
        async with serving(says(status, b"", *headers)) as (http, _):
            with pytest.raises(Rejected, match="redirect"):
                await http.get("/tickets")
            # 307 and 308 say that nothing was done; a 303 often comes after it was.
            with pytest.raises(Rejected if status[:3] in {"307", "308"} else Ambiguous):
                await http.post("/tickets", json={})
        assert thief.asked == []


async def test_cookies_are_neither_kept_nor_sent() -> None:
    async with serving(says("200 OK", b"{}", "Set-Cookie: RT_SID_x=abc; path=/")) as (http, server):
        for _ in range(3):
            await http.get("/tickets")
        assert "cookie" not in "".join(server.asked).lower()
        assert server.connections == 1, "the connection is kept"


@pytest.mark.parametrize(
    "path",
    [
        "http://127.0.0.1:1/api/x",
        "https://evil.example/x",
        "//evil.example/x",
        "@evil.example/x",
        ".evil.example/x",
        ":1/x",
        "x",
        "",
        "/a/../../x",
        "/a/%2e%2E/x",
        "/x?token=1",
        "/x#y",
        "/x\\y",
        "/x\r\nHost: evil.example",
        "/x\x00",
    ],
)
async def test_a_path_cannot_lead_elsewhere(path: str) -> None:
    async with serving(says("200 OK")) as (http, server):
        with pytest.raises(Rejected):
            await http.get(path)
        assert server.asked == []


async def test_an_address_below_the_base_is_taken() -> None:
    async with serving(says("200 OK")) as (http, server):
        await http.get(f"{http.base}/tickets/7", params={"q": "a b&c='Ü'"})
        assert server.asked[0].startswith("GET /api/tickets/7?q=a+b%26c%3D%27%C3%9C%27 HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "url",
    [
        "http://support.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://0.0.0.0",
        "http://10.0.0.1",
        "http://2130706433",
        "ftp://example.com",
        "file:///etc/passwd",
        "example.com",
        "",
        "https://",
        "https://user:pass@example.com",
        "https://example.com/?a=b",
        "https://example.com/#a",
        "https://exa mple.com",
    ],
)
def test_a_base_url_that_must_not_be_used_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"https|address|keyring|path"):
        Http(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080",
        "http://127.8.9.1",
        "http://[::1]:8080/a",
        "http://localhost",
        "https://a.example/b/",
    ],
)
def test_loopback_may_be_plain(url: str) -> None:
    assert str(Http(url).base) == url.rstrip("/")


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes its certificate with the openssl command")
async def test_an_untrusted_certificate_is_refused(tmp_path: Path) -> None:
    pem = tmp_path / "both.pem"
    make = (
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {pem} -out {pem}.crt"
    )
    subprocess.run(
        [*make.split(), "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(f"{pem}.crt", pem)
    server = Server(says("200 OK"))
    listening = await asyncio.start_server(server, "127.0.0.1", 0, ssl=context)
    port = listening.sockets[0].getsockname()[1]
    async with Http(f"https://localhost:{port}", HEADERS, name="acme") as http:
        with pytest.raises(NotSent, match="certificate is not trusted"):
            await http.post("/tickets", json={})
    assert server.asked == []
    listening.close()


async def test_no_secret_is_ever_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = says("400 No", f'{{"message": "bad token {SECRET}: token {SECRET}"}}'.encode())
    shown = []
    for answer in (
        echo,
        cut,
        hang,
        garbage,
        HTML,
        says("401 No"),
        says("302 Found", b"", f"Location: /?t={SECRET}"),
    ):
        async with serving(answer) as (http, _):
            for call in (http.get("/x"), http.post("/x", json={})):
                with pytest.raises(Failure) as caught:
                    await call
                assert caught.value.__context__ is None, "an httpx error holds the request and its headers"
                shown.append("".join(traceback.format_exception(caught.value)) + repr(vars(caught.value)))
            shown.append(repr(http))
    assert SECRET not in "".join(shown) + caplog.text
    assert "•••" in "".join(shown)


async def test_a_secret_that_no_header_can_carry_is_told_before_anything_is_sent() -> None:
    for secret in ("token a\nb", "token a\r\nX: y", "token ü", "token \x00"):
        with pytest.raises(AuthFailed) as caught:
            Http("https://a.example", {"Authorization": secret}, name="acme")
        assert caught.value.trouble is AuthTrouble.MISSING
        assert secret not in caught.value.why


async def test_what_cannot_be_written_is_not_sent() -> None:
    async with serving(says("200 OK")) as (http, server):
        for value in ({"a": object()}, {"a": "\ud800"}, {1: 2}):
            with pytest.raises(Rejected, match="nothing was sent"):
                await http.post("/x", json=value)
        for version in ('"1"\r\nX: y', '"ü"', "\n"):
            with pytest.raises(Rejected, match="nothing was sent"):
                await http.post("/x", json={}, headers={"If-Match": version})
        with pytest.raises(Rejected, match="nothing was sent"):
            await http.get("/" + "x" * 70_000)
        with pytest.raises(Rejected, match="nothing was sent"):
            await http.get("/x", params={"q": "x" * 70_000})
        assert server.asked == []


async def test_the_proxies_of_the_environment_are_ignored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with serving(says("200 OK", b"[]")) as (http, _):
        assert (await http.get("/x")).json() == []


async def test_no_more_connections_than_the_pool_may_have() -> None:
    async def slowly(writer: asyncio.StreamWriter, head: str) -> None:
        await asyncio.sleep(0.05)
        await says("200 OK", b"[]")(writer, head)

    async with serving(slowly, Limits()) as (http, server):
        await asyncio.gather(*(http.get("/x") for _ in range(50)))
        assert server.connections == MAX_CONNECTIONS
        assert len(server.asked) == 50


async def test_an_answer_shows_neither_body_nor_headers() -> None:
    async with serving(says("201 Created", b'{"id": "1"}', "Location: /t/1")) as (http, _):
        answer = await http.post("/x", json={})
        assert (answer.status, answer.json(), answer.headers["location"]) == (201, {"id": "1"}, "/t/1")
        assert repr(answer) == "Answer(201, 11 bytes)"
