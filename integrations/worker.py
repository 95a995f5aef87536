"""The process that does the sending and the listening: `muster serve`, or a detached child of a private
register's board. Never inside the board: a dropped SSH line must not cut a request in half.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic
from typing import IO, Final

from integrations import handover, master_key, secrets
from integrations.anchors import anchor, keep_anchors
from integrations.business import is_busy, nothing_left
from integrations.door import BadAddress, address_of
from integrations.hand import Hand
from integrations.ics.keeping import Feeds
from integrations.indexing import keep_indexed
from integrations.known import Known
from integrations.leasing import Leasing
from integrations.lock import Kind, alone
from integrations.one_engine import OneEngine
from integrations.outcomes import Timing
from integrations.pager import Pager
from integrations.retention import keep_retired
from integrations.self_audit import keep_watch
from integrations.speaking import Means, Speaking
from integrations.spooling import keep_entered
from integrations.starting import named, unlocked
from integrations.steady import keep
from integrations.steady_clock import SteadyClock
from integrations.ticking import Ticker
from integrations.vendor import Vendor
from register.desk import ServiceDesk
from register.store import (
    RegisterReplaced,
    RegisterUnavailable,
    Store,
    hooks,
    is_private,
    open_store,
    sqlite_path,
    vendors,
)
from register.store.watcher import Watcher
from register.toml_file import FileFaults

IDLE: Final = timedelta(minutes=10)
LOOK: Final = 2.0
"""Seconds between two looks whether a webhook came that nobody has followed: no notice is promised."""
AGAIN: Final = 60.0
"""Seconds after which a sentence is told again; of a database that is away one comes twice a second."""
NOTHING: Final[Callable[[str], None]] = lambda point: None  # noqa: E731


def ensure(register_url: str, env: Mapping[str, str] | None = None) -> bool:
    """Start the worker of a private register, detached, unless one runs; whether one was started."""
    path = sqlite_path(register_url)
    if path is None or not is_private(register_url):
        return False
    with alone(path) as free:
        if not free:
            return False
    _spawn(register_url, path, dict(os.environ if env is None else env))
    return True


def _spawn(register_url: str, register: Path, env: dict[str, str]) -> None:
    import subprocess

    log = os.open(
        register.with_name(register.name + ".worker.log"), os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600
    )
    try:
        with master_key.handed_on(env) as (known, open_for_it):
            subprocess.Popen(
                [sys.executable, "-m", "integrations.worker", "--until-idle"],
                env=known | {"MUSTER_REGISTER": register_url},
                cwd=Path(__file__).resolve().parent.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=open_for_it,
            )
    finally:
        os.close(log)


class Worker:
    """Courier and collector of every vendor that this process can speak to."""

    def __init__(
        self,
        store: Store,
        env: Mapping[str, str],
        *,
        timing: Timing | None = None,
        fault: Callable[[str], None] = NOTHING,
        say: IO[str] = sys.stderr,
    ) -> None:
        self._hand = Hand(ServiceDesk(store))
        self._watching = Hand(self._hand.desk)  # its thread only waits for commits
        self._env = env
        self._leasing = Leasing(self._hand)
        self._timing = timing
        self._fault = fault
        self._say = say
        self._known = Known(self._hand.desk, env, self.tell)
        self._stop = asyncio.Event()
        self._speaking: dict[str, Speaking] = {}
        self._vendors: Mapping[str, Vendor] = {}
        self._ready = asyncio.Event()  # the suppliers are known
        self._now = SteadyClock(self._hand.now)
        self._pager = Pager(
            self._hand,
            env,
            self._leasing.holder,
            fault=fault,
            tell=self.tell,
            busy=self._busy,
            now=self._now,
        )
        self._engine = OneEngine(self._hand, self._leasing.holder, tell=self.tell)
        self._ticker = Ticker(self._hand, self.tell, engine=self._engine, now=self._now)
        self._busy_until = datetime.now(UTC)
        self._told: dict[str, float] = {}
        self.was_idle = False
        self._lost: RegisterReplaced | None = None

    @property
    def store(self) -> Store:
        return self._hand.store

    def stop(self) -> None:
        """End soon: claim nothing more, wait for what is in the air."""
        self._stop.set()

    async def run(self, *, sole: bool, until_idle: bool = False, gives_way: bool = False) -> None:
        """Serve until stopped, or until nothing has been to do for ten minutes, or a person would serve."""
        self._busy_until = datetime.now(UTC) + IDLE
        hand, tell = self._hand, self.tell
        self._engine.sole = sole
        works: dict[str, Callable[[], Awaitable[None]]] = {
            "The sign of life": self._leasing.beat,
            "Watching for commits": self._watch,
            "Doing what is due": self._ticker.run,
            "Looking for what was forgotten": lambda: keep_watch(hand, self._engine, tell, self._now),
            "Indexing texts": lambda: keep_indexed(hand),
            "Retention": lambda: keep_retired(hand, tell),
            "Entering the spool": lambda: keep_entered(hand, self._env, tell),
            "Reading calendars": Feeds(hand, self._env, tell).run,
        }
        works["Reading replies to pages"] = lambda: self._read_replies(sole)
        address = address_of(self._env)
        if address is not None:
            works["Taking webhooks in"] = lambda: self._take_webhooks(address)
        path = self.store.path
        if gives_way and path is not None:
            works["Looking who would serve"] = lambda: handover.keep_looking(path, self.stop, tell)
        if until_idle:
            works["Looking whether to end"] = self._idle
        else:
            works["Writing down heads"] = lambda: keep_anchors(hand, tell)
        paging = asyncio.create_task(
            keep("Paging", lambda: self._pager.run(sole=sole, stop=self._stop), tell), name="Paging"
        )
        steady = [asyncio.create_task(keep(what, work, tell), name=what) for what, work in works.items()]
        try:
            while not self._stop.is_set():
                await self._serve(sole)
        finally:
            self.stop()
            for speaking in self._speaking.values():
                speaking.stop()
            ending = [paging, *(speaking.task for speaking in self._speaking.values())]
            await asyncio.gather(*ending, return_exceptions=True)
            for task in steady:
                task.cancel()
            await asyncio.gather(*steady, return_exceptions=True)
            if not until_idle:
                await anchor(self._hand, self.tell)
            await self._leasing.release()
            self._hand.close()
            self._watching.close()
        if self._lost is not None:
            raise self._lost  # what lies there now needs a worker of its own

    async def _serve(self, sole: bool) -> None:
        """All suppliers that the register has adopted, until these are others."""
        try:
            known = await self._hand.call(self._known.read)
            health = await self._hand.call(lambda: vendors.health(self.store))
        except (FileFaults, RegisterUnavailable) as error:
            self.tell(f"{error} Nothing is sent until it is mended.")
            await self._pause(5)
            return
        for name, one in health.items():
            if name not in known and (one.unsent or one.doubtful or one.dead):
                why = f"{name} is not in the adopted vendors.toml any more: nothing is sent."
                await self._note(name, why)
        self._vendors = known
        self._ready.set()
        # to others a person speaks
        self._settle({name: one for name, one in known.items() if not one.by_hand}, sole)
        while not self._stop.is_set() and not await self._has_others(known):
            await self._pause(2)

    def _settle(self, known: Mapping[str, Vendor], sole: bool) -> None:
        """Speak to these and no others. Whose block is the same goes on, whatever becomes of others."""
        means = Means(
            self._hand, self._leasing, self._env, self._timing, self._fault, self.tell, self._busy, sole
        )
        for name, speaking in self._speaking.items():
            if known.get(name) != speaking.vendor:
                speaking.stop()
        for place, (name, vendor) in enumerate(known.items()):
            before = self._speaking.get(name)
            if before is None or before.stopped:
                self._speaking[name] = Speaking(means, vendor, place, after=before)

    def _busy(self) -> None:
        self._busy_until = datetime.now(UTC) + IDLE

    async def _note(self, name: str, why: str) -> None:
        now = self._hand.now()
        with contextlib.suppress(RegisterUnavailable):
            await self._hand.call(lambda: vendors.heard_from(self.store, name, now, why))

    async def _has_others(self, known: Mapping[str, Vendor]) -> bool:
        try:
            return await self._hand.call(lambda: self._known.are_others(known))
        except (FileFaults, RegisterUnavailable) as error:
            self.tell(str(error))
            return False

    async def _watch(self) -> None:
        """Wake the couriers when anything is committed."""
        watcher = await self._watching.call(lambda: Watcher(self.store, bells=True))
        seq, look_at = 0, 0.0
        while not self._stop.is_set():
            try:
                if await self._watching.call(partial(watcher.wait, seq, LOOK)):
                    seq = await self._watching.call(self.store.seq)
                    for speaking in self._speaking.values():
                        speaking.wake()
                    self._pager.wake()
                    self._ticker.wake()
                if watcher.rang or monotonic() >= look_at:
                    watcher.rang, look_at = False, monotonic() + LOOK
                    for name in await self._watching.call(lambda: hooks.unanswered(self.store)):
                        self._ask(name)
            except RegisterReplaced as error:
                self._lost = error
                self.stop()
            except RegisterUnavailable as error:
                self.tell(str(error))
                await asyncio.sleep(2)

    def _ask(self, name: str) -> None:
        """A webhook says that a supplier has news. Where another host listens to it, that one asks."""
        if name in self._speaking:
            self._speaking[name].ask()

    async def _take_webhooks(self, address: tuple[str, int]) -> None:
        """Have the door open, once the suppliers are known."""
        from integrations.doorway import keep_taken_in

        await self._ready.wait()
        await keep_taken_in(address, self._hand.desk, self._env, lambda: self._vendors, self._ask, self.tell)

    async def _read_replies(self, sole: bool) -> None:
        """Look for replies to pages, where the adopted matrix names a mailbox."""
        from integrations.acks.replies import ReplyReader

        await ReplyReader(self._hand, self._env, self._leasing, self.tell).keep(sole=sole)

    async def _idle(self) -> None:
        """End when there has been nothing to send, to look up or to listen to, and no board, for long."""
        while True:
            await asyncio.sleep(10)
            with contextlib.suppress(RegisterUnavailable):  # whoever needs it tells
                if await self._hand.call(lambda: is_busy(self.store)):
                    self._busy()
            if datetime.now(UTC) >= self._busy_until:
                self.was_idle = True
                self.stop()
                return

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    def tell(self, sentence: str) -> None:
        """Say it for the journal; what lasts once a minute only."""
        now = monotonic()
        if now - self._told.get(sentence, -AGAIN) < AGAIN:
            return
        self._told = {one: at for one, at in self._told.items() if now - at < AGAIN} | {sentence: now}
        with contextlib.suppress(OSError, ValueError):  # the journal's disk may be full, too: serving goes on
            print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {sentence}", file=self._say, flush=True)


def run(
    named: str,
    env: Mapping[str, str] | None = None,
    *,
    until_idle: bool = False,
    by_itself: bool = False,
    timing: Timing | None = None,
    fault: Callable[[str], None] = NOTHING,
) -> int:
    """Serve one register; return the exit code: 0 ended, 2 a wrong setting, 3 another serves this file.

    by_itself: no person asked for this process, so it gives way to one that a person runs.
    """
    env = os.environ if env is None else env
    try:
        address_of(env)
    except BadAddress as error:
        print(f"{error} Nothing was started.", file=sys.stderr)
        return 2
    store = open_store(named)
    before = handover.holder(store.path)
    if before is not None and until_idle:
        return 0
    if before is not None and not before.gives_way:  # before a person types a key for nothing
        return _refused(f"{before}: nothing to do. {before.how_to_end}")
    opened = unlocked(env)
    if before is not None and not (opened and secrets.describe(env).usable):
        return _refused(f"{before}, and no keyring can be used here: nothing to do. {handover.WITH_KEY}")
    if before is not None:
        print(f"{before}: it ends what it is doing, then this one serves.", file=sys.stderr)
    kind = Kind.BY_ITSELF if by_itself else Kind.SERVES
    while True:
        with handover.alone_after(store.path, before, kind) as free:
            if not free and until_idle:
                return 0
            if not free:
                still = handover.holder(store.path) or handover.Holder()
                return _refused(f"{still}: nothing to do. {still.how_to_end}")
            stopped = asyncio.run(_main(store, env, until_idle, by_itself, timing, fault))
        # whoever wrote while the lock was being let go saw a worker, and started none
        if stopped or nothing_left(store):
            break
    store.close()
    return 0


def _refused(why: str) -> int:
    print(why, file=sys.stderr)
    return 3


async def _main(
    store: Store,
    env: Mapping[str, str],
    until_idle: bool,
    by_itself: bool,
    timing: Timing | None,
    fault: Callable[[str], None],
) -> bool:
    """Serve; whether it ended because it was told to, not because it was idle."""
    worker = Worker(store, env, timing=timing, fault=fault)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, worker.stop)
    loop.set_exception_handler(lambda _, told: worker.tell(f"A delivery ended early: {named(told)}"))
    await worker.run(sole=store.path is not None, until_idle=until_idle, gives_way=by_itself)
    return not worker.was_idle


def main() -> int:
    """`python -m integrations.worker [--until-idle]`; the register is MUSTER_REGISTER."""
    master_key.take(os.environ)
    try:
        by_itself = "--until-idle" in sys.argv[1:]
        return run(os.environ["MUSTER_REGISTER"], until_idle=by_itself, by_itself=by_itself)
    except RegisterUnavailable as error:
        print(error, file=sys.stderr)
        return 5


if __name__ == "__main__":
    sys.exit(main())
