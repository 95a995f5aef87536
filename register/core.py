"""The pure heart: commands, events, what a rule may look at, `decide`, `evolve`, and the registry of verbs.

A command is asked for; `decide` turns it into events or refuses it; `evolve` folds an event into the
incident; `effects` says what else one transaction must write (what is to be sent, what was heard).
All are pure and total: no clock, no I/O, no randomness. Times come in by `World.now`, ids by the
command. Topics register their cases beside their verbs and events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import singledispatch
from typing import Annotated, Any, ClassVar, Final, NamedTuple

from pydantic import BaseModel, Field
from ulid import ULID

from register.aside import AsideFacts as AsideFacts
from register.clocks.book import DEFAULT_TIMELINE, Timeline
from register.clocks.track import extended
from register.duty import Duty
from register.effect import Effect
from register.handing import Asked
from register.incident import Incident, Run
from register.policy import DEFAULT_MATRIX, Matrix
from register.roles import Role as Role
from register.roster import NOBODY, Roster
from register.sending_facts import SendingFacts as SendingFacts
from register.standing import Founder
from register.vendor_facts import VendorFacts as VendorFacts

ULID_PATTERN: Final = r"^[0-9A-HJKMNP-TV-Z]{26}$"


def new_id() -> str:
    """Return a fresh ULID: sorts by time, 26 characters."""
    return str(ULID())


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, in which role, and through which door (`cli`, `board`, `courier`, `collector`, …).

    by_policy: what the role is by a policy, where it is the policy that says; asked under the lock, so that
    nobody does what the policy that holds at that moment does not let them do.
    """

    login: str
    role: Role
    source: str
    by_policy: Callable[[Policy], Role] | None = field(default=None, compare=False, repr=False)


PersonId = str
"""An id of the people's side table, never a name."""


@dataclass(frozen=True, slots=True)
class PersonField:
    """Marks a command's field that is filled with a name: the desk puts the person's id in its place.

    kind: `person` for ours and callers, `supplier` for a supplier's people.
    ours: it must be one of us: of the matrix, where it names people, or somebody the register has met.
    """

    kind: str = "person"
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Several:
    """Marks a command's field of names that the command line takes one by one, in their places."""


@dataclass(frozen=True, slots=True)
class Many:
    """Marks a command's field of several texts: on the command line its option may be said several times."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """Marks a command's time that lies behind: `16:30` is the last one, `2h` is two hours ago."""


