"""Events as the timeline tells them: a table from kind of event to words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from register.contact import CALL_WHY
from register.core import Recorded
from register.page_settings import BY_LINK, BY_MAIL
from register.plain import one_line
from tui.bond_words import BOND_WORDS, of_bond
from tui.detail import PERSON, Told
from tui.duty_words import DUTY_WORDS
from tui.escalation_words import ESCALATION_WORDS
from tui.life_words import LIFE_WORDS
from tui.page_words import PAGE_WORDS
from tui.quiet_words import QUIET_WORDS

SPOOL: Final = "spool"
"""The source of what was said while the register was away (register.replay.SOURCE)."""
NOBODY: Final = "unknown"
"""As whom an author stands there that a supplier does not tell (integrations.collector)."""
Words = Callable[[Any], Mapping[str, Any]]
"""From an event to the fields of Told that differ from the plain ones."""


_DOORS: Final[Mapping[str, str]] = {BY_LINK: ", by the link of a page", BY_MAIL: ", by a reply to a page"}
"""How it was said, where whoever said it did not sit at a terminal."""
_ANSWERS: Final = frozenset({"acknowledged", "note"})
"""What can be said so."""


def tell(recorded: Recorded) -> Told:
    """Return one event as it is told; one that was redacted or is of a newer program says so."""
    fields: dict[str, Any] = {"what": recorded.kind.replace("_", " ")}
    if recorded.event is None:
        fields = {
            "what": f"{fields['what']} (not readable here: redacted, or of a newer Muster)",
            "pen": "dim",
        }
    else:
        fields |= WORDS.get(recorded.kind, lambda event: {})(recorded.event)
        if recorded.redacted:
            fields |= {"what": f"{fields['what']} (redacted)", "pen": "dim"}
    if recorded.kind in _ANSWERS:
        fields["what"] += _DOORS.get(recorded.source, "")
    if recorded.source == SPOOL:
        fields["what"] += f" (entered later, {recorded.recorded_at.astimezone():%Y-%m-%d %H:%M %Z})"
    return Told(at=recorded.at.timestamp(), who=recorded.actor, **fields)


def _created(event: Any) -> Mapping[str, Any]:
    where = f" on {one_line(event.service)}" if event.service else ""
    after = f", goes on from {event.follows}" if event.follows else ""
    what = f"logged: impact {event.impact}, urgency {event.urgency}{where}{after}"
    return {"what": what, "body": event.description}


def _acknowledged(event: Any) -> Mapping[str, Any]:
    return {"what": "acknowledged" + (", after it was over" if event.late else "")}


def _assigned(event: Any) -> Mapping[str, Any]:
    if event.before is None:
        return {"what": f"owner: {PERSON}", "people": (event.to,)}
    return {"what": f"owner: {PERSON} → {PERSON}", "people": (event.before, event.to)}


def _held(event: Any) -> Mapping[str, Any]:
    on = f": {one_line(event.on)}" if event.on else ""
    until = f", looks again {event.until:%Y-%m-%d %H:%M} UTC" if event.until else ""
    return {"what": f"on hold, waits for {event.reason}{on}{until}", "body": event.note}


def _resolved(event: Any) -> Mapping[str, Any]:
    cause = f", cause {event.cause}" if event.cause else ""
    how = event.code.replace("_", " ")
    whose = f", with {event.with_parent}, its parent" if event.with_parent else ""
    first = ", at first contact" if event.first_contact else ""
    return {"what": f"resolved: {how}{cause}{first}{whose}", "body": event.notes, "pen": "good"}


def _to_supplier(what: str, words_in: str = "message") -> Words:
    def words(event: Any) -> Mapping[str, Any]:
        where = "PRODUCTION" if event.production else "test"
        if not getattr(event, "public", True):
            where = f"{where}, for their people only"
        body = getattr(event, words_in)
        return {
            "what": f"{what} {event.vendor} ({where})",
            "body": body,
            "vendor": event.vendor,
            "bond": event.bond,
        }

    return words


_SENT: Final[Mapping[str, str]] = {
    "create": "ticket",
    "comment": "message",
    "transition": "change of state",
    "attach": "file",
    "fetch": "wish for a file",
}


_LEFT: Final[Mapping[str, str]] = {
    "priority": "they work by another priority than ours",
    "duplicates": "they have more than one ticket of it",
}


def _sent(event: Any) -> str:
    """What a sending is called."""
    return _SENT.get(event.what, event.what)


def _withdrawn(event: Any) -> Mapping[str, Any]:
    where = "PRODUCTION" if event.production else "test"
    unsent = f", {len(event.unsent)} not sent any more" if event.unsent else ""
    what = f"calls {event.vendor} off ({where}){unsent}"
    return of_bond(event, what, "warn", event.reason)


def _delivered(event: Any) -> Mapping[str, Any]:
    how = {
        "answer": "",
        "found": ", found there",
        "heard": ", it came back",
        "person": ", on a person's word",
    }
    return of_bond(event, f"{_sent(event)} is at {event.vendor}{how.get(event.how, '')}", "dim")


def _adopted(event: Any) -> Mapping[str, Any]:
    how = {"found": "found there", "heard": "heard of", "person": "on a person's word"}.get(
        event.how, event.how
    )
    more = f"; duplicates there: {', '.join(ref.key for ref in event.duplicates)}" if event.duplicates else ""
    return of_bond(event, f"{event.vendor} ticket {event.ref.key} ({how}){more}", "warn" if more else "")


def _about_supplier(event: Any, what: str, pen: str) -> dict[str, Any]:
    """Words with the place of a name in them, which one_line would take out."""
    return {"what": what, "vendor": event.vendor, "bond": event.bond, "pen": pen}


def _called(event: Any) -> Mapping[str, Any]:
    if not event.reached:
        told = _about_supplier(event, f"called {event.vendor}: {PERSON} did not answer", "warn")
        return {**told, "people": (event.whom,)}
    until = f"Promised until {event.until:%Y-%m-%d %H:%M} UTC." if event.until else ""
    body = "\n".join(part for part in (event.body, until) if part)
    told = _about_supplier(event, f"called {event.vendor}: {PERSON}", "")
    return {**told, "body": body, "people": (event.whom,)}


def _nudged(event: Any) -> Mapping[str, Any]:
    what = f"nudges {event.vendor} by itself: {one_line(event.clock)}, {event.percent} % gone"
    return {**_about_supplier(event, what, "warn"), "body": event.message}


def _call_due(event: Any) -> Mapping[str, Any]:
    why = CALL_WHY[event.why].format(at=f"{event.since:%Y-%m-%d %H:%M} UTC" if event.since else "")
    clock = f" ({one_line(event.clock)})" if event.clock else ""
    told = _about_supplier(event, f"CALL {event.vendor} (d): {PERSON} is asked to", "bad")
    return {**told, "body": f"{why[:1].upper()}{why[1:]}{clock}.", "people": (event.asks,)}


def _on(event: Any) -> str:
    """On which of their tickets, where it is not the bond's own."""
    return "" if event.of is None else f" on {one_line(event.of.key)}"


