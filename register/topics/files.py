"""Files attached to an incident. The event says what was attached; the bytes stand apart, once by digest."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator, Field, StringConstraints

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
    refuse_if_held,
    says,
)
from register.effect import Effect
from register.forgetting import GONE, event_of
from register.incident import Incident, Label
from register.text import clip, one_line
from register.topics.privacy import Redacted

MAX_BYTES: Final = 25_000_000
"""Bytes that a file may have."""
LONGEST: Final = 120
"""Bytes of a file's name: file systems take 255, with room for what others put beside it."""
_FORBIDDEN: Final = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]+')
_RESERVED: Final = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)")
_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"\x7fELF", "application/x-executable"),
    (b"MZ", "application/x-dosexec"),
    (b"{\\rtf", "application/rtf"),
)
_TYPES: Final = mimetypes.MimeTypes()
"""By names: what Python knows, and the office's documents, whatever else this host has been told."""
for _ending, _kind in (
    (".docx", "wordprocessingml.document"),
    (".xlsx", "spreadsheetml.sheet"),
    (".pptx", "presentationml.presentation"),
):
    _TYPES.add_type(f"application/vnd.openxmlformats-officedocument.{_kind}", _ending)
_ZIPPED: Final = ("application/vnd.", "application/epub", "application/java-archive")
"""What a name may say of bytes that are a zip archive: a document or a package."""


def safe_name(said: str) -> str:
    """Return a name that is one file's in any folder, of what somebody or some system called it.

    Without a path, control characters and signs that a file system or a shell takes for something else.
    """
    last = re.split(r"[\\/]", said.strip())[-1]
    name = _FORBIDDEN.sub("_", one_line(last)).lstrip(" .-~").rstrip(" .") or "file"
    if _RESERVED.match(name):
        name = f"_{name}"
    stem, dot, ending = name.rpartition(".")
    if not dot or not stem or len(ending.encode()) > 16:
        return _shortened(name, LONGEST)
    return f"{_shortened(stem, LONGEST - len(ending.encode()) - 1)}.{ending}"


def _shortened(text: str, limit: int) -> str:
    return text if len(text.encode()) <= limit else text.encode()[:limit].decode(errors="ignore").rstrip(" .")


def media_type(beginning: bytes, name: str) -> str:
    """Return what the bytes are: by how they begin, else by the name, else by whether they are text."""
    by_name = _TYPES.guess_type(name, strict=False)[0] or ""
    known = next((kind for magic, kind in _MAGIC if beginning.startswith(magic)), None)
    if known is not None:
        inside = known == "application/zip" and by_name.startswith(_ZIPPED)
        return by_name if inside else known
    if by_name and by_name not in {kind for _, kind in _MAGIC}:
        return by_name
    return "text/plain" if _is_text(beginning) else "application/octet-stream"


def _is_text(beginning: bytes) -> bool:
    if b"\x00" in beginning:
        return False
    try:
        beginning.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(beginning) - 4 and error.start > 0  # a sign that is cut
    return True


FileName = Annotated[str, BeforeValidator(lambda said: safe_name(said) if isinstance(said, str) else said)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Attach(Command):
    """Attach a file whose bytes are in the register by then, under their digest."""

    role: ClassVar[Role] = Role.RESPONDER

    target: Target
    name: FileName
    media_type: Annotated[str, StringConstraints(max_length=100)] = "application/octet-stream"
    size: Annotated[int, Field(ge=0, le=MAX_BYTES)]
    sha256: Digest
    label: Label = Label.INTERNAL


class Detach(Command):
    """Take a file away from an incident; its bytes go with the last place that has them."""

    role: ClassVar[Role] = Role.COORDINATOR

    target: Target
    file: str
    reason: str = ""

    def reads(self) -> tuple[str, ...]:
        return (self.target,)


class OpenFile(Command):
    """Put on record that somebody takes a copy of a file."""

    role: ClassVar[Role] = Role.VIEWER

    target: Target
    file: str

    def reads(self) -> tuple[str, ...]:
        return (self.target,)


class Attached(Event):
    """A file was attached; its id is that of the command."""

    kind: ClassVar[str] = "attached"

    file: str
    name: str
    media_type: str
    size: int
    sha256: str
    label: Label


class Detached(Event):
    kind: ClassVar[str] = "detached"

    file: str
    reason: str = ""


class FileOpened(Event):
    kind: ClassVar[str] = "file_opened"

    file: str


@dataclass(frozen=True, slots=True)
class PutFile(Effect):
    """A row for an attached file. Its bytes must be there."""

    incident: str
    file: str
    name: str
    media_type: str
    size: int
    sha256: str
    label: str


@dataclass(frozen=True, slots=True)
class DropFile(Effect):
    file: str


@decide.register
def _(command: Attach, incident: Incident, world: World) -> Decision:
    about = command.model_dump(exclude={"command_id", "target"})
    return says(incident, Attached(file=command.command_id, **about))


@decide.register
def _(command: Detach, incident: Incident, world: World) -> Decision:
    refuse_if_held(incident)
    _known(command.file, incident, world)
    return says(incident, Detached(file=command.file, reason=command.reason))


@decide.register
def _(command: OpenFile, incident: Incident, world: World) -> Decision:
    _known(command.file, incident, world)
    return says(incident, FileOpened(file=command.file))


def _known(file: str, incident: Incident, world: World) -> None:
    story = world.stories[incident.number]
    events = (event_of(one.kind, one.v, one.data) for one in story if one.data is not None)
    if file not in held(events):
        raise NotFound(
            f"{incident.number} has no file {clip(one_line(file), 40)!r}: `muster files {incident.number}`"
            " shows them. Nothing was done.",
            "file",
        )


@effects.register
def _(event: Attached, stream: str, command_id: str) -> tuple[Effect, ...]:
    return (PutFile(incident=stream, **event.model_dump(mode="json")),)


@effects.register
def _(event: Detached, stream: str, command_id: str) -> tuple[Effect, ...]:
    return (DropFile(event.file),)


def held(events: Iterable[Any]) -> dict[str, Attached]:
    """Return the files that these events of an incident leave attached, by id, in their order.

    What is retired has none any more. One that lost its name is told by its place among all that there were.
    """
    found: dict[str, Attached] = {}
    count = 0
    for event in events:
        if isinstance(event, Attached):
            count += 1
            nameless = {"name": f"{GONE[:-1]} file {count})"}
            found[event.file] = event if event.name else event.model_copy(update=nameless)
        elif isinstance(event, Detached):
            found.pop(event.file, None)
        elif isinstance(event, Redacted) and event.why == "retention":
            found.clear()
    return found
