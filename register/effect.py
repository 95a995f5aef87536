"""Effects: what a transaction writes besides events and folds. Plain values; the store carries them out.

A topic that needs another kind declares it in its own file as a subclass of `Effect`, and registers with
`register.store.carry.carry` what is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


class Effect:
    """Something to be written in the transaction of the event or command that asked for it.

    moves: whether others are to be woken for it.
    """

    __slots__ = ()
    moves: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Enqueue(Effect):
    """Something is to be sent: a new row of the outbox. Its place in the bond is the asking event's seq."""

    row_id: str
    op_id: str
    incident: str
    bond: str
    vendor: str
    kind: str  # create | comment | transition | priority | attach
    payload: str  # JSON
    position: int | None = None  # None: the asking event's seq; a replay keeps the place of what it replays


@dataclass(frozen=True, slots=True)
class Settle(Effect):
    """What became of a row: its next state, and why, for a person."""

    row_id: str
    state: str
    why: str = ""
    next_at: datetime | None = None
    resend: bool = False  # a person said: send it again unless it is found
    by_key: bool = False  # it is sent again while the supplier knows its key, and no later


@dataclass(frozen=True, slots=True)
class KeepExchange(Effect):
    """What was asked of the supplier for a row, and what came back: JSON, without secrets."""

    moves: ClassVar[bool] = False

    row_id: str
    said: str


@dataclass(frozen=True, slots=True)
class CancelRest(Effect):
    """A bond has no ticket and never will: nothing that waits behind its create can be sent."""

    bond: str
    why: str


@dataclass(frozen=True, slots=True)
class Remember(Effect):
    """These ids of a vendor's changes are known and are no news."""

    vendor: str
    change_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MoveCursor(Effect):
    vendor: str
    cursor: str  # JSON


@dataclass(frozen=True, slots=True)
class Quarantine(Effect):
    """A change that could not be taken in, kept as it came. incident, bond: empty where not known."""

    vendor: str
    change_id: str
    raw: str
    why: str
    incident: str = ""
    bond: str = ""


@dataclass(frozen=True, slots=True)
class Forget(Effect):
    """A person has decided about a change that could not be taken in. heard: it may be heard again."""

    vendor: str
    change_id: str
    heard: bool = False


@dataclass(frozen=True, slots=True)
class Pause(Effect):
    """Stop or go on sending to one vendor. `why` empty: go on. by: the person who said so, if one did."""

    vendor: str
    why: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class WholeRead(Effect):
    """A bond's ticket was read from its beginning. part: the id of a further one, if it was that."""

    bond: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class ReadAnew(Effect):
    """A bond's ticket, or a further one of it, is to be read from its beginning, whatever was read before."""

    bond: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class TryNow(Effect):
    """A person does not want to wait for a supplier any more: what it is waited for is forgotten."""

    vendor: str
