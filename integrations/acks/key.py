"""The key that signs tokens: made at first need, kept where credentials are.

Hosts that serve one register together need the same one, else each refuses what the other has signed.
"""

from __future__ import annotations

import asyncio
import os
import secrets as randomness
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from integrations import secrets
from integrations.acks.tokens import is_ours
from integrations.errors import AuthFailed
from integrations.paging import in_thread

ENTRY: Final = secrets.PAGE_KEY
LEAST: Final = 32
"""Characters of a key that nobody guesses."""
KEPT: Final = timedelta(minutes=1)
"""So long a key is believed without another look."""
BETWEEN: Final = timedelta(seconds=2)
"""The least between two looks, whoever asks for them."""
SECONDS: Final = 10.0
"""How long a keyring may take: a page does not wait for it."""


def look(env: Mapping[str, str] = os.environ) -> bytes | None:
    """Return the key; None where none was made so far. AuthFailed where it cannot be looked."""
    held = secrets.look(ENTRY, env)
    return None if held is None else held.strip().encode()


def put(key: str, env: Mapping[str, str] = os.environ) -> None:
    """Have this key sign from now on. ValueError: it cannot be one; AuthFailed: it cannot be kept."""
    if len(secrets.checked(key)) < LEAST:
        raise ValueError(
            f"A key has {LEAST} characters at least, so that nobody guesses it: nothing was stored. Make one"
            " with: openssl rand -hex 32"
        )
    secrets.store(ENTRY, key, env)


def made(env: Mapping[str, str]) -> bytes:
    """Return the key, and make it if there is none: that of two which make one at once, the last one's."""
    held = look(env)
    if held is None:
        put(randomness.token_hex(LEAST), env)
        held = look(env)
    if held is None:
        raise AuthFailed("The keyring took the key that signs pages and did not keep it.")
    return held


class Keys:
    """The key as this process knows it. Looked up beside the event loop: a keyring may take its time."""

    def __init__(
        self,
        env: Mapping[str, str],
        tell: Callable[[str], object],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._env = env
        self._tell = tell
        self._clock = clock
        self._key: bytes | None = None
        self._at: datetime | None = None
        self._turn = asyncio.Lock()

    async def signing(self) -> bytes | None:
        """The key to sign with, made if there is none; None where none can be had, which is told."""
        async with self._turn:
            if self._key is None or self._is_older(KEPT):
                try:
                    self._key = await in_thread(partial(made, self._env), SECONDS)
                except (AuthFailed, ValueError, TimeoutError) as failure:
                    self._tell(f"Pages carry no link, and no reply to them counts: {_why(failure)}")
                    self._key = None
                self._at = self._clock()
            return self._key

    async def proves(self, token: str, register: str) -> bool:
        """Whether a token is one of ours. Perhaps the key was changed just now: that is looked at seldom."""
        if self._key is not None and is_ours(token, self._key, register):
            return True
        async with self._turn:
            if self._is_older(BETWEEN):
                try:
                    self._key = await in_thread(partial(look, self._env), SECONDS)
                except (AuthFailed, TimeoutError) as failure:
                    self._tell(f"No token of a page can be proved: {_why(failure)}")
                self._at = self._clock()
            return self._key is not None and is_ours(token, self._key, register)

    def _is_older(self, than: timedelta) -> bool:
        return self._at is None or not timedelta() <= self._clock() - self._at < than


def _why(failure: Exception) -> str:
    if isinstance(failure, AuthFailed):
        return secrets.cause(failure)
    return str(failure) or "the keyring did not answer in time."
