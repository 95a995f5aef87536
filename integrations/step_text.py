"""What the page of an escalation's step says: what it is about, why you, what to do, and who is told next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from integrations.page_text import Sheet, Words, sent_by, told, what, words
from register.incident import Incident, Visibility
from register.run import FIRST
from register.text import one_line
from register.topics.step_pages import AUTHORITY, AboutStep
from register.topics.steps import AWAITED, PASSED, REMINDER, STEP, TIMED_OUT

_WHY: Final[Mapping[str, Callable[[AboutStep], str]]] = {
    STEP: lambda about: f"it is your turn, step {_step(about)}",
    REMINDER: lambda about: f"a reminder: nobody has acknowledged it, step {_step(about)}",
    PASSED: lambda about: "it was passed on to you",
    TIMED_OUT: lambda about: "whoever acknowledged it has not been heard of since",
    AWAITED: lambda about: "each of those who were told is to answer, and you have not yet",
    AUTHORITY: lambda about: f"you have authority here: {one_line(about.words) or 'it was escalated to you'}",
}
"""Why this person, by the reason that the step gives."""


def _step(about: AboutStep) -> str:
    loop, step, _ = about.place or FIRST
    again = f", round {loop + 1}" if loop else ""
    return f"{step + 1} of {about.of} of {about.policy}{again}"


@words.register
def step_words(about: AboutStep, sheet: Sheet) -> Words:
    """Return the page of a step."""
    incident = sheet.incident
    if incident.visibility is Visibility.RESTRICTED:
        about = about.model_copy(update={"words": ""})  # what a person wrote of it stays here
    everyone = " Each of you is to acknowledge it." if about.all_ack else ""
    lines = [
        what(incident),
        f"Why you: {_WHY[about.because](about)}.{everyone}",
        f"What to do: acknowledge it, then look at it: muster show {incident.number}",
        f"How to acknowledge: muster ack {incident.number} (a on the board)",
        *sheet.ack,
        _next(incident, sheet),
        sent_by(sheet),
    ]
    doing = "calls for you" if about.because == AUTHORITY else "is yours to answer"
    return Words(f"{incident.number} P{int(incident.priority)} {doing}", "\n".join(filter(None, lines)))


def _next(incident: Incident, sheet: Sheet) -> str:
    """What happens where nobody answers."""
    run, at = incident.run, None
    if run is not None:
        at = run.next_at
    if run is None or at is None:
        return ""
    if run.place is None:
        return f"Where nobody acknowledges it, those with authority are told at {_at(at, sheet)}."
    return f"Where nobody acknowledges it, the next step is taken at {_at(at, sheet)}."


def _at(at: datetime, sheet: Sheet) -> str:
    return told(at, sheet.zone)
