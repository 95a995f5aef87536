"""A bond: our side of a supplier's ticket, and of what of theirs belongs to it. Frozen, no I/O."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel

from register.merging import Shared
from register.plain import one_line


class Priority(IntEnum):
    CRITICAL = 1
    HIGH = 2
    MODERATE = 3
    LOW = 4
    PLANNING = 5

    def __str__(self) -> str:
        return f"P{self.value}"


class Ball(StrEnum):
    """Whose turn it is between us and a supplier."""

    OURS = "ours"
    THEIRS = "theirs"


class BondState(StrEnum):
    ENGAGING = "engaging"  # asked for, their ticket is not known to exist
    OPEN = "open"  # their ticket exists and is worked on
    FIXED = "fixed"  # they say it is fixed: a proposal
    ENDING = "ending"  # over for us; that they close their ticket is asked for, and not known to be done
    ENDED = "ended"  # accepted, withdrawn, dropped or closed with them


class CallWhy(StrEnum):
    """Why a person is to call a supplier."""

    P1 = "p1"  # their rule for what is critical: a ticket and a call
    UNCONFIRMED = "unconfirmed"  # they have not confirmed a ticket that cannot wait
    PROMISE = "promise"  # what they promised has passed
    CONTRACT = "contract"  # their contract is about to be broken, and they can be reached by phone alone


LIVE_BONDS: Final = frozenset({BondState.ENGAGING, BondState.OPEN, BondState.FIXED})


class Value(BaseModel, frozen=True):
    """A frozen value that is changed by making another one."""

    def but(self, **changes: Any) -> Self:
        """Return this value with other fields. They are not validated: folds hand over what events held.

        The same as `model_copy(update=changes)` in a fifth of the time; folding is made of this.
        """
        other = object.__new__(type(self))
        set_ = object.__setattr__
        set_(other, "__dict__", {**self.__dict__, **changes})
        set_(other, "__pydantic_fields_set__", self.__pydantic_fields_set__)
        set_(other, "__pydantic_extra__", None)
        set_(other, "__pydantic_private__", None)
        return other


OneLine = Annotated[str, AfterValidator(one_line)]
"""What a supplier says, without signs that a terminal would obey or a database refuses."""


class TicketRef(BaseModel, frozen=True):
    """A supplier's ticket: `id` never changes, `key` is what people say, `url` may be empty."""

    id: OneLine
    key: OneLine
    url: OneLine = ""


class FurtherTicket(BaseModel, frozen=True):
    """Another ticket of theirs about the same: they split ours, or handed a part of it on.

    raw_state: their word for it; empty until it was heard of. over: they say that it is done with.
    missing: it could not be read, as one whose number is mistyped.
    """

    ref: TicketRef
    raw_state: OneLine = ""
    over: bool = False
    missing: bool = False


class LinkSeen(BaseModel, frozen=True):
    """A link between their tickets of which nobody has said yet whether it concerns us."""

    ref: TicketRef
    how: OneLine  # in their system's words: split into, refers to


class Difference(BaseModel, frozen=True):
    """A field that both sides changed, of which a person is asked whose word holds.

    ours, theirs: in words. row_id: the sending that waits for the answer, where one does.
    fixed: their state says that it is fixed. priorities: which of ours their priority may stand for.
    """

    field: Shared
    ours: str
    theirs: OneLine
    since: datetime
    row_id: str = ""
    fixed: bool = False
    priorities: tuple[Priority, ...] = ()


class PageState(StrEnum):
    """How far a page has come."""

    ASKED = "asked"
    DELIVERED = "delivered"
    FAILED = "failed"  # nothing that they can be reached by took it


class CallCard(BaseModel, frozen=True):
    """A call that a person is asked to make. level: at which level of the supplier's own escalation.

    passed, clock: what has passed, as `CallDue` tells it; that tells one broken promise from the next.
    """

    why: CallWhy
    since: datetime
    level: int = 1
    page: PageState | None = None  # whether that person was paged for it
    passed: datetime | None = None
    clock: str = ""

    def is_for(self, why: CallWhy | None, level: int, passed: datetime | None, clock: str) -> bool:
        """Whether it is this reason that it asks for. What one of both does not tell is no difference."""
        same_time = None in (self.passed, passed) or self.passed == passed
        same_clock = "" in (self.clock, clock) or self.clock == clock
        return (self.why, self.level) == (why, level) and same_time and same_clock


