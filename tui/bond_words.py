"""Events of a bond as the timeline tells them: several tickets of theirs, and what both sides changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from register.plain import one_line
from tui.detail import PERSON

Words = Callable[[Any], Mapping[str, Any]]


def of_bond(event: Any, what: str, pen: str = "", body: str = "") -> Mapping[str, Any]:
    """What is told of a bond: the fields of Told."""
    return {"what": one_line(what), "body": body, "vendor": event.vendor, "bond": event.bond, "pen": pen}


def _further(event: Any, what: str) -> Mapping[str, Any]:
    return of_bond(event, what, "warn")


def _link_shown(event: Any) -> Mapping[str, Any]:
    key = one_line(event.ref.key)
    what = f"{PERSON} linked a ticket of {event.vendor} to ours: {one_line(event.how)} {key}"
    return {
        "what": what,
        "people": (event.author,),
        "body": f"Is it about this? `muster relink` with {key}: --also hears it, too, --drop leaves it.",
        "vendor": event.vendor,
        "bond": event.bond,
        "inbound": True,
        "pen": "warn",
    }


def _their_priority(event: Any) -> Mapping[str, Any]:
    key = "" if event.of is None else f"{one_line(event.of.key)}: "
    before = f"{one_line(event.before)} → " if event.before else ""
    means = f" ({event.priorities[0]} for us)" if event.priorities else ""
    offered = event.of is None and not (event.agreed or event.overtaken or event.asked)
    after = ", before ours was with them" if event.overtaken else ""
    return {
        "what": f"{key}priority {before}{one_line(event.raw_priority)}{means}, set by {PERSON}{after}",
        "people": (event.author,),
        "body": "`muster reprioritise` tells them ours again, where it is another one." if offered else "",
        "vendor": event.vendor,
        "bond": event.bond,
        "inbound": True,
        "pen": "" if event.agreed else "warn",
    }


def _difference(event: Any) -> Mapping[str, Any]:
    theirs = one_line(event.theirs)
    who = f"both changed the {event.field} at {event.vendor}"
    if not event.row_id:  # nothing of ours waits: they alone changed it
        who = f"{event.vendor} changed the {event.field}"
    return {
        "what": f"{who}: {event.ours} is ours, {theirs} is theirs",
        "body": "Nothing was written. `muster settle`: --keep ours sends ours, --keep theirs leaves theirs.",
        "vendor": event.vendor,
        "bond": event.bond,
        "pen": "bad",
    }


BOND_WORDS: Final[Mapping[str, Words]] = {
    "further_linked": lambda e: _further(
        e,
        f"{e.ref.key} at {e.vendor} is about this, too"
        if not e.before
        else f"the further ticket at {e.vendor} is {e.ref.key}",
    ),
    "further_dropped": lambda e: _further(
        e,
        f"{e.ref.key} at {e.vendor} "
        + ("goes on as one that is known" if e.merged else "is not heard any more"),
    ),
    "link_shown": _link_shown,
    "supplier_reprioritised": _their_priority,
    "difference_found": _difference,
    "gave_way": lambda e: of_bond(
        e, f"{e.vendor} changed the {e.field} meanwhile: {e.theirs} holds, {e.ours} was not asked for", "warn"
    ),
    "difference_settled": lambda e: of_bond(
        e,
        f"the {e.field} at {e.vendor}: {'ours' if e.keep == 'ours' else 'theirs'} holds,"
        f" {e.ours if e.keep == 'ours' else e.theirs}",
    ),
}
