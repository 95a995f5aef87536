"""What a person has to do by phone or by hand for an incident's suppliers, under their conversation. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from register.contact import from_level
from register.incident import LIVE_BONDS, Bond, CallWhy
from register.plain import one_line
from tui.detail import Detail, wrapped
from tui.format import clock, duration, wall
from tui.model import Model
from tui.telling import CALL_WHY
from tui.widgets.lines import Line


def cards(detail: Detail, model: Model, width: int) -> list[Line]:
    """Return a card for each supplier that is to be called, that promised something, or is to be told."""
    lines: list[Line] = []
    for bond in detail.incident.bonds:
        if bond.state in LIVE_BONDS or bond.to_hand:
            lines += _card(bond, detail, model, width)
    return lines


def _card(bond: Bond, detail: Detail, model: Model, width: int) -> Iterator[Line]:
    now, signs = model.eyes.now, model.signs
    if bond.promised_until is not None:
        at = bond.promised_until.timestamp()
        left = f"{duration(at - now)} left" if at >= now else f"{duration(now - at)} over {signs.over}"
        day = clock(at, now, model.zone).rpartition(" ")[0]
        told = f" {bond.vendor} promised until {f'{day} ' if day else ''}{wall(at, model.zone)}: {left}"
        yield ((told, "" if at >= now else "bad"),)
    if bond.to_hand:
        texts = "text waits" if bond.to_hand == 1 else "texts wait"
        told = f"{signs.alarm} {bond.to_hand} {texts} to be read to {bond.vendor}, or pasted: 4 Outbox"
        yield from wrapped(told, width, "bad")
    level = 1
    if bond.call is not None:
        passed = bond.promised_until if bond.call.why is CallWhy.PROMISE else None
        of = clock((passed or bond.engaged_at).timestamp(), now, model.zone)
        level, why = bond.call.level, CALL_WHY[bond.call.why].format(at=of)
        yield from wrapped(f"{signs.alarm} CALL {bond.vendor}: {why}. d logs the call", width, "bad")
    if bond.call is not None or bond.to_hand:
        for contact in from_level(detail.to_call.get(bond.vendor, ()), level):
            yield ((f"   {one_line(str(contact))}", ""),)
