"""The door to the register as it was known at an earlier time: it is read once, and nothing is done.

Nothing heavy is imported here before `start`: the first paint waits for this module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tui.door import Post
from tui.messages import (
    DetailRead,
    ExchangeRead,
    FeedMoved,
    Freshness,
    FreshnessChanged,
    OutboxRead,
    Reach,
    Refused,
    RegisterOpened,
    Row,
    SheetRead,
    VerbsLearned,
)
from tui.outbox import Sent
from tui.session import Session

if TYPE_CHECKING:
    from register.core import Principal
    from register.live import Live
    from register.store import Store
    from tui.detail import Detail

READ_ONLY: Final = "This board shows the past: nothing can be changed on it. Leave --as-of away to work."


class Past:
    """Shows one register as of one moment, given as epoch seconds."""

    def __init__(self, session: Session, moment: float) -> None:
        self._session = session
        self._moment = moment
        self._post: Post = lambda message: None
        self._hands: ThreadPoolExecutor | None = None
        self._store: Store | None = None  # of the hands alone

    def start(self, post: Post, after: int, register_id: str) -> None:
        self._post = post
        self._hands = ThreadPoolExecutor(max_workers=1, thread_name_prefix="muster-past")
        self._ask(self._open)

    def stop(self) -> None:
        if self._hands is not None:
            self._hands.shutdown(wait=False, cancel_futures=True)

    def _ask(self, work: Callable[[Store], object]) -> None:
        if self._hands is not None:
            self._hands.submit(self._carefully, work)

    def _carefully(self, work: Callable[[Store], object]) -> None:
        from register.store import RegisterUnavailable, open_store

        try:
            if self._store is None:
                self._store = open_store(self._session.register_url)
            work(self._store)
        except RegisterUnavailable as error:
            self._post(FreshnessChanged(Freshness(Reach.STALE, self._moment, None, str(error))))

    def _open(self, store: Store) -> None:
        who = self._who(store)
        sight = store.sight(who)
        name = self._session.register_name
        self._post(RegisterOpened(store.register_id, name, sight.person, who.role.word, sight.word))
        self._post(VerbsLearned(()))
        rows = rows_at(store, self._moment, who)
        self._post(FeedMoved(tuple(rows), frozenset(), store.people(), 0, whole=True))
        self._post(FreshnessChanged(Freshness(Reach.PAST, self._moment)))

    def _who(self, store: Store) -> Principal:
        from tui.who import principal

        return principal(store, self._session, "board")

    def read_detail(self, number: str) -> None:
        def work(store: Store) -> None:
            self._post(DetailRead(number, detail_at(store, number, self._moment, self._who(store))))

        self._ask(work)

    def read_outbox(self) -> None:
        self._post(OutboxRead(()))

    def read_exchange(self, row_id: str) -> None:
        self._post(ExchangeRead(row_id, None))

    def read_vendors(self) -> None:
        """Nobody gets here: how it stands with suppliers is not shown of the past."""

    def read_matrix(self) -> None:
        """Nobody gets here: who is told is shown as of now alone."""

    def read_hands(self) -> None:
        """Nobody gets here: nothing is handed over in the past."""

    def read_sheet(self, sheet: str, number: str) -> None:
        self._post(SheetRead(sheet, number, (READ_ONLY,)))

    def read_suppliers(self, asked: str, about: str = "") -> None:
        self._post(Refused(asked, "", READ_ONLY))

    def about_sending(self, row: Sent) -> Mapping[str, Any]:
        return {}

    def rehearse(self, command: Any, asked: str) -> None:
        self._post(Refused(asked, command.verb, READ_ONLY))

    def do(self, command: Any, asked: str) -> None:
        self._post(Refused(asked, command.verb, READ_ONLY))


def rows_at(store: Store, moment: float, who: Principal) -> list[Row]:
    """Return the rows of the board as it was known at that time."""
    from register.store.history import rows_then, then

    with store.read() as connection:
        return rows_then(connection, then(connection, datetime.fromtimestamp(moment, UTC)), who)


def detail_at(store: Store, number: str, moment: float, who: Principal) -> Detail | None:
    """Return one incident and its timeline as it was known then, if this reader may see it now."""
    from register.clocks.run import clocks_of
    from register.store.history import incident_then, then, timeline_then
    from register.store.promises import timeline_of
    from register.store.sight import unseen
    from tui.detail import Detail
    from tui.telling import tell

    with store.read() as connection:
        when = then(connection, datetime.fromtimestamp(moment, UTC))
        incident = incident_then(connection, when, number)
        if incident is None or unseen(connection, who, [number]):
            return None
        told = tuple(tell(recorded) for recorded in timeline_then(connection, when, number))
        promised = timeline_of(connection)
    known = [one for one in promised if one[0] <= moment] or promised[:1]
    clocks = tuple(clocks_of(incident, known))
    return Detail(number, incident.reporter, incident.caller, told, incident, clocks)


def read_then(session: Session, live: Live, moment: float) -> str | None:
    """Fill an empty working set with the past; return None, or the sentence that says why not."""
    from register.store import RegisterUnavailable, open_store
    from tui.who import principal

    try:
        store = open_store(session.register_url)
        who = principal(store, session, "board")
        live.apply(rows_at(store, moment, who), [], store.people(), 0)
        live.me = store.sight(who).person
        store.close()
    except RegisterUnavailable as error:
        return str(error)
    return None
