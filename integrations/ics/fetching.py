"""Asks for a calendar: once, within bounds, without following anybody elsewhere.

The address may be a secret: it is in no failure and in no `repr`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from integrations.errors import AuthFailed, Failure, Gone, Rejected
from integrations.http import Http
from integrations.transfer import Limits
from integrations.urls import parted
from integrations.wish import Wish

MOST: Final = 4 * 2**20
"""Bytes of a calendar, packed or unpacked: some ten thousand events."""
_LIMITS: Final = Limits(connect=5.0, read=20.0, total=30.0, answer=MOST)


@dataclass(frozen=True, slots=True)
class Fetched:
    """body: None where it is as it was. etag, modified: by what it is known again, as the server said."""

    body: bytes | None
    etag: str = ""
    modified: str = ""


NOTHING: Final = Fetched(None)
"""Nothing is known of it yet."""


async def fetch(rota: str, address: str, before: Fetched = NOTHING, limits: Limits = _LIMITS) -> Fetched:
    """Return the calendar at this address. Raises `Failure`, with a sentence; `before`: what it was then."""
    parts = urlsplit(address)
    path, query = parted(address)
    secrets = [address, parts.path, parts.query, *(value for _, value in parse_qsl(parts.query))]
    told = {"If-None-Match": before.etag, "If-Modified-Since": before.modified}
    headers = {"Accept": "text/calendar, */*;q=0.1"} | {name: said for name, said in told.items() if said}
    wish = Wish("GET", path or "/", True, query, headers=headers, page=True, told=(304,), beyond=True)
    async with Http(
        f"{parts.scheme}://{parts.netloc}", name=f"The calendar of {rota}", limits=limits
    ) as http:
        http.hide(secret for secret in secrets if len(secret) > 1)
        try:
            answer = await http.ask(wish)
        except (AuthFailed, Gone, Rejected) as failure:
            raise _plainly(rota, failure) from None
    if answer.status == 304:
        return Fetched(None, before.etag, before.modified)
    return Fetched(answer.body, answer.headers.get("etag", ""), answer.headers.get("last-modified", ""))


def _plainly(rota: str, failure: Failure) -> Failure:
    """What these mean of a calendar, to which nobody ever signs in."""
    if isinstance(failure, AuthFailed):
        return Rejected(f"The calendar of {rota} is not shown to us: its address may be a new one by now.")
    if isinstance(failure, Gone):
        return Rejected(f"The calendar of {rota} is gone: nothing is at its address any more.")
    return failure
