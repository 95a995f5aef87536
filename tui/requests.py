"""What a screen asks of the app: keys it does not answer itself, and things to be read or done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual.message import Message

from tui.actions import Action


@dataclass
class ActionAsked(Message):
    """A key was pressed that is not the screen's own business. `number` is the incident it is about."""

    action: Action
    number: str | None


@dataclass
class DetailWanted(Message):
    """Somebody looks at this incident: read it and its timeline."""

    number: str


@dataclass
class CommandGiven(Message):
    """A person has filled in what was needed: carry out this register.core.Command."""

    command: Any
    asked: str


@dataclass
class RequestWanted(Message):
    """Somebody wants to see what this register.core.Command would make go to a supplier."""

    command: Any
    asked: str


@dataclass
class OutboxWanted(Message):
    """Somebody looks at the outbox: read it."""


@dataclass
class ExchangeWanted(Message):
    """Somebody looks at what was asked of a supplier for this sending: read it."""

    row_id: str


@dataclass
class VendorsWanted(Message):
    """Somebody looks at the suppliers: read how it stands with them."""


@dataclass
class MatrixWanted(Message):
    """Somebody looks at the escalation matrix: read who would be told now."""


@dataclass
class SheetWanted(Message):
    """Somebody looks at a sheet of tui.sheets.SHEETS: read it."""

    sheet: str
    number: str


@dataclass
class SheetAsked(Message):
    """Somebody wants to see a sheet of tui.sheets.SHEETS, about that incident where it is about one."""

    sheet: str
    number: str


@dataclass
class OverrideAsked(Message):
    """Somebody wants to put somebody on call by this rota, or to take somebody off."""

    rota: str


@dataclass
class VendorAsked(Message):
    """Somebody wants to see the tickets of one supplier, a tui.vendor_table.Standing."""

    vendor: Any


@dataclass
class TicketAsked(Message):
    """Somebody wants to see an incident; of a supplier's name: its conversation with that one."""

    number: str
    vendor: str


@dataclass
class SendingAsked(Message):
    """A key was pressed about one sending, a tui.outbox.Sent."""

    action: Action
    row: Any


@dataclass
class PauseAsked(Message):
    """What goes to a supplier is to be held back; or, where it is paused, to go on."""

    vendor: str
    paused: bool


@dataclass
class CardAsked(Message):
    """A key of a card was pressed: a tui.cards.Card, and which tui.cards.Way of it."""

    number: str
    card: Any
    way: Any


@dataclass
class AnswerAsked(Message):
    """Somebody wants to answer a handover with this verb; what it needs more is asked for."""

    verb: str
    handover: str


@dataclass
class Opened(Message):
    """A screen stands and has its focus: keys are for it now."""
