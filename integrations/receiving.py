"""Taking webhooks in: an ASGI app of one path a supplier, `POST /hooks/NAME`.

Whoever has not proved to be a supplier learns nothing: one who is not known, has no secret here or signed
wrong is answered alike. A good one rings in the register, and only then is answered 200; what it says is not
taken in (`connector.Hooks`). Nothing here waits for a supplier, and a courier waits for nothing here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from integrations import hook_secrets
from integrations.connector import Hooks
from integrations.errors import AuthFailed
from integrations.hand import Hand
from integrations.refusals import Refusals
from integrations.ringing import Proof, proof_of
from integrations.signing import Fault, HookRefused, digest_of
from integrations.vendor import Vendor
from register.store import RegisterUnavailable, hooks

PATH: Final = "/hooks/"
MOST: Final = 2**20
"""Bytes of a webhook."""
SECONDS: Final = 10.0
"""How long its body may take."""
AT_ONCE: Final = 16
"""Bodies that are read at once: so much memory they take at the most, too, in MiB."""
AGAIN: Final = 30.0
"""Seconds between two looks whether secrets were changed."""
BETWEEN: Final = 2.0
"""The least that lies between two, whoever asks for it."""
_NOBODY: Final = Proof(())

Ring = Callable[[str], object]


class Receiver:
    """Takes webhooks in. known: the suppliers; rung: called with the name of one that rang; hand: its own."""

    def __init__(
        self,
        hand: Hand,
        env: Mapping[str, str],
        known: Callable[[], Mapping[str, Vendor]],
        rung: Ring,
        tell: Callable[[str], object],
    ) -> None:
        self._hand = hand
        self._env = env
        self._known = known
        self._rung = rung
        self._refusals = Refusals(hand, tell)
        self._tell = tell
        self._proofs: dict[str, tuple[Vendor, tuple[str, ...], Hooks]] = {}
        self._faults: dict[str, str] = {}  # why no secret could be looked for
        self._look = asyncio.Event()
        self._reading = asyncio.Semaphore(AT_ONCE)
        self._later: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(Request(scope, receive))
        except ClientDisconnect:
            return
        except Exception as error:  # whoever called is to come again; what it was is ours to know
            self._tell(f"A webhook was not taken in by a fault of Muster: {type(error).__name__}.")
            answer = _said(500, "not now", {"Retry-After": "30"})
        await answer(scope, receive, send)

    async def settle(self) -> None:
        """Have what was put off done, before the register's thread ends."""
        await asyncio.gather(*self._later, return_exceptions=True)

    def look_again(self) -> None:
        """There are other suppliers, or other secrets."""
        self._look.set()

    async def keep_secrets(self) -> None:
        """Read suppliers' secrets again and again, for ever: none is looked up while somebody waits."""
        while True:
            self._look.clear()
            await self.read_secrets()
            await asyncio.sleep(BETWEEN)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), AGAIN)

    async def read_secrets(self) -> None:
        """Know which secrets count now."""
        found = {}
        for name, vendor in self._known().items():
            if vendor.by_hand:
                continue
            try:
                of = partial(hook_secrets.secrets_of, name, self._env, datetime.now(UTC))
                secrets = await asyncio.to_thread(of)
            except AuthFailed as failure:
                if self._faults.get(name) != failure.why:
                    self._tell(f"{name}: no webhook of theirs can be proved. {failure.why}")
                self._faults[name] = failure.why
                continue
            self._faults.pop(name, None)
            if not secrets:
                continue
            before = self._proofs.get(name)
            kept = before is not None and before[:2] == (vendor, secrets)
            found[name] = before if kept and before else (vendor, secrets, proof_of(vendor, secrets))
        self._proofs = found

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        if not path.startswith(PATH):
            return _said(404, "there is nothing here")
        if request.method != "POST":
            return _said(405, "only POST is taken here", {"Allow": "POST"})
        told = request.headers.get("content-length", "")
        if told.isdecimal() and int(told[:20]) > MOST:
            return _said(413, f"at most {MOST:,} bytes are taken", _CLOSE)
        try:
            async with asyncio.timeout(SECONDS), self._reading:
                raw = await _body(request)
        except TimeoutError:
            return _said(408, "the body took too long", _CLOSE)
        if raw is None:
            return _said(413, f"at most {MOST:,} bytes are taken", _CLOSE)
        return await self._take(path.removeprefix(PATH), _headers(request), raw)

    async def _take(self, name: str, headers: Mapping[str, str], raw: bytes) -> Response:
        now = datetime.now(UTC)
        known = self._proofs.get(name)
        try:
            hint = (_NOBODY if known is None else known[2]).verify_and_parse(headers, raw, now)
        except HookRefused as refusal:
            if refusal.fault is not Fault.WRONG:
                digest_of(
                    raw
                )  # takes as long as a signature: of who is not known, too, that is told no sooner
            if name in self._known():
                lacks = name not in self._proofs
                self.look_again()  # perhaps it was changed just now
                self._soon(self._refusals.note(name, refusal.fault, now, lacks_secret=lacks))
            return _said(401, "not accepted")
        store = self._hand.store
        try:
            news = await self._hand.call(lambda: hooks.ring(store, name, now, hint.delivery))
        except RegisterUnavailable as error:
            self._tell(f"A webhook of {name} could not be noted: {error} It is asked to come again.")
            return _said(503, "not now", {"Retry-After": "30"})
        self._refusals.forget(name)
        if news:
            self._rung(name)
        return _said(200, "thank you")

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it when whoever asked was answered: the time that it takes must tell nothing."""
        task = asyncio.create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)


_CLOSE: Final = {"Connection": "close"}


async def _body(request: Request) -> bytes | None:
    """The body; None where it is larger than is taken."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MOST:
            return None
    return bytes(raw)


def _headers(request: Request) -> dict[str, str]:
    """Names in lower case; one that stands there more than once is one list, as HTTP has it."""
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _said(status: int, words: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"said": words}, status, dict(headers or {}))
