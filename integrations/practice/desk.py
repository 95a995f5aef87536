"""Practice Desk itself: tickets, and everything that happened to them, in memory.

No network and no clock of its own. Every method may be called from any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import RLock
from types import MappingProxyType
from typing import Final

FIRST_KEY: Final = 1001
QUEUES: Final = ("Support", "Network")
PRIORITIES: Final = ("Urgent", "High", "Normal", "Low")
_ALL: Final = ("Open", "Working", "Needs customer", "Fixed", "Closed", "Declined")
MAY: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "Open": frozenset(_ALL),
        "Working": frozenset(_ALL) - {"Open"},
        "Needs customer": frozenset(_ALL) - {"Open"},
        "Fixed": frozenset({"Working", "Fixed", "Closed"}),
        "Closed": frozenset({"Closed"}),
        "Declined": frozenset({"Declined"}),
    }
)
"""The desk's states, and from which to which a ticket may go. A state may always be said again."""
MAX_TITLE: Final = 200
MAX_REFERENCE: Final = 80
MAX_FILE_NAME: Final = 200
MAX_FILE: Final = 5 * 2**20
"""Bytes of a file that the desk takes."""


@dataclass(frozen=True, slots=True)
class PdTicket:
    """One ticket as it stands. `version` is the seq of its last change."""

    id: str
    key: str
    reference: str
    queue: str
    title: str
    body: str
    priority: str
    state: str
    requester: str
    assignee: str
    opened_at: datetime
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class PdChange:
    """One thing that happened; `seq` counts over the whole desk.

    kind: created, comment, state, priority, file, split or merged. body: the text, the new priority, the
    file's name, or the key of the ticket that has a part of this one, or goes on in its place.
    """

    seq: int
    ticket: str
    key: str
    kind: str
    author: str
    at: datetime
    body: str
    public: bool
    state: str
    size: int | None = None  # bytes of a file


