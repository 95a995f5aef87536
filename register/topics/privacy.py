"""Taking texts out of the record, and keeping them in it: redaction and legal hold.

Who may redact: a coordinator. A password that was pasted into a note must go while the shift is on; who did
it, why, and of which events, is on record for good, and what must not go is put under legal hold by an admin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from register.core import (
    Command,
    Decision,
    Event,
    NotFound,
    PersonId,
    Refused,
    Role,
    Said,
    Target,
    World,
    Written,
    decide,
    effects,
    evolve,
    refuse_if_held,
    refuse_unless,
    remarks,
    says,
)
from register.effect import Effect
from register.forgetting import Change, changed, event_of, without_texts
from register.incident import Incident
from register.text import Words

SENT: Final = frozenset(
    {"engaged", "replied", "forwarded", "file_sent", "evidence", "withdrawn", "accepted", "disputed"}
    | {"sent_again"}
)
"""Kinds of events whose text goes, or went, to a supplier."""


class Redact(Command):
    """Wipe texts of an incident for good: what was written is gone, that it was stays on record."""

    verb: ClassVar[str] = "redact"
    role: ClassVar[Role] = Role.COORDINATOR

    target: Target
    reason: Annotated[Words, Field(description="why, without saying again what is to go")]
    event: Annotated[
        int | None, Field(ge=1, description="one event alone: its seq, as `muster show --json` has it")
    ] = None
    texts: Annotated[bool, Field(description="all free texts, the title too: so it is without --event")] = (
        False
    )

    def reads(self) -> tuple[str, ...]:
        return (self.target,)


class LegalHold(Command):
    """Put an incident under legal hold: nothing of it may be redacted by anybody."""

    verb: ClassVar[str] = "legal-hold"
    role: ClassVar[Role] = Role.ADMIN

    target: Target
    reason: Annotated[Words, Field(description="why; a file number, say")]
    off: Annotated[bool, Field(description="lift the hold")] = False


class Redacted(Event):
    """Data of these events of the stream was wiped.

    wiped: their seqs. kept: what folds need of them, by seq. why: by a person's word (`asked`), because
    somebody was erased, or by a rule of retention. person: who was erased.
    """

    kind: ClassVar[str] = "redacted"

    wiped: tuple[int, ...]
    kept: dict[str, dict[str, Any]]
    reason: str = ""
    why: Literal["asked", "erased", "retention"] = "asked"
    person: PersonId | None = None
    sent: tuple[str, ...] = ()  # operation ids of the sendings that are wiped, too


class HeldForLaw(Event):
    kind: ClassVar[str] = "legal_hold_set"

    reason: str


class ReleasedByLaw(Event):
    kind: ClassVar[str] = "legal_hold_lifted"

    reason: str


_TO_CHILDREN: Final = frozenset({"resolved", "reopened"})
"""Kinds of a parent's events of which the words are its children's, too."""


@dataclass(frozen=True, slots=True)
class Wipe(Effect):
    """The data and salt of these events go, and what is made of them is made anew.

    sent: operations of which finished sendings lose their texts. whole: all files and sendings of it, too.
    """

    stream: str
    seqs: tuple[int, ...]
    sent: tuple[str, ...] = ()
    whole: bool = False


def redaction(story: Iterable[Written], change: Change, chosen: frozenset[int] | None = None) -> Redacted:
    """Return what a change of texts makes of a stream's events; nothing wiped where nothing changes.

    chosen: these events alone. A redaction that is itself wiped hands on what it kept.
    """
    events = [(one, None if one.data is None else event_of(one.kind, one.v, one.data)) for one in story]
    wiped: list[int] = []
    kept: dict[str, dict[str, Any]] = {}
    sent: list[str] = []
    now: dict[int, dict[str, Any]] = {}  # what each event says after the change
    for one, event in events:
        if event is None or (chosen is not None and one.seq not in chosen):
            continue
        after = changed(event, change)
        now[one.seq] = after.model_dump(mode="json")
        if after is not event:
            wiped.append(one.seq)
            kept[str(one.seq)] = now[one.seq]
            if one.kind in SENT:
                sent.append(_operation(one, event))
    for one, event in events:
        if isinstance(event, Redacted) and (one.seq in wiped or _says_more(event, kept)):
            wiped += [] if one.seq in wiped else [one.seq]
            kept[str(one.seq)] = now.get(one.seq, event.model_dump(mode="json")) | {"kept": {}}
            for seq, rest in event.kept.items():
                kept.setdefault(seq, now.get(int(seq), rest))
    return Redacted(wiped=tuple(sorted(wiped)), kept=kept, sent=tuple(sent))


def _operation(one: Written, event: Any) -> str:
    """The operation id of what an event asks to send: the command's, but where one command says several."""
    replay = getattr(event, "replay", None)
    return getattr(event, "op", "") or (one.command_id if replay is None else replay.op_id)


def _says_more(earlier: Redacted, kept: Mapping[str, Any]) -> bool:
    """Whether an earlier redaction kept of an event what goes now."""
    return any(seq in kept and kept[seq] != rest for seq, rest in earlier.kept.items())


