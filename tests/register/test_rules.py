"""What people may do with an incident, when, and what they are told when they may not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from register.asking import Asks
from register.calendars import seconds_of
from register.clocks.due import NOTHING, due_of
from register.core import VERBS, Command, NotFound, Principal, Refused, Role, World
from register.core import decide as decide_rule
from register.desk import ServiceDesk
from register.incident import (
    HoldReason,
    Impact,
    Label,
    Priority,
    ResolutionCode,
    State,
    Urgency,
    priority_of,
)
from register.topics.alerts import TakeAlert
from register.topics.by_hand import HandOver
from register.topics.caller import HearCaller, TellCaller
from register.topics.calls import LogCall
from register.topics.correction import Correct
from register.topics.delivery import AdoptTicket, ConfirmSending, DropSending, RetrySending
from register.topics.differences import Keep, SettleDifference
from register.topics.engagement import Engage, Reply
from register.topics.escalate import Functional, Hierarchical, Rebase, Unacknowledge
from register.topics.fetching import FetchFile
from register.topics.follow_up import FollowUp
from register.topics.forwarding import Forward
from register.topics.hold import PutOnHold, Resume
from register.topics.intake import Log
from register.topics.leaving_it import LeaveIt
from register.topics.links import Link, LinkTo, Unlink
from register.topics.maintenance import EndMaintenance, ExtendMaintenance, StartMaintenance
from register.topics.notes import Note
from register.topics.on_call import EndArranged, MakeOverride
from register.topics.ownership import Acknowledge, PassOn, Take
from register.topics.pausing import HoldBack, LetGoOn
from register.topics.privacy import LegalHold, Redact
from register.topics.proposal import Accept, Dispute
from register.topics.quarantine import DiscardAside, NoteAside, Reread
from register.topics.relinking import Relink
from register.topics.resolution import Cancel, Close, Reopen, Resolve
from register.topics.sending_files import SendFile, TellPlace
from register.topics.shift_answer import AcceptHandover, DeclineHandover, WithdrawHandover
from register.topics.shift_offer import OfferHandover
from register.topics.sight import Restrict, Unrestrict
from register.topics.silence import Silence, Unsilence
from register.topics.swaps import AcceptSwap, AskSwap, DeclineSwap
from register.topics.temporary import ScheduleFor
from register.topics.urging import Reprioritise
from register.topics.waking import Done
from register.topics.watching import Unwatch, Watch
from register.topics.withdrawal import Withdraw
from tests.register.saying import ADA, ANA, BEN, ENGINE, VIC, everything, fixed, incident_in, log, look, story

N, P, H, R, C, X = (
    State.NEW,
    State.IN_PROGRESS,
    State.ON_HOLD,
    State.RESOLVED,
    State.CLOSED,
    State.CANCELED,
)
NO = None
VERB_ON: dict[str, Any] = {
    "ack": lambda n: Acknowledge(target=n),
    "take": lambda n: Take(target=n),
    "note": lambda n: Note(target=n, text="Looked at the log."),
    "hold": lambda n: PutOnHold(target=n, reason=HoldReason.PROBLEM, on="PRB-1"),
    "resume": lambda n: Resume(target=n),
    "resolve": fixed,
    "reopen": lambda n: Reopen(target=n, reason="It is back."),
    "close": lambda n: Close(target=n),
    "cancel": lambda n: Cancel(target=n, reason="a duplicate"),
    "silence": lambda n: Silence(target=n, for_="1h", why="known"),
    "unsilence": lambda n: Unsilence(target=n),
    "restrict": lambda n: Restrict(target=n),
    "unrestrict": lambda n: Unrestrict(target=n),
    "redact": lambda n: Redact(target=n, reason="a password"),
    "legal-hold": lambda n: LegalHold(target=n, reason="file 7"),
    "pass": lambda n: PassOn(target=n, to="carl", note="Yours, I think."),
    "watch": lambda n: Watch(target=n),
    "unwatch": lambda n: Unwatch(target=n),
    "caller": lambda n: HearCaller(target=n, text="Still broken."),
    "tell": lambda n: TellCaller(target=n, text="We look into it."),
    "correct": lambda n: Correct(target=n, reason="Misheard.", title="Checkout answers 503"),
    "link": lambda n: LinkTo(target=n, kind=Link.PROBLEM, to="PRB-1"),
    "unlink": lambda n: Unlink(target=n, kind=Link.CHANGE, to="CHG-1"),
    "follow-up": lambda n: FollowUp(target=n, reason="It is back."),
    "functional": lambda n: Functional(target=n),
    "hierarchical": lambda n: Hierarchical(target=n),
    "rebase": lambda n: Rebase(target=n),
    "unack": lambda n: Unacknowledge(target=n),
}
# For each verb, where it leads from each state; NO where it is refused.
#             New  InPr Hold Reso Clos Canc
LEADS_TO = {
    "ack": (P, P, H, R, C, X),  # a late word is kept and changes nothing
    "take": (P, P, H, NO, NO, NO),
    "note": (N, P, H, R, C, X),
    "hold": (H, H, H, NO, NO, NO),
    "resume": (NO, NO, P, NO, NO, NO),
    "resolve": (R, R, R, NO, NO, NO),
    "reopen": (NO, NO, NO, P, NO, NO),
    "close": (NO, NO, NO, C, NO, NO),
    "cancel": (X, X, X, NO, NO, NO),
    "silence": (N, P, H, NO, NO, NO),
    "unsilence": (NO, NO, NO, NO, NO, NO),  # none of these is silenced
    "restrict": (N, P, H, R, C, X),
    "unrestrict": (NO, NO, NO, NO, NO, NO),  # none of these is restricted
    "redact": (N, P, H, R, C, X),
    "legal-hold": (N, P, H, R, C, X),
    "pass": (N, P, H, NO, NO, NO),  # being passed on is no transition
    "watch": (N, P, H, R, C, X),
    "unwatch": (NO, NO, NO, NO, NO, NO),  # none of these is watched
    "caller": (N, P, H, R, C, X),  # this hold is a supplier's or a change's
    "tell": (N, P, H, R, C, X),
    "correct": (N, P, H, R, NO, NO),
    "link": (N, P, H, R, C, X),
    "unlink": (NO, NO, NO, NO, NO, NO),  # none of these is linked
    "follow-up": (NO, NO, NO, NO, C, X),  # the old one stays as it is
    "functional": (NO, NO, NO, NO, NO, NO),  # no policy is for these: see test_escalation.py
    "hierarchical": (NO, NO, NO, NO, NO, NO),
    "rebase": (NO, NO, NO, NO, NO, NO),
    "unack": (NO, NO, NO, NO, NO, NO),
}
TABLE = [
    (verb, before, after)
    for verb, row in LEADS_TO.items()
    for before, after in zip((N, P, H, R, C, X), row, strict=True)
]


@pytest.mark.parametrize("verb", LEADS_TO)
def test_each_verb_leads_where_the_table_says_or_is_refused_and_writes_nothing(
    desk: ServiceDesk, verb: str
) -> None:
    for _, before, after in (entry for entry in TABLE if entry[0] == verb):
        number = incident_in(desk, before)
        command = VERB_ON[verb](number)
        if after is not NO:
            told = desk.do(ADA, command).incident
            assert told is not None
            assert told == look(desk, told.number)
            assert look(desk, number).state is after, (verb, before)
            continue
        was = everything(desk.store)
        with pytest.raises(Refused) as refused:
            desk.do(ADA, command)
        assert number in refused.value.sentence
        assert refused.value.sentence.endswith(".")
        assert everything(desk.store) == was, (verb, before)


WITH_SUPPLIERS = {"fetch", "engage", "reply", "withdraw", "accept", "dispute", "reprioritise", "relink"} | {
    "settle",
    "send",
    "evidence",
    "forward",
    "call",
    "leave",
}
"""What they lead to hangs on the bond: see test_bond_verbs.py."""


def test_the_table_knows_every_verb_on_an_incident() -> None:
    on_incident = {name for name, verb in VERBS.items() if verb.on_incident}
    assert on_incident == set(LEADS_TO) | WITH_SUPPLIERS


@pytest.mark.parametrize(
    ("impact", "urgencies"),
    [(Impact.HIGH, (1, 2, 3)), (Impact.MEDIUM, (2, 3, 4)), (Impact.LOW, (3, 4, 5))],
)
def test_priority_is_read_from_impact_and_urgency(impact: Impact, urgencies: tuple[int, ...]) -> None:
    assert tuple(priority_of(impact, urgency) for urgency in Urgency) == tuple(map(Priority, urgencies))


def test_the_priority_decides_when_it_is_due(desk: ServiceDesk) -> None:
    soon = look(desk, log(desk, impact=Impact.HIGH, urgency=Urgency.HIGH))
    never = look(desk, log(desk, impact=Impact.LOW, urgency=Urgency.LOW))
    due = due_of(soon, desk.policy.timeline).at
    assert due == seconds_of(soon.opened_at) + 4 * 3600
    assert due_of(never, desk.policy.timeline) == NOTHING


def test_what_was_logged_is_there(desk: ServiceDesk) -> None:
    receipt = desk.do(
        ANA,
        Log(
            title="  Mail \t bounces ",
            service="mail",
            category="messaging",
            caller="Front desk",
            restricted=True,
        ),
    )
    incident = receipt.incident
    assert incident is not None
    assert (receipt.number, receipt.replayed) == ("INC-1", False)
    assert (incident.title, incident.service, incident.state) == ("Mail bounces", "mail", State.NEW)
    assert incident.visibility.value == "restricted"
    people = desk.store.people()
    assert (people[incident.caller or ""], people[incident.reporter]) == ("Front desk", "ana")


def test_acknowledging_takes_it_in_hand_and_keeps_who_was_first_and_when(desk: ServiceDesk) -> None:
    number = log(desk)
    desk.do(ANA, Acknowledge(target=number))
    first = look(desk, number)
    assert first.acknowledged_at is not None
    with pytest.raises(Refused, match="acknowledged by you already"):
        desk.do(ANA, Acknowledge(target=number))
    desk.do(BEN, Acknowledge(target=number))
    now = look(desk, number)
    assert (now.acknowledged_at, now.acknowledged_by) == (first.acknowledged_at, desk.store.person_id("ana"))
    assert now.owner is None


def test_edge_13_resolving_wins_a_race_against_an_ack_and_the_late_word_is_kept(
    desk: ServiceDesk,
) -> None:
    number = incident_in(desk, State.RESOLVED)
    desk.do(BEN, Acknowledge(target=number))
    assert look(desk, number).acknowledged_by is None
    assert story(desk, number)[-1] == "acknowledged"


def test_taking_it_acknowledges_it_and_taking_it_over_counts(desk: ServiceDesk) -> None:
    number = log(desk)
    desk.do(ANA, Take(target=number))
    assert look(desk, number).acknowledged_by == look(desk, number).owner == desk.store.person_id("ana")
    with pytest.raises(Refused, match="yours already"):
        desk.do(ANA, Take(target=number))
    desk.do(BEN, Take(target=number))
    assert (look(desk, number).owner, look(desk, number).reassigned) == (desk.store.person_id("ben"), 1)


@pytest.mark.parametrize("reason", list(HoldReason))
def test_a_hold_says_what_it_waits_on_or_when_to_look_again(desk: ServiceDesk, reason: HoldReason) -> None:
    number = log(desk)
    with pytest.raises(Refused) as refused:
        desk.do(ANA, PutOnHold(target=number, reason=reason, note="We asked."))
    assert refused.value.ask == "on"
    on = "acme" if reason is HoldReason.VENDOR else "CHG-7"
    if reason is HoldReason.VENDOR:
        with pytest.raises(Refused, match="acme is not engaged"):
            desk.do(ANA, PutOnHold(target=number, reason=reason, on=on))
        desk.do(BEN, Engage(target=number, vendor=on, message="Help."))
    desk.do(ANA, PutOnHold(target=number, reason=reason, on=on, note="We asked."))
    hold = look(desk, number).hold
    assert hold is not None
    assert (hold.reason, hold.on, hold.until) == (reason, on, None)


def test_a_hold_until_a_date_is_kept_in_utc(desk: ServiceDesk) -> None:
    number = log(desk)
    until = datetime(2026, 3, 9, 8, 0, tzinfo=timezone(timedelta(hours=1)))
    desk.do(ANA, PutOnHold(target=number, reason=HoldReason.PROBLEM, until=until))
    hold = look(desk, number).hold
    assert hold is not None
    assert hold.until == datetime(2026, 3, 9, 7, 0, tzinfo=UTC)
    assert hold.until.utcoffset() == timedelta(0)


def test_a_hold_until_yesterday_is_refused_and_one_without_a_zone_is_no_input(desk: ServiceDesk) -> None:
    number = log(desk)
    with pytest.raises(Refused, match="has passed") as refused:
        desk.do(ANA, PutOnHold(target=number, reason="change", until=datetime(2026, 1, 1, tzinfo=UTC)))
    assert refused.value.ask == "until"
    with pytest.raises(ValidationError):
        PutOnHold(target=number, reason="change", until=datetime(2027, 1, 1))  # noqa: DTZ001


def test_waiting_for_the_caller_needs_a_word_to_the_caller(desk: ServiceDesk) -> None:
    number = log(desk)
    with pytest.raises(Refused) as refused:
        desk.do(ANA, PutOnHold(target=number, reason=HoldReason.CALLER, on="Front desk"))
    assert refused.value.ask == "note"
    desk.do(ANA, PutOnHold(target=number, reason=HoldReason.CALLER, on="Front desk", note="Which PC?"))
    assert look(desk, number).state is State.ON_HOLD


def test_a_hold_for_an_engaged_supplier_names_it_by_itself(desk: ServiceDesk) -> None:
    number = log(desk)
    desk.do(BEN, Engage(target=number, vendor="acme", message="Down."))
    desk.do(ANA, PutOnHold(target=number, reason=HoldReason.VENDOR))
    hold = look(desk, number).hold
    assert hold is not None
    assert hold.on == "acme"


def test_a_second_hold_changes_the_reason_and_resuming_clears_it(desk: ServiceDesk) -> None:
    number = incident_in(desk, State.ON_HOLD)
    desk.do(ANA, PutOnHold(target=number, reason=HoldReason.PROBLEM, on="PRB-1"))
    hold = look(desk, number).hold
    assert hold is not None
    assert hold.reason is HoldReason.PROBLEM
    desk.do(ANA, Resume(target=number))
    assert look(desk, number).hold is None


@pytest.mark.parametrize("end", [fixed, lambda n: Cancel(target=n, reason="none")])
def test_what_ends_clears_the_hold(desk: ServiceDesk, end: Any) -> None:
    number = incident_in(desk, State.ON_HOLD)
    desk.do(ANA, end(number))
    assert look(desk, number).hold is None


def test_a_reopened_incident_is_as_if_never_resolved_but_says_so(desk: ServiceDesk) -> None:
    number = incident_in(desk, State.RESOLVED)
    assert look(desk, number).resolution is ResolutionCode.FIXED
    desk.do(ANA, Reopen(target=number, reason="It is back."))
    again = look(desk, number)
    assert (again.resolution, again.resolved_at, again.reopened) == (None, None, 1)


def test_a_closed_incident_points_to_a_new_one(desk: ServiceDesk) -> None:
    number = incident_in(desk, State.CLOSED)
    with pytest.raises(Refused, match="muster follow-up"):
        desk.do(ANA, Reopen(target=number, reason="It is back."))


def test_notes_carry_a_label_and_stay_here_unless_told_otherwise(desk: ServiceDesk) -> None:
    number = log(desk)
    desk.do(ANA, Note(target=number, text="Password is in the safe."))
    desk.do(ANA, Note(target=number, text="Works again.", label=Label.SHAREABLE))
    labels = [e.event.label for e in desk.store.timeline(number) if e.kind == "note"]  # type: ignore[union-attr]
    assert labels == [Label.INTERNAL, Label.SHAREABLE]


@pytest.mark.parametrize("verb", LEADS_TO)
def test_an_unknown_number_is_not_found(desk: ServiceDesk, verb: str) -> None:
    was = everything(desk.store)
    with pytest.raises(NotFound, match="no INC-77"):
        desk.do(ADA, VERB_ON[verb]("INC-77"))
    assert everything(desk.store) == was


@pytest.mark.parametrize("target", ["", "7", "INC-0", "INC-07", "inc-7", "INC-7\n", "INC-1234567890"])
def test_what_is_no_number_is_bad_input(target: str) -> None:
    with pytest.raises(ValidationError):
        Take(target=target)


@pytest.mark.parametrize("title", ["", "   ", "\x00\x1b\u202e", "x" * 201, "x" * 2_000_000])
def test_a_title_is_one_to_two_hundred_characters(title: str) -> None:
    with pytest.raises(ValidationError):
        Log(title=title)


def test_two_hundred_characters_of_any_script_are_a_title(desk: ServiceDesk) -> None:
    number = log(desk, "電" * 200)
    assert look(desk, number).title == "電" * 200


def test_a_note_may_be_long_but_not_endless() -> None:
    Note(target="INC-1", text="x" * 65_536)
    with pytest.raises(ValidationError, match="attach longer text as a file"):
        Note(target="INC-1", text="x" * 65_537)


def test_an_unknown_field_is_bad_input() -> None:
    with pytest.raises(ValidationError):
        Log(title="x", severity=1)  # type: ignore[call-arg]


# Who may


HUMAN: list[tuple[Command, Role]] = [
    (Functional(target="INC-1"), Role.RESPONDER),
    (Hierarchical(target="INC-1"), Role.RESPONDER),
    (Rebase(target="INC-1"), Role.COORDINATOR),
    (Unacknowledge(target="INC-1"), Role.RESPONDER),
    (Log(title="x"), Role.RESPONDER),
    (TakeAlert(service="web", key="disk"), Role.RESPONDER),
    (Acknowledge(target="INC-1"), Role.RESPONDER),
    (Take(target="INC-1"), Role.RESPONDER),
    (Note(target="INC-1", text="x"), Role.RESPONDER),
    (Restrict(target="INC-1"), Role.RESPONDER),
    (Unrestrict(target="INC-1"), Role.RESPONDER),
    (PutOnHold(target="INC-1", reason=HoldReason.CHANGE, on="CHG-1"), Role.RESPONDER),
    (Resume(target="INC-1"), Role.RESPONDER),
    (fixed("INC-1"), Role.RESPONDER),
    (Reopen(target="INC-1", reason="x"), Role.RESPONDER),
    (Close(target="INC-1"), Role.RESPONDER),
    (Cancel(target="INC-1", reason="x"), Role.RESPONDER),
    (Engage(target="INC-1", vendor="acme", message="x"), Role.COORDINATOR),
    (Reply(target="INC-1", message="x"), Role.COORDINATOR),
    (Withdraw(target="INC-1", reason="x"), Role.COORDINATOR),
    (Accept(target="INC-1"), Role.COORDINATOR),
    (Dispute(target="INC-1", message="x"), Role.COORDINATOR),
    (Reprioritise(target="INC-1"), Role.COORDINATOR),
    (Relink(target="INC-1", ticket="7"), Role.COORDINATOR),
    (SendFile(target="INC-1", file="x"), Role.COORDINATOR),
    (TellPlace(target="INC-1", name="x", place="y"), Role.COORDINATOR),
    (Forward(target="INC-1", vendor="acme"), Role.COORDINATOR),
    (Redact(target="INC-1", reason="x"), Role.COORDINATOR),
    (LegalHold(target="INC-1", reason="x"), Role.ADMIN),
    (RetrySending(row_id="r"), Role.COORDINATOR),
    (DropSending(row_id="r"), Role.COORDINATOR),
    (AdoptTicket(row_id="r", ticket="1"), Role.COORDINATOR),
    (PassOn(target="INC-1", to="carl"), Role.RESPONDER),
    (Watch(target="INC-1"), Role.RESPONDER),
    (Unwatch(target="INC-1"), Role.RESPONDER),
    (HearCaller(target="INC-1", text="x"), Role.RESPONDER),
    (TellCaller(target="INC-1", text="x"), Role.RESPONDER),
    (Correct(target="INC-1", reason="x", title="y"), Role.RESPONDER),
    (LinkTo(target="INC-1", kind=Link.PROBLEM, to="PRB-1"), Role.RESPONDER),
    (Unlink(target="INC-1", kind=Link.PROBLEM, to="PRB-1"), Role.RESPONDER),
    (FollowUp(target="INC-1", reason="x"), Role.RESPONDER),
    (Done(record="CHG-1"), Role.RESPONDER),
    (LogCall(target="INC-1", whom="Lena"), Role.RESPONDER),
    (HandOver(row_id="01ARZ3NDEKTSV4RRFFQ69G5FAV"), Role.COORDINATOR),
    (FetchFile(target="INC-1", file="x"), Role.RESPONDER),
    (Reread(vendor="acme", change="c1"), Role.COORDINATOR),
    (NoteAside(vendor="acme", change="c1"), Role.COORDINATOR),
    (DiscardAside(vendor="acme", change="c1"), Role.COORDINATOR),
    (LeaveIt(target="INC-1", what=Asks.PRIORITY), Role.COORDINATOR),
    (SettleDifference(target="INC-1", keep=Keep.OURS), Role.COORDINATOR),
    (Silence(target="INC-1", for_="1h", why="x"), Role.RESPONDER),
    (Unsilence(target="INC-1"), Role.RESPONDER),
    (StartMaintenance(services=("Payments",), for_="1h", why="x"), Role.COORDINATOR),
    (EndMaintenance(id="M-1"), Role.COORDINATOR),
    (ExtendMaintenance(id="M-1", for_="1h"), Role.COORDINATOR),
    (MakeOverride(rota="ops", why="x", add="me", until=datetime.max.replace(tzinfo=UTC)), Role.RESPONDER),
    (EndArranged(id="O-1"), Role.RESPONDER),
    (AskSwap(rota="ops", person="ben"), Role.RESPONDER),
    (AcceptSwap(id="S-1"), Role.RESPONDER),
    (DeclineSwap(id="S-1"), Role.RESPONDER),
    (ScheduleFor(rota="ops", why="x", until=datetime.max.replace(tzinfo=UTC)), Role.COORDINATOR),
    (HoldBack(vendor="acme", reason="x"), Role.COORDINATOR),
    (LetGoOn(vendor="acme", reason="x"), Role.COORDINATOR),
    (OfferHandover(to="ben"), Role.RESPONDER),
    (AcceptHandover(), Role.RESPONDER),
    (DeclineHandover(reason="x"), Role.RESPONDER),
    (WithdrawHandover(), Role.RESPONDER),
]


def test_every_verb_has_a_help_line_a_role_and_a_rule() -> None:
    assert {type(command).verb for command, _ in HUMAN} == set(VERBS)
    keys = [verb.hotkey for verb in VERBS.values() if verb.hotkey]
    assert len(keys) == len(set(keys))
    for command, role in HUMAN:
        assert type(command).help().endswith((".", "others.")), command
        assert type(command).role is role
        assert decide_rule.dispatch(type(command)) is not decide_rule.dispatch(object), command


@pytest.mark.parametrize(("command", "role"), HUMAN, ids=lambda v: getattr(v, "verb", ""))
def test_a_lower_role_is_refused_and_writes_nothing(desk: ServiceDesk, command: Command, role: Role) -> None:
    log(desk)
    was = everything(desk.store)
    for low in (r for r in Role if r < role):
        with pytest.raises(Refused, match=f"takes the role {role.word}; you are {low.word}"):
            desk.do(Principal("somebody", low, "cli"), command)
    assert everything(desk.store) == was


def test_what_the_engine_tells_nobody_else_may_tell(desk: ServiceDesk) -> None:
    for principal in (VIC, ANA, BEN, ADA):
        with pytest.raises(Refused, match="takes the role engine"):
            desk.do(principal, ConfirmSending(row_id="r"))
    with pytest.raises(NotFound):
        desk.do(ENGINE, ConfirmSending(row_id="r"))


def test_one_who_may_not_in_a_bulk_stops_all_of_it(desk: ServiceDesk) -> None:
    was = everything(desk.store)
    with pytest.raises(Refused):
        desk.do_all([(ANA, Log(title="one")), (VIC, Log(title="two"))])
    assert everything(desk.store) == was


def test_a_rule_looks_at_the_world_and_nothing_else(desk: ServiceDesk) -> None:
    """Deciding twice on the same world gives the same events."""
    number = log(desk)
    world = World(now=datetime(2026, 3, 2, tzinfo=UTC), actor="p1", policy=desk.policy, next_number="INC-2")
    command = Resolve(target=number, code=ResolutionCode.FIXED, notes="Done.")
    incident = look(desk, number)
    assert decide_rule(command, incident, world) == decide_rule(command, incident, world)
