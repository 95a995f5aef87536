"""The door to a real register: one thread follows its feed, another carries out what is asked.

Nothing heavy is imported here before `start`: the first paint waits for this module.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tui.door import Post
from tui.messages import (
    DetailRead,
    Done,
    FeedMoved,
    Freshness,
    FreshnessChanged,
    OutboxRead,
    Reach,
    Refused,
    RegisterOpened,
    Row,
    SuppliersRead,
    VerbsLearned,
)
from tui.outbox import Sent
from tui.session import Session

if TYPE_CHECKING:
    from register.core import Principal
    from register.live import Live
    from register.store import Store
    from register.store.outbox import Sending
    from tui.detail import Detail

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


class Follower:
    """Follows one register. All its methods return at once; what comes of them is posted."""

    def __init__(self, session: Session, seen_as: str | None = None) -> None:
        """seen_as: with whose eyes the board's rows were read; None: with those that read now."""
        self._session = session
        self._seen_as = seen_as
        self._post: Post = lambda message: None
        self._stop = threading.Event()
        self._feed: threading.Thread | None = None
        self._hands: ThreadPoolExecutor | None = None
        self._store: Store | None = None  # of the hands alone
        self._reach = Freshness()
        self._started = -START_AGAIN

    def start(self, post: Post, after: int, register_id: str) -> None:
        self._post = post
        self._hands = ThreadPoolExecutor(max_workers=1, thread_name_prefix="muster-register")
        self._feed = threading.Thread(
            target=self._follow, args=(after, register_id), name="muster-feed", daemon=True
        )
        self._feed.start()

    def stop(self) -> None:
        self._stop.set()
        if self._hands is not None:
            self._hands.shutdown(wait=False, cancel_futures=True)
        if self._feed is not None:
            self._feed.join(timeout=1.0)

    # The feed

    def _follow(self, after: int, register_id: str) -> None:
        """Follow until told to stop, whatever happens to the register."""
        from register.store import RegisterUnavailable

        tries = 0
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                after, register_id = self._while_it_answers(after, register_id)
            except RegisterUnavailable as error:
                tries = 0 if time.monotonic() - began > AGAIN[-1] else tries
                since = self._reach.since
                self._say(Freshness(Reach.STALE, since, None, str(error)))
                self._stop.wait(AGAIN[min(tries, len(AGAIN) - 1)])
                tries += 1

    def _while_it_answers(self, after: int, register_id: str) -> tuple[int, str]:
        from register.store import open_store
        from register.store.watcher import Watcher

        store = open_store(self._session.register_url)
        watcher = Watcher(store)
        try:
            people: dict[str, str] = {}
            same_eyes = self._introduce(store) and store.register_id == register_id
            seq = self._catch_up(store, after if same_eyes else 0, people)
            self._settle(store)
            looked = 0.0
            while not self._stop.is_set():
                if time.monotonic() - looked > LOOK:
                    looked = time.monotonic()
                    self._say(Freshness(Reach.LIVE, time.time(), self._worker(store)))
                if watcher.wait(seq, ENDS_WITHIN):
                    seq = self._tick(store, seq, people)
                    self._stop.wait(BREATH)
            return seq, store.register_id
        finally:
            watcher.close()
            store.close()

    def _introduce(self, store: Store) -> bool:
        """Tell who reads this register; return whether the board's rows were read with the same eyes."""
        from tui.verbs import verbs_for

        who = self._viewer(store)
        sight = store.sight(who)
        name, before = self._session.register_name, self._seen_as
        self._seen_as = sight.word
        self._post(RegisterOpened(store.register_id, name, sight.person, who.role.word, sight.word))
        self._post(VerbsLearned(verbs_for(who.role)))
        return before in (None, sight.word)

    def _viewer(self, store: Store) -> Principal:
        from tui.who import principal

        return principal(store, self._session, "board")

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
        viewer = self._viewer(store)
        sight = store.sight(viewer)
        if sight.word != self._seen_as:  # another role, or known by name only now: all is seen anew
            self._introduce(store)
            return self._catch_up(store, 0, people)
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
            if self._start_worker():
                return None
        return None if now - self._started < STARTING else False

    def _start_worker(self) -> bool:
        from integrations.worker import ensure

        try:
            return ensure(self._session.register_url)
        except OSError:
            return False  # the header tells that nothing is being sent

    def _say(self, fresh: Freshness) -> None:
        """Post how true the screen is, when that has changed; being heard again is no change by itself."""
        before, self._reach = self._reach, fresh
        if (before.reach, before.sending, before.why) != (fresh.reach, fresh.sending, fresh.why):
            self._post(FreshnessChanged(fresh))

    # What is asked

    def _ask(self, work: Callable[[Store], object], failed: Callable[[str], object]) -> None:
        """Do this on the register's thread; a register that is away is a sentence."""
        if self._hands is not None and not self._stop.is_set():
            self._hands.submit(self._carefully, work, failed)

    def _carefully(self, work: Callable[[Store], object], failed: Callable[[str], object]) -> None:
        from register.store import RegisterUnavailable, open_store

        try:
            if self._store is None:
                self._store = open_store(self._session.register_url)
            work(self._store)
        except RegisterUnavailable as error:
            self._store = None
            failed(str(error))
        except Exception as error:
            failed(
                f"Muster itself failed at this ({type(error).__name__}: {error}). Look before you repeat it."
            )

    def read_detail(self, number: str) -> None:
        def work(store: Store) -> None:
            self._post(DetailRead(number, detail_of(store, number, self._viewer(store))))

        self._ask(work, lambda why: None)

    def read_outbox(self) -> None:
        self._ask(lambda store: self._post(OutboxRead(sent(store, self._viewer(store)))), lambda why: None)

    def read_suppliers(self, asked: str) -> None:
        def work(store: Store) -> None:
            from tui.suppliers import read_suppliers

            self._post(SuppliersRead(asked, read_suppliers(store, self._session)))

        self._ask(work, lambda why: self._post(Refused(asked, "", why)))

    def preview(self, row: Row, vendor: str, message: str) -> Sequence[tuple[str, str]]:
        return [("Title", row["title"]), ("Priority", f"P{row['p']}"), ("Text", message)]

    def about_sending(self, row: Sent) -> Mapping[str, Any]:
        return {"row_id": row.row_id}

    def do(self, command: Any, asked: str) -> None:
        def work(store: Store) -> None:
            from register.core import Refused as RuleSaidNo
            from register.desk import ServiceDesk
            from tui.who import policy, principal

            desk = ServiceDesk(store, policy(store, self._session, "board"))
            try:
                receipt = desk.do(principal(store, self._session, "board"), command)
            except RuleSaidNo as no:
                self._post(Refused(asked, command.verb, no.sentence, no.ask))
            else:
                self._post(Done(asked, command.verb, receipt.number))

        self._ask(work, lambda why: self._post(Refused(asked, command.verb, why)))


