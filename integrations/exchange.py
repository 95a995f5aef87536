"""The exact requests of one sending and their answers, as a person reads them afterwards: no secret in them.

A courier begins a record for its delivery, `Http` adds to it what it asks and gets, and `told` makes text of
it, masked and capped, when it is worth keeping. One that arrived at once costs a list and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol

import httpx
import orjson

from integrations.masks import Masking

MOST: Final = 8_192
"""Characters of a body that are kept, and of all headers together."""
_READ: Final = 2**18
"""Bytes of a body that are looked at: what is kept, and behind it the longest secret, however written."""
MOST_REQUESTS: Final = 4
"""Requests of one sending that are kept, the last of them."""
SAMPLE_EVERY: Final = timedelta(minutes=1)
"""How often a sending that went well at once is kept: writing each down costs more than it is worth."""
HIDDEN: Final = "•••"
DULL: Final = frozenset({"accept", "accept-encoding", "connection", "content-length", "host", "user-agent"})
"""Headers that say nothing of what is asked."""
_OPENS: Final = re.compile(
    r"""((?:[?&;]|\\u0026)(?:x-amz-[a-z-]+|signature|policy|key-pair-id|token|sig)=|/attachments/token/)"""
    r"""[^&;/?\s"'<>\\]+""",
    re.IGNORECASE,
)
"""What in an address opens a file to whoever has it: S3's and CloudFront's signatures, Zendesk's tokens."""
_SECRET: Final = frozenset(
    {"authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key", "x-auth-token"}
)
"""Headers whose value is never kept, whoever sends them."""


class Answered(Protocol):
    """What is known of a request when it is over."""

    response: httpx.Response | None
    body: bytearray


class Asked(NamedTuple):
    """One request. secret: headers that carry its client's secrets."""

    request: httpx.Request
    answer: Answered
    masked: Masking
    secret: frozenset[str]


KEPT: ContextVar[list[Asked] | None] = ContextVar("exchange", default=None)
"""The record of the delivery that is under way in this task; None where nobody keeps one."""


def begin() -> list[Asked]:
    """Keep from now on, in this task, what is asked."""
    kept: list[Asked] = []
    KEPT.set(kept)
    return kept


def told(kept: list[Asked], most: int = MOST_REQUESTS) -> str:
    """Return the requests and answers as JSON, the last `most` of them; empty where nothing was asked."""
    return orjson.dumps([_one(asked) for asked in kept[-most:]]).decode() if kept else ""


class Sample:
    """Decides what is worth a write: all that did not go well at once, and of the rest one now and then."""

    def __init__(self) -> None:
        self._next: datetime | None = None

    def of(self, kept: list[Asked], now: datetime, *, always: bool) -> str:
        """Return what is to be kept of this delivery, or nothing."""
        if not always and self._next is not None and now < self._next:
            return ""
        self._next = now + SAMPLE_EVERY
        return told(kept)


def _one(asked: Asked) -> dict[str, Any]:
    request, response = asked.request, asked.answer.response
    found: dict[str, Any] = {
        "method": request.method,
        "url": _closed(asked.masked(str(request.url))[:MOST]),
        "headers": _headers(request.headers, asked),
        "body": _text(request.content, request.headers, asked),
        "status": None,
    }
    if response is not None:
        found["status"] = response.status_code
        found["answer_headers"] = _headers(response.headers, asked)
        found["answer"] = _text(bytes(asked.answer.body), response.headers, asked)
    return found


def _headers(headers: Mapping[str, str], asked: Asked) -> dict[str, str]:
    room, found = MOST, dict[str, str]()
    for name, value in headers.items():
        if name in DULL:
            continue
        text = HIDDEN if name in _SECRET or name in asked.secret else _closed(asked.masked(value))
        room -= len(name) + len(text)
        if room < 0:
            break
        found[name] = text
    return found


def _text(content: bytes, headers: Mapping[str, str], asked: Asked) -> str:
    """A body as text, cut where it is long. What is no text is told by its size alone."""
    kind = headers.get("content-type", "").lower()
    if not content:
        return ""
    if kind and not any(word in kind for word in ("json", "text", "xml", "html", "urlencoded")):
        return f"({len(content):,} bytes of {kind})"
    whole = content[:_READ].decode("utf-8", "replace")
    text = _closed(asked.masked(whole, MOST))  # a secret may lie across the cut
    return text if len(whole) <= MOST else f"{text[:MOST]}… ({len(content):,} bytes)"


def _closed(text: str) -> str:
    """A text whose addresses open nothing any more."""
    return _OPENS.sub(rf"\1{HIDDEN}", text)
