"""What is on record of what left the register as a file: who took how much, and by which filter."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from register.core import Command, Decision, Event, Role, Said, World, decide
from register.text import Text

STREAM = "register"

Format = Literal["jsonl", "csv", "md"]


class RecordExport(Command):
    """Put on record that incidents were exported."""

    role: ClassVar[Role] = Role.RESPONDER
    on_incident: ClassVar[bool] = False

    format: Format
    count: int
    filter: Text = ""


class Exported(Event):
    """So many incidents were taken out as a file. filter: what was asked for; nothing where all were."""

    kind: ClassVar[str] = "exported"

    format: Format
    count: int
    filter: str


@decide.register
def _(command: RecordExport, incident: Any, world: World) -> Decision:
    return (Said(STREAM, Exported(format=command.format, count=command.count, filter=command.filter)),)
