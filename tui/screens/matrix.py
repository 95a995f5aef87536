"""The escalation matrix at a glance: who would be told now, and what is at which step."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from textual.timer import Timer

from register.pressing import hidden
from tui.actions import HANDOVER, VERB, Action, modes_at
from tui.chips import Chips
from tui.doing import OVERRIDE
from tui.matrix_reading import Grid, Place
from tui.matrix_table import Layout, heading, layout, lines, picked_row
from tui.matrix_told import NO_POLICY, told_of
from tui.messages import Done, IncidentsChanged, MatrixRead, RegisterMoved, Row
from tui.model import Model
from tui.requests import ActionAsked, MatrixWanted, Opened, OverrideAsked, SheetAsked
from tui.screens.table import ENDS, TableScreen
from tui.sheets import SHEETS
from tui.widgets.lines import Line
from tui.widgets.picker import Picker

AT_MOST_EACH: Final = 1.0
"""Seconds between two readings of who is told, however busy the register is."""
KEYS: Final = ("e", "E", "p")
"""Verbs of the board that act on the incident under the cursor here, too."""
MOVES: Final = (
    Action("open", "enter", "open", "Open the incident under the cursor", shown=True, opens=True),
    Action("next", "tab", "incident", "The next incident of the line", shown=True),
    Action("previous", "shift+tab", "incident", "The incident before in the line"),
    Action("right", "right", "right", "Later steps and authority, then the next incident of the line"),
    Action("left", "left", "left", "Back to the incident before, then to the earlier steps"),
)
MORE: Final = (
    Action(
        "override",
        "O",
        "override",
        "Put somebody on call by the rota of the team under the cursor, or take somebody off",
        shown=True,
        writes=True,
        opens=True,
    ),
    Action(
        "forecast",
        "f",
        "forecast",
        "Who is told when, of the incident under the cursor",
        shown=True,
        opens=True,
    ),
    Action("lint", "L", "lint", "What is wrong or odd about matrix.toml", shown=True, opens=True),
    replace(HANDOVER, shown=True),
)

_ALL: Final = frozenset((*SHEETS, HANDOVER.id))
"""What everybody may open."""


_Key = tuple[Grid | None, int, int, bool]
"""What the layout of the columns hangs on."""


class MatrixScreen(TableScreen):
    """A line for each category, and for those of its services that are another team's or policy's."""

    CSS_PATH = "../styles/matrix.tcss"
    mode = "matrix"

    def __init__(self, model: Model, verbs: tuple[Action, ...] = ()) -> None:
        super().__init__(model)
        self._grid: Grid | None = None
        self._chips = Chips(Grid(), ())
        self._picked: dict[tuple[str, str, str | None], str] = {}  # by line: the number that is picked
        self._laid: tuple[_Key, Layout] | None = None
        self._skipped = 0  # columns of steps that are out of sight to the left
        self._read_at = -AT_MOST_EACH
        self._reading: Timer | None = None
        self._take(verbs)

    def _take(self, verbs: tuple[Action, ...]) -> None:
        own = tuple(verb for verb in verbs if verb.key in KEYS)
        more = [action for action in MORE if action.id in _ALL or OVERRIDE in self.model.may]
        self.set_keys((*own, *more, *MOVES, *modes_at("matrix"), *ENDS))

    def offer(self, verbs: tuple[Action, ...]) -> None:
        """Take over the verbs that work from now on."""
        self._take(verbs)
        self.draw_foot()

    def on_mount(self) -> None:
        self._want()

    # What is under the cursor

    @property
    def here(self) -> Place | None:
        """The line under the cursor."""
        return self._grid.places[self.at] if self._grid is not None and self._shows else None

    @property
    def incident(self) -> Row | None:
        """The incident that is picked in the line under the cursor."""
        here = self.here
        return None if here is None else picked_row(self._chips, self.at, self._picked.get(here.key))

    @property
    def _shows(self) -> bool:
        return self._grid is not None and self._grid.policies and bool(self._grid.places)

    # Lines

    @property
    def _layout(self) -> Layout:
        key = (self._grid, self.app.size.width, self._skipped, self.model.utc)
        if self._laid is None or any(a is not b and a != b for a, b in zip(self._laid[0], key, strict=True)):
            self._laid = key, layout(self._grid or Grid(), self.model, key[1], self._skipped)
        return self._laid[1]

    @property
    def titles(self) -> Line:
        return heading(self._layout, self.model) if self._shows else ()

    @property
    def empty(self) -> str:
        return "reading…" if self._grid is None else NO_POLICY[0]

    def table(self, width: int) -> list[Line]:
        if self._grid is None or not self._shows:
            return []
        row = self.incident
        picked = None if row is None else row["number"]
        return lines(self._grid, self._chips, self._layout, self.model, self.at, picked)

    def redraw(self) -> None:
        super().redraw()
        if self._shows:  # the incident that is picked stands out beside the line that is
            self.query_one(Picker).shown = self._layout.columns[0].width - 1

    def told(self) -> list[tuple[str, str]]:
        here = self.here
        if here is None or self._grid is None:
            return [] if self._grid is None else [(NO_POLICY[1], "")]
        count = self._chips.count(self.at)
        return told_of(here, self.incident, count, self._grid, self.model, self.app.size.width)

    def key_of(self, at: int) -> object:
        return self._grid.places[at].key if self._grid is not None and self._shows else None

    def on_picker_picked(self, event: Picker.Picked) -> None:
        self._draw()

    def _draw(self) -> None:
        """The lines and what is below them; what stands above is the same."""
        self.query_one(Picker).put(self.table(self.app.size.width) or [((self.empty, "dim"),)])
        self.draw_detail()

    # What is told

    def _want(self) -> None:
        """Read who is told now, and that not too often."""
        wait = self._read_at + AT_MOST_EACH - time.monotonic()
        if self._reading is not None:
            return
        if wait > 0:
            self._reading = self.set_timer(wait, self._read)
        else:
            self._read()

    def _read(self) -> None:
        self._reading, self._read_at = None, time.monotonic()
        self.post_message(MatrixWanted())

    def on_matrix_read(self, event: MatrixRead) -> None:
        was = self.here.key if self.here is not None else None
        before, self._grid = self._grid, event.grid
        if before is None or not before.same_lines(self._grid):
            self._chips = Chips(self._grid, self.model.live.rows)
        self.follow(len(self._grid.places), was)

    def on_incidents_changed(self, event: IncidentsChanged) -> None:
        for number in event.numbers:
            self._chips.put(number, self.model.live.row(number))
        self._draw()

    def on_register_moved(self, event: RegisterMoved) -> None:
        """Somebody else may be on call, or another policy in force."""
        self._want()

    def on_done(self, event: Done) -> None:
        self._want()

    def minute(self) -> None:
        """A minute has gone by: a shift may be over."""
        super().minute()
        self._want()

    # Keys

    def act(self, action: Action) -> None:
        handler: Callable[[], None] | None = getattr(self, f"do_{action.id}", None)
        row = self.incident
        if handler is not None:
            handler()
        elif action.id.startswith(VERB) or action.id == "open":
            self._about(action, row)
        else:
            self.post_message(ActionAsked(action, None))

    def _about(self, action: Action, row: Row | None) -> None:
        if row is None:
            self._refuse("No incident is open in this line: move to one that has some.")
        else:
            self.post_message(ActionAsked(action, row["number"]))

    def _refuse(self, why: str) -> None:
        self.say(why, "warn")
        self.post_message(Opened())  # nothing opens: the next keys are for this

    def do_override(self) -> None:
        here = self.here
        if here is None or here.rota is None:
            self._refuse(f"{here.team if here else 'Nobody'} has no rota: nobody is on call by the hour.")
        else:
            self.post_message(OverrideAsked(here.rota))

    def do_forecast(self) -> None:
        row = self.incident
        if row is None or hidden(row):
            self._refuse("No incident that you may see is under the cursor: a forecast is of one.")
        else:
            self.post_message(SheetAsked("forecast", row["number"]))

    def do_lint(self) -> None:
        self.post_message(SheetAsked("lint", ""))

    def do_next(self) -> None:
        self._step(1)

    def do_previous(self) -> None:
        self._step(-1)

    def do_right(self) -> None:
        if self._layout.more:
            self._skip(1)
        else:
            self._step(1)

    def do_left(self) -> None:
        if not self._step(-1) and self._skipped:
            self._skip(-1)

    def _skip(self, by: int) -> None:
        self._skipped = max(0, self._layout.skipped + by)
        self.redraw()

    def _step(self, by: int) -> bool:
        """Pick another incident of the line; say whether there was one."""
        here, row = self.here, self.incident
        if here is None or row is None:
            return False
        some = [one["number"] for one in self._chips.first(self.at)]
        at = some.index(row["number"]) + by
        if not 0 <= at < len(some):
            return False
        self._picked[here.key] = some[at]
        self._draw()
        return True
