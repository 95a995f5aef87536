"""What a supplier did and we could not take in: kept as it came, and a person decides what becomes of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, StringConstraints

from register.core import (
    AsideFacts,
    Command,
    Decision,
    Event,
    NotFound,
    Role,
    Said,
    World,
    decide,
    effects,
    evolve,
    refuse_unless,
)
from register.effect import Effect, Forget, ReadAnew
from register.incident import Incident
from register.text import Slug, Text, clip, one_line

_LIST = "`muster quarantine list` shows what there is"


class OfAside(Command):
    """About one change that could not be taken in."""

    group: ClassVar[str] = "quarantine"
    role: ClassVar[Role] = Role.COORDINATOR
    on_incident: ClassVar[bool] = False

    vendor: Annotated[Slug, Field(description="the supplier's name in vendors.toml")]
    change: Annotated[
        str,
        AfterValidator(one_line),
        StringConstraints(min_length=1, max_length=200),
        Field(description="the change, as `muster quarantine list` shows it"),
    ]

    def asks_aside(self) -> tuple[str, str] | None:
        return self.vendor, self.change


class Reread(OfAside):
    """Read what could not be taken in once more, with its whole ticket."""

    verb: ClassVar[str] = "reread"


class NoteAside(OfAside):
    """Say that you have read it: what came stands in the incident as it came."""

    verb: ClassVar[str] = "noted"


class DiscardAside(OfAside):
    """Throw away what could not be taken in: it was of no importance."""

    verb: ClassVar[str] = "discard"

    reason: Annotated[Text, Field(description="why it is of no importance")] = ""


class SetAside(Event):
    """A change of a supplier's could not be taken in; it is in quarantine as it came."""

    kind: ClassVar[str] = "set_aside"

    bond: str
    vendor: str
    change_id: str
    why: str
    part: str = ""  # the further ticket that could not be read, if it is about that


class AsideSettled(Event):
    """A person has decided about it. text: what came, where it is to stand here; reason: why it is not."""

    kind: ClassVar[str] = "aside_settled"

    bond: str
    vendor: str
    change_id: str
    how: Literal["reread", "noted", "discarded"]
    text: str = ""
    reason: str = ""


def _aside(command: OfAside, world: World) -> AsideFacts:
    if world.aside is None:
        shown = clip(one_line(command.change), 60)
        raise NotFound(
            f"Nothing of {command.vendor} that is called {shown!r} waits: {_LIST}. Nothing was done.",
            "change",
        )
    return world.aside


def _settled(aside: AsideFacts, how: Literal["reread", "noted", "discarded"], **more: str) -> Decision:
    stream = aside.incident or f"vendor:{aside.vendor}"
    event = AsideSettled(bond=aside.bond, vendor=aside.vendor, change_id=aside.change_id, how=how, **more)
    return (Said(stream, event),)


@decide.register
def _(command: Reread, incident: Any, world: World) -> Decision:
    aside = _aside(command, world)
    refuse_unless(
        aside.bond,
        f"Which ticket of {aside.vendor} it is about cannot be told, so it cannot be read again. Nothing was"
        " done: look at it there, then say `noted` or `discard`.",
    )
    return _settled(aside, "reread")


@decide.register
def _(command: NoteAside, incident: Any, world: World) -> Decision:
    aside = _aside(command, world)
    return _settled(aside, "noted", text=aside.raw)


@decide.register
def _(command: DiscardAside, incident: Any, world: World) -> Decision:
    return _settled(_aside(command, world), "discarded", reason=command.reason)


@effects.register
def _(event: AsideSettled, stream: str, command_id: str) -> tuple[Effect, ...]:
    again = event.how == "reread"
    forgotten = Forget(event.vendor, event.change_id, heard=again)
    return (forgotten, ReadAnew(event.bond)) if again else (forgotten,)


@evolve.register
def _(event: SetAside, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    if bond is None:
        return incident
    lost = bond.further_of(event.part) if event.part else None
    further = tuple(one.model_copy(update={"missing": True}) if one is lost else one for one in bond.further)
    return incident.with_bond(bond.but(aside=bond.aside + 1, further=further))


@evolve.register
def _(event: AsideSettled, incident: Incident | None, at: datetime) -> Incident | None:
    bond = None if incident is None else incident.bond(event.bond)
    if incident is None or bond is None:
        return incident
    return incident.with_bond(bond.but(aside=max(0, bond.aside - 1)))
