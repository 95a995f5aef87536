"""Runs the practice supplier on loopback: in this process, or in a thread for tests and the demo."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvicorn

from integrations import quiet_server
from integrations.practice.agent import Agent, Pace
from integrations.practice.app import practice_app
from integrations.practice.call import CUT
from integrations.practice.desk import Desk
from integrations.practice.hooks import HookTo, Sender
from integrations.practice.moods import Mood, Moods

if TYPE_CHECKING:
    from integrations.practice.oauth import Tokens

HOST: Final = "127.0.0.1"
_START: Final = 10.0
"""Seconds that a start or an end may take before it is an error."""


class _Protocol(quiet_server.Protocol):
    """HTTP/1.1 as uvicorn speaks it, with a way for the app to cut the line under its caller."""

    def connected(self, transport: asyncio.Transport) -> None:
        self.app_state = {**self.app_state, CUT: transport.abort}


class Practice:
    """A running practice supplier: where it is, what it holds, how it behaves."""

    def __init__(
        self,
        *,
        port: int = 0,
        agent: bool = False,
        pace: Pace | None = None,
        seed: int = 1,
        token: str | None = None,
        oauth: str | None = None,
        tls: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """oauth: the client secret for which it gives tokens out. tls: certificate and key, as PEM."""
        self.desk = Desk(clock, name=f"{secrets.token_hex(3)}-")
        self.moods = Moods()
        self._clock = clock
        self.hooks = Sender(self.desk, clock)
        self._agent = Agent(self.desk, pace, seed=seed) if agent else None
        self._socket = _bind(port)
        self.address: tuple[str, int] = self._socket.getsockname()[:2]
        self.url = "{}://{}:{}".format("https" if tls else "http", *self.address)
        self.tokens = _tokens(oauth)
        app = practice_app(self.desk, self.moods, token, self.hooks, self.tokens)
        self._server = _Server(
            quiet_server.config_of(
                app,
                _Protocol,
                log_level="error",  # a fault of the practice supplier's own
                timeout_graceful_shutdown=1,
                ssl_certfile=tls,
            )
        )

    @property
    def mood(self) -> Mood:
        """The mood that comes first. Set one to put it in the place of all."""
        return self.moods.current()

    @mood.setter
    def mood(self, mood: Mood) -> None:
        self.moods.set(mood)

    async def run(self, ready: Callable[[str], None] = lambda _: None) -> None:
        """Serve until `stop` (or a signal, in the main thread); `ready` is called with the URL."""
        beside = [asyncio.create_task(self.hooks.work())]
        if self._agent:
            beside.append(asyncio.create_task(self._agent.work(self._clock)))
        self._server.when_started = lambda: ready(self.url)
        try:
            await self._server.serve([self._socket])
        finally:
            for one in beside:
                one.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await one
            self._socket.close()

    def stop(self) -> None:
        """Ask it to end; from any thread."""
        self._server.should_exit = True


def _tokens(client_secret: str | None) -> Tokens | None:
    if client_secret is None:
        return None
    from integrations.practice.oauth import Tokens

    return Tokens(client_secret)


class _Server(uvicorn.Server):
    """uvicorn, telling when it listens, and not waiting for callers whom a mood keeps hanging."""

    when_started: Callable[[], None] = staticmethod(lambda: None)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.when_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for connection in list(self.server_state.connections):
            if isinstance(connection, _Protocol):
                connection.transport.abort()
        await super().shutdown(sockets)


def _bind(port: int) -> socket.socket:
    # The protocol is said so that asyncio sets TCP_NODELAY: without, each answer waits 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise PortTaken(port) from error
    return listener


class PortTaken(Exception):
    """Somebody else listens there."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"Port {port} on {HOST} is taken: perhaps the practice supplier runs already. "
            "End the other one, or choose another port with --port."
        )


def serve(
    port: int = 0,
    *,
    agent: bool = True,
    pace: Pace | None = None,
    seed: int = 1,
    token: str | None = None,
    oauth: str | None = None,
    webhook: str = "",
    ready: Callable[[str], None] | None = None,
) -> None:
    """Run the practice supplier until Ctrl-C or SIGTERM. PortTaken when the port is not free.

    oauth: the client secret for which it gives tokens out. webhook: where it tells of what happens.
    `ready` is called with the URL once it listens; by default a line is printed.
    """
    practice = Practice(port=port, agent=agent, pace=pace, seed=seed, token=token, oauth=oauth)
    practice.hooks.to = HookTo(url=webhook)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(practice.run(ready or announce))


def announce(url: str) -> None:
    print(f"practice supplier on {url}", flush=True)


@contextmanager
def running_practice(
    *,
    port: int = 0,
    agent: bool = False,
    pace: Pace | None = None,
    seed: int = 1,
    token: str | None = None,
    oauth: str | None = None,
    tls: Path | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[Practice]:
    """The practice supplier in a thread of its own, on a free port of loopback: for tests and the demo."""
    practice = Practice(
        port=port, agent=agent, pace=pace, seed=seed, token=token, oauth=oauth, tls=tls, clock=clock
    )
    listening = threading.Event()
    thread = threading.Thread(
        target=lambda: asyncio.run(practice.run(lambda _: listening.set())), name="practice", daemon=True
    )
    thread.start()
    try:
        if not listening.wait(_START):
            raise RuntimeError(f"The practice supplier did not start within {_START:.0f} s.")
        yield practice
    finally:
        practice.stop()
        thread.join(_START)
