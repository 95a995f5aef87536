"""What screens want read of a register: asked of the thread that asks it, posted when it is there.

Nothing heavy is imported here before it is needed: the first paint waits for this module.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from tui.door import Post
from tui.messages import (
    ExchangeRead,
    HandedToMe,
    HandsRead,
    MatrixRead,
    OutboxRead,
    Refused,
    SheetRead,
    SuppliersRead,
    VendorsRead,
)
from tui.reading import exchange_of, handed_now, hands_now, matrix_now, sent, sheet_of, standing, suppliers
from tui.session import Session

if TYPE_CHECKING:
    import threading

    from register.core import Principal
    from register.store import Store
    from tui.asking import Asker


class Readings:
    """The reading half of a door. All its methods return at once."""

    _post: Post
    _session: Session
    _asker: Asker | None
    _stop: threading.Event
    _handed: tuple[Any, ...] = ()

    def read_outbox(self) -> None:
        self._ask(lambda store: self._post(OutboxRead(sent(store, self._viewer(store)))), nothing)

    def read_exchange(self, row_id: str) -> None:
        kept = partial(exchange_of, row_id=row_id)
        self._ask(lambda s: self._post(ExchangeRead(row_id, kept(s, viewer=self._viewer(s)))), nothing)

    def read_vendors(self) -> None:
        self._ask(lambda store: self._post(VendorsRead(*standing(store, self._session))), lambda why: None)

    def read_matrix(self) -> None:
        self._ask(lambda store: self._post(MatrixRead(matrix_now(store))), nothing)

    def read_hands(self) -> None:
        self._ask(
            lambda store: self._post(HandsRead(*hands_now(store, self._viewer(store)))),
            lambda why: self._post(Refused("", "", why)),
        )

    def look_at_hands(self, store: Store) -> None:
        """Tell what is offered to this person, when that has changed: said by the thread that follows."""
        now = handed_now(store, self._viewer(store))
        if now != self._handed:
            self._handed = now
            self._post(HandedToMe(now))

    def read_sheet(self, sheet: str, number: str) -> None:
        def told(lines: tuple[str, ...]) -> None:
            self._post(SheetRead(sheet, number, lines))

        self._ask(lambda s: told(sheet_of(s, self._session, sheet, number)), lambda why: told((why,)))

    def read_suppliers(self, asked: str, about: str = "") -> None:
        self._ask(
            lambda store: self._post(SuppliersRead(asked, suppliers(store, self._session, about))),
            lambda why: self._post(Refused(asked, "", why)),
        )

    def _viewer(self, store: Store) -> Principal:
        from tui.who import principal

        return principal(store, self._session, "board")

    def _ask(self, work: Callable[[Store], object], failed: Callable[[str], object]) -> None:
        if self._asker is not None and not self._stop.is_set():
            self._asker.ask(work, failed)


def nothing(why: str) -> None:
    """What is only looked at is asked for again by whoever looks."""
