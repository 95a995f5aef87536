"""What whoever replied to a page is told: what came of it, as things stand when they are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from integrations.acks.using import Became, Outcome, login_of, now_of
from integrations.acks.words import heading, sentence
from integrations.page_text import Words
from register.desk import ServiceDesk
from register.incident import Incident
from register.store.replies import Replied

NOTED: Final = "noted"
EMPTY: Final = "empty"
ELSEWHERE: Final = "elsewhere"
_OTHER: Final[Mapping[str, tuple[str, Callable[[str, bool], str]]]] = {
    NOTED: (
        "your words are noted",
        lambda number, has: (
            f"What you wrote is noted on {number}, internally. "
            + (
                "You have it already."
                if has
                else 'You have NOT acknowledged it: answer with "ok" as its first word,'
                f" or: muster ack {number}"
            )
        ),
    ),
    EMPTY: (
        "nothing was done",
        lambda number, has: (
            f"Your reply about {number} had no words that Muster can tell from what it"
            f' quotes. Nothing was done: answer with "ok" above the quoted page, or: muster ack {number}'
        ),
    ),
    ELSEWHERE: (
        "nothing was done",
        lambda number, has: (
            f"A reply to your page about {number} came from an address that your pages do"
            " not go to, so it may not be yours. Nothing was done: answer from where the page arrived, or:"
            f" muster ack {number}"
        ),
    ),
}
"""What a reply came to that is no acknowledgement: the end of a heading, and a sentence."""
LAST: Final = "Sent by Muster, by itself, for you answered a page. Answers to this are not read."


def answer_of(desk: ServiceDesk, one: Replied) -> Words | None:
    """What they are told; None where there is nobody to tell any more."""
    store = desk.store
    incident = store.incident(one.incident)
    if incident is None or login_of(store, one.person) is None:
        return None
    outcome = now_of(desk, incident, one.person)
    if one.became in _OTHER:
        end, says = _OTHER[one.became]
        return Words(
            f"{one.incident}: {end}", f"{says(one.incident, outcome.became is Became.ALREADY)}\n{LAST}"
        )
    told = _told(desk, one, incident, outcome)
    return Words(heading(told), f"{sentence(told)}\n{LAST}")


def _told(desk: ServiceDesk, one: Replied, incident: Incident, now: Outcome) -> Outcome:
    word, _, by = one.became.partition(" ")
    if by:  # they had it first, whoever has it now
        since = incident.acknowledged_at if incident.acknowledged_by == by else None
        who = desk.store.people().get(by, by)
        return Outcome(Became(word), incident, who, since, now.zone)
    why = f"A rule of the register does not let you. `muster ack {one.incident}` at a terminal tells which."
    return Outcome(Became(word), incident, now.who, now.since, now.zone, why)
