"""What suppliers did and could not be taken in: listed, with what it means and what to do."""

from __future__ import annotations

from register.seeing import RESTRICTED
from register.store.aside import Aside, asides
from register.text import one_line
from tui.cli.answer import Answer
from tui.cli.here import here

_MEANS = "It is not in the incident, and the supplier may wait for an answer to it."
_TODO = "To do: `muster quarantine reread | noted | discard {} {}`"


def list_() -> Answer:
    """List what of suppliers could not be taken in, as it came."""
    with here() as at:
        found = asides(at.store)
        secret = at.unseen(one.facts.incident for one in found if one.facts.incident)
    data = [
        {
            "vendor": one.facts.vendor,
            "change": one.facts.change_id,
            "number": one.facts.incident or None,
            "bond": one.facts.bond or None,
            "at": one.at,
            "why": RESTRICTED if one.facts.incident in secret else one.facts.why,
            "raw": RESTRICTED if one.facts.incident in secret else one.facts.raw,
        }
        for one in found
    ]
    lines = [line for one in found for line in _told(one, hidden=one.facts.incident in secret)]
    return Answer(data, lines or ["Nothing waits: all that suppliers did was taken in."])


def _told(one: Aside, *, hidden: bool) -> list[str]:
    """One change for a person: what happened, what it means, what to do."""
    facts = one.facts
    about = f", for {facts.incident}" if facts.incident else ", which ticket cannot be told"
    head = f"{facts.vendor}{about}, {one.at.astimezone():%Y-%m-%d %H:%M}: {one_line(facts.change_id)}"
    todo = _TODO.format(facts.vendor, f"'{one_line(facts.change_id)}'")
    if hidden:
        return [head, f"  {RESTRICTED}", f"  {todo}"]
    return [
        head,
        f"  {facts.why}",
        f"  {_MEANS}",
        *([f"  {one_line(facts.raw)}"] if facts.raw else []),
        f"  {todo}",
    ]