@decide.register
def _(command: Redact, incident: Incident, world: World) -> Decision:
    refuse_if_held(incident)
    refuse_unless(
        not (command.texts and command.event), "Say --event for one event, or --texts for all; not both."
    )
    story = world.stories[incident.number]
    chosen = frozenset(one.seq for one in story if one.kind != Redacted.kind)
    if command.event is not None:
        if command.event not in {one.seq for one in story}:
            raise NotFound(
                f"Event {command.event} is none of {incident.number}: `muster show {incident.number} --json`"
                " tells the seq of each. Nothing was redacted.",
                ask="event",
            )
        chosen = frozenset({command.event})
    found = redaction(story, without_texts, chosen)
    refuse_unless(
        found.wiped,
        f"There is no text left in {f'event {command.event}' if command.event else incident.number}:"
        " nothing was redacted.",
    )
    _refuse_unsent(incident, found, story, world)
    return says(incident, found.model_copy(update={"reason": command.reason}))


def _refuse_unsent(incident: Incident, found: Redacted, story: tuple[Written, ...], world: World) -> None:
    """What is on its way must say what it says until it has arrived."""
    on_its_way = {row.op_id: row.vendor for row in world.sendings.values() if row.incident == incident.number}
    late = sorted({vendor for op_id, vendor in on_its_way.items() if op_id in found.sent})
    if late:
        raise Refused(
            f"A message of {incident.number} to {', '.join(late)} is not known to have arrived, and its text"
            " is needed until it has. Nothing was redacted: settle or drop it (`muster outbox list`), or"
            " redact other events with --event."
        )


@decide.register
def _(command: LegalHold, incident: Incident, world: World) -> Decision:
    word = "not under legal hold: there is nothing to lift" if command.off else "under legal hold already"
    refuse_unless(
        incident.legal_hold is command.off, f"{incident.number} is {word}. Nothing was changed.", ask="off"
    )
    if command.off:
        return says(incident, ReleasedByLaw(reason=command.reason))
    return says(incident, HeldForLaw(reason=command.reason))


@evolve.register
def _(event: Redacted, incident: Incident, at: datetime) -> Incident:
    left = tuple(person for person in incident.left_in if person != event.person)
    return incident.but(left_in=left, retired=incident.retired or event.why == "retention")


@evolve.register
def _(event: HeldForLaw, incident: Incident, at: datetime) -> Incident:
    return incident.but(legal_hold=True)


@evolve.register
def _(event: ReleasedByLaw, incident: Incident, at: datetime) -> Incident:
    return incident.but(legal_hold=False)


@effects.register
def _(event: Redacted, stream: str, command_id: str) -> tuple[Effect, ...]:
    return (Wipe(stream, event.wiped, event.sent, whole=event.why == "retention"),)


@remarks.register
def _(command: Redact, world: World, after: Incident | None) -> tuple[str, ...]:
    files = sum(one.kind == "attached" for one in world.stories.get(command.target, ()))
    files -= sum(one.kind == "detached" for one in world.stories.get(command.target, ()))
    held = (
        (
            f"Files keep their bytes: {files}. `muster files {command.target}` lists them, `muster detach`"
            " takes one out.",
        )
        if files > 0
        else ()
    )
    return (*held, *_children_told(command, world), *_copies(after))


def _children_told(command: Redact, world: World) -> tuple[str, ...]:
    """Who else was told the words: a parent's children are resolved and reopened with them."""
    story = world.stories.get(command.target, ())
    if not any(one.kind in _TO_CHILDREN and command.event in (None, one.seq) for one in story):
        return ()
    events = [event_of(one.kind, one.v, one.data) for one in story if one.data is not None]
    linked = [event for event in events if getattr(event, "side", "") == "child"]
    told = dict.fromkeys(str(getattr(one, "to", "")) for one in linked)
    if not told:
        return ()
    ways = ", ".join(f"`muster redact {number}`" for number in told)
    return (f"Children that were resolved or reopened with it may say the same: {ways}.",)


@remarks.register
def _(command: LegalHold, world: World, after: Incident | None) -> tuple[str, ...]:
    if after is None or not command.off or not after.left_in:
        return ()
    who = ", ".join(after.left_in)
    return (
        f"{who} was erased while {after.number} was held, and it quotes them still: `muster erase"
        f" {after.left_in[0]} --also NAME` takes it out now.",
    )


def _copies(after: Incident | None) -> tuple[str, ...]:
    """Who else has it: what was sent cannot be taken back from here."""
    if after is None or not after.bonds:
        return ()
    known: dict[str, list[str]] = {}
    for bond in after.bonds:
        keys = known.setdefault(bond.vendor, [])
        keys += [ref.key for ref in bond.known_refs if ref.key not in keys]
    told = ", ".join(f"{vendor} ({', '.join(keys) or 'no ticket known'})" for vendor, keys in known.items())
    return (f"What was sent is with the suppliers still: {told}. Ask them to take it out.",)


def said_of(stream: str, found: Redacted) -> tuple[Said, ...]:
    """Return the event for its stream, or nothing where nothing is wiped."""
    return (Said(stream, found),) if found.wiped else ()