class Refused(Exception):
    """A rule said no. The sentence says what happened, what it means and what to do next."""

    def __init__(self, sentence: str, ask: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.ask = ask  # the field that would settle it, if one would


class NotFound(Refused):
    """What was named does not exist."""


class Command(BaseModel, frozen=True, extra="forbid"):
    """What somebody asks for. Subclasses declare a verb once: fields, help, key and role."""

    verb: ClassVar[str] = ""
    group: ClassVar[str] = ""  # on the command line: `muster GROUP VERB`
    hotkey: ClassVar[str | None] = None
    role: ClassVar[Role] = Role.RESPONDER
    on_incident: ClassVar[bool] = True  # False: it makes one, or is about something else
    of_one: ClassVar[bool] = True  # what it came to is how one incident stands; else its remarks tell it
    in_bulk: ClassVar[bool] = False  # on the command line, a single - takes many as lines of JSON
    settles: ClassVar[bool] = False  # it may take back what waits to be sent: no courier may claim it now
    sends: ClassVar[bool] = False  # something goes to a supplier: what it is can be looked at before
    escalates: ClassVar[bool] = True  # what it makes or changes is escalated by the matrix
    keeps: ClassVar[bool] = (
        False  # said while the register is away, it waits in the spool: true whenever entered
    )

    command_id: Annotated[str, Field(pattern=ULID_PATTERN)] = Field(default_factory=new_id)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if cls.verb:
            VERBS[cls.verb] = cls

    @classmethod
    def help(cls) -> str:
        """The docstring's first line: the verb's help everywhere."""
        return (cls.__doc__ or "").strip().splitlines()[0]

    @classmethod
    def word(cls) -> str:
        """How it is called on the command line, behind its group: `start` of `maintenance-start`."""
        return cls.verb.removeprefix(f"{cls.group}-")

    @classmethod
    def asks(cls) -> tuple[str, ...]:
        """The fields a person fills in, in order; the target and the command id are not among them."""
        return tuple(name for name in cls.model_fields if name not in ("command_id", "target"))

    def given(self, field: str, otherwise: Any = None) -> Any:
        """The value of a field that only some commands have."""
        return self.__dict__.get(field, otherwise)

    def touches(self) -> tuple[str, ...]:
        """The numbers of the incidents that the rule needs to see."""
        target = self.given("target")
        return (target,) if target else ()

    def reads(self) -> tuple[str, ...]:
        """The streams whose events the rule needs to see, one by one; hardly any rule does."""
        return ()

    def touches_too(self, incidents: Mapping[str, Incident]) -> tuple[str, ...]:
        """Further incidents that the rule needs to see, now that those it touches are known."""
        return ()

    def waits_for(self) -> str | None:
        """The record outside the register of which the rule needs every incident that waits for it."""
        return None

    def stirs(self, duty: Duty) -> tuple[str, ...] | None:
        """The services of which the rule needs every open incident that escalates. Empty: all; None: none."""
        return None

    def asks_aside(self) -> tuple[str, str] | None:
        """The supplier and the change that could not be taken in, of which the rule needs to know."""
        return None

    def asks_alert(self, incidents: Mapping[str, Incident]) -> AlertAsked | None:
        """The alert whose row the rule needs to see; hardly any rule does."""
        return None

    def hands_over(self, roster: Roster, actor: PersonId, login: str) -> Asked | None:
        """The incidents that the rule needs to see where it is about a handover; else None."""
        return None


Target = Annotated[str, Field(pattern=r"^(INC-|~)[1-9][0-9]{0,8}$", description="the incident, as in INC-7")]
"""An incident's number; or a provisional one, ~7, of what waits in a spool: no register has that."""
VERBS: Final[dict[str, type[Command]]] = {}
"""Every verb. The command line, forms, footer, help page and role check are made from it."""


class Event(BaseModel, frozen=True, extra="ignore"):
    """What happened. Its fields are the event's data; the envelope is the store's."""

    kind: ClassVar[str]
    v: ClassVar[int] = 1

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        EVENTS[cls.kind, cls.v] = cls


EVENTS: Final[dict[tuple[str, int], type[Event]]] = {}


class Recorded(NamedTuple):
    """One event as it stands in the log. `at` is when it was true, `recorded_at` when it was written.

    A tuple, for folding makes one of each event, and a frozen dataclass takes three times as long to make.
    """

    seq: int
    stream: str
    n: int
    kind: str
    v: int
    command_id: str
    at: datetime
    recorded_at: datetime
    actor: PersonId
    source: str
    cause: str
    event: Event | None  # None where nothing of the data is left, or the kind is not known to this program
    redacted: bool = False  # the data was wiped: what is left of it has no texts


@dataclass(frozen=True, slots=True)
class Said:
    """An event for a stream, before it is recorded. `at` None means now."""

    stream: str
    event: Event
    at: datetime | None = None


Decision = tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """An event of a stream as it stands: its data, or what redactions left of it, as JSON."""

    seq: int
    kind: str
    v: int
    command_id: str
    data: str | None
    wiped: bool  # its own data is gone


@dataclass(frozen=True, slots=True)
class Policy:
    """What is adopted for this register. An empty set of vendors refuses every engagement.

    matrix: the adopted one; the built-in one where none is.
    timeline: what was promised since when, for the clocks: what is built in, then every version that
    promised something else, oldest first.
    version: which adoption this is; 0 where nothing was adopted. digest: of the files it was read from.
    founder: who made the register, where that is on record.
    """

    vendors: Mapping[str, VendorFacts] = field(default_factory=dict)
    timeline: Timeline = DEFAULT_TIMELINE
    matrix: Matrix = DEFAULT_MATRIX
    version: int = 0
    digest: str = ""
    founder: Founder | None = None


@dataclass(frozen=True, slots=True)
class AlertAsked:
    """Which alert a rule must know of. `category` and `source` are for what it may belong together with.

    said: the name of this very message, where its source gave it one.
    new: whether one may be opened, so that others of its correlation window matter.
    """

    service: str
    key: str
    source: str = ""
    category: str = ""
    said: str = ""
    new: bool = False


@dataclass(frozen=True, slots=True)
class AlertFacts:
    """What the register knows of an alert's (service, key).

    incident: the one that holds the key; where none does, the last one that did; None where none ever did.
    count: how often it fired; more than the incident's events say, where repetitions were only counted.
    counted: this very message was counted before.
    beside: of those whose correlation window is open for such an alert, the first one that fires.
    leader: the incident with which that window began; it need not fire any more.
    firing: how many of them fire.
    """

    incident: str | None = None
    count: int = 0
    counted: bool = False
    beside: str | None = None
    leader: str | None = None
    firing: int = 0


@dataclass(frozen=True, slots=True)
class World:
    """What a rule may look at. A plain value, read inside the transaction that will write."""

    now: datetime
    actor: PersonId
    policy: Policy
    next_number: str
    incidents: Mapping[str, Incident] = field(default_factory=dict)
    sendings: Mapping[str, SendingFacts] = field(default_factory=dict)  # unfinished ones, by row id
    heard: frozenset[str] = frozenset()  # change ids of this command that were taken in before
    cursor: str | None = None  # JSON: where the vendor's feed was left
    alert: AlertFacts = AlertFacts()  # of the alert that the command asks about
    aside: AsideFacts | None = None  # the change that it asks about, where that waits
    stories: Mapping[str, tuple[Written, ...]] = field(default_factory=dict)  # of the streams it reads
    login: str = ""  # the actor's, for what the matrix says of them
    role: Role = Role.VIEWER  # the actor's
    roster: Roster = NOBODY  # who is on call, and what else people arranged


@singledispatch
def decide(command: Command, incident: Incident | None, world: World) -> Decision:
    """Return the events that follow from a command, or raise Refused."""
    raise TypeError(f"no rule for {type(command).__name__}")


@singledispatch
def evolve(event: Event, incident: Incident | None, at: datetime) -> Incident | None:
    """Return the incident after the event; most kinds change nothing but the time of the last change."""
    return incident


@singledispatch
def moved(event: Event, run: Run, before: Incident, after: Incident, at: datetime) -> Run:
    """Return an incident's escalation after the event; most kinds do not move it."""
    return run


@singledispatch
def effects(event: Event, stream: str, command_id: str) -> tuple[Effect, ...]:
    """Return what else is written in the event's transaction."""
    return ()


@singledispatch
def bookkeeping(command: Command, world: World) -> tuple[Effect, ...]:
    """Return what a command writes that is no event: where a supplier's feed was left, what was heard."""
    return ()


@singledispatch
def remarks(command: Command, world: World, after: Incident | None) -> tuple[str, ...]:
    """Return what a person should know of what this came to, in sentences, beside how things stand now."""
    return ()


def fold(event: Event, incident: Incident | None, at: datetime, recorded_at: datetime) -> Incident | None:
    """Evolve, and note when the incident last changed, and what its clocks will be counted from."""
    after = evolve(event, incident, at)
    if after is None:
        return None
    if after.run is not None and incident is not None:
        after = after.but(run=moved(event, after.run, incident, after, at))
    if after.silence is not None and not after.is_open:  # open again, it is loud again
        after = after.but(silence=None)
    return after.but(updated_at=recorded_at, track=extended(incident, after, at))


def says(incident: Incident, *events: Event, at: datetime | None = None) -> Decision:
    """Return events of this incident."""
    return tuple(Said(incident.number, event, at) for event in events)


def refuse_unless(condition: object, sentence: str, ask: str = "") -> None:
    if not condition:
        raise Refused(sentence, ask)


def refuse_if_held(incident: Incident) -> None:
    """Nobody takes anything out of what is under legal hold."""
    refuse_unless(
        not incident.legal_hold,
        f"{incident.number} is under legal hold: nothing of it may be taken out. Nothing was done;"
        f" an admin lifts the hold with `muster legal-hold {incident.number} WHY --off`.",
    )


def utc(moment: datetime) -> datetime:
    """Return an aware moment in UTC; a naive one is a programmer's error."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    refuse_unless(1 < moment.year < 9999, "That year is beyond what a calendar has: give another time.")
    return moment.astimezone(UTC)


def joined(names: Iterable[str]) -> str:
    """Return names as a person lists them."""
    return ", ".join(sorted(names)) or "none"
