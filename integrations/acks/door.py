"""The door for links: `GET /ack/TOKEN` shows a page with a button, `POST /ack/TOKEN` acknowledges.

Mail scanners fetch every link, some of them again and again: looking changes nothing. A forged token is
refused before the register is asked. No token, and no part of one, is ever told to the journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from integrations.acks.key import Keys
from integrations.acks.offer import PATH
from integrations.acks.page import HEADERS, page
from integrations.acks.using import Became, Outcome, Standing, acknowledge, looked_at
from integrations.acks.words import FORGED, asks, heading, sentence
from integrations.hand import Hand
from integrations.page_text import what
from register.page_settings import BY_LINK
from register.store import RegisterUnavailable

MOST: Final = 1_024
"""Bytes of a POST: the button sends none."""
SECONDS: Final = 10.0
"""How long its body may take."""
AT_ONCE: Final = 8
"""So many are answered at once. Whoever comes besides is to come again: webhooks use the same thread."""
_STATUS: Final[Mapping[Became, int]] = {
    Became.USED: 410,
    Became.OLD: 410,
    Became.GONE: 403,
    Became.REFUSED: 403,
}


class AckDoor:
    """Answers whoever follows a page's link."""

    def __init__(self, hand: Hand, keys: Keys, tell: Callable[[str], object]) -> None:
        self._hand = hand
        self._keys = keys
        self._tell = tell
        self._busy = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            answer = await self._turned(request)
        except ClientDisconnect:
            return
        except RegisterUnavailable as error:
            self._tell(f"A page was not acknowledged by its link: {error}")
            answer = _away()
        except Exception as error:  # whoever called is to come again; what it was is ours to know
            self._tell(f"A page was not acknowledged by a fault of Muster: {type(error).__name__}.")
            answer = _away(500)
        await answer(scope, receive, send)

    async def _turned(self, request: Request) -> Response:
        if self._busy >= AT_ONCE:
            return _away()
        self._busy += 1
        try:
            return await self._answer(request)
        finally:
            self._busy -= 1

    async def _answer(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD", "POST"):
            return _said(405, "Nothing was done", "Open the link, and press the button.", Allow="GET, POST")
        if not await _is_small(request):
            return _said(413, "Nothing was done", "That is more than the button sends.", Connection="close")
        token = request.url.path.removeprefix(PATH)
        if not await self._keys.proves(token, self._hand.store.register_id):
            self._tell("A link to acknowledge was refused: its signature is wrong. Nothing was done for it.")
            return _said(404, "No such link", FORGED)
        stands = await self._hand.call(lambda: looked_at(self._hand.desk, token, self._hand.now()))
        if request.method != "POST":
            return _offered(stands)
        if isinstance(stands, Outcome):
            return _told(stands)
        return _told(
            await self._hand.call(lambda: acknowledge(self._hand.desk, stands, BY_LINK, self._hand.now()))
        )


def _offered(stands: Standing | Outcome) -> Response:
    """What is shown to whoever opens the link."""
    if isinstance(stands, Outcome):
        return _told(stands)
    if not stands.incident.is_open:
        return _told(stands.outcome)
    return Response(
        page(
            f"{stands.incident.number}: do you have it?",
            what(stands.incident),
            asks(stands),
            button=f"I have {stands.incident.number}",
        ),
        200,
        HEADERS,
    )


def _told(outcome: Outcome) -> Response:
    about = "" if outcome.incident is None else what(outcome.incident)
    shown = about if outcome.became in (Became.YOURS, Became.ALREADY, Became.ANOTHERS) else ""
    return _said(_STATUS.get(outcome.became, 200), heading(outcome), sentence(outcome), shown)


def _away(status: int = 503) -> Response:
    says = "The register cannot be asked now. Nothing was done: try again in a moment, or call your desk."
    return _said(status, "Not now", says, **{"Retry-After": "10"})


def _said(status: int, title: str, *lines: str, **headers: str) -> Response:
    return Response(page(title, *lines), status, {**HEADERS, **headers})


async def _is_small(request: Request) -> bool:
    """Whether its body, which nobody needs, ends soon."""
    told, size = request.headers.get("content-length", ""), 0
    if told.isdecimal() and int(told[:20]) > MOST:
        return False
    try:
        async with asyncio.timeout(SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size > MOST:
                    return False
    except TimeoutError:
        return False
    return True
