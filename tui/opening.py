"""What opens from the board and from other screens: each screen is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from register.pressing import hidden
from tui.model import Model
from tui.signs import plain

if TYPE_CHECKING:
    from tui.actions import Action
    from tui.detail import Detail
    from tui.outbox import Sent
    from tui.vendor_table import Standing


class Opening:
    """Opens screens. `push` shows one, `say` tells why not, `read` is what was read of an incident."""

    def __init__(
        self,
        model: Model,
        push: Callable[[Any], object],
        say: Callable[[str, str], None],
        read: Callable[[str], Detail | None],
        back_to: Callable[[type], bool] = lambda kind: False,
    ) -> None:
        """back_to: goes back to a screen of that kind, where one is open behind; says whether it did."""
        self._model = model
        self._push = push
        self._say = say
        self._read = read
        self._back_to = back_to
        self.verbs: tuple[Action, ...] = ()
        self.writes = False  # whether whoever sits here may send again

    def do_open(self, number: str | None, vendor: str = "") -> None:
        """Open an incident; of a supplier: its conversation with that one."""
        row = self._model.live.row(number) if number else None
        if row is None:
            self._say(f"{number} is not open any more." if number else "There is no incident here.", "warn")
            return
        if hidden(row):
            self._say(f"{number} is restricted: ask one of those who work on it, or an admin.", "warn")
            return
        from tui.screens.incident import IncidentScreen

        number = row["number"]
        self._push(IncidentScreen(number, self._model, self._read(number), self.verbs, vendor))

    def do_outbox(self, number: str | None) -> None:
        if self._only_now("outbox is"):
            return
        from tui.screens.outbox import OutboxScreen

        if not self._back_to(OutboxScreen):
            self._push(OutboxScreen(self._model, writes=self.writes))

    def do_vendors(self, number: str | None) -> None:
        if self._only_now("suppliers are"):
            return
        from tui.screens.vendors import VendorsScreen

        if not self._back_to(VendorsScreen):
            self._push(VendorsScreen(self._model))

    def do_matrix(self, number: str | None) -> None:
        if self._only_now("escalation matrix is"):
            return
        from tui.screens.matrix import MatrixScreen

        if not self._back_to(MatrixScreen):
            self._push(MatrixScreen(self._model, self.verbs))

    def sheet(self, sheet: str, number: str) -> None:
        """Open a sheet of lines."""
        from tui.screens.sheet import SheetScreen
        from tui.sheets import SHEETS

        title = plain(SHEETS[sheet].title.format(number), self._model.signs)
        self._push(SheetScreen(sheet, title, self._model, number))

    def tickets(self, vendor: Standing) -> None:
        """Open a supplier's tickets."""
        from tui.screens.vendors import TicketsScreen

        self._push(TicketsScreen(self._model, vendor))

    def exchange(self, row: Sent) -> None:
        """Open what was asked of a supplier for a sending."""
        from tui.screens.exchange import ExchangeScreen

        self._push(ExchangeScreen(row, self._model))

    def _only_now(self, what: str) -> bool:
        if self._model.as_of is None:
            return False
        they, them = ("they are", "them") if what.endswith(" are") else ("it is", "it")
        self._say(f"The {what} known only as {they} now: leave --as-of away to see {them}.", "warn")
        return True