class DeskRefused(Exception):
    """The desk says no: `status` as HTTP has it, `errors` by field."""

    def __init__(self, status: int, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {why}" for name, why in errors.items()))
        self.status = status
        self.errors = dict(errors)


class NoSuchTicket(DeskRefused):
    def __init__(self, name: str) -> None:
        super().__init__(404, {"ticket": f"there is no ticket {name[:40]}"})


class Merged(DeskRefused):
    """The ticket goes on as another, which may be read in its place and must be written to by name."""

    def __init__(self, into: PdTicket) -> None:
        super().__init__(409, {"ticket": f"was merged into {into.key}"})


class Desk:
    """The supplier. It makes a ticket each time it is asked, as most real systems do.

    `name` tells one desk from another that stood in its place: ids of tickets begin with it.
    """

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC), name: str = "") -> None:
        self.name = name
        self._clock = clock
        self._lock = RLock()
        self._tickets: dict[str, PdTicket] = {}
        self._changes: list[PdChange] = []
        self._ids: dict[str, str] = {}  # by key
        self._referred: dict[str, list[str]] = {}  # ids by reference
        self._told: dict[str, list[PdChange]] = {}  # changes by id
        self._files: dict[int, bytes] = {}  # by the change that brought them
        self._merged: dict[str, str] = {}  # id → the id of the ticket that goes on in its place
        self.changed: Callable[[], object] = lambda: None  # called when something has happened

    @property
    def tickets(self) -> tuple[PdTicket, ...]:
        """All tickets, oldest first."""
        with self._lock:
            return tuple(self._tickets.values())

    @property
    def changes(self) -> tuple[PdChange, ...]:
        """All that happened, in order."""
        with self._lock:
            return tuple(self._changes)

    @property
    def last_seq(self) -> int:
        with self._lock:
            return len(self._changes)

    def ticket(self, name: str) -> PdTicket:
        """The ticket of that id or key, or what it was merged into; NoSuchTicket when there is none."""
        with self._lock:
            ticket = self._tickets.get(self._goes_on_as(self._ids.get(name, name)))
        if ticket is None:
            raise NoSuchTicket(name)
        return ticket

    def with_reference(self, reference: str) -> tuple[PdTicket, ...]:
        """Tickets that carry exactly this reference, oldest first. None carries the empty one."""
        with self._lock:
            ids = self._referred.get(reference, []) if reference else []
            return tuple(self._tickets[i] for i in ids if i in self._tickets)

    def create(
        self,
        author: str,
        title: str,
        body: str = "",
        *,
        reference: str = "",
        priority: str = "Normal",
        queue: str = "Support",
    ) -> PdTicket:
        """Make a ticket. Asked twice, it makes two."""
        wrong = {
            "title": "" if title.strip() and len(title) <= MAX_TITLE else f"1 to {MAX_TITLE} characters",
            "reference": "" if len(reference) <= MAX_REFERENCE else f"at most {MAX_REFERENCE} characters",
            "priority": "" if priority in PRIORITIES else f"one of {', '.join(PRIORITIES)}",
            "queue": "" if queue in QUEUES else f"one of {', '.join(QUEUES)}",
        }
        if errors := {name: why for name, why in wrong.items() if why}:
            raise DeskRefused(422, errors)
        with self._lock:
            now, number = self._clock(), FIRST_KEY + len(self._ids)
            ticket = PdTicket(
                id=f"{self.name}{number * 7}",
                key=f"PD-{number}",
                reference=reference,
                queue=queue,
                title=title,
                body=body,
                priority=priority,
                state="Open",
                requester=author,
                assignee="",
                opened_at=now,
                updated_at=now,
                version=0,
            )
            self._ids[ticket.key] = ticket.id
            self._referred.setdefault(reference, []).append(ticket.id)
            self._record(ticket, "created", author, body, public=True)
            return self._tickets[ticket.id]

    def comment(
        self, name: str, author: str, body: str, *, public: bool = True, version: int | None = None
    ) -> PdChange:
        """Add a comment to the ticket; with `version`, only if that is still its version."""
        if not body.strip():
            raise DeskRefused(422, {"body": "is empty"})
        with self._lock:
            return self._record(self._current(name, version), "comment", author, body, public=public)

    def set_state(self, name: str, author: str, state: str, *, version: int | None = None) -> PdChange | None:
        """Put the ticket into `state`; None when it was there already, and nothing is recorded."""
        if state not in MAY:
            raise DeskRefused(422, {"state": f"one of {', '.join(MAY)}"})
        with self._lock:
            ticket = self._current(name, version)
            if state not in MAY[ticket.state]:
                raise DeskRefused(422, {"state": f"a ticket that is {ticket.state} cannot become {state}"})
            if state == ticket.state:
                return None
            return self._record(replace(ticket, state=state), "state", author, "", public=True)

    def set_priority(
        self, name: str, author: str, priority: str, *, version: int | None = None
    ) -> PdChange | None:
        """Give the ticket another priority; None when it had that already, and nothing is recorded."""
        if priority not in PRIORITIES:
            raise DeskRefused(422, {"priority": f"one of {', '.join(PRIORITIES)}"})
        with self._lock:
            ticket = self._current(name, version)
            if priority == ticket.priority:
                return None
            return self._record(replace(ticket, priority=priority), "priority", author, priority, public=True)

    def attach(self, name: str, author: str, file: str, content: bytes) -> PdChange:
        """Put a file on the ticket."""
        if not file.strip() or len(file) > MAX_FILE_NAME:
            raise DeskRefused(422, {"name": f"1 to {MAX_FILE_NAME} characters"})
        if len(content) > MAX_FILE:
            raise DeskRefused(413, {"content": f"at most {MAX_FILE:,} bytes"})
        with self._lock:
            ticket = self._current(name, None)
            change = self._record(ticket, "file", author, file, public=True, size=len(content))
            self._files[change.seq] = content
            return change

    def file(self, seq: int) -> bytes:
        """The file that came with this change."""
        with self._lock:
            content = self._files.get(seq)
        if content is None:
            raise NoSuchTicket(f"file {seq}")
        return content

    def assign(self, name: str, assignee: str) -> None:
        """Give the ticket to one of the desk's people. No change is recorded for it."""
        with self._lock:
            ticket = self.ticket(name)
            self._tickets[ticket.id] = replace(ticket, assignee=assignee)

    def burst(self, name: str, author: str, bodies: Sequence[str], *, public: bool = True) -> None:
        """Add comments that all bear the same time, as an import does."""
        with self._lock:
            now = self._clock()
            for body in bodies:
                self._record(self._current(name, None), "comment", author, body, public=public, at=now)

    def merge(self, name: str, into: str, author: str) -> None:
        """Make one ticket of two: from now on the first is the second."""
        with self._lock:
            ticket, other = self._current(name, None), self._current(into, None)
            if ticket.id == other.id:
                raise DeskRefused(422, {"ticket": "is that very one"})
            self._record(ticket, "merged", author, other.key, public=True)
            self._merged[ticket.id] = other.id

    def split(self, name: str, author: str, title: str) -> PdTicket:
        """Make a ticket of a part of this one; the first goes on besides."""
        with self._lock:
            ticket = self._current(name, None)
            other = self.create(author, title)
            self._record(ticket, "split", author, other.key, public=True)
            return other

    def delete(self, name: str) -> None:
        """Take the ticket away, as an administrator would; what happened to it stays in the changes."""
        with self._lock:
            del self._tickets[self.ticket(name).id]

    def after(self, seq: int, limit: int) -> tuple[PdChange, ...]:
        """At most `limit` changes whose seq is greater, in order."""
        with self._lock:
            return tuple(self._changes[max(0, seq) : max(0, seq) + limit])

    def history(self, name: str) -> tuple[PdChange, ...]:
        """All that happened to one ticket, in order, and to those that were merged into it."""
        with self._lock:
            whole = self.ticket(name).id
            ids = [one for one in (whole, *self._merged) if self._goes_on_as(one) == whole]
            return tuple(sorted((c for one in ids for c in self._told[one]), key=lambda c: c.seq))

    def _goes_on_as(self, ticket: str) -> str:
        while ticket in self._merged:
            ticket = self._merged[ticket]
        return ticket

    def _current(self, name: str, version: int | None) -> PdTicket:
        ticket = self.ticket(name)
        if self._ids.get(name, name) in self._merged:
            raise Merged(ticket)
        if version is not None and version != ticket.version:
            raise DeskRefused(412, {"version": f"is {ticket.version} by now"})
        return ticket

    def _record(
        self,
        ticket: PdTicket,
        kind: str,
        author: str,
        body: str,
        *,
        public: bool,
        at: datetime | None = None,
        size: int | None = None,
    ) -> PdChange:
        change = PdChange(
            seq=len(self._changes) + 1,
            ticket=ticket.id,
            key=ticket.key,
            kind=kind,
            author=author,
            at=at or self._clock(),
            body=body,
            public=public,
            state=ticket.state,
            size=size,
        )
        self._changes.append(change)
        self._told.setdefault(ticket.id, []).append(change)
        self._tickets[ticket.id] = replace(ticket, updated_at=change.at, version=change.seq)
        self.changed()
        return change
