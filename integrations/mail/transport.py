"""The way to a mail server beneath the one shared client, in place of HTTP.

A connector for mail asks its client as any other does, so it has what each has: one deadline over all, masks,
the record of an exchange, a credential that is renewed. `POST /mails` is a mail to hand over, `GET /mails…`
looks into the mailbox; here they become SMTP and IMAP. Each step blocks in a thread, and is cut by closing
its socket when its time is over. Of IMAP one connection is kept, of SMTP none.
"""

from __future__ import annotations

import asyncio
import contextlib
import imaplib
import smtplib
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, Protocol, TypeVar

import httpx
import orjson

from integrations.mail.config import BEGINNING, WHOLE, EmailConfig, where
from integrations.mail.login import Login
from integrations.mail.mailbox import Mailbox, Row
from integrations.mail.submission import Garbled, Submission

KEPT_FOR: Final = 900.0
"""Seconds after which the mailbox is opened anew: only then is told that it was replaced by another."""
PAGE: Final = 100
"""Mails of one page."""
PAGE_BYTES: Final = 4 * 2**20
"""Bytes of one page, unless one mail alone has more."""
FOUND: Final = "x-mails"
"""In an answer: [uid, size, when it came, bytes of it in the body] of each mail, as JSON."""
T = TypeVar("T")
_NETWORK: Final = (OSError, imaplib.IMAP4.error, smtplib.SMTPException, Garbled, ValueError)


class Cuttable(Protocol):
    def cut(self) -> None: ...


class MailTransport(httpx.AsyncBaseTransport):
    """Speaks SMTP and IMAP for one supplier. tls: whom to trust, for tests; else the machine's own trust."""

    def __init__(self, config: EmailConfig, tls: ssl.SSLContext | None = None) -> None:
        self._config = config
        self._tls = tls
        self._box: Mailbox | None = None
        self._since = 0.0
        self._who = Login("", "")
        self._turn = asyncio.Lock()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        trace = request.extensions.get("trace", _untraced)
        await trace("connection.connect_tcp.started", {})  # until told otherwise, nothing has gone out
        who = Login.of(request.headers["authorization"])
        seconds = request.extensions.get("timeout", {}).get("read") or 30.0
        try:
            if request.method == "POST":
                return await self._hand_over(request, who, seconds, trace)
            async with self._turn:
                return await self._look(request, who, seconds, trace)
        except _Lost as lost:
            kind = httpx.ConnectError if lost.before else httpx.RemoteProtocolError
            said = lost.said
        raise kind(said, request=request)  # out here, so that nothing of the exchange hangs on it

    async def _hand_over(
        self, request: httpx.Request, who: Login, seconds: float, trace: Any
    ) -> httpx.Response:
        """One mail, over a connection of its own."""
        config = self._config
        login = who if config.smtp_login else None
        out = Submission(where(config.smtp), await self._trust(), seconds, config.address)
        to = request.headers.get("x-to", "").split()
        try:
            await _step(out, lambda: out.open(login), before=True)
            if not to:  # to see whether we may
                return httpx.Response(200, stream=_Body(b""))
            await _step(out, lambda: out.envelope(config.address, to, login), before=True)
            await trace("http11.send_request_headers.started", {})
            said = await _step(out, lambda: out.content(request.content, login))
        finally:
            out.cut()
        return httpx.Response(
            200, headers={"x-said": who.masked(said).encode("ascii", "replace").decode()}, stream=_Body(b"")
        )

    async def _look(self, request: httpx.Request, who: Login, seconds: float, trace: Any) -> httpx.Response:
        """Into the mailbox, over the connection that is kept."""
        box = await self._opened(who, seconds)
        await trace("http11.send_request_headers.started", {})
        asked = dict(request.url.params)
        with ExitStack() as failing:
            failing.callback(self._drop)
            looked = await _step(box, lambda: _LOOKS[request.url.path.rpartition("/")[2]](box, asked))
            failing.pop_all()
        told = {
            FOUND: orjson.dumps([[row.uid, row.size, row.at, len(row.raw)] for row in looked.rows]).decode(),
            "x-validity": str(box.validity),
            "x-next": str(box.next),
            "x-more": str(int(looked.more)),
            "content-type": "message/rfc822",
        }
        return httpx.Response(200, headers=told, stream=_Body(b"".join(row.raw for row in looked.rows)))

    async def _opened(self, who: Login, seconds: float) -> Mailbox:
        if self._box is not None and self._who == who and monotonic() - self._since < KEPT_FOR:
            with contextlib.suppress(_Lost):  # it was closed there, for nobody said anything for long
                await _step(self._box, self._box.refresh)
                return self._box
        self._drop()
        box = Mailbox(where(self._config.imap), await self._trust(), seconds)
        with ExitStack() as failing:
            failing.callback(box.cut)
            await _step(box, lambda: box.open(who), before=True)
            failing.pop_all()
        self._box, self._who, self._since = box, who, monotonic()
        return box

    async def _trust(self) -> ssl.SSLContext:
        from integrations.trust import trusted

        return self._tls or trusted()

    def _drop(self) -> None:
        if self._box is not None:
            self._box.cut()
        self._box = None

    async def aclose(self) -> None:
        box, self._box = self._box, None
        if box is not None:
            with contextlib.suppress(_Lost):
                await _step(box, box.end)
            box.cut()


