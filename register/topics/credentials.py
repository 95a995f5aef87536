"""What is on record of a supplier's credential: that somebody stored another one, and when that ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from register.core import Command, Decision, Event, Role, Said, World, decide, effects
from register.effect import Effect
from register.text import Slug


def day(text: str) -> str:
    """A day as 2027-01-31, or nothing; ValueError for anything else."""
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise ValueError("is no day: write it like 2027-01-31") from None


class NoteCredential(Command):
    """Put on record that a supplier's credential was stored or taken out. It itself is never part of it."""

    role: ClassVar[Role] = Role.COORDINATOR
    on_incident: ClassVar[bool] = False

    vendor: Slug
    expires: Annotated[str, AfterValidator(day), Field(description="on which day it ends; empty: not known")]
    gone: Annotated[bool, Field(description="it was taken out, and none is in its place")] = False


class CredentialStored(Event):
    kind: ClassVar[str] = "credential_stored"

    vendor: str
    expires: str
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Ends(Effect):
    """On which day a supplier's credential ends; empty where that is not known."""

    vendor: str
    day: str


@decide.register
def _(command: NoteCredential, incident: Any, world: World) -> Decision:
    event = CredentialStored(vendor=command.vendor, expires=command.expires, gone=command.gone)
    return (Said(f"vendor:{command.vendor}", event),)


@effects.register
def _(event: CredentialStored, stream: str, command_id: str) -> tuple[Effect, ...]:
    return (Ends(event.vendor, event.expires),)