def worker_is_there(store: Store) -> bool:
    """Whether something sends what is to be sent."""
    from register.store import leases

    until = leases.running_until(store, leases.WORKER)
    return until is not None and until > datetime.now(UTC)


def detail_of(store: Store, number: str, viewer: Principal) -> Detail | None:
    """Return one incident with its timeline; None when there is none, or it is not for this viewer's eyes."""
    from register.seeing import may_see
    from tui.detail import Detail
    from tui.telling import tell

    incident = store.incident(number)
    if incident is None or not may_see(incident, store.sight(viewer).person, viewer.role):
        return None
    told = tuple(tell(recorded) for recorded in store.timeline(number))
    return Detail(number, incident.reporter, incident.caller, told, incident)


def sent(store: Store, viewer: Principal) -> tuple[Sent, ...]:
    """Return what is on its way or waits, in the order of its asking, each with its reason."""
    from register.store import outbox, vendors
    from register.store.sight import unseen

    health = vendors.health(store)
    ahead: set[str] = set()
    rows = []
    found = outbox.unfinished(store)
    secret = store.ask(lambda connection: unseen(connection, viewer, [row.incident for row in found]))
    for row in found:
        if row.incident in secret:
            rows.append(Sent(row.row_id, "", row.incident, "", row.state, row.tries, None, "restricted"))
            continue
        vendor = health[row.vendor]
        why = row.why
        if row.bond in ahead:
            why = "behind an earlier one to the same ticket"
        elif row.state == "queued":
            why = vendor.paused_why or vendor.trouble or why
        ahead.add(row.bond)
        rows.append(_sent(row, why))
    return tuple(rows)


def _sent(row: Sending, why: str) -> Sent:
    payload = json.loads(row.payload)
    person = row.state == "dead" or (row.state == "ambiguous" and row.next_at is None)
    return Sent(
        row_id=row.row_id,
        vendor=row.vendor,
        number=row.incident,
        what=row.kind,
        state=row.state,
        tries=row.tries,
        next_at=None if row.next_at is None else row.next_at.timestamp(),
        why=why,
        message=str(payload.get("body", "")),
        person=person,
    )


def read_once(session: Session, live: Live) -> str | None:
    """Bring the working set up to date; return None, or the sentence that says why it is not."""
    from register.store import RegisterUnavailable, open_store
    from tui.who import principal

    try:
        store = open_store(session.register_url)
        live.belongs_to(store.register_id)
        who = principal(store, session, "board")
        seq, rows = store.rows(who)
        known = {row["number"] for row in rows}
        gone = [row["number"] for row in live.rows if row["number"] not in known]
        live.apply(rows, gone, store.people(), seq)
        live.me = store.sight(who).person
        store.close()
    except RegisterUnavailable as error:
        return str(error)
    return None
