"""What is on record about a register that was put back: as of when it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from register.core import Command, Decision, Event, Role, Said, World, decide

STREAM = "register"


class RecordRestore(Command):
    """Put on record that this register is a backup that was put back."""

    role: ClassVar[Role] = Role.ENGINE
    on_incident: ClassVar[bool] = False

    seq: int
    hash: str
    made_at: datetime


class Restored(Event):
    """What is recorded after this is not what followed on event `seq` in the register that was backed up."""

    kind: ClassVar[str] = "restored"

    seq: int
    hash: str
    made_at: datetime


@decide.register
def _(command: RecordRestore, incident: Any, world: World) -> Decision:
    return (Said(STREAM, Restored(seq=command.seq, hash=command.hash, made_at=command.made_at)),)
