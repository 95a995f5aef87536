"""Internal notes: they stay here."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from register.core import Command, Decision, Event, Role, Target, World, decide, says
from register.incident import Incident, Label
from register.text import Words


class Note(Command):
    """Write an internal note: it stays here."""

    verb: ClassVar[str] = "note"
    hotkey: ClassVar[str | None] = "n"
    role: ClassVar[Role] = Role.RESPONDER
    keeps: ClassVar[bool] = True

    target: Target
    text: Annotated[Words, Field(description="what you know or did")]
    label: Annotated[Label, Field(description="where it may go; only shareable text can ever leave")] = (
        Label.INTERNAL
    )


class Noted(Event):
    kind: ClassVar[str] = "note"

    text: str
    label: Label


@decide.register
def _(command: Note, incident: Incident, world: World) -> Decision:
    return says(incident, Noted(text=command.text, label=command.label))
