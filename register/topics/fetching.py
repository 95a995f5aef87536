"""A supplier's files: noted at once with name, size and place; fetched when somebody wants one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, StringConstraints

from register.core import (
    Command,
    Decision,
    Event,
    NotFound,
    PersonId,
    Role,
    Said,
    Target,
    World,
    decide,
    effects,
    evolve,
    joined,
    refuse_unless,
    says,
)
from register.effect import Effect, Settle
from register.forgetting import event_of
from register.incident import Ball, Incident, Label, TicketRef
from register.text import clip, one_line
from register.topics.engagement import enqueued
from register.topics.files import MAX_BYTES, Attached, Digest, FileName
from register.topics.sendings import OfSending


def _lined(value: object) -> object:
    return one_line(value) if isinstance(value, str) else value


class FetchFile(Command):
    """Fetch a file that a supplier put on its ticket: it is attached to the incident."""

    verb: ClassVar[str] = "fetch"
    role: ClassVar[Role] = Role.RESPONDER

    target: Target
    file: Annotated[
        str,
        BeforeValidator(_lined),
        StringConstraints(min_length=1, max_length=200),
        Field(description="the file's name, as `muster files` shows it, or the change that brought it"),
    ]

    def reads(self) -> tuple[str, ...]:
        return (self.target,)


class TakeFetched(Command):
    """It came: its bytes are in the register by now, under their digest."""

    role: ClassVar[Role] = Role.ENGINE
    on_incident: ClassVar[bool] = False

    row_id: str
    name: FileName
    media_type: Annotated[str, StringConstraints(max_length=100)] = "application/octet-stream"
    size: Annotated[int, Field(ge=0, le=MAX_BYTES)]
    sha256: Digest


class SupplierFile(Event):
    """They put a file on their ticket. size: None where it is not told; place: where it lies there."""

    kind: ClassVar[str] = "supplier_file"

    bond: str
    vendor: str
    change_id: str
    author: PersonId
    name: str
    size: int | None
    place: str
    public: bool = True
    perhaps_ours: bool = False
    quiet: bool = False  # offered beside what else was told: no news by itself
    of: TicketRef | None = None  # which of their tickets, where it is not the bond's own


class FileWanted(Event):
    kind: ClassVar[str] = "file_wanted"

    bond: str
    vendor: str
    change_id: str
    name: str
    size: int | None
    place: str


class FileFetched(OfSending):
    """It is here; that it is attached is an event of its own."""

    kind: ClassVar[str] = "file_fetched"

    name: str


def offered(events: Iterable[Any]) -> dict[str, SupplierFile]:
    """Return the files at suppliers of which these events of an incident tell, by their change."""
    return {event.change_id: event for event in events if isinstance(event, SupplierFile) and event.name}


@decide.register
def _(command: FetchFile, incident: Incident, world: World) -> Decision:
    story = world.stories[incident.number]
    every = offered(event_of(one.kind, one.v, one.data) for one in story if one.data is not None)
    found = [one for one in every.values() if command.file in (one.name, one.change_id)]
    shown = clip(command.file, 60)
    if not found:
        raise NotFound(
            f"No supplier of {incident.number} has a file {shown!r}: `muster files {incident.number}` shows"
            " what there is. Nothing was done.",
            "file",
        )
    refuse_unless(
        len(found) == 1,
        f"{shown!r} is there more than once: say which by its change"
        f" ({joined(one.change_id for one in found)}). Nothing was done.",
        ask="file",
    )
    (file,) = found
    refuse_unless(
        file.place, f"Where {file.vendor} has {file.name} is not told: ask them for it.", ask="file"
    )
    refuse_unless(
        file.size is None or file.size <= MAX_BYTES,
        f"{file.name} has {file.size or 0:,} bytes, and {MAX_BYTES:,} is what a file may have here. Nothing"
        " was done: fetch it by hand, keep it elsewhere, and say where with `muster evidence`.",
        ask="file",
    )
    about = file.model_dump(include={"bond", "vendor", "change_id", "name", "size", "place"})
    return says(incident, FileWanted(**about))


@effects.register
def _(event: FileWanted, stream: str, command_id: str) -> tuple[Effect, ...]:
    payload = {"name": event.name, "place": event.place}
    return (enqueued(event.bond, event.vendor, stream, command_id, "fetch", payload),)


@decide.register
def _(command: TakeFetched, incident: Any, world: World) -> Decision:
    row = world.sendings.get(command.row_id)
    if row is None or row.kind != "fetch" or row.state not in ("queued", "sending", "waiting", "ambiguous"):
        return ()
    about = {"row_id": row.row_id, "bond": row.bond, "vendor": row.vendor, "what": row.kind}
    file = command.model_dump(include={"name", "media_type", "size", "sha256"})
    return (
        Said(row.incident, FileFetched(**about, name=command.name)),
        Said(row.incident, Attached(file=command.command_id, label=Label.INTERNAL, **file)),
    )


@effects.register
def _(event: FileFetched, stream: str, command_id: str) -> tuple[Effect, ...]:
    return (Settle(event.row_id, "done"),)


@evolve.register
def _(event: FileFetched, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    return incident if bond is None else incident.with_bond(bond.but(doubtful=False, dead=False))


@evolve.register
def _(event: SupplierFile, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    if bond is None:
        return incident
    if event.perhaps_ours or event.quiet:
        return incident.with_bond(bond.but(heard_at=at))
    since = bond.ball_since if bond.ball is Ball.OURS else at
    return incident.with_bond(bond.but(heard_at=at, said_at=at, ball=Ball.OURS, ball_since=since))
