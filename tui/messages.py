"""What happened, as small dataclasses. Workers and widgets post them; handlers on the UI thread act.

Not frozen, because Textual writes into a message itself; their fields are values all the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from textual.message import Message

Row = dict[str, Any]


class Reach(StrEnum):
    """What the board knows of its register."""

    OPENING = "opening"  # painted from the copy on disk, the register has not answered yet
    LIVE = "live"
    STALE = "stale"  # it does not answer; what is shown is as of an earlier time
    PAST = "past"  # what was known at an earlier time is shown on purpose, to be read only


@dataclass(frozen=True, slots=True)
class Freshness:
    """How true the screen is."""

    reach: Reach = Reach.OPENING
    since: float = 0.0  # epoch s: last time the register was heard
    sending: bool | None = None  # whether a worker is there; None when not known
    why: str = ""  # a sentence, when stale
    alarm: str = ""  # what besides is wrong here, and where it is told: `WHAT: command`


@dataclass
class FeedMoved(Message):
    """The register has news: rows as they are now, and numbers that are not open any more."""

    changed: tuple[Row, ...]
    gone: frozenset[str] = frozenset()
    people: Mapping[str, str] = field(default_factory=dict)
    seq: int = 0
    whole: bool = False  # these are all: what is not among them is not open any more
    me: str | None = None  # our own id, once it is known
    forget: bool = False  # something was redacted: what is on disk is written anew at once


@dataclass
class RegisterMoved(Message):
    """Something was written, whatever it was: no incident need have changed."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, RegisterMoved)


@dataclass
class IncidentsChanged(Message):
    """The live set moved: these numbers differ from what was last painted."""

    numbers: frozenset[str]


@dataclass
class RegisterOpened(Message):
    """The register answered for the first time: which one it is and who we are there."""

    register_id: str
    name: str
    me: str | None
    role: str
    seen_as: str = ""  # with whose eyes the rows are read from now on
    timeline: Any = None  # register.clocks.book.Timeline: what is promised, for forms
    named: Mapping[str, Collection[str]] = field(default_factory=dict)  # what the policy names, for filters


@dataclass
class FreshnessChanged(Message):
    """The register or the worker came, went or was heard again."""

    freshness: Freshness

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, FreshnessChanged)


@dataclass
class InForceRead(Message):
    """What is in force that nobody shall overlook.

    windows: of maintenance, each a tui.quiet.Window. faults: of policy files that cannot be used, sentences;
    since: when what holds on was adopted (epoch s, 0: never). said: what is new, with its pen.
    """

    windows: tuple[Any, ...] = ()
    faults: tuple[str, ...] = ()
    since: float = 0.0
    said: str = ""
    pen: str = ""


@dataclass
class CursorMoved(Message):
    """Another incident stands under the cursor, or it changed; None on an empty board."""

    number: str | None

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, CursorMoved)


@dataclass
class NewAbove(Message):
    """How many incidents came in above the first line that is shown."""

    count: int

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, NewAbove)


@dataclass
class DetailRead(Message):
    """One incident was read whole: a tui.detail.Detail, or None when there is no such incident."""

    number: str
    detail: Any


@dataclass
class OutboxRead(Message):
    """The outbox was read: rows of tui.outbox.Sent."""

    rows: tuple[Any, ...]


@dataclass
class ExchangeRead(Message):
    """What was kept of a sending's requests: a tui.exchange.Exchange; None: not for this reader."""

    row_id: str
    exchange: Any


@dataclass
class VendorsRead(Message):
    """How it stands with the suppliers was read: tui.vendor_table.Standing each; faults: of their file."""

    rows: tuple[Any, ...]
    faults: tuple[str, ...] = ()


@dataclass
class MatrixRead(Message):
    """The escalation matrix was read as of now: a tui.matrix_reading.Grid."""

    grid: Any


@dataclass
class SheetRead(Message):
    """A sheet was read, as lines: which one of tui.sheets.SHEETS, and of which incident."""

    sheet: str
    number: str
    lines: tuple[str, ...]


@dataclass
class HandsRead(Message):
    """What this person would hand over, and what is offered: a register.store.handing.Hands.

    logins: of who may be named.
    """

    hands: Any
    logins: tuple[str, ...] = ()


@dataclass
class HandedToMe(Message):
    """What is offered to this person now, and waits for their word: register.handing.Handover each."""

    handovers: tuple[Any, ...]


@dataclass
class Done(Message):
    """A verb was carried out. `asked` is the word it was asked with; `said` what is told of it instead."""

    asked: str
    verb: str
    number: str | None
    said: str = ""


@dataclass
class SpoolMoved(Message):
    """What waits in the spool is different now, or what became of it.

    rows: of the incidents that wait. entered: numbers by provisional number. said: a sentence, with its pen.
    """

    rows: tuple[Row, ...]
    entered: Mapping[str, str] = field(default_factory=dict)
    said: str = ""
    pen: str = ""


@dataclass
class Refused(Message):
    """A verb was not carried out. `why` is a sentence, `ask` the field that would settle it."""

    asked: str
    verb: str
    why: str
    ask: str = ""


@dataclass
class RequestShown(Message):
    """What a command would make go to a supplier, in lines, for what was asked with that word."""

    asked: str
    lines: tuple[str, ...]


@dataclass
class SuppliersRead(Message):
    """vendors.toml was read: a tui.suppliers.Suppliers, for what was asked with that word."""

    asked: str
    suppliers: Any


@dataclass
class VerbsLearned(Message):
    """The register's verbs are known: those this person may use, each a tui.verbs.Verb."""

    verbs: tuple[Any, ...]


@dataclass
class Logged(Message):
    """An incident was logged at this terminal: the cursor belongs on it."""

    number: str
