"""What somebody is told who acknowledged, or tried to, from where they are: what is, and what to do."""

from __future__ import annotations

from integrations.acks.using import Became, Outcome, Standing
from integrations.page_text import told
from register.incident import Incident
from register.text import one_line
from register.topics.ownership import YOU_HAVE_IT

FORGED = "This is no link of a page of this register. Was it copied in part? Nothing was done."


def heading(outcome: Outcome) -> str:
    """In a few words."""
    number = "" if outcome.incident is None else outcome.incident.number
    return {
        Became.YOURS: f"You have it: {number}",
        Became.ALREADY: f"You have it: {number}",
        Became.ANOTHERS: f"{number}: {one_line(outcome.who)} has it",
        Became.OVER: f"{number} is over",
        Became.USED: f"{number}: this was used before",
        Became.OLD: "This is too old",
        Became.GONE: "Nothing was done",
        Became.REFUSED: "Nothing was done",
    }[outcome.became]


def sentence(outcome: Outcome) -> str:
    """At length: what happened, and what to do next where there is anything."""
    incident = outcome.incident
    number = "the incident" if incident is None else incident.number
    at = "" if outcome.since is None else f" since {told(outcome.since, outcome.zone)}"
    ack = f"muster ack {'NUMBER' if incident is None else number}"
    return {
        Became.YOURS: YOU_HAVE_IT.format(number),
        Became.ALREADY: f"{number} is yours to look after{at}: you have it. There was nothing to do.",
        Became.ANOTHERS: f"{one_line(outcome.who)} has {number}{at}. That you are on it, too, is on record:"
        " talk to each other.",
        Became.OVER: f"{number} is {_state(incident)} already: there is nothing left to do. That you answered"
        " is kept.",
        Became.USED: f"{number} was acknowledged with it once, and that is over: "
        + (f"{one_line(outcome.who)} has it{at}." if outcome.who else "nobody has it now.")
        + f" Nothing was done; if you take it, say so at a terminal: {ack}",
        Became.OLD: f"It counts for a day at most, and {_old(incident)}. Nothing was done; at a terminal say:"
        f" {ack}",
        Became.GONE: "You are in the matrix.toml of this register no more. Nothing was done; ask an admin.",
        Became.REFUSED: outcome.why,
    }[outcome.became]


def _state(incident: Incident | None) -> str:
    return "over" if incident is None else incident.state.lower()


def _old(incident: Incident | None) -> str:
    return "is not known any more" if incident is None else f"that day is over for {incident.number}"


def asks(standing: Standing) -> str:
    """What the button means, before it is pressed."""
    number = standing.incident.number
    if standing.has:
        since = standing.outcome.since
        at = "" if since is None else f" since {told(since, standing.zone)}"
        return f"{one_line(standing.has)} has {number}{at}. Press if you are on it, too."
    if standing.mine:
        return f"You have {number}. Press if you are on it still."
    return f"Nobody has {number} yet. Press if you have seen this and look after it from now on."
