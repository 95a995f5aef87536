"""The board's door to the register: what the app asks for, told as a protocol so that tests have their own.

Everything here returns at once. What was asked is done on the door's own threads, and what comes of it
arrives as a message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from textual.message import Message

from tui.outbox import Sent

Post = Callable[[Message], object]


class Door(Protocol):
    """A way to one register."""

    def start(self, post: Post, after: int, register_id: str) -> None:
        """Connect and follow the feed from `after`, if the register is the one of that id."""

    def stop(self) -> None:
        """Let go. What is under way is waited for, within bounds; what waits for nobody's answer is kept."""

    def read_detail(self, number: str) -> None:
        """Read one incident and its timeline; DetailRead arrives."""

    def read_outbox(self) -> None:
        """Read what is on its way to suppliers; OutboxRead arrives."""

    def read_exchange(self, row_id: str) -> None:
        """Read what was asked of a supplier for a sending; ExchangeRead arrives."""

    def read_vendors(self) -> None:
        """Read how it stands with the suppliers; VendorsRead arrives."""

    def read_matrix(self) -> None:
        """Read who would be told now; MatrixRead arrives."""

    def read_hands(self) -> None:
        """Read what would be handed over, and what is offered; HandsRead arrives."""

    def read_sheet(self, sheet: str, number: str) -> None:
        """Read a sheet of tui.sheets.SHEETS, of an incident where it is about one; SheetRead arrives."""

    def read_suppliers(self, asked: str, about: str = "") -> None:
        """Read vendors.toml; SuppliersRead arrives, with the same `asked`.

        about: an incident, of which notes and files may go along.
        """

    def about_sending(self, row: Sent) -> Mapping[str, Any]:
        """Return the fields of a command that name this sending."""

    def rehearse(self, command: Any, asked: str) -> None:
        """See what a command would make go to a supplier; RequestShown or Refused arrives, with `asked`."""

    def do(self, command: Any, asked: str) -> None:
        """Carry out a register.core.Command; Done or Refused arrives, with the same `asked`."""
