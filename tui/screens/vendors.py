"""The suppliers: how it stands with each, its tickets, and the conversation about one of them."""

from __future__ import annotations

from typing import Final

from tui.actions import MODES, PAUSE, Action
from tui.messages import IncidentsChanged, VendorsRead
from tui.model import Model
from tui.requests import ActionAsked, PauseAsked, TicketAsked, VendorAsked, VendorsWanted
from tui.screens.table import ENDS, TableScreen
from tui.vendor_table import (
    Health,
    Standing,
    Ticket,
    heading,
    lines,
    ticket_heading,
    ticket_lines,
    tickets_of,
    told_of,
)
from tui.widgets.lines import Line

READ_EVERY: Final = 5.0
"""Seconds: whether a supplier waits or was heard is not in the feed."""
VENDORS: Final = (
    Action("open", "enter", "tickets", "Its tickets, and what was said about each", shown=True, opens=True),
    PAUSE,
    Action("repair", "r", "repair", "What to type where a supplier's credential was refused", shown=True),
    Action("board", "1", "Board", "The board: open incidents", shown=True),
    MODES[1],
    Action("vendors", "3", "Vendors", "The suppliers; you are there"),
    Action(
        "outbox",
        "4",
        "Outbox",
        "What is on its way to suppliers, and what waits for a person",
        shown=True,
        opens=True,
    ),
    *ENDS,
)
TICKETS: Final = (
    Action("open", "enter", "conversation", "What we sent and what they said", shown=True, opens=True),
    Action("incident", "o", "incident", "The whole incident", shown=True, opens=True),
    *MODES,
    *ENDS,
)


def _repair(one: Standing) -> str:
    """What a person can do about a supplier that is paused."""
    from tui.cards import repair_words

    if one.health is not Health.PAUSED:
        return f"{one.title} is not paused: there is nothing to repair."
    return one.todo if one.held_back else repair_words(one.name)


class VendorsScreen(TableScreen):
    """One line a supplier; the one under the cursor is told in full below."""

    actions = VENDORS

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self._rows: tuple[Standing, ...] | None = None
        self._faults: tuple[str, ...] = ()

    def on_mount(self) -> None:
        self.post_message(VendorsWanted())
        self.set_interval(READ_EVERY, lambda: self.post_message(VendorsWanted()))

    @property
    def here(self) -> Standing | None:
        """The supplier under the cursor."""
        return self._rows[self.at] if self._rows else None

    @property
    def titles(self) -> Line:
        return heading(self.app.size.width, self.model)

    @property
    def empty(self) -> str:
        if self._rows is None:
            return "reading…"
        return "No supplier is adopted: `muster vendors new`, then `muster apply`."

    def table(self, width: int) -> list[Line]:
        return lines(self._rows or (), self.model, width)

    def told(self) -> list[tuple[str, str]]:
        if self._faults:
            return [(fault, "bad") for fault in self._faults]
        return told_of(self.here, self.model) if self.here is not None else []

    def key_of(self, at: int) -> object:
        return self._rows[at].name if self._rows else None

    def act(self, action: Action) -> None:
        here = self.here
        if action.id not in ("open", "pause", "repair"):
            self.post_message(ActionAsked(action, None))
        elif here is None:
            return
        elif action.id == "open":
            self.post_message(VendorAsked(here))
        elif action.id == "pause":
            self.post_message(PauseAsked(here.name, here.health is Health.PAUSED))
        else:
            self.say(_repair(here))

    def on_vendors_read(self, event: VendorsRead) -> None:
        was = self.here.name if self.here is not None else None
        self._rows, self._faults = event.rows, event.faults
        self.follow(len(event.rows), was)

    def on_incidents_changed(self, event: IncidentsChanged) -> None:
        self.redraw()


class TicketsScreen(TableScreen):
    """One line a ticket that this supplier has of an open incident."""

    actions = TICKETS

    def __init__(self, model: Model, vendor: Standing) -> None:
        super().__init__(model)
        self._vendor = vendor
        self._tickets: list[Ticket] = tickets_of(model.live.rows, vendor.name)

    @property
    def here(self) -> Ticket | None:
        """The ticket under the cursor."""
        return self._tickets[self.at] if self._tickets else None

    @property
    def titles(self) -> Line:
        return ticket_heading(self.app.size.width, self.model)

    @property
    def empty(self) -> str:
        return f"{self._vendor.title} has no ticket of an open incident: v on the board engages it."

    def table(self, width: int) -> list[Line]:
        return ticket_lines(self._tickets, self.model, width)

    def told(self) -> list[tuple[str, str]]:
        return told_of(self._vendor, self.model)

    def key_of(self, at: int) -> object:
        return self._tickets[at].key

    def act(self, action: Action) -> None:
        here = self.here
        if action.id not in ("incident", "open"):
            self.post_message(ActionAsked(action, None if here is None else here.row["number"]))
        elif here is not None:
            vendor = self._vendor.name if action.id == "open" else ""
            self.post_message(TicketAsked(here.row["number"], vendor))

    def on_incidents_changed(self, event: IncidentsChanged) -> None:
        was = self.here.key if self.here is not None else None
        self._tickets = tickets_of(self.model.live.rows, self._vendor.name)
        self.follow(len(self._tickets), was)
