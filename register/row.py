"""The live row: what a board shows of an open incident, slim and plain."""

from __future__ import annotations

from typing import Any, Final

import orjson

from register.incident import LIVE_BONDS, Bond, Incident, Visibility
from register.text import clip

MAX_BYTES: Final = 400


def board_row(incident: Incident) -> dict[str, Any]:
    """Return the row as `register.live` describes it. A title gives way where 400 bytes would not do."""
    row: dict[str, Any] = {
        "number": incident.number,
        "n": number_of(incident.number),
        "title": clip(incident.title, 120),
        "p": int(incident.priority),
        "state": incident.state.value,
        "hold": None if incident.hold is None else incident.hold.reason.value,
        "owner": incident.owner,
        "acked": incident.acknowledged_at is not None,
        "team": clip(incident.team, 24),
        "service": clip(incident.service, 24),
        "category": clip(incident.category, 24),
        "opened": int(incident.opened_at.timestamp()),
        "updated": int(incident.updated_at.timestamp()),
        "due": None if incident.due_at is None else int(incident.due_at.timestamp()),
        "restricted": incident.visibility is Visibility.RESTRICTED,
        "bonds": [_bond(bond) for bond in incident.bonds if bond.state in LIVE_BONDS][:3],
    }
    over = len(orjson.dumps(row)) - MAX_BYTES
    if over > 0:
        cut = row["title"].encode()[: max(16, len(row["title"].encode()) - over - 3)].decode(errors="ignore")
        row["title"] = cut + "…"
    return row


def number_of(number: str) -> int:
    """Return 7 for INC-7."""
    return int(number.removeprefix("INC-"))


def _bond(bond: Bond) -> list[Any]:
    flag = "dead" if bond.dead else "?" if bond.doubtful else "ok"
    key = bond.ref.key if bond.ref is not None else ""
    return [
        bond.vendor,
        bond.state.value,
        bond.ball.value,
        int(bond.ball_since.timestamp()),
        clip(key, 16),
        flag,
    ]