def _said(event: Any) -> Mapping[str, Any]:
    private = "" if event.public else ", not for the public"
    ours = ", by our own account: perhaps ours" if event.perhaps_ours else ""
    return {
        "what": f"{PERSON} wrote{_on(event)}{private}{ours}",
        "people": (event.author,),
        "body": event.body,
        "vendor": event.vendor,
        "bond": event.bond,
        "inbound": True,
    }


def _their_file(event: Any) -> Mapping[str, Any]:
    size = "" if event.size is None else f" ({event.size:,} bytes)"
    done = "wrote, and it is kept whole" if event.quiet else "put a file there"
    return {
        "what": f"{PERSON} {done}{_on(event)}: {one_line(event.name)}{size}, `muster fetch` brings it",
        "people": (event.author,),
        "vendor": event.vendor,
        "bond": event.bond,
        "inbound": True,
    }


def _updated(event: Any) -> Mapping[str, Any]:
    before = one_line(event.before)
    state = f"{before} → {one_line(event.raw_state)}" if before else one_line(event.raw_state)
    fixed = ": they say it is fixed, yours to decide" if event.fixed and event.of is None else ""
    ball = f"   ball: {event.ball}" if event.ball and event.of is None else ""
    key = "" if event.of is None else f"{one_line(event.of.key)}: "
    told = event.author != NOBODY  # "In Progress (unknown)" would read as if the state were
    return {
        "what": f"{key}{state}{f' ({PERSON})' if told else ''}{fixed}{ball}",
        "people": (event.author,) if told else (),
        "vendor": event.vendor,
        "bond": event.bond,
        "inbound": True,
        "pen": "good" if event.fixed else "",
    }


