"""The live row: what a board shows of an open incident, slim and plain."""

from __future__ import annotations

from typing import Any, Final

import orjson

from register.asking import asked
from register.clocks.due import NOTHING, Due
from register.incident import LIVE_BONDS, Bond, Incident, Priority, Visibility
from register.run import Run
from register.text import clip

MAX_BYTES: Final = 400


_GIVES_WAY: Final = (("title", 48), ("category", 12), ("team", 12), ("service", 16), ("title", 32))
"""Where 400 bytes would not do: which text gives way first, and to how many bytes at the least."""


def board_row(incident: Incident, due: Due = NOTHING) -> dict[str, Any]:
    """Return the row as `register.live` describes it. Texts give way where 400 bytes would not do."""
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
        "due": due.at,
        "restricted": incident.visibility is Visibility.RESTRICTED,
        "bonds": [_bond(bond, incident.priority) for bond in incident.bonds if bond.state in LIVE_BONDS][:3],
    }
    if incident.firing:
        row["firing"] = True  # left out where it is not so: most rows have no room to give away
    if due.held is not None:
        row["held"] = due.held
    if incident.silence is not None:
        row["mute"] = int(incident.silence.until.timestamp())
    if incident.run is not None and incident.paging:
        row["run"] = _run(incident.run)
    if _over(row) <= 0:
        return row
    for name, least in _GIVES_WAY:
        row[name] = _shortened(row[name], least, _over(row))
    while _over(row) > 0 and len(row["bonds"]) > 1:
        row["bonds"].pop()
    for name in ("category", "team", "service", "title"):
        row[name] = _shortened(row[name], 3, _over(row))
    return row


def filter_row(incident: Incident, due: Due = NOTHING) -> dict[str, Any]:
    """Return the row that a filter looks at: the board's; of one that is over, with all who were engaged."""
    row = board_row(incident, due)
    return (
        row
        if incident.is_open
        else row | {"bonds": [_bond(bond, incident.priority) for bond in incident.bonds]}
    )


_BLANK: Final = (str, bool, int, list)
"""What a masked row hides stays of its type, and is empty."""


def mask(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row as others get it who may not see the incident: its number, and that it is restricted."""
    blank = {name: type(value)() if type(value) in _BLANK else None for name, value in row.items()}
    for name in ("firing", "held", "mute", "run"):
        blank.pop(name, None)
    shown = {"number": row["number"], "n": row["n"], "p": int(Priority.PLANNING)}
    return blank | shown | {"restricted": True, "masked": True}


def _over(row: dict[str, Any]) -> int:
    return len(orjson.dumps(row)) - MAX_BYTES


def _shortened(text: str, least: int, over: int) -> str:
    """Return `text` with `over` bytes less, and not less than `least` bytes of it."""
    if over <= 0 or len(text.encode()) <= least:
        return text
    keep = max(least, len(text.encode()) - over) - len("…".encode())
    return text.encode()[:keep].decode(errors="ignore") + "…"


def number_of(number: str) -> int:
    """Return 7 for INC-7."""
    return int(number.removeprefix("INC-"))


def _run(run: Run) -> list[Any]:
    """How its escalation stands: state, steps taken, the next one, of how many, when it is due."""
    due = run.due_at
    next_ = 0 if run.place is None else run.place.step + 1
    return [
        run.state.value,
        run.reached,
        next_,
        len(run.plan.steps),
        None if due is None else int(due.timestamp()),
    ]


def _bond(bond: Bond, ours: Priority) -> list[Any]:
    flags = (
        ("dead", bond.dead),
        ("?", bond.doubtful),
        ("call", bond.call is not None or bond.to_hand),
        ("ask", bond.aside or bond.differences or bond.links or asked(bond, ours)),
    )
    flag = next((flag for flag, stands in flags if stands), "ok")
    key = bond.ref.key if bond.ref is not None else ""
    return [
        bond.vendor,
        bond.state.value,
        bond.ball.value,
        int(bond.ball_since.timestamp()),
        _shortened(key, 16, len(key.encode()) - 16),
        flag,
    ]
