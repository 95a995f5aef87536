"""What all screens look at, changed on the UI thread only: the live set, its counts, the filter, the time."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any

from register.live import Live
from register.plain import one_line
from register.pressing import hidden
from tui.columns import Eyes
from tui.messages import Freshness, InForceRead, Row
from tui.order import Counts
from tui.session import Session
from tui.sieve import Sieve
from tui.signs import UNICODE, Signs

if TYPE_CHECKING:
    from register.filter import Reader

MINUTE = 60


class Model:
    """The state of one terminal. Screens read it; the app alone calls what changes it."""

    def __init__(
        self, session: Session, live: Live, signs: Signs = UNICODE, as_of: float | None = None
    ) -> None:
        """as_of: the moment (epoch s) at which the register is looked at; None is now."""
        self.session = session
        self.as_of = as_of
        self.live = live
        self.freshness = Freshness(since=live.saved_at)
        self.role = ""
        self.timeline: Any = None  # what is promised; None until the register has said so
        self.named: Mapping[str, Collection[str]] = {}  # what the policy names; empty until it is known
        self.may: frozenset[str] = frozenset()  # names of the verbs that whoever sits here may use
        self.handed: tuple[Any, ...] = ()  # register.handing.Handover: offered to whoever sits here
        self.put_off: dict[str, float] = {}  # cards that are not to be shown here until then, by their marks
        self.register_name = session.register_name
        self.in_force = InForceRead()
        self.sieve = Sieve(self._hay_of)
        self.counts = Counts()
        self.eyes = Eyes(me=live.me, people=live.people, signs=signs)
        self._hay: dict[str, str] = {}
        self.tick()

    @property
    def signs(self) -> Signs:
        return self.eyes.signs

    @property
    def zone(self) -> tzinfo | None:
        """The zone times are shown in; None is the host's own."""
        return self.eyes.zone

    @property
    def utc(self) -> bool:
        return self.eyes.zone is not None

    @utc.setter
    def utc(self, yes: bool) -> None:
        self.eyes.zone = UTC if yes else None

    def now(self) -> float:
        """The time that all texts are made for, epoch s."""
        return self.eyes.now

    def tick(self, now: float | None = None) -> None:
        """Set the time all texts are made for: whole minutes, so that nothing moves between them.

        A board of the past stays at its moment.
        """
        told = self.as_of if self.as_of is not None else time.time() if now is None else now
        self.eyes.now = told // MINUTE * MINUTE
        self.recount()
        self._sift_anew()

    def recount(self) -> None:
        self.counts.recount(self.live.rows, self.eyes.me, self.eyes.now)

    def take(
        self, changed: Iterable[Row], gone: Iterable[str], people: dict[str, str], seq: int
    ) -> frozenset[str]:
        """Take over the feed's news; return the numbers that differ."""
        numbers = self.live.apply(changed, gone, people, seq)
        self.eyes.people = self.live.people
        self._count(numbers)
        if people:
            self._hay.clear()
            self._sift_anew()
        return numbers

    def take_waiting(self, rows: Iterable[Row]) -> frozenset[str]:
        """Take over what waits in the spool; return the provisional numbers that differ."""
        numbers = self.live.show_waiting(rows)
        self._count(numbers)
        return numbers

    def _count(self, numbers: Iterable[str]) -> None:
        for number in numbers:
            self._hay.pop(number, None)
            self.counts.put(number, self.live.row(number), self.eyes.me, self.eyes.now)

    def is_me(self, me: str | None) -> None:
        self.live.me = self.eyes.me = me
        self._hay.clear()
        self.recount()
        self._sift_anew()

    @property
    def needle(self) -> str:
        """The filter as it was typed."""
        return self.sieve.typed

    def filter(self, typed: str) -> None:
        """Take over what stands in the filter line; a mistake in it changes no row."""
        self.sieve.put(typed, self._reader())

    def _sift_anew(self) -> None:
        if self.sieve:
            self.sieve.anew(self._reader())

    def _reader(self) -> Reader:
        from register.filter import Reader, predicate

        return Reader(
            int(self.eyes.now),
            self.eyes.me,
            self.eyes.people,
            zone=self.zone,
            named=self.named,
            has=lambda meaning: any(map(predicate(meaning), self.live.rows)),
        )

    def shown(self) -> list[Row]:
        """The rows that pass the filter."""
        if not self.sieve:
            return self.live.rows
        return [row for row in self.live.rows if self.sieve.passes(row)]

    def passes(self, row: Row) -> bool:
        """Whether the row is meant by the filter."""
        return self.sieve.passes(row)

    def _hay_of(self, row: Row) -> str:
        """Return where bare words are looked for: number, title, owner, service, category, team, vendors."""
        hay = self._hay.get(row["number"])
        if hay is None:
            hay = self._hay[row["number"]] = self._words(row)
        return hay

    def _words(self, row: Row) -> str:
        if hidden(row):
            return f"{row['number']}\nrestricted".casefold()
        owner = "me" if row["owner"] and row["owner"] == self.eyes.me else ""
        parts = [row["number"], row["owner"] and self.eyes.people.get(row["owner"], row["owner"]), owner]
        parts += [row["title"], row["service"], row["category"], row["team"]]
        for bond in row["bonds"]:
            parts += [bond[0], bond[4]]
        return "\n".join(one_line(part) for part in parts if part).casefold()