def _aside_settled(event: Any) -> Mapping[str, Any]:
    how = {
        "reread": "is read once more",
        "noted": "stands here as it came",
        "discarded": "was thrown away",
    }[event.how]
    return {
        "what": f"what came from {event.vendor} and could not be taken in {how}",
        "body": event.text or event.reason,
        "vendor": event.vendor,
        "bond": event.bond,
    }


def _restricted(event: Any) -> Mapping[str, Any]:
    named = f", and to {', '.join([PERSON] * len(event.allowed))}" if event.allowed else ""
    return {"what": f"restricted to those who work on it{named}", "people": event.allowed, "pen": "warn"}


def _redacted(event: Any) -> Mapping[str, Any]:
    why = {"erased": ", for somebody was erased", "retention": ", for it is old enough"}.get(event.why, "")
    return {"what": f"wiped the texts of {len(event.wiped)} events{why}", "body": event.reason, "pen": "warn"}


def _alert_fired(event: Any) -> Mapping[str, Any]:
    times = f" (×{event.count})" if event.count > 1 else ""
    back = f", back after {event.recurrence_of}" if event.recurrence_of else ""
    what = f"alert from {one_line(event.source)}: {one_line(event.title)}, {event.severity}{times}{back}"
    began = f"began {event.started:%Y-%m-%d %H:%M} UTC by its clock" if event.started == event.claimed else ""
    return {"what": what, "body": began, "pen": "bad" if event.severity == "critical" else "warn"}


def _alert_ok(event: Any) -> Mapping[str, Any]:
    how = "says once more that the alert is over" if event.already else "says that the alert is over"
    late = ", after the incident was" if event.late else ""
    ended = f"ended {event.claimed:%Y-%m-%d %H:%M} UTC by its clock" if event.claimed else ""
    return {"what": f"{one_line(event.source)} {how}{late}", "body": ended, "pen": "good"}


def _duplicate(event: Any) -> Mapping[str, Any]:
    what = f"alert from {one_line(event.source)} still, {event.severity} (×{event.count})"
    return {"what": what, "pen": "dim"}


