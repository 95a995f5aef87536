"""What screens want read and what was read, handed on between them and the door."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from textual import on
from textual.message import Message

from tui.door import Door
from tui.messages import (
    DetailRead,
    ExchangeRead,
    InForceRead,
    MatrixRead,
    OutboxRead,
    RequestShown,
    SheetRead,
    VendorsRead,
)
from tui.model import Model
from tui.requests import (
    DetailWanted,
    ExchangeWanted,
    MatrixWanted,
    OutboxWanted,
    RequestWanted,
    SheetWanted,
    VendorsWanted,
)
from tui.typeahead import PatientApp

_Read = DetailRead | ExchangeRead | MatrixRead | OutboxRead | RequestShown | SheetRead | VendorsRead


class PassingApp(PatientApp):
    """Asks the door for what a screen wants to see, and tells every screen what came."""

    door: Door
    model: Model

    def say(self, text: str, pen: str = "") -> None:
        """Show a sentence on the screen that is in front."""
        raise NotImplementedError

    def tell(self, kind: type[Message], *args: object) -> None:
        """Tell every screen of the stack."""
        for screen in self.screen_stack:
            message = kind(*args)
            message.stop()  # it came from here: it must not bubble back
            screen.post_message(message)

    @on(DetailRead)
    @on(ExchangeRead)
    @on(MatrixRead)
    @on(OutboxRead)
    @on(RequestShown)
    @on(SheetRead)
    @on(VendorsRead)
    def _pass_on(self, event: _Read) -> None:
        """What was read is for whichever screens look at it."""
        self.tell(type(event), *(getattr(event, one.name) for one in fields(event)))

    def on_in_force_read(self, event: InForceRead) -> None:
        """It stands above the board from now on."""
        self.model.in_force = event
        for screen in self.screen_stack:
            if (redraw := getattr(screen, "redraw", None)) is not None:
                redraw()
        if event.said:
            self.say(event.said, event.pen)

    def on_detail_wanted(self, event: DetailWanted) -> None:
        self.door.read_detail(event.number)

    def on_exchange_wanted(self, event: ExchangeWanted) -> None:
        self.door.read_exchange(event.row_id)

    def on_matrix_wanted(self, event: MatrixWanted) -> None:
        self.door.read_matrix()

    def on_sheet_wanted(self, event: SheetWanted) -> None:
        self.door.read_sheet(event.sheet, event.number)

    def on_outbox_wanted(self, event: OutboxWanted) -> None:
        self.door.read_outbox()

    def on_request_wanted(self, event: RequestWanted) -> None:
        self.door.rehearse(event.command, event.asked)

    def on_vendors_wanted(self, event: VendorsWanted) -> None:
        self.door.read_vendors()

    def back_to(self, kind: type) -> bool:
        """Modes do not pile up: one that is open already comes to the front; say whether there was one."""
        there: Any = next((screen for screen in self.screen_stack if isinstance(screen, kind)), None)
        if there is not None:
            there.pop_until_active()
            self.call_later(self.release_keys)  # it stands already
        return there is not None
