"""What suppliers promised by word of mouth, under the conversation with them. Pure."""

from __future__ import annotations

from register.incident import LIVE_BONDS, Bond
from tui.detail import Detail
from tui.format import clock, duration, wall
from tui.model import Model
from tui.widgets.lines import Line


def promises(detail: Detail, model: Model) -> list[Line]:
    """Return a line for each supplier that promised something, and how much of the time is left."""
    bonds = (bond for bond in detail.incident.bonds if bond.state in LIVE_BONDS or bond.to_hand)
    return [_promise(bond, model) for bond in bonds if bond.promised_until is not None]


def _promise(bond: Bond, model: Model) -> Line:
    now, signs = model.eyes.now, model.signs
    at = now if bond.promised_until is None else bond.promised_until.timestamp()
    left = f"{duration(at - now)} left" if at >= now else f"{duration(now - at)} over {signs.over}"
    day = clock(at, now, model.zone).rpartition(" ")[0]
    told = f" {bond.vendor} promised until {f'{day} ' if day else ''}{wall(at, model.zone)}: {left}"
    return ((told, "" if at >= now else "bad"),)
