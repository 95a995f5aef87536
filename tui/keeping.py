"""The spool as an open board uses it: what is kept and shown while the register is away, and entered after.

It has a thread of its own, because the register's may hang in a call that is never answered.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from register.plain import one_line
from register.spool import Entry, Looked, NotKept, notes_on
from tui.detail import Detail, Told
from tui.door import Post
from tui.hands import Hands
from tui.messages import DetailRead, Done, Refused, SpoolMoved
from tui.session import Session
from tui.spooled import NOT_NOW, enter, entered, keep, reminder, rows_of, spool_of

if TYPE_CHECKING:
    from register.core import Command
    from register.store import Store

INSTEAD: Final = "New incidents (i) and notes (n) are kept meanwhile."
_SAID: Final[Mapping[str, str]] = {
    "log": "{} is kept in the spool: the register does not answer. It is entered when it is back.",
    "note": "The note is kept in the spool as {}. It is entered when the register is back.",
}
AT_ONCE: Final = 20
"""So many are entered in one go."""
_TOLD: Final = 3
"""So many of those that were entered are named in one sentence."""


class Keeper:
    """One board's spool. All its methods but `enter` return at once; what comes of them is posted."""

    def __init__(self, session: Session, post: Post, register_id: str) -> None:
        self.register_id = register_id  # as it was known last
        self.me: str | None = None
        self._session = session
        self._post = post
        self._spool = spool_of(session)
        self._hands = Hands("muster-spool", lambda error: post(Refused("", "", _failed(error))))
        self._lock = threading.Lock()  # the feed shows, too
        self._shown: dict[str, Entry] = {}
        self._reminded = False
        self._why = ""  # nothing was entered the last time

    def stop(self) -> None:
        """What was given is on the disk when this returns, unless the disk hangs."""
        self._hands.stop(5.0, all_of_it=True)

    # Keeping

    def keep(self, command: Command, asked: str, why: str) -> None:
        """Keep what the register did not answer to; Done or Refused arrives. why: its sentence."""
        self._hands.give(lambda: self._keep(command, asked, why))

    def _keep(self, command: Command, asked: str, why: str) -> None:
        if not command.keeps:
            self._post(Refused(asked, command.verb, f"{why} {INSTEAD}"))
            return
        try:
            entry = keep(self._spool, self.register_id, command, "board")
        except NotKept as no:
            self._post(Refused(asked, command.verb, f"{why} {no}"))
            return
        except Exception as error:  # whoever waits for an answer gets one
            self._post(Refused(asked, command.verb, f"{why} {_failed(error)}"))
            return
        self.show()
        self._post(
            Done(asked, command.verb, entry.target or entry.name, _SAID[entry.verb].format(entry.name))
        )

    def meant(self, number: str) -> str | None:
        """Return the incident that a provisional number stands for by now; None while it is not entered."""
        found = self._spool.look().meant(number)
        return found[0] or None if found is not None else None

    # Showing

    def look(self) -> None:
        """Show what lies in the spool, if that has changed."""
        self._hands.give(self.show)

    def show(self) -> None:
        with self._lock:
            looked = self._spool.look()
            now = {one.name: one for one in looked.entries if one.register_id == self.register_id}
            before, self._shown = self._shown, now
            said = self._said(looked, before, now)
            if now == before and not said:
                return
            gone = (one for name, one in before.items() if name not in now and one.no in looked.entered)
            numbers = {one.name: looked.entered[one.no] for one in gone}
            self._post(SpoolMoved(tuple(rows_of(now.values())), numbers, *said or ("", "")))

    def _said(
        self, looked: Looked, before: Mapping[str, Entry], now: Mapping[str, Entry]
    ) -> tuple[str, str] | None:
        """Return the sentence about what changed, with its pen: what waits for a person comes first."""
        if not self._reminded:
            self._reminded = True
            first = reminder(looked, self.register_id)
            return (first, "bad") if first else None
        gone = [one for name, one in before.items() if name not in now and one.no in looked.entered]
        told = " ".join(entered(one, looked.entered[one.no]) for one in gone[:_TOLD]) + _more(gone, _TOLD)
        fresh = [one for one in now.values() if one.refused and not _was_refused(before, one)]
        if fresh:
            why = f"{fresh[0].name} was not entered: {one_line(fresh[0].refused)} See `muster spool list`."
            return f"{told} {why}".strip(), "bad"
        return (told, "good") if told else None

    def read_detail(self, number: str) -> None:
        """Read one that waits, with the notes on it; DetailRead arrives."""
        self._hands.give(lambda: self._post(DetailRead(number, self._detail(number))))

    def _detail(self, number: str) -> Detail | None:
        looked = self._spool.look()
        entry = looked.named(number)
        if entry is None:
            return None
        me = self.me or self._session.login
        told = [_told(one, me) for one in (entry, *notes_on(looked.entries, entry))]
        return Detail(number, me, None, tuple(told))

    # Entering

    def enter(self, store: Store) -> bool:
        """Enter what waits, not too much at once; whether there is more.

        For the feed's thread, which shall not be silent for long; raises RegisterUnavailable.
        """
        self.register_id = store.register_id
        if self._spool.is_empty():
            return False
        try:
            if any(one.register_id == self.register_id for one in self._spool.look().waiting()):
                outcome = enter(store, self._session, self._spool, most=AT_ONCE)
                self._waits_on(outcome.why)
                return outcome.more
        except OSError as error:
            self._waits_on(f"{error.filename or self._spool.folder}: {error.strerror}.")
        return False

    def _waits_on(self, why: str) -> None:
        """Say what keeps the spool from being entered, when that has changed."""
        before, self._why = self._why, why
        if why and why != before:
            self._post(Refused("", "", NOT_NOW.format(why)))


def _failed(error: Exception) -> str:
    return f"Muster itself failed at the spool ({type(error).__name__}: {error}): look what is in it."


def _was_refused(before: Mapping[str, Entry], one: Entry) -> bool:
    return one.name in before and before[one.name].refused == one.refused


def _more(some: list[Entry], told: int) -> str:
    return f" And {len(some) - told} more are in the register." if len(some) > told else ""


def _told(entry: Entry, me: str) -> Told:
    what = "logged" if entry.verb == "log" else entry.verb
    how = f"not entered: {one_line(entry.refused)}" if entry.refused else "in the spool, not entered yet"
    body = entry.fields.get("text") or entry.fields.get("description") or ""
    return Told(entry.said_at, me, f"{what} ({how})", str(body), pen="bad" if entry.refused else "warn")
