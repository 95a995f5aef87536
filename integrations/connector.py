"""The contract between the engine and a supplier's ticketing system.

A connector only translates. It gets an `Http` client and its configuration, raises the closed set of
`integrations.errors`, and never sleeps, retries, reads the environment or touches the register. The
engine keeps the promises: one ticket, in order, no echo, nothing lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Flag, StrEnum, auto
from typing import Any, ClassVar, Final, Protocol, runtime_checkable

from pydantic import BaseModel

from integrations.errors import OpId
from register.incident import Ball, Impact, Priority, TicketRef, Urgency

Ref = TicketRef
Cursor = Mapping[str, Any]
"""Opaque JSON, owned by the connector: where to go on listening."""


class Cap(Flag):
    """What a connector can do at its supplier."""

    CREATE = auto()
    COMMENT_PUBLIC = auto()
    COMMENT_PRIVATE = auto()
    ATTACH = auto()
    SET_STATE = auto()
    SET_PRIORITY = auto()
    WITHDRAW = auto()
    POLL = auto()
    WEBHOOK = auto()
    ETAG = auto()


@dataclass(frozen=True, slots=True)
class Strong:
    """An empty look-up, taken `settle` after the request's deadline, proves that nothing was made."""

    settle: timedelta


@dataclass(frozen=True, slots=True)
class Lagging:
    """The index lags: an empty look-up proves nothing, a hit does."""

    index_delay: timedelta
    settle: timedelta


@dataclass(frozen=True, slots=True)
class NoLookup:
    """The system cannot be asked."""


Lookup = Strong | Lagging | NoLookup


@dataclass(frozen=True, slots=True)
class Native:
    """A key that the supplier itself honours, for `window` after its first use."""

    window: timedelta


@dataclass(frozen=True, slots=True)
class NoNative:
    """Sending twice makes two."""


Idempotency = Native | NoNative


class Theirs(StrEnum):
    """What a supplier's own state means to us. Mapped in vendors.toml, never guessed."""

    NEW = "new"
    WORKING = "working"
    WAITS_FOR_US = "waits_for_us"
    FIXED = "fixed"
    CLOSED = "closed"
    REFUSED = "refused"
    UNMAPPED = "unmapped"


BALL: Final[Mapping[Theirs, Ball | None]] = {
    Theirs.NEW: Ball.THEIRS,
    Theirs.WORKING: Ball.THEIRS,
    Theirs.WAITS_FOR_US: Ball.OURS,
    Theirs.FIXED: Ball.OURS,
    Theirs.CLOSED: Ball.OURS,
    Theirs.REFUSED: Ball.OURS,
    Theirs.UNMAPPED: None,  # keeps the turn where it was
}
"""Whose turn a supplier's state makes it."""


@dataclass(frozen=True, slots=True)
class Info:
    """What the engine must know of a kind of system before it talks to one."""

    kind: str
    title: str
    caps: Cap
    lookup: Lookup
    idempotency: Idempotency
    config: type[BaseModel]  # this kind's own keys of a [vendor.NAME] block
    needs_secret: bool = True
    needs_url: bool = True  # else its own keys say where it is reached
    oauth2: bool = False  # whether it takes bearer tokens
    docs: str = ""
    feed_lag: timedelta = timedelta()  # how far the feed lies behind; a webhook may be ahead of it so far


@dataclass(frozen=True, slots=True)
class Draft:
    """A ticket to be made. `body` is plain text; `fields` are theirs, by their names, in their words."""

    op_id: OpId
    title: str
    body: str
    priority: Priority
    fields: Mapping[str, str] = field(default_factory=dict)
    impact: Impact | None = None
    urgency: Urgency | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    op_id: OpId
    body: str
    public: bool = True


@dataclass(frozen=True, slots=True)
class Transition:
    op_id: OpId
    to: Theirs
    note: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)  # theirs, that must be set with it


@dataclass(frozen=True, slots=True)
class Reprioritise:
    op_id: OpId
    to: Priority
    impact: Impact | None = None
    urgency: Urgency | None = None
    fields: Mapping[str, str] = field(default_factory=dict)  # theirs, where they work the priority out


@dataclass(frozen=True, slots=True)
class Attach:
    """A file. Its name at the supplier carries the operation id (`register.marker.marked_name`)."""

    op_id: OpId
    name: str
    media_type: str
    sha256: str
    content: bytes = field(repr=False)

    @property
    def size(self) -> int:
        return len(self.content)


TicketUpdate = Comment | Transition | Reprioritise | Attach


@dataclass(frozen=True, slots=True)
class Ticket:
    """A supplier's ticket as it stands. `version` goes back in `if_version`.

    priorities: which of ours `raw_priority` may stand for; none where it is not mapped.
    """

    ref: Ref
    title: str
    raw_state: str
    state: Theirs
    raw_priority: str
    assignee: str | None
    updated_at: datetime
    version: str | None = None
    priorities: tuple[Priority, ...] = ()