class Bond(Value, frozen=True):
    """Incident ↔ supplier's ticket, minted at engage, before any ticket exists."""

    id: str
    vendor: str
    production: bool
    state: BondState = BondState.ENGAGING
    ref: TicketRef | None = None
    former: tuple[TicketRef, ...] = ()
    duplicates: tuple[TicketRef, ...] = ()
    further: tuple[FurtherTicket, ...] = ()
    links: tuple[LinkSeen, ...] = ()
    doubtful: bool = False  # something sent is not known to have arrived
    dead: bool = False  # a sending waits for a person
    raw_state: str = ""  # the supplier's own word, the shadow of the three-way merge
    wrote: str = ""  # what the state means that we set last, until they set another one
    wrote_priority: Priority | None = None  # the one that they had from us last, until they set another one
    told_priority: Priority | None = None  # what both agree on: what they were told last, or took
    their_priority: str = ""  # their own word, where it differs from that
    version: str | None = None  # of their ticket when it came into raw_state, where they tell one
    differences: tuple[Difference, ...] = ()  # what both changed, and a person is asked about
    closed: bool = False  # they have closed their ticket
    aside: int = 0  # changes of theirs that could not be taken in, and wait for a person
    disputed: int = 0  # how often they said "fixed" and we did not agree
    ball: Ball = Ball.OURS
    ball_since: datetime
    engaged_at: datetime
    engaged_by: str
    heard_at: datetime | None = None
    said_at: datetime | None = None  # their last word, not counting what may be our own
    by_hand: bool = False  # no system of theirs is spoken to: a person hands over what is prepared
    to_hand: int = 0  # prepared texts that nobody handed over yet
    call: CallCard | None = None
    confirm_by: datetime | None = None  # until when their ticket must be there, or a person is to call
    promised_until: datetime | None = None  # what they promised last, by word of mouth
    remind_at: datetime | None = None  # when a person is reminded of that promise
    warned_for: datetime | None = None  # the turn of ours for which it was told that they are about to close
    closes_at: datetime | None = None  # when they close it, if that turn of ours lasts
    nudged: tuple[str, ...] = ()  # steps of their contract at which they were nudged: never twice
    left: tuple[str, ...] = ()  # what a person has left as it is (`register.asking`)

    def further_of(self, name: str) -> FurtherTicket | None:
        """The further ticket of that id or key."""
        return next((one for one in self.further if name in (one.ref.id, one.ref.key)), None)

    def agreed_on(self, raw: str, meant: tuple[Priority, ...]) -> Self:
        """This bond where both go by their priority. One that stands for none of ours differs still."""
        if not meant:
            return self.but(their_priority=raw)
        return self.but(told_priority=meant[0], their_priority="")

    def undisputed(self, row_id: str) -> Self:
        """This bond with nothing to settle about a sending that goes another way now."""
        rest = tuple(one for one in self.differences if one.row_id != row_id)
        return self if rest == self.differences else self.but(differences=rest)

    @property
    def still_open(self) -> tuple[FurtherTicket, ...]:
        """Further tickets that are not done with, as far as they say."""
        return tuple(one for one in self.further if not one.over and not one.missing)

    @property
    def known_refs(self) -> tuple[TicketRef, ...]:
        """Every ticket of theirs that holds, or held, something of ours."""
        refs = (self.ref, *(one.ref for one in self.further), *self.former, *self.duplicates)
        return tuple(ref for ref in refs if ref is not None)

    @property
    def wakes_at(self) -> datetime | None:
        """When a person is asked to call them, unless something happens before."""
        times = [at for at in (self.confirm_by, self.remind_at) if at is not None]
        return min(times) if times and self.state in LIVE_BONDS else None

    def prepared(self, texts: int = 1) -> Self:
        """This bond with so many more texts to hand over, where that is done by hand."""
        return self.but(to_hand=max(0, self.to_hand + texts)) if self.by_hand else self

    @property
    def closing_at(self) -> datetime | None:
        """When they close their ticket unless we answer, where that is near."""
        lasts = self.ball is Ball.OURS and self.warned_for == self.ball_since and not self.closed
        return self.closes_at if lasts and self.state in LIVE_BONDS else None
