"""The refresh tokens of one supplier: each is given in the place of the one before it, and none is lost.

A new one is kept before the old one is let go: there are two places in the keyring, written in turn, so
whoever dies while writing one leaves the other. Before a token is used, the place for what will come is
written to, so that nothing is asked for that could not be kept. What a person stored begins a chain and is
never written over; storing another one begins another chain.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Final, TypeVar

import orjson

from integrations import secrets
from integrations.errors import AuthFailed, AuthTrouble, NotSent
from integrations.vendors import home_of
from register.disk import lock_now, open_lock

T = TypeVar("T")
LOOK_AGAIN: Final = 0.05
"""Seconds between two looks whether another process has let the lock go."""
_UNKEPT: Final[dict[tuple[str, str], Link]] = {}
"""Of this process: what the keyring did not take. It is tried again before anything else is asked for."""


@dataclass(frozen=True, slots=True, repr=False)
class Link:
    """One refresh token. start: which chain; before: the one that it was given for, until it has worked."""

    start: str
    count: int
    token: str
    before: str = ""
    ends: str = ""  # on which day it ends by the supplier's word, as 2027-01-31

    def next(self, token: str, ends: str) -> Link:
        """The one that was given for this."""
        return Link(self.start, self.count + 1, token, before=self.token, ends=ends)

    def again(self) -> Link:
        """This one, to be kept in the other place, too."""
        return replace(self, count=self.count + 1)


class Chain:
    """What is kept of one supplier's refresh tokens. Its methods block: call them on a thread.

    first: the one that a person stored.
    """

    def __init__(self, vendor: str, first: str, env: Mapping[str, str]) -> None:
        self._vendor, self._first, self._env = vendor, first, env
        self._start = hashlib.sha256(first.encode()).hexdigest()[:32]

    def now(self) -> Link:
        """The last one that was given, as of now: another process may have taken its turn meanwhile."""
        unkept = _UNKEPT.get((self._vendor, self._start))
        if unkept is not None:
            self.keep(unkept)
        found = [Link(self._start, 0, self._first)]
        for place in secrets.PLACES:
            link = _read(self._tried(partial(secrets.look, self._vendor, self._env, place)))
            if link is not None and link.start == self._start:
                found.append(link)
        return max(found, key=lambda link: link.count)

    def prove(self, link: Link) -> None:
        """Write it into the place of the older one. AuthFailed(MISSING) where it is not kept."""
        text = _text(link)
        if len(text) > secrets.MAX_SECRET:
            text = _text(replace(link, before=""))
        place = secrets.PLACES[link.count % 2]
        self._tried(lambda: secrets.store(self._vendor, text, self._env, place))

    def keep(self, link: Link) -> None:
        """The same of one that was given: where it is not kept, this process holds it and tries again."""
        mine = self._vendor, self._start
        _UNKEPT[mine] = link
        try:
            self.prove(link)
        except AuthFailed as failure:
            why = (
                f"{failure.why} The one that came last is in the memory of this process alone, so nothing is "
                "sent until it is kept: mend the keyring, and do not end this process before."
            )
        else:
            del _UNKEPT[mine]
            return
        raise AuthFailed(why, AuthTrouble.MISSING)

    def _tried(self, do: Callable[[], T]) -> T:
        try:
            return do()
        except AuthFailed as failure:
            why = failure.why
        raise AuthFailed(
            f"{why} The refresh tokens of {self._vendor} are replaced as they are used, so a keyring that"
            " can be written is needed.",
            AuthTrouble.MISSING,
        )

    @contextlib.contextmanager
    def alone(self, seconds: float) -> Iterator[None]:
        """No other process of this user takes its turn meanwhile. NotSent where one does, for so long.

        A file's lock can wait for ever or not at all, so it is looked at again and again: on a thread, as all
        of this, and for no longer than another one waits for its supplier's answer.
        """
        lock = self._lock()
        try:
            end = time.monotonic() + seconds
            while not lock_now(lock):
                if time.monotonic() > end:
                    raise NotSent(
                        f"Another process has been renewing the token of {self._vendor} for "
                        f"{seconds:g} seconds, so nothing was sent."
                    )
                time.sleep(LOOK_AGAIN)
            yield
        finally:
            os.close(lock)

    def _lock(self) -> int:
        path = home_of(self._env) / f".token-{self._vendor}.lock"
        try:
            return open_lock(path)
        except OSError as error:
            why = f"{path} cannot be written ({os.strerror(error.errno or 0)})"
        raise AuthFailed(
            f"{why}, so the refresh token of {self._vendor} is not used: two at once would lose it. Give "
            "this user the right to write there, or set MUSTER_HOME.",
            AuthTrouble.MISSING,
        )


def _text(link: Link) -> str:
    return orjson.dumps(asdict(link)).decode()


def _read(text: str | None) -> Link | None:
    """What was kept; None where there is nothing, or not the whole of it."""
    if not text:
        return None
    try:
        told = orjson.loads(text)
        link = Link(**told)
    except (orjson.JSONDecodeError, TypeError):
        return None
    texts = (link.start, link.token, link.before, link.ends)
    return link if all(isinstance(one, str) for one in texts) and type(link.count) is int else None
