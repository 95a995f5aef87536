"""Escalation as the timeline tells it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from register.plain import one_line
from tui.detail import PERSON

_BECAUSE: Final[Mapping[str, str]] = {
    "step": "",
    "reminder": ", a reminder",
    "passed": ", for it was passed on",
    "ack_timeout": ", for whoever had it is silent",
    "awaited": ", for each is to answer",
}
"""Why a step told somebody (register.topics.steps): how its sentence goes on."""


def _late(event: Any) -> str:
    return f"; {event.late // 60} min late" if event.late else ""


def _fired(event: Any) -> Mapping[str, Any]:
    loop, step, _ = event.place
    again = f", round {loop + 1}" if loop else ""
    who = ", ".join([PERSON] * len(event.told) + [one_line(name) for name in event.suppliers])
    late = _late(event)
    what = f"step {step + 1}/{event.of} of {event.policy}{again}: told {who}"
    return {
        "what": f"{what}{_BECAUSE.get(event.because, '')}{late}",
        "people": event.told,
        "pen": "warn" if event.late else "",
    }


def _started(event: Any) -> Mapping[str, Any]:
    began = {"moved": f"now with {one_line(event.plan.team)}", "by_hand": "by hand"}.get(event.why, event.why)
    held = f", held: {one_line(event.held)}" if event.held else ""
    return {
        "what": f"escalation begins by {event.plan.policy} ({began}){held}",
        "pen": "dim",
    }


def _exhausted(event: Any) -> Mapping[str, Any]:
    how = "its steps would tell nobody" if event.empty else f"{event.loops} × every step, and nobody has it"
    return {"what": f"ESCALATION IS EXHAUSTED: {how}{_late(event)}", "pen": "bad"}


def _up(event: Any) -> Mapping[str, Any]:
    return {
        "what": f"escalated to {', '.join([PERSON] * len(event.told))} (authority){_late(event)}",
        "people": event.told,
        "body": event.why,
        "pen": "warn",
    }


def _functional(event: Any) -> Mapping[str, Any]:
    to = one_line(event.team) if event.team != event.team_before else f"step {event.then[1] + 1} now"
    return {"what": f"escalated to {to} (skill)", "body": event.why, "pen": "warn"}


def _timed_out(event: Any) -> Mapping[str, Any]:
    if event.by is None:
        return {"what": "it asks again: nobody has been heard of", "pen": "warn"}
    return {
        "what": f"it asks again: {PERSON} has not been heard of since {event.since:%H:%M} UTC",
        "people": (event.by,),
        "pen": "warn",
    }


def _skipped(event: Any) -> Mapping[str, Any]:
    return {
        "what": f"step {event.place[1] + 1} would tell nobody ({', '.join(event.targets)}): the next one now",
        "pen": "bad",
    }


ESCALATION_WORDS: Final[Mapping[str, Callable[[Any], Mapping[str, Any]]]] = {
    "escalation_started": _started,
    "escalation_ended": lambda e: {"what": f"escalation ends: {one_line(e.why)}", "pen": "warn"},
    "step_fired": _fired,
    "step_skipped_empty": _skipped,
    "step_held": lambda e: {"what": f"nobody is told until {e.until:%Y-%m-%d %H:%M} UTC: {e.held}"},
    "escalation_exhausted": _exhausted,
    "escalated_hierarchical": _up,
    "escalated_functional": _functional,
    "ack_timed_out": _timed_out,
    "unacknowledged": lambda e: {"what": "took the acknowledgement back", "pen": "warn"},
    "policy_rebased": lambda e: {"what": f"escalation follows {e.plan.policy} of version {e.plan.version}"},
}
"""Kind of event → words."""
