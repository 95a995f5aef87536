"""What happens on the stream `duty`, told in words: who is on call, and who was asked to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tui.detail import PERSON


def _override(event: Any) -> Mapping[str, Any]:
    people = tuple(one for one in (event.add, event.remove) if one)
    what = f"{PERSON} is off call by {event.rota} for a time"
    if event.add:
        what = f"{PERSON} is on call by {event.rota} for a time" + (
            f", instead of {PERSON}" if event.remove else ""
        )
    return {"what": f"{event.id}: {what}", "people": people, "body": event.why}


def _asked(event: Any) -> Mapping[str, Any]:
    what = f"{event.id}: {PERSON} is asked to take a shift of {PERSON}'s in {event.rota}"
    return {"what": what, "people": (event.to, event.person), "body": event.why}


DUTY_WORDS: Final[Mapping[str, Any]] = {
    "override_made": _override,
    "arrangement_ended": lambda e: {"what": f"{e.id} of {e.rota} is over"},
    "left_duty": lambda e: {"what": f"{PERSON} is on call no more", "people": (e.person,)},
    "duty_scheduled": lambda e: {
        "what": f"{e.id}: a temporary schedule says who is on call by {e.rota}",
        "body": e.why,
    },
    "swap_asked": _asked,
    "swap_accepted": lambda e: {"what": f"{e.id}: the swap is accepted"},
    "swap_declined": lambda e: {"what": f"{e.id}: the swap is declined", "body": e.why},
    "handover_offered": lambda e: {
        "what": f"hands over {len(e.mine)} incidents to {PERSON}",
        "people": (e.to,),
        "body": e.note,
    },
    "handover_accepted": lambda e: {
        "what": f"has what {PERSON} handed over: {', '.join(e.given) or 'nothing'}",
        "people": (e.giver,),
    },
    "handover_declined": lambda e: {"what": "does not take the handover", "body": e.reason},
    "handover_withdrawn": lambda e: {"what": "takes the handover back", "body": e.reason},
    "feed_heard": lambda e: {"what": f"the calendar of {e.rota} says {len(e.shifts)} shifts"},
}