@dataclass(frozen=True, slots=True)
class Applied:
    """An update was carried out; `change_ids` are the ids under which the supplier recorded it."""

    change_ids: tuple[str, ...] = ()
    ticket: Ticket | None = None


class ChangeKind(StrEnum):
    COMMENT = "comment"
    STATE = "state"
    FILE = "file"
    PRIORITY = "priority"
    LINK = "link"  # another ticket of theirs beside it, which may be about the same


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened at the supplier. `change_id` is unique within the vendor, for ever."""

    change_id: str
    ref: Ref
    at: datetime
    kind: ChangeKind
    author: str  # the login or name as the supplier tells it
    by_our_account: bool
    body: str = ""
    public: bool = True
    raw_state: str = ""  # kind STATE: the new state in the supplier's word
    state: Theirs = Theirs.UNMAPPED
    moved: bool = False  # kind STATE: it goes on as another ticket, so it has none any more
    version: str | None = None  # kind STATE: the ticket's, as this change left it
    marker: OpId | None = None  # our operation id, found in the body or in the file's name
    size: int | None = None  # kind FILE, whose name is the body: bytes, where told
    place: str = ""  # kind FILE: where it lies, in the connector's own words
    quiet: bool = False  # kinds COMMENT and FILE: no word of a person, nor news by itself
    raw_priority: str = ""  # kind PRIORITY: the new one in the supplier's word
    priorities: tuple[Priority, ...] = ()  # kind PRIORITY: which of ours it may stand for; none if not mapped
    link: Ref | None = None  # kind LINK: the other ticket; how it is linked is the body, in their words


@dataclass(frozen=True, slots=True)
class Unread:
    """A change that could not be read: kept as it came, for a person. ticket: its ticket's id, if told."""

    change_id: str
    raw: str
    why: str
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    changes: tuple[Change, ...]
    next: Cursor
    done: bool
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    refs: tuple[Ref, ...]  # oldest first


@dataclass(frozen=True, slots=True)
class Absent:
    pass


@dataclass(frozen=True, slots=True)
class CannotTell:
    why: str


FindResult = Found | Absent | CannotTell


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `muster vendors check`: passes, or says what to do. passing: by itself it may be over."""

    name: str
    ok: bool
    says: str
    todo: str = ""
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """What a check found: identity, permission and mapping, each a line."""

    account: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)


@dataclass(frozen=True, slots=True)
class Hint:
    """A webhook that is proved to be the supplier's: there is news, so ask. What it says is not taken in.

    delivery: its name, the same when it comes once more; empty where it has none.
    """

    delivery: str = ""


class Connector(Protocol):
    """Every connector. Raises only `integrations.errors.Failure` kinds."""

    info: ClassVar[Info]

    async def check(self) -> Health: ...

    async def create(self, draft: Draft) -> Ref: ...

    async def get(self, ref: Ref) -> Ticket: ...


@runtime_checkable
class Finds(Protocol):
    async def find(self, op_id: OpId, since: datetime) -> FindResult:
        """Tickets that carry `op_id`. `since` is when the first try was made, aware UTC."""
        ...

    async def find_comment(self, ref: Ref, op_id: OpId) -> FindResult:
        """Whether the ticket holds an update that carries `op_id`; a hit's `Ref.id` is the change id."""
        ...


@runtime_checkable
class Updates(Protocol):
    async def apply(self, ref: Ref, update: TicketUpdate, if_version: str | None = None) -> Applied: ...


@runtime_checkable
class Polls(Protocol):
    async def changes(self, cursor: Cursor | None) -> Page:
        """What happened after `cursor`, oldest first; with None, nothing, and where to start from now on."""
        ...

    async def history(self, ref: Ref) -> Page:
        """One ticket from its beginning, whatever the cursor says; `next` is empty, `done` true."""
        ...


@runtime_checkable
class Fetches(Protocol):
    async def fetch(self, ref: Ref, place: str, most: int) -> bytes:
        """A file of theirs; Rejected where it has more than `most` bytes, which is looked at first."""
        ...


class Hooks(Protocol):
    """What a system's webhooks are proved by. Pure: no I/O, no clock.

    Not the connector's own methods, but what its class makes by `hooks(config, secrets)`: whoever takes a
    webhook in may lack the credential that a connector needs. A webhook never brings a change, only a `Hint`
    to poll: so there is one way in, whose cursor, order, de-duplication and echo rules hold for all; what is
    lost, doubled, replayed or forged costs at most one request.
    """

    def verify_and_parse(self, headers: Mapping[str, str], raw: bytes, now: datetime) -> Hint:
        """headers: names in lower case; raw: the body as it came. Raises `signing.HookRefused`."""
        ...
