"""What a command would make go to a supplier, in words and as its connector's request; nothing is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import orjson

from register.core import effects
from register.desk import Receipt
from register.effect import Enqueue
from register.incident import Priority
from register.store import Store

if TYPE_CHECKING:
    from integrations.vendor import Vendor

_NOT_KNOWN: Final = "TICKET"
"""Stands where the number of a ticket will, that is not there yet."""
_GRADES: Final = ("priority", "impact", "urgency")
_LABELS: Final = {"title": "Title", "body": "Text", "note": "Text", "name": "File", "to": "State"}


def goes(
    receipt: Receipt, store: Store, suppliers: Callable[[], Mapping[str, Vendor]]
) -> list[dict[str, Any]]:
    """Return what the register would put into the outbox, each with its requests in lines."""
    rows = [
        effect
        for one in receipt.events
        if one.event is not None
        for effect in effects(one.event, one.stream, one.command_id)
        if isinstance(effect, Enqueue)
    ]
    known = suppliers() if rows else {}
    return [
        {
            "vendor": row.vendor,
            "what": row.kind,
            **orjson.loads(row.payload),
            "theirs": words_of(known.get(row.vendor), orjson.loads(row.payload)),
            "requests": _asked(receipt, row, known.get(row.vendor), store),
        }
        for row in rows
    ]


def _asked(receipt: Receipt, row: Enqueue, vendor: Vendor | None, store: Store) -> list[list[str]]:
    """Return the request that its connector would make, in lines; none where a person speaks to them."""
    from integrations.rehearsal import rehearse

    if vendor is None or vendor.by_hand:
        return []
    bond = None if receipt.incident is None else receipt.incident.bond(row.bond)
    ref = _NOT_KNOWN if bond is None or bond.ref is None else bond.ref.id
    return [one.lines() for one in asyncio.run(rehearse(vendor, row, ref, store))]


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


def lines(told: Mapping[str, Any]) -> list[str]:
    """Return one of them as lines to read."""
    found = [f"To {told['vendor']}, a {told['what']}:"]
    if "priority" in told:
        found.append(f"  Priority  {Priority(told['priority'])}{_theirs(told)}")
    found += [f"  {name:<8}  {value}" for name, value in told.get("fields", {}).items()]
    found += [f"  {name:<8}  {_held(told['vendor'], name)}" for name in told.get("secrets", ())]
    words = {name: word for name, word in told["theirs"].items() if name not in _GRADES}
    found += [f"  {name.capitalize():<8}  {word}" for name, word in words.items()]
    for name, label in _LABELS.items():
        if told.get(name):
            first, *rest = str(told[name]).split("\n")
            found += [f"  {label:<8}  {first}", *(f"            {line}" for line in rest)]
    if not told.get("public", True):
        found.append("  For their people only.")
    for place, request in enumerate(told["requests"]):
        says = (
            "Then, when that is answered:" if place else "The request, as its connector would make it first:"
        )
        found += ["", f"  {says}", *(f"    {line}" for line in request)]
    return found
