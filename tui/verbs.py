"""The register's verbs as keys: what each is called here, how it is asked for, what is said when it is done.

Which verbs there are, their keys, their help and who may use them comes from the registry of Commands.
Only how a person meets them on the screen is told here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any, Final

from register.calendars import seconds_of
from register.clocks.book import DEFAULT_TIMELINE, Timeline
from register.clocks.run import promised
from register.core import VERBS, Command, Role
from register.incident import Impact, Urgency, priority_of
from tui.actions import VERB, Action
from tui.format import wall
from tui.widgets.lines import Line


class Way(Enum):
    """How a verb is asked for."""

    AT_ONCE = auto()  # the key does it
    FORM = auto()
    ENGAGE = auto()
    REPLY = auto()
    CALL = auto()


WAYS: Final[Mapping[str, Way]] = {
    "ack": Way.AT_ONCE,
    "take": Way.AT_ONCE,
    "engage": Way.ENGAGE,
    "reply": Way.REPLY,
    "call": Way.CALL,
}
ORDER: Final = ("ack", "take", "note", "reply", "engage", "functional", "hold", "resolve", "log", "pass")
"""As the footer shows them; verbs that are not named follow in the registry's order."""
SAID: Final[Mapping[str, str]] = {
    "ack": "{} is acknowledged: you have it.",
    "take": "{} is yours.",
    "note": "The note is on {}.",
    "reply": "The reply about {} is on its way.",
    "engage": "{}: the supplier is being engaged.",
    "hold": "{} is on hold.",
    "resume": "{} is in progress again.",
    "resolve": "{} is resolved.",
    "log": "{} is logged.",
    "alert": "{} has the alert.",
    "restrict": "{} is restricted now.",
    "redact": "{} has lost its texts.",
    "legal-hold": "The legal hold of {} is changed.",
    "unrestrict": "{} is open to everyone's eyes.",
    "cancel": "{} is canceled.",
    "close": "{} is closed.",
    "reopen": "{} is open again.",
    "retry": "The sending for {} is tried again.",
    "drop": "The sending for {} is given up.",
    "adopt": "The ticket for {} is adopted.",
    "pass": "{} is passed on.",
    "functional": "{} is escalated: those with the skill are told.",
    "hierarchical": "{} is escalated: those with authority are told.",
    "rebase": "The escalation of {} follows the matrix as it is now.",
    "unack": "The acknowledgement of {} is taken back.",
    "watch": "{} is watched.",
    "unwatch": "{} is watched no more.",
    "caller": "The caller's word is on {}.",
    "tell": "What the caller was told is on {}.",
    "correct": "{} is put right.",
    "link": "{} is linked.",
    "unlink": "The link of {} is gone.",
    "follow-up": "{} goes on from it.",
    "done": "What waited for it goes on.",
    "withdraw": "{}: the supplier is called off.",
    "accept": "{}: the supplier's fix is accepted.",
    "dispute": "{}: the supplier is told that it is not fixed.",
    "reprioritise": "{}: the supplier is told the priority.",
    "relink": "{}: it is on record where the supplier has it.",
    "settle": "{}: it is settled whose word holds.",
    "call": "The call is on {}.",
    "handed": "{}: the supplier has it.",
    "send": "{}: the file is on its way to the supplier.",
    "evidence": "Where the file lies is on {}.",
    "forward": "{}: the other supplier's words are on their way.",
    "fetch": "{}: the supplier's file is on its way here.",
    "reread": "{}: the supplier's ticket is read once more.",
    "noted": "{}: what came stands in it as it came.",
    "discard": "{}: what came is thrown away.",
    "leave": "{}: it is left with the supplier as it is.",
    "pause": "Nothing is sent to the supplier from now on.",
    "unpause": "Sending to the supplier goes on.",
    "silence": "{} is silenced.",
    "unsilence": "{}: people are paged for it again.",
    "oncall-override": "It is arranged.",
    "oncall-end": "It is over.",
    "oncall-swap": "They are asked; until they accept nothing changes.",
    "oncall-accept": "The shift is yours.",
    "oncall-decline": "It is declined.",
    "oncall-schedule": "The temporary schedule is arranged.",
    "maintenance-start": "They are in maintenance from now on.",
    "maintenance-end": "The maintenance is over.",
    "maintenance-extend": "The maintenance takes longer.",
    "handover-offer": "The handover is offered.",
    "handover-accept": "The handover is accepted.",
    "handover-decline": "The handover is declined.",
    "handover-withdraw": "The handover is taken back.",
}
TITLES: Final[Mapping[str, str]] = {
    "log": "Log an incident",
    "alert": "Take in an alert by hand",
    "note": "Note on {}   INTERNAL: stays here",
    "hold": "Hold {}",
    "resolve": "Resolve {}",
    "cancel": "Cancel {}",
    "reopen": "Reopen {}",
    "close": "Close {}",
    "restrict": "Restrict {} to those who work on it and those you name",
    "redact": "Wipe texts of {} for good",
    "legal-hold": "Put {} under legal hold",
    "unrestrict": "Show {} to everyone",
    "pass": "Pass {} on",
    "functional": "Escalate {} to those with the skill",
    "hierarchical": "Escalate {} to those with authority",
    "rebase": "Have the escalation of {} follow the matrix as it is now",
    "unack": "Take the acknowledgement of {} back",
    "caller": "The caller of {} says",
    "tell": "Told the caller of {}",
    "correct": "Correct {}",
    "link": "Link {}",
    "unlink": "Take a link of {} away",
    "follow-up": "Go on from {} in a new incident",
    "done": "A change or problem is done",
    "withdraw": "Call a supplier of {} off",
    "accept": "Accept the supplier's fix of {}",
    "dispute": "Tell the supplier of {} that it is not fixed",
    "reprioritise": "Tell the supplier of {} its priority",
    "relink": "Say where the supplier has the ticket of {} now",
    "settle": "Say whose word holds at the supplier of {}",
    "call": "Call a supplier of {}",
    "send": "Send a file of {} to a supplier",
    "evidence": "Note where a file of {} lies",
    "forward": "Tell a supplier of {} what another one wrote",
    "fetch": "Fetch a supplier's file of {}",
    "reread": "Read a supplier's change once more",
    "noted": "I have read what a supplier's change says",
    "discard": "Throw a supplier's change away",
    "leave": "Leave it with a supplier of {} as it is",
    "pause": "Hold back what goes to a supplier",
    "unpause": "Send to a supplier again",
    "silence": "Page nobody for {} for a while",
    "unsilence": "Page people for {} again",
    "oncall-override": "Put somebody on call, or off, for a time",
    "oncall-end": "End what is arranged about being on call",
    "oncall-swap": "Ask somebody to take a shift",
    "oncall-accept": "Take the shift you were asked to take",
    "oncall-decline": "Decline the shift you were asked to take",
    "oncall-schedule": "Say who is on call for a time, and nobody else",
    "maintenance-start": "Say that services are in maintenance",
    "maintenance-end": "End a maintenance before its time",
    "maintenance-extend": "Give a maintenance more time",
    "handover-offer": "Offer a handover",
    "handover-accept": "Accept a handover",
    "handover-decline": "Decline a handover",
    "handover-withdraw": "Take a handover back",
}


