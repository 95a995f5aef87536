"""Pages as the timeline, the outbox and the cards tell them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from register.incident import PageState
from register.plain import one_line
from tui.detail import PERSON

PAGED: Final[Mapping[PageState, str]] = {
    PageState.ASKED: "; who is asked to is being paged",
    PageState.DELIVERED: "; who is asked to was paged",
    PageState.FAILED: "; WHO IS ASKED TO COULD NOT BE PAGED (Timeline)",
}
"""How far the page has come that a call on a card asked for: how its sentence goes on."""


def _by(event: Any) -> str:
    """By what it was tried: `sms (failed), mail (delivered)`."""
    return ", ".join(
        f"{one_line(one.channel)} ({'delivered' if one.ok else 'failed'})" for one in event.tried
    )


def _about(event: Any, what: str, *, pen: str = "", body: str = "") -> Mapping[str, Any]:
    told = {"what": what, "people": (event.person,), "body": body, "pen": pen}
    return told | ({"vendor": event.vendor, "bond": event.bond} if event.bond else {})


def _why(event: Any) -> str:
    reasons = (f"{one_line(one.channel)}: {one.why}" for one in event.tried if not one.ok)
    return "\n".join(filter(None, (getattr(event, "because", ""), *reasons)))


def _failed(event: Any) -> Mapping[str, Any]:
    then = "nobody was reached, and it is not tried any more"
    if event.next_at is not None:
        then = f"tried again {event.next_at:%H:%M:%S} UTC"
    by = f" by {_by(event)}" if event.tried else ""
    return _about(event, f"COULD NOT PAGE {PERSON}{by}: {then}", pen="bad", body=_why(event))


PAGE_WORDS: Final[Mapping[str, Callable[[Any], Mapping[str, Any]]]] = {
    "notified": lambda e: _about(e, f"paged {PERSON} by {_by(e)}", body=_why(e)),
    "notify_failed": _failed,
    "page_cancelled": lambda e: _about(
        e, f"does not page {PERSON}: {one_line(e.because) or 'not needed'}", pen="dim"
    ),
    "paged_again": lambda e: _about(e, f"has {PERSON} paged again"),
}
"""Kind of event → words."""
