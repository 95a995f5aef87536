"""Files for a supplier: what is attached here is sent whole, of what lies elsewhere they are told."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from register.core import (
    Command,
    Decision,
    Event,
    NotFound,
    Role,
    Target,
    World,
    decide,
    effects,
    evolve,
    joined,
    refuse_unless,
    remarks,
    says,
)
from register.effect import Effect
from register.forgetting import event_of
from register.incident import Incident, Label
from register.leaving import May, Receives, cleared
from register.text import Slug, clip, one_line
from register.topics.engagement import Which, enqueued, live_bond
from register.topics.files import Attached, Digest, FileName, held, safe_name
from register.topics.letting_out import receives, refuse_hidden, removed_from, words_for

_GROUP: Final = 8


def _lined(value: object) -> object:
    return one_line(value) if isinstance(value, str) else value


def _no_credential(place: str) -> str:
    """A place is told to others, and written down: what opens it is not."""
    if any(one.what == "credential" for one in cleared(place, Receives()).removed):
        raise ValueError("has a credential in it: give the place without, and the credential by phone")
    return place


Place = Annotated[
    str,
    BeforeValidator(_lined),
    StringConstraints(min_length=1, max_length=500),
    AfterValidator(_no_credential),
]


class SendFile(Command):
    """Send a file of the incident to an engaged supplier: it is attached to their ticket."""

    verb: ClassVar[str] = "send"
    role: ClassVar[Role] = Role.COORDINATOR
    sends: ClassVar[bool] = True

    target: Target
    file: Annotated[
        str,
        BeforeValidator(_lined),
        StringConstraints(min_length=1, max_length=200),
        Field(description="the file's name, or its id"),
    ]
    vendor: Which = None

    def reads(self) -> tuple[str, ...]:
        return (self.target,)


class TellPlace(Command):
    """Note where a file lies that is not kept here: a link, an SFTP place, a disk; and tell a supplier."""

    verb: ClassVar[str] = "evidence"
    role: ClassVar[Role] = Role.COORDINATOR
    sends: ClassVar[bool] = True

    target: Target
    name: Annotated[FileName, Field(description="what the file is called")]
    place: Annotated[Place, Field(description="where it lies: a link without a credential, an SFTP place")]
    size: Annotated[int | None, Field(ge=0, description="how many bytes it has")] = None
    sha256: Annotated[Digest | None, Field(description="its SHA-256, in hexadecimal digits")] = None
    vendor: Annotated[Slug | None, Field(description="which engaged supplier is told; else nobody is")] = None


class FileSent(Event):
    kind: ClassVar[str] = "file_sent"

    bond: str
    vendor: str
    production: bool
    file: str
    name: str
    media_type: str
    size: int
    sha256: str


class EvidenceNoted(Event):
    """message: what a supplier is told of it; with an empty `bond` nobody is told."""

    kind: ClassVar[str] = "evidence"

    name: str
    place: str
    size: int | None = None
    sha256: str | None = None
    bond: str = ""
    vendor: str = ""
    production: bool = False
    message: str = ""


@decide.register
def _(command: SendFile, incident: Incident, world: World) -> Decision:
    bond = live_bond(incident, command.vendor)
    what = receives(world, bond.vendor)
    refuse_files(incident, bond.vendor, what)
    file = _meant(command.file, incident, world)
    refuse_unless(
        file.label is Label.SHAREABLE,
        f"{file.name} is {file.label}, and only what is shareable may leave. Nothing was done: attach it with"
        " --label shareable, if it may.",
        ask="file",
    )
    refuse_unless(file.size <= what.most_bytes, too_large(file.name, file.size, bond.vendor, what))
    sent = FileSent(
        bond=bond.id,
        vendor=bond.vendor,
        production=bond.production,
        name=safe_name(cleared(file.name, what).text),
        **file.model_dump(include={"file", "media_type", "size", "sha256"}),
    )
    return says(incident, sent)


def refuse_files(incident: Incident, vendor: str, what: Receives) -> None:
    """Nobody sends a file to a supplier that may have none, or none of this incident."""
    refuse_hidden(incident, vendor, what)
    refuse_unless(
        what.lets(May.FILES),
        f'{vendor} may receive no files: nothing was done. Have "files" put into may_receive of {vendor} in'
        " vendors.toml, or say in a reply where it is.",
        ask="vendor",
    )


def too_large(name: str, size: int | None, vendor: str, what: Receives) -> str:
    """Say that a supplier does not take so large a file, and what to do instead."""
    where = f" Put it there: {what.upload}. Then" if what.upload else " Put it where they can fetch it; then"
    has = "more" if size is None else f"{size:,} bytes"
    return (
        f"{clip(one_line(name), 80)} has {has}; {vendor} takes {what.most_bytes:,} bytes at most"
        f" (max_attachment). Nothing was done.{where} say where: `muster evidence`, or `muster attach` with"
        " --at PLACE."
    )


def _meant(said: str, incident: Incident, world: World) -> Attached:
    story = world.stories[incident.number]
    every = held(event_of(one.kind, one.v, one.data) for one in story if one.data is not None)
    found = [one for one in every.values() if one.name == said or one.file == said.upper()]
    if not found:
        raise NotFound(
            f"{incident.number} has no file {clip(said, 40)!r}: `muster files {incident.number}` shows them."
            " Nothing was done.",
            "file",
        )
    refuse_unless(
        len(found) == 1,
        f"{incident.number} has {clip(said, 40)!r} more than once: say which by its id"
        f" ({joined(one.file for one in found)}). Nothing was done.",
        ask="file",
    )
    return found[0]


@decide.register
def _(command: TellPlace, incident: Incident, world: World) -> Decision:
    about = command.model_dump(include={"name", "place", "size", "sha256"})
    if command.vendor is None:
        return says(incident, EvidenceNoted(**about))
    bond = live_bond(incident, command.vendor)
    told = words_for(incident, world, bond.vendor, _as_told(command), ask="place")
    noted = EvidenceNoted(**about, bond=bond.id, vendor=bond.vendor, production=bond.production, message=told)
    return says(incident, noted)


def _as_told(command: TellPlace) -> str:
    """In groups, for a digest in one piece looks like a key, and would be taken out."""
    size = "" if command.size is None else f" ({command.size:,} bytes)"
    lines = [f"The file {command.name}{size} is here: {command.place}"]
    if command.sha256 is not None:
        groups = (command.sha256[at : at + _GROUP] for at in range(0, len(command.sha256), _GROUP))
        lines.append(f"SHA-256: {' '.join(groups)}")
    return "\n".join(lines)


@remarks.register
def _(command: TellPlace, world: World, after: Incident | None) -> tuple[str, ...]:
    return () if command.vendor is None else removed_from(world, command.vendor, _as_told(command))


@evolve.register
def _(event: FileSent, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    return incident if bond is None else incident.with_bond(bond.prepared())


@effects.register
def _(event: FileSent, stream: str, command_id: str) -> tuple[Effect, ...]:
    payload = event.model_dump(include={"file", "name", "media_type", "size", "sha256"})
    return (enqueued(event.bond, event.vendor, stream, command_id, "attach", payload),)


@evolve.register
def _(event: EvidenceNoted, incident: Incident, at: datetime) -> Incident:
    bond = incident.bond(event.bond)
    return incident if bond is None else incident.with_bond(bond.prepared())


@effects.register
def _(event: EvidenceNoted, stream: str, command_id: str) -> tuple[Effect, ...]:
    if not event.bond:
        return ()
    payload = {"body": event.message, "public": True}
    return (enqueued(event.bond, event.vendor, stream, command_id, "comment", payload),)
