"""What keeps a page from going out, and its end: in the timeline, in a row, above the board. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from register.plain import one_line


def _until(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _silenced(event: Any) -> Mapping[str, Any]:
    again = "still " if event.until_before is not None else ""
    return {"what": f"silenced {again}until {_until(event.until)}", "body": event.why, "pen": "warn"}


def _unsilenced(event: Any) -> Mapping[str, Any]:
    how = "is over: its time came" if event.by_itself else "is ended"
    return {"what": f"the silence {how}", "body": event.why}


def _services(event: Any) -> str:
    return one_line(", ".join(event.services) or "every service")


QUIET_WORDS: Final[Mapping[str, Callable[[Any], Mapping[str, Any]]]] = {
    "silenced": _silenced,
    "unsilenced": _unsilenced,
    "step_released": lambda e: {"what": f"the {one_line(e.why)} is over: it goes on where it stood"},
    "maintenance_started": lambda e: {
        "what": f"{e.id}: {_services(e)} is in maintenance until {_until(e.until)}",
        "body": e.why,
    },
    "maintenance_extended": lambda e: {"what": f"{e.id}: maintenance until {_until(e.until)}"},
    "maintenance_ended": lambda e: {"what": f"{e.id}: maintenance of {_services(e)} is over"},
}
"""Kind of event → words."""