WORDS: Final[Mapping[str, Words]] = {
    "created": _created,
    "acknowledged": _acknowledged,
    "assigned": _assigned,
    "held": _held,
    "resumed": lambda e: {"what": f"in progress again ({one_line(e.because)})"},
    "note": lambda e: {"what": f"note ({e.label})", "body": e.text},
    "resolved": _resolved,
    "reopened": lambda e: {"what": "reopened", "body": e.reason, "pen": "warn"},
    "closed": lambda e: {"what": "closed by itself" if e.by_itself else "closed", "body": e.note},
    "canceled": lambda e: {"what": "canceled", "body": e.reason},
    "feed_heard": lambda e: {"what": f"the calendar of {e.rota} names {len(e.shifts)} shifts", "pen": "dim"},
    "engaged": _to_supplier("engages"),
    "replied": _to_supplier("writes to"),
    "forwarded": _to_supplier("forwards another supplier's words to"),
    "file_sent": lambda e: of_bond(e, f"sends {e.name or 'a file'} to {e.vendor} ({e.size:,} bytes)"),
    "evidence": lambda e: {
        "what": f"{one_line(e.name) or 'a file'} lies elsewhere"
        + (f"; {e.vendor} is told" if e.bond else ""),
        "body": e.place,
        "vendor": e.vendor,
        "bond": e.bond,
    },
    "ticket_made": lambda e: of_bond(e, f"{e.vendor} ticket {e.ref.key}", "good"),
    "ticket_adopted": _adopted,
    "duplicate_found": lambda e: of_bond(e, f"a second ticket at {e.vendor}: {e.ref.key}", "bad"),
    "relinked": lambda e: of_bond(e, f"the ticket at {e.vendor} is {e.ref.key} now", "warn"),
    "withdrawn": _withdrawn,
    "accepted": _to_supplier("accepts the fix of", "note"),
    "disputed": _to_supplier("disputes the fix of"),
    "reprioritised": lambda e: of_bond(
        e, f"{e.vendor} is told: {one_line(e.seen) or e.before or 'no priority'} → {e.priority}"
    ),
    "delivered": _delivered,
    "send_ambiguous": lambda e: of_bond(
        e, f"{_sent(e)} to {e.vendor}: not known to have arrived, being looked up", "warn", e.why
    ),
    "person_needed": lambda e: of_bond(
        e, f"{_sent(e)} to {e.vendor} waits for a person (4 Outbox)", "bad", e.why
    ),
    "send_failed": lambda e: of_bond(e, f"{_sent(e)} to {e.vendor} failed (4 Outbox)", "bad", e.why),
    "sent_again": lambda e: of_bond(e, f"{_sent(e)} to {e.vendor} is tried again", "", e.why),
    "called": _called,
    "nudged": _nudged,
    "call_due": _call_due,
    "supplier_said": _said,
    "supplier_updated": _updated,
    "supplier_file": _their_file,
    "file_wanted": lambda e: of_bond(e, f"{one_line(e.name)} is to be fetched from {e.vendor}"),
    "file_fetched": lambda e: of_bond(e, f"{one_line(e.name)} came from {e.vendor}", "good"),
    "set_aside": lambda e: {
        "what": f"something from {e.vendor} could not be taken in: `muster quarantine list`",
        "body": e.why,
        "vendor": e.vendor,
        "bond": e.bond,
        "inbound": True,
        "pen": "bad",
    },
    "aside_settled": _aside_settled,
    "closing_near": lambda e: {
        "what": f"{e.vendor} closes {e.key} by itself {e.closes_at:%a %d %b %H:%M} UTC unless we answer:"
        f" it is our turn since {e.since:%a %d %b %H:%M} UTC",
        "vendor": e.vendor,
        "bond": e.bond,
        "pen": "bad",
    },
    "left_as_it_is": lambda e: of_bond(e, f"leaves it with {e.vendor} as it is: {_LEFT[e.what]}"),
    "vendor_paused": lambda e: {"what": f"sending to {e.vendor} is paused", "body": e.why, "pen": "bad"},
    "credential_stored": lambda e: {
        "what": f"the credential for {e.vendor} was taken out"
        if e.gone
        else f"another credential for {e.vendor} is stored"
        + (f", which ends on {e.expires}" if e.expires else "")
    },
    "vendor_resumed": lambda e: {"what": f"sending to {e.vendor} goes on", "body": e.why},
    "clock_stepped_back": lambda e: {
        "what": f"a clock lay {e.seconds} s behind the newest event",
        "pen": "warn",
    },
    "alert_fired": _alert_fired,
    "duplicate_suppressed": _duplicate,
    "alert_ok": _alert_ok,
    "alert_moved": lambda e: {"what": f"the alert's key is {e.to}'s from now on"},
    "correlated": lambda e: {"what": f"related to {e.to}: {e.count} such alerts fire together"},
    "restored": lambda e: {
        "what": f"put back the backup of event {e.seq}: what was recorded after it is not here",
        "pen": "warn",
    },
    "exported": lambda e: {"what": f"exported {e.count:,} incidents as {e.format}", "body": e.filter},
    "founded": lambda e: {"what": "made this register"},
    "policy_adopted": lambda e: {"what": f"policy version {e.version} is adopted"},
    "book_adopted": lambda e: {"what": f"policy version {e.version} promises something else"},
    "restricted": _restricted,
    "attached": lambda e: {"what": f"attached {one_line(e.name) or 'a file'} ({e.label}, {e.size:,} bytes)"},
    "detached": lambda e: {"what": "took a file away", "body": e.reason, "pen": "warn"},
    "file_opened": lambda e: {"what": "took a copy of a file", "pen": "dim"},
    "redacted": _redacted,
    "person_erased": lambda e: {"what": f"{PERSON} was erased", "people": (e.person,), "body": e.reason},
    "erasure_waits": lambda e: {
        "what": f"{PERSON} was erased; what quotes them here is under legal hold",
        "people": (e.person,),
        "pen": "warn",
    },
    "legal_hold_set": lambda e: {"what": "under legal hold: nothing may be redacted", "body": e.reason},
    "legal_hold_lifted": lambda e: {"what": "no longer under legal hold", "body": e.reason},
    "unrestricted": lambda e: {"what": "open to everyone's eyes again"},
    "send_dropped": lambda e: of_bond(e, f"{_sent(e)} to {e.vendor} is given up", "warn", e.reason),
    **BOND_WORDS,
    **DUTY_WORDS,
    **PAGE_WORDS,
    **QUIET_WORDS,
    **LIFE_WORDS,
    **ESCALATION_WORDS,
}
