"""The reference: the plainest board Textual gives, a stock DataTable with N rows and eight columns.

python -m benchmarks.reference_board 1000
"""

from __future__ import annotations

import sys
from typing import ClassVar, Final

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable, Footer, Header

COLUMNS: Final = ("Number", "P", "State", "Owner", "Due", "Supplier", "Service", "Title")
SERVICES: Final = ("shop-web", "mail", "vpn", "payments", "wiki")


def row(n: int) -> tuple[str, ...]:
    """The cells of incident `n`, of about the widths that a real board shows."""
    return (
        f"INC-{n}",
        str(n % 5 + 1),
        "In Progress",
        f"person{n % 23}",
        f"{n % 59}m",
        f"supplier-{n % 7}",
        SERVICES[n % len(SERVICES)],
        f"Disk full on host {n} in rack {n % 41}",
    )


class ReferenceBoard(App[None]):
    """Header, table, footer; filled before the first paint, as a first Textual program does it."""

    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit", "Quit")]

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.rows = rows

    def compose(self) -> ComposeResult:
        yield Header()
        yield DataTable[str](cursor_type="row", zebra_stripes=True)
        yield Footer()

    def on_mount(self) -> None:
        table: DataTable[str] = self.query_one(DataTable)
        table.add_columns(*COLUMNS)
        for n in range(1, self.rows + 1):
            table.add_row(*row(n), key=str(n))


if __name__ == "__main__":
    ReferenceBoard(int(sys.argv[1]) if len(sys.argv) > 1 else 1000).run()
