"""Commands for suppliers that a person speaks to: the card for a sending, and whom to call."""

from __future__ import annotations

from typing import Annotated

import typer

from integrations.by_hand import card_now
from register.core import NotFound
from register.store import outbox
from register.text import clean, clip, one_line
from tui.cli.answer import Answer
from tui.cli.here import here
from tui.cli.suppliers import Name, vendor_named
from tui.cli.tabular import columns


def card(
    sending: Annotated[
        str, typer.Argument(metavar="SENDING", help="the sending, as `muster outbox list` shows it")
    ],
) -> Answer:
    """Show what to say or paste for a sending, whom to call, and what to do when they have it."""
    asked = sending.strip().upper()
    with here() as at:
        rows = [row for row in outbox.unfinished(at.store) if asked and row.row_id.startswith(asked)]
        row = rows[0] if len(rows) == 1 else None
        vendor = None if row is None else at.suppliers().get(row.vendor)
        if row is None or vendor is None or not at.sees(incident := at.incident(row.incident)):
            raise NotFound(
                f"No sending that waits begins with {clip(one_line(sending), 40)!r}, or several do:"
                " `muster outbox list` shows them."
            )
        bond = incident.bond(row.bond)
        found = card_now(
            at.store, vendor, row, bond.ref.key if bond is not None and bond.ref is not None else None
        )
    data = {
        "row_id": row.row_id,
        "incident": row.incident,
        "vendor": row.vendor,
        "by_hand": vendor.by_hand,
        "reach": list(found.reach),
        "facts": dict(found.facts),
        "say": found.say,
        "then": found.then if vendor.by_hand else "",
    }
    lines = found.lines() if vendor.by_hand else found.lines()[:-2]
    return Answer(data, [clean(line) for line in lines])


def contacts(name: Name) -> Answer:
    """Show whom to call at a supplier, level by level: its own escalation."""
    vendor = vendor_named(name)
    found = vendor.to_call
    data = [contact.model_dump() for contact in found]
    if not found:
        where = f" Its portal is {vendor.url}." if vendor.by_hand and vendor.url else ""
        return Answer(data, [f"No contact of {name} is in vendors.toml: add phone or contacts there.{where}"])
    rows = [(str(one.level), one.name, one.phone, one.mail, one.hours) for one in found]
    return Answer(data, columns(("LEVEL", "NAME", "PHONE", "MAIL", "HOURS"), rows))
