"""The door to a real register: one thread follows its feed, another carries out what is asked.

Nothing heavy is imported here before `start`: the first paint waits for this module.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from register.provisional import is_provisional
from tui.door import Post
from tui.in_force import InForce
from tui.messages import (
    DetailRead,
    FeedMoved,
    Freshness,
    FreshnessChanged,
    Reach,
    Refused,
    RegisterOpened,
    VerbsLearned,
)
from tui.outbox import Sent
from tui.reading import alarm_of, detail_of, worker_is_there
from tui.readings import Readings, nothing
from tui.session import Session

if TYPE_CHECKING:
    from register.store import Store
    from tui.asking import Asker
    from tui.keeping import Keeper

LOOK: Final = 5.0
"""Seconds between two looks at whether a worker is there, while nothing happens."""
ENDS_WITHIN: Final = 0.5
"""Seconds until the feed's thread notices that it shall end."""
BREATH: Final = 0.03
"""Seconds between two ticks of a busy feed: what comes in meanwhile comes in one."""
STARTING: Final = 8.0
"""Seconds a worker may take until it shows itself."""
START_AGAIN: Final = 60.0
"""Seconds between two attempts to start a private register's worker."""
AGAIN: Final = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds until an unreachable register is tried again; the last one from then on."""
SILENT: Final = 15.0
"""Seconds after which a register that neither answers nor breaks the line is taken to be away."""
PULSE: Final = 1.0
"""Seconds between two looks at whether it is silent."""


class Follower(Readings):
    """Follows one register. All its methods return at once; what comes of them is posted."""

    def __init__(self, session: Session, seen_as: str | None = None) -> None:
        """seen_as: with whose eyes the board's rows were read; None: with those that read now."""
        self._session = session
        self._seen_as = seen_as
        self._post: Post = lambda message: None
        self._stop = threading.Event()
        self._feed: threading.Thread | None = None
        self._asker: Asker | None = None
        self._keeper: Keeper | None = None
        self._reach = Freshness()
        self._heard = time.monotonic()
        self._again = threading.Event()  # it may answer: try now
        self._started = -START_AGAIN
        self._policy = 0  # the seq of what was adopted when it was last told
        self._in_force = InForce(session)
        self._offered = False  # verbs, to whoever sits here

    def start(self, post: Post, after: int, register_id: str) -> None:
        from tui.asking import Asker
        from tui.keeping import Keeper

        self._post = post
        self._keeper = keeper = Keeper(self._session, post, register_id)
        keeper.me = (self._seen_as or "").partition(":")[0] or None
        self._asker = asker = Asker(self._session, post, keeper, self._again.set)
        self._feed = threading.Thread(
            target=self._follow, args=(asker, keeper, after, register_id), name="muster-feed", daemon=True
        )
        self._feed.start()
        threading.Thread(target=self._feel_the_pulse, args=(asker,), name="muster-pulse", daemon=True).start()

    def stop(self) -> None:
        """Let go. What is under way is waited for; what the register does not take then is kept."""
        self._stop.set()
        self._again.set()
        if self._asker is not None and self._keeper is not None:
            self._asker.stop()
            self._keeper.stop()
        if self._feed is not None:
            self._feed.join(timeout=1.0)

    # The feed

    def _follow(self, asker: Asker, keeper: Keeper, after: int, register_id: str) -> None:
        """Follow until told to stop, whatever happens to the register."""
        from register.store import RegisterAway, RegisterUnavailable
        from tui.keeping import INSTEAD

        tries = 0
        keeper.look()
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                after, register_id = self._while_it_answers(asker, keeper, after, register_id)
            except RegisterUnavailable as error:
                tries = 0 if time.monotonic() - began > AGAIN[-1] else tries
                asker.away = isinstance(error, RegisterAway)
                if asker.away and not self._offered:
                    self._offer_what_was_known()
                why = f"{error} {INSTEAD}" if asker.away else str(error)
                self._say(Freshness(Reach.STALE, self._reach.since, None, why))
                keeper.look()  # another program of this person's may keep something, too
                self._again.wait(AGAIN[min(tries, len(AGAIN) - 1)])
                self._again.clear()
                tries += 1
            except Exception as error:  # a board must not look live when nobody follows any more
                why = (
                    f"Muster itself failed at following ({type(error).__name__}: {error}). It is tried again."
                )
                self._say(Freshness(Reach.STALE, self._reach.since, None, why))
                self._stop.wait(AGAIN[-1])

    def _offer_what_was_known(self) -> None:
        """The board was opened while nobody answers: its person may what they might when it was open last."""
        from register.core import Role
        from tui.verbs import verbs_for

        word = (self._seen_as or "").rpartition(":")[2]
        role = next((role for role in Role if role.word == word), Role.RESPONDER)
        self._offered = True
        self._post(VerbsLearned(verbs_for(role)))

    def _while_it_answers(
        self, asker: Asker, keeper: Keeper, after: int, register_id: str
    ) -> tuple[int, str]:
        from register.store import open_store
        from register.store.watcher import Watcher

        store = open_store(self._session.register_url)
        watcher = Watcher(store)
        try:
            people: dict[str, str] = {}
            same_eyes = self._introduce(store) and store.register_id == register_id
            keeper.enter(store)
            seq = self._catch_up(store, after if same_eyes else 0, people)
            keeper.show()
            self._settle(store)
            looked = 0.0
            while not self._stop.is_set():
                self._heard, asker.away = time.monotonic(), False
                if time.monotonic() - looked > LOOK:
                    looked = time.monotonic()
                    self._say(Freshness(Reach.LIVE, time.time(), self._worker(store), alarm=alarm_of(store)))
                    if keeper.enter(store):
                        looked = 0.0
                    keeper.look()
                    self._in_force.look(store, self._post)
                    self.look_at_hands(store)
                if watcher.wait(seq, ENDS_WITHIN):
                    seq = self._tick(store, seq, people)
                    self._in_force.look(store, self._post)
                    self.look_at_hands(store)
                    self._stop.wait(BREATH)
            return seq, store.register_id
        finally:
            watcher.close()
            store.close()

    def _introduce(self, store: Store) -> bool:
        """Tell who reads this register; return whether the board's rows were read with the same eyes."""
        from register.store.adopted import adopted
        from tui.verbs import verbs_for
        from tui.who import names_now

        who = self._viewer(store)
        sight = store.sight(who)
        name, before = self._session.register_name, self._seen_as
        self._seen_as = sight.word
        if self._keeper is not None:
            self._keeper.me = sight.person
        named, found = names_now(store, self._session, "board"), adopted(store)  # in this order: it may adopt
        self._policy, told = found.seq, (who.role.word, sight.word, found.policy.timeline, named)
        self._post(RegisterOpened(store.register_id, name, sight.person, *told))
        self._post(VerbsLearned(verbs_for(who.role)))
        self._offered = True
        return before in (None, sight.word)

    def _settle(self, store: Store) -> None:
        """Adopt this person's files where the register is theirs; say what is wrong with them."""
        from register.store import RegisterUnavailable
        from tui.who import settle

        try:
            said = settle(store, self._session, "board")
        except RegisterUnavailable as error:  # reading goes on
            said = [str(error)]
        for sentence in said:
            self._post(Refused("", "", sentence))

    def _catch_up(self, store: Store, after: int, people: dict[str, str]) -> int:
        """Bring the board from `after` to now; from nothing, or a future that is gone, by reading all."""
        now = store.seq()
        if 0 < after <= now:
            return self._tick(store, after, people)
        seq, rows = store.rows(self._viewer(store))
        people.update(store.people())
        forget = store.was_redacted(after)
        self._post(FeedMoved(tuple(rows), frozenset(), dict(people), seq, whole=True, forget=forget))
        return seq

    def _tick(self, store: Store, after: int, people: dict[str, str]) -> int:
        from register.store.adopted import adopted

        viewer = self._viewer(store)
        sight = store.sight(viewer)
        if sight.word != self._seen_as:  # another role, or known by name only now: all is seen anew
            self._introduce(store)
            return self._catch_up(store, 0, people)
        if adopted(store).seq != self._policy:  # forms tell what is promised
            self._introduce(store)
        seq, rows, gone = store.changed(after, viewer)
        named = store.people()
        fresh = {who: name for who, name in named.items() if people.get(who) != name}
        people.update(fresh)
        forget = store.was_redacted(after)
        me = sight.person if fresh else None
        self._post(FeedMoved(tuple(rows), frozenset(gone), fresh, seq, me=me, forget=forget))
        return seq

    def _worker(self, store: Store) -> bool | None:
        """Whether a worker is there; a private register's is started, and None while it starts."""
        if worker_is_there(store):
            return True
        now = time.monotonic()
        if now - self._started > START_AGAIN:
            self._started = now
            if _start_worker(self._session):
                return None
        return None if now - self._started < STARTING else False

    def _say(self, fresh: Freshness) -> None:
        """Post how true the screen is, when that has changed; being heard again is no change by itself."""
        before, self._reach = self._reach, fresh
        if replace(before, since=fresh.since) != fresh:
            self._post(FreshnessChanged(fresh))

    def _feel_the_pulse(self, asker: Asker) -> None:
        """Notice a register that answers nothing and breaks nothing: a frozen host, a line gone dark."""
        from tui.keeping import INSTEAD

        while not self._stop.wait(PULSE):
            silent = time.monotonic() - self._heard
            if self._reach.reach is Reach.LIVE and silent > SILENT:
                why = f"The register has not answered for {int(silent)} s. {INSTEAD}"
                self._say(Freshness(Reach.STALE, self._reach.since, None, why))
                asker.away = True
                asker.give_up()

    # What is asked

    def read_detail(self, number: str) -> None:
        if is_provisional(number) and self._keeper is not None:
            self._keeper.read_detail(number)
            return
        read = partial(detail_of, number=number)
        self._ask(lambda s: self._post(DetailRead(number, read(s, viewer=self._viewer(s)))), nothing)

    def about_sending(self, row: Sent) -> Mapping[str, Any]:
        return {"row_id": row.row_id}

    def rehearse(self, command: Any, asked: str) -> None:
        if self._asker is not None:
            self._asker.rehearse(command, asked)

    def do(self, command: Any, asked: str) -> None:
        if self._asker is not None:
            self._asker.do(command, asked)


def _start_worker(session: Session) -> bool:
    """See to it that what is to be sent is sent."""
    from integrations.worker import ensure

    try:
        return ensure(session.register_url)
    except OSError:
        return False  # the header tells that nothing is being sent