class _Lost(Exception):
    """The connection failed, or what came is not the protocol. before: anything was handed over."""

    def __init__(self, said: str, before: bool) -> None:
        super().__init__(said)
        self.said, self.before = said, before


class _Body(httpx.AsyncByteStream):
    """An answer that has come already."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


async def _step(of: Cuttable, work: Callable[[], T], *, before: bool = False) -> T:
    """Do it in a thread; where nobody waits any more, have it end."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        of.cut()
        task.add_done_callback(lambda done: _ended(done, of))
        raise
    except _NETWORK as error:
        said = str(error) or type(error).__name__
    raise _Lost(said, before)


def _ended(done: asyncio.Future[Any], of: Cuttable) -> None:
    """What a thread came to that nobody waits for: a connection that it made meanwhile is closed."""
    of.cut()
    if not done.cancelled():
        done.exception()


async def _untraced(event: str, told: Mapping[str, Any]) -> None:
    """Nobody follows."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look found. more: there is more after it."""

    rows: list[Row]
    more: bool = False


def _start(box: Mailbox, asked: Mapping[str, str]) -> Looked:
    """Where a folder ends now."""
    box.select(asked["folder"], anew=True)
    return Looked([])


def _new(box: Mailbox, asked: Mapping[str, str]) -> Looked:
    """The first mails after a uid, whole; none where the mailbox is not the one that was asked for."""
    after = int(asked["after"])
    box.select(asked["folder"])
    if box.validity == int(asked["validity"]) and 0 < box.next <= after:
        box.select(asked["folder"], anew=True)  # perhaps mails came while another one was listening
    if box.validity != int(asked["validity"]):
        return Looked([])
    return _page(box, box.after(after))


def _found(box: Mailbox, asked: Mapping[str, str]) -> Looked:
    """The heads of mails in a folder that fit any of the keys in `any`."""
    box.select(asked["folder"])
    return Looked(box.fetch(box.search(orjson.loads(asked["any"])), "BODY.PEEK[HEADER]"))


def _mails(box: Mailbox, asked: Mapping[str, str]) -> Looked:
    """These mails of a folder, whole."""
    box.select(asked["folder"])
    return _page(box, box.fetch(orjson.loads(asked["uids"]), ""))


_LOOKS: Final[Mapping[str, Callable[[Mailbox, Mapping[str, str]], Looked]]] = {
    "start": _start,
    "new": _new,
    "found": _found,
    "mails": _mails,
}


def _pages(rows: list[Row]) -> list[list[Row]]:
    """Cut where a page would have too many mails or bytes."""
    pages: list[list[Row]] = []
    room = 0
    for row in rows:
        if not pages or room < row.size or len(pages[-1]) >= PAGE:
            pages.append([])
            room = PAGE_BYTES
        pages[-1].append(row)
        room -= min(row.size, WHOLE)
    return pages


def _page(box: Mailbox, rows: list[Row]) -> Looked:
    """The first page of these, whole, or of a huge one its beginning."""
    pages = _pages(rows)
    first = next(iter(pages), [])
    huge = [row.uid for row in first if row.size > WHOLE]
    rest = [row.uid for row in first if row.size <= WHOLE]
    found = box.fetch(huge, f"BODY.PEEK[]<0.{BEGINNING}>") + box.fetch(rest, "BODY.PEEK[]")
    return Looked(sorted(found, key=lambda row: row.uid), len(pages) > 1)
