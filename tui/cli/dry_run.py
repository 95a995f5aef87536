"""What would go to a supplier: shown, and nothing of it done."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from register.desk import Receipt
from tui.cli.answer import Answer
from tui.cli.here import Here
from tui.rehearsing import goes, lines

DRY_RUN: Final = typer.Option("--dry-run", help="show exactly what would go to them, and do nothing")
Wanted = Annotated[bool, DRY_RUN]


def shown(receipt: Receipt, at: Here) -> Answer:
    """Return what a command would send: what the register would put into the outbox, and the request."""
    told = goes(receipt, at.store, at.suppliers)
    data = {"dry_run": True, "goes": told, "remarks": list(receipt.remarks)}
    words = [line for one in told for line in lines(one)] or ["Nothing would go to anybody."]
    return Answer(data, [*words, *receipt.remarks, "Nothing was done."])