LABELS: Final[Mapping[str, str]] = {"functional": "escalate", "hierarchical": "escalate up"}
"""What a verb is called in the footer where its name says too little without its group."""
HIDDEN: Final = frozenset({"reopen", "close", "follow-up"})
"""Verbs for incidents that are over: none of these stands on the board."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One of the register's Commands that this person may use."""

    command: type[Command]

    @property
    def name(self) -> str:
        return self.command.verb

    @property
    def help(self) -> str:
        return self.command.help()

    @property
    def way(self) -> Way:
        return WAYS.get(self.name, Way.FORM)

    @property
    def needs_incident(self) -> bool:
        return self.command.on_incident

    def title(self, number: str | None) -> str:
        return TITLES.get(self.name, f"{self.name.capitalize()} {{}}").format(number or "").rstrip()

    def said(self, number: str | None) -> str:
        return SAID.get(self.name, f"{self.name}: {{}} is done.").format(number or "It")


def role_for(name: str) -> str:
    """The role that a verb takes."""
    import register.topics  # noqa: F401 - importing it fills the registry

    return VERBS[name].role.word


def verbs_for(role: Role) -> tuple[Verb, ...]:
    """Return all verbs that somebody in this role may use, in the registry's order."""
    import register.topics  # noqa: F401 - importing it fills the registry

    return tuple(Verb(command) for command in VERBS.values() if command.role <= role)


def actions_of(verbs: Iterable[Verb]) -> tuple[Action, ...]:
    """Return the verbs that have a key, in the order the footer has them."""
    places = {name: at for at, name in enumerate(ORDER)}
    ordered = sorted(verbs, key=lambda verb: places.get(verb.name, len(places)))
    return tuple(
        Action(
            VERB + verb.name,
            verb.command.hotkey,
            LABELS.get(verb.name, verb.name),
            verb.help,
            shown=verb.name in places,
            writes=True,
            opens=verb.way is not Way.AT_ONCE,
        )
        for verb in ordered
        if verb.command.hotkey
    )


def on_board(actions: Iterable[Action]) -> tuple[Action, ...]:
    """Return those that can do something to an open incident."""
    return tuple(action for action in actions if action.id.removeprefix(VERB) not in HIDDEN)


def log_hint(
    model_zone: Any, arrow: str, timeline: Timeline | None = None
) -> Callable[[Mapping[str, Any], datetime], Line]:
    """Return what a log form says under impact and urgency: `→ P2, resolve by 10:10 CET`.

    By what is promised now, in business hours: as the clock of the new incident will count it.
    """

    def hint(answers: Mapping[str, Any], now: datetime) -> Line:
        impact, urgency = answers.get("impact"), answers.get("urgency")
        if not impact or not urgency:
            return ((f"{arrow} choose impact and urgency: they make the priority", "dim"),)
        priority = priority_of(Impact(impact), Urgency(urgency))
        facts = {"service": answers.get("service") or "", "category": answers.get("category") or ""}
        due = promised(priority, facts, seconds_of(now), timeline or DEFAULT_TIMELINE)
        if due is None:
            return ((f"{arrow} {priority}, no time promised", "strong"),)
        day = "" if _day(due, model_zone) == _day(now.timestamp(), model_zone) else _day(due, model_zone)
        return ((f"{arrow} {priority}, resolve by {day}{wall(due, model_zone)}", "strong"),)

    return hint


def _day(epoch: float, zone: Any) -> str:
    return f"{datetime.fromtimestamp(epoch, UTC).astimezone(zone):%a %d %b} "
