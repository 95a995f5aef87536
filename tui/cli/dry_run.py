"""What would go to a supplier: shown, and nothing of it done."""

from __future__ import annotations

from typing import Annotated, Any, Final

import orjson
import typer

from register.core import effects
from register.desk import Receipt
from register.effect import Enqueue
from register.incident import Priority
from tui.cli.answer import Answer

DRY_RUN: Final = typer.Option("--dry-run", help="show exactly what would go to them, and do nothing")
Wanted = Annotated[bool, DRY_RUN]
_LABELS: Final = {"title": "Title", "body": "Text", "note": "Text", "name": "File", "to": "State"}


def shown(receipt: Receipt) -> Answer:
    """Return what a command would send: what the register would put into the outbox, as it is."""
    goes = [
        {"vendor": effect.vendor, "what": effect.kind, **orjson.loads(effect.payload)}
        for one in receipt.events
        if one.event is not None
        for effect in effects(one.event, one.stream, one.command_id)
        if isinstance(effect, Enqueue)
    ]
    lines = [line for told in goes for line in _lines(told)]
    data = {"dry_run": True, "goes": goes, "remarks": list(receipt.remarks)}
    return Answer(data, [*(lines or ["Nothing would go to anybody."]), *receipt.remarks, "Nothing was done."])


def _lines(told: dict[str, Any]) -> list[str]:
    lines = [f"To {told['vendor']}, a {told['what']}:"]
    if "priority" in told:
        lines.append(f"  Priority  {Priority(told['priority'])}")
    lines += [f"  {name:<8}  {value}" for name, value in told.get("fields", {}).items()]
    for name, label in _LABELS.items():
        if told.get(name):
            first, *rest = str(told[name]).split("\n")
            lines += [f"  {label:<8}  {first}", *(f"            {line}" for line in rest)]
    if not told.get("public", True):
        lines.append("  For their people only.")
    return lines
