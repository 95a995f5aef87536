"""What would go to a supplier: shown, and nothing of it done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

import orjson
import typer

from register.core import effects
from register.desk import Receipt
from register.effect import Enqueue
from register.incident import Priority
from tui.cli.answer import Answer
from tui.cli.here import Here

if TYPE_CHECKING:
    from integrations.vendor import Vendor

DRY_RUN: Final = typer.Option("--dry-run", help="show exactly what would go to them, and do nothing")
Wanted = Annotated[bool, DRY_RUN]
_NOT_KNOWN: Final = "TICKET"
"""Stands where the number of a ticket will, that is not there yet."""
_GRADES: Final = ("priority", "impact", "urgency")
_LABELS: Final = {"title": "Title", "body": "Text", "note": "Text", "name": "File", "to": "State"}


def shown(receipt: Receipt, at: Here) -> Answer:
    """Return what a command would send: what the register would put into the outbox, and the request."""
    rows = [
        effect
        for one in receipt.events
        if one.event is not None
        for effect in effects(one.event, one.stream, one.command_id)
        if isinstance(effect, Enqueue)
    ]
    known = at.suppliers() if rows else {}
    goes = [
        {
            "vendor": row.vendor,
            "what": row.kind,
            **orjson.loads(row.payload),
            "theirs": words_of(known.get(row.vendor), orjson.loads(row.payload)),
            "requests": _asked(at, receipt, row),
        }
        for row in rows
    ]
    lines = [line for told in goes for line in _lines(told)]
    data = {"dry_run": True, "goes": goes, "remarks": list(receipt.remarks)}
    return Answer(data, [*(lines or ["Nothing would go to anybody."]), *receipt.remarks, "Nothing was done."])


def _asked(at: Here, receipt: Receipt, row: Enqueue) -> list[list[str]]:
    """Return the request that its connector would make, in lines; none where a person speaks to them."""
    import asyncio

    from integrations.rehearsal import rehearse

    vendor = at.suppliers().get(row.vendor)
    if vendor is None or vendor.by_hand:
        return []
    bond = None if receipt.incident is None else receipt.incident.bond(row.bond)
    ref = _NOT_KNOWN if bond is None or bond.ref is None else bond.ref.id
    return [one.lines() for one in asyncio.run(rehearse(vendor, row, ref, at.store))]


def words_of(vendor: Vendor | None, told: Mapping[str, Any]) -> dict[str, str]:
    """What they are told in words of their own: priority, category, how it ended."""
    if vendor is None:
        return {}
    table = vendor.translation
    words = table.kept_under(told.get("category", ""), told.get("service", ""))
    if "priority" in told:
        parts = told.get("impact"), told.get("urgency")
        words |= table.graded(Priority(told["priority"]), *parts)
    if told.get("to") == "closed" and (code := table.code(told.get("ended", ""))) is not None:
        words["ended"] = code
    return words


def _held(vendor: str, name: str) -> str:
    """Whether a secret part of an entitlement is in this process's keyring: told, and never shown."""
    from integrations import pins
    from integrations.errors import AuthFailed

    try:
        held = pins.look(vendor, name) is not None
    except AuthFailed as failure:
        return f"✗ {failure.why}"
    missing = f"✗ not in the keyring here: muster vendors login {vendor} --pin {name}"
    return pins.HELD if held else missing


def _theirs(told: Mapping[str, Any]) -> str:
    """Their word for a priority, behind ours."""
    theirs = told["theirs"]
    words = [theirs[n] if n == "priority" else f"{n} {theirs[n]}" for n in _GRADES if n in theirs]
    return f", theirs: {', '.join(words)}" if words else ""


def _lines(told: dict[str, Any]) -> list[str]:
    lines = [f"To {told['vendor']}, a {told['what']}:"]
    if "priority" in told:
        lines.append(f"  Priority  {Priority(told['priority'])}{_theirs(told)}")
    lines += [f"  {name:<8}  {value}" for name, value in told.get("fields", {}).items()]
    lines += [f"  {name:<8}  {_held(told['vendor'], name)}" for name in told.get("secrets", ())]
    words = {name: word for name, word in told["theirs"].items() if name not in _GRADES}
    lines += [f"  {name.capitalize():<8}  {word}" for name, word in words.items()]
    for name, label in _LABELS.items():
        if told.get(name):
            first, *rest = str(told[name]).split("\n")
            lines += [f"  {label:<8}  {first}", *(f"            {line}" for line in rest)]
    if not told.get("public", True):
        lines.append("  For their people only.")
    for request in told["requests"]:
        lines += [
            "",
            "  The request, as its connector would make it first:",
            *(f"    {line}" for line in request),
        ]
    return lines
