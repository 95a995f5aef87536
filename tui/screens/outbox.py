"""The outbox: what is on its way to suppliers, and what waits for a person's word."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

from tui.actions import COMMON, MODES, PAUSE, Action
from tui.messages import IncidentsChanged, OutboxRead
from tui.model import Model
from tui.outbox import Sent, heading, in_order, lines
from tui.requests import ActionAsked, Opened, OutboxWanted, PauseAsked, SendingAsked
from tui.screens.table import TableScreen
from tui.widgets.lines import Line

READ_EVERY: Final = 5.0
"""Seconds: tries and waits of a sending are not in the feed."""

OUTBOX: Final = (
    Action(
        "retry",
        "exclamation_mark",
        "try now",
        "Send again, under the same operation",
        shown=True,
        writes=True,
    ),
    Action(
        "adopt",
        "equals_sign",
        "it is there as…",
        "It arrived: give its number; by hand: they have it",
        shown=True,
        writes=True,
        opens=True,
    ),
    Action("drop", "x", "drop", "Never send it", shown=True, writes=True, opens=True),
    Action(
        "exchange",
        "enter",
        "request",
        "The exact request that was made last, and its answer",
        shown=True,
        opens=True,
    ),
    PAUSE,
    Action("open", "o", "incident", "Open the incident it is for", opens=True),
    *MODES[:2],
    Action("vendors", "3", "Vendors", "The suppliers: how it stands with each, and its tickets", opens=True),
    Action("outbox", "4", "Outbox", "What is on its way to suppliers; you are there"),
    *COMMON[:1],
    Action("back", "escape", "back", "Back to the board", also=("q",), shown=True),
    *COMMON[1:],
)


class OutboxScreen(TableScreen):
    """One line a sending; the one under the cursor is told in full below."""

    CSS_PATH = "../styles/outbox.tcss"
    mode = "outbox"

    def __init__(self, model: Model, writes: bool) -> None:
        super().__init__(model)
        self._rows: list[Sent] | None = None
        self._may(writes)

    def _may(self, writes: bool) -> None:
        self.set_keys(tuple(action for action in OUTBOX if writes or not action.writes))

    def may_write(self, writes: bool) -> None:
        """Whoever may not send again, by another policy, may look on."""
        self._may(writes)
        self.draw_foot()

    def on_mount(self) -> None:
        self.post_message(OutboxWanted())
        self.set_interval(READ_EVERY, lambda: self.post_message(OutboxWanted()))

    @property
    def here(self) -> Sent | None:
        """The sending under the cursor."""
        return self._rows[self.at] if self._rows else None

    @property
    def titles(self) -> Line:
        return heading(self.app.size.width, self.model.signs)

    @property
    def empty(self) -> str:
        return "reading…" if self._rows is None else "Nothing is on its way, and nothing waits for you."

    def table(self, width: int) -> list[Line]:
        return lines(self._rows or [], time.time(), width, self.model.signs)

    def told(self) -> list[tuple[str, str]]:
        row = self.here
        if row is None:
            return []
        words = [(part, "" if row.by_hand else "dim") for part in row.message.split("\n")]
        why = [(row.why, "")] if row.why else []
        return [(f"{row.what} for {row.number} to {row.vendor}", "strong"), *why, *words]

    def draw_detail(self) -> None:
        row = self.here
        self.query_one("#table-detail").set_class(row is not None and row.by_hand, "-card")
        super().draw_detail()

    def key_of(self, at: int) -> object:
        return self._rows[at].row_id if self._rows else None

    def act(self, action: Action) -> None:
        row = self.here
        about = row is not None and action.id in ("retry", "adopt", "drop", "exchange", PAUSE.id)
        if row is None or not about:
            self.post_message(ActionAsked(action, row.number if row is not None else None))
        elif not row.vendor:  # of a restricted one nothing is known here: to open it says whom to ask
            self.post_message(ActionAsked(replace(action, id="open"), row.number))
        elif row.what == "page" and action.id in ("exchange", PAUSE.id):
            self.say(f"That is a page to {row.vendor}, one of our own: it goes to no supplier.", "warn")
            self.post_message(Opened())  # nothing opens: the next keys are for this
        elif action.id == PAUSE.id:
            self.post_message(PauseAsked(row.vendor, row.paused))
        else:
            self.post_message(SendingAsked(action, row))

    # What is told

    def on_outbox_read(self, event: OutboxRead) -> None:
        was = self.here.row_id if self.here is not None else None
        self._rows = in_order(event.rows)
        self.follow(len(self._rows), was)

    def on_incidents_changed(self, event: IncidentsChanged) -> None:
        self.post_message(OutboxWanted())
