"""An incident's life: who owns it, what it hangs together with, what wakes it, how it ends and comes back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from register.core import Policy, Principal, Refused, Role, VendorFacts
from register.desk import ServiceDesk
from register.incident import Ball, HoldReason, ResolutionCode, State, priority_of
from register.matrix_toml import SAMPLE, read_matrix
from register.row import number_of
from register.store import Store, open_store
from register.topics.caller import HearCaller, TellCaller
from register.topics.correction import Correct
from register.topics.ending import WithTheirs
from register.topics.engagement import Engage
from register.topics.follow_up import FollowUp
from register.topics.hearing import Hear
from register.topics.hold import PutOnHold, Resume
from register.topics.links import Link, LinkTo, Unlink
from register.topics.ownership import Acknowledge, PassOn, Take
from register.topics.privacy import Redact
from register.topics.resolution import Cancel, Close, Reopen, Resolve
from register.topics.waking import Done, WakeUp
from register.topics.watching import Unwatch, Watch
from register.verify import verify
from register.watch import WATCH, falls_due_soon, tick
from tests.register.saying import (
    ACME_2,
    ADA,
    ANA,
    BEN,
    ENGINE,
    arrived,
    ask,
    claim,
    everything,
    fixed,
    heard,
    log,
    look,
    story,
    ticket_of,
)

P, H, R, C, X = State.IN_PROGRESS, State.ON_HOLD, State.RESOLVED, State.CLOSED, State.CANCELED
CARL = Principal("carl", Role.RESPONDER, "cli")


@pytest.fixture
def sample(store: Store, clock: Any) -> ServiceDesk:
    """A desk that decides by the sample matrix."""
    return ServiceDesk(store, Policy(matrix=read_matrix(SAMPLE.read_text())), clock)


def person(desk: ServiceDesk, login: str) -> str | None:
    return desk.store.person_id(login)


# Whose it is


@pytest.mark.parametrize(
    ("service", "category", "team"),
    [
        ("Webshop", "application", "app-ops"),
        ("webshop", "APPLICATION", "app-ops"),
        ("Network", "application", "net-ops"),  # by the rule that names the service
        ("Accounts", "access", "service-desk"),  # the fallback's
        (None, None, "service-desk"),
    ],
)
def test_category_and_service_make_the_owning_team(
    sample: ServiceDesk, service: str | None, category: str | None, team: str
) -> None:
    incident = look(sample, log(sample, service=service, category=category))
    assert incident.team == team
    assert incident.service in ("", "Webshop", "Network", "Accounts")  # as the matrix spells it


def test_an_unknown_service_is_refused_with_the_nearest_one(sample: ServiceDesk) -> None:
    with pytest.raises(Refused, match="did you mean Webshop") as refused:
        log(sample, service="Webshopp")
    assert refused.value.ask == "service"
    with pytest.raises(Refused, match="There is no category"):
        log(sample, category="unheard of")


def test_passing_on_is_no_transition_and_counts(sample: ServiceDesk) -> None:
    number = log(sample, service="Webshop", category="application")
    sample.do(ANA, Take(target=number))
    receipt = sample.do(ANA, PassOn(target=number, team="Network operations", note="It is the switch."))
    incident = receipt.incident
    assert incident is not None
    assert (incident.team, incident.owner, incident.state) == ("net-ops", None, P)
    assert (incident.reassigned, incident.acknowledged_by) == (1, person(sample, "ana"))
    after = sample.do(BEN, PassOn(target=number, to="cat.demo")).incident
    assert after is not None
    assert (after.owner, after.team, after.reassigned) == (person(sample, "cat.demo"), "net-ops", 2)


def test_passing_on_to_nobody_or_to_who_has_it_is_refused(sample: ServiceDesk) -> None:
    number = log(sample)
    with pytest.raises(Refused, match="Nobody was named"):
        sample.do(ANA, PassOn(target=number))
    with pytest.raises(Refused, match="theirs already"):
        sample.do(ANA, PassOn(target=number, team="service-desk"))
    with pytest.raises(Refused, match="did you mean net-ops"):
        sample.do(ANA, PassOn(target=number, team="net-op"))


def test_watchers_come_and_go_and_see_what_is_restricted(desk: ServiceDesk) -> None:
    number = log(desk, restricted=True)
    desk.do(ANA, Watch(target=number, who="carl"))
    assert look(desk, number).watchers == (person(desk, "carl"),)
    assert desk.store.rows(CARL)[1][0]["title"] == "Checkout answers 500"
    desk.do(CARL, Unwatch(target=number))
    assert desk.store.rows(CARL)[1][0]["title"] == ""


# Put right


def test_a_correction_is_an_event_with_what_was_there_before(sample: ServiceDesk) -> None:
    number = log(sample, service="Webshop", category="application")
    sample.do(
        ANA, Correct(target=number, reason="It is the line.", service="network", urgency="high", caller="eva")
    )
    incident = look(sample, number)
    event = next(one.event for one in sample.store.timeline(number) if one.kind == "corrected")
    assert (incident.service, incident.team) == ("Network", "net-ops")  # the owner follows
    assert incident.priority == priority_of(incident.impact, incident.urgency) == 2
    assert event is not None
    told = event.model_dump()
    assert (told["before"]["service"], told["after"]["service"]) == ("Webshop", "Network")
    assert (told["before"]["team"], told["after"]["team"]) == ("app-ops", "net-ops")
    assert told["after"]["title"] is None
    assert told["after"]["caller"] == person(sample, "eva")  # an id, never a name
    lived = ["created", "escalation_started", "corrected", "escalation_started"]  # the other team's policy
    assert story(sample, number) == lived


def test_a_team_that_a_person_chose_stays(sample: ServiceDesk) -> None:
    number = log(sample, service="Webshop", category="application")
    sample.do(ANA, PassOn(target=number, team="workplace"))
    sample.do(ANA, Correct(target=number, reason="Misheard.", service="Network"))
    assert look(sample, number).team == "workplace"


def test_a_correction_of_nothing_is_refused(desk: ServiceDesk) -> None:
    number = log(desk, "Printer")
    for nothing in ({}, {"title": "Printer"}):
        with pytest.raises(Refused, match="Nothing was changed"):
            desk.do(ANA, Correct(target=number, reason="x", **nothing))


# Parents and children


def family(desk: ServiceDesk, *states: State) -> tuple[str, list[str]]:
    """A new parent and its children, each brought into a state after it was linked."""
    parent = log(desk, "the parent")
    children = []
    for state in states:
        child = log(desk, "a child")
        desk.do(ANA, LinkTo(target=child, kind=Link.PARENT, to=str(number_of(parent))))
        if state is P:
            desk.do(ANA, Take(target=child))
        children.append(child)
    return parent, children


def states(desk: ServiceDesk, numbers: list[str]) -> list[State]:
    return [look(desk, number).state for number in numbers]


def awaiting_caller(desk: ServiceDesk, number: str) -> None:
    desk.do(ANA, PutOnHold(target=number, reason=HoldReason.CALLER, on="eva", note="Asked which one."))


def test_the_link_is_told_on_both_sides(desk: ServiceDesk) -> None:
    parent, (child,) = family(desk, State.NEW)
    assert (look(desk, child).parent, look(desk, parent).children) == (parent, (child,))
    (row,) = ask(desk.store, "SELECT parent FROM incident WHERE n = 2")
    assert row.parent == 1
    desk.do(ANA, Unlink(target=child, kind=Link.PARENT, to=parent))
    assert (look(desk, child).parent, look(desk, parent).children) == (None, ())


@pytest.mark.parametrize("begin", [Acknowledge, Take])
def test_a_parent_in_progress_takes_its_children_along(desk: ServiceDesk, begin: Any) -> None:
    parent, children = family(desk, State.NEW, State.NEW)
    awaiting_caller(desk, children[1])
    desk.do(BEN, begin(target=parent))
    assert states(desk, children) == [P, H]  # one waits for its own caller


@pytest.mark.parametrize("reason", [HoldReason.VENDOR, HoldReason.CHANGE, HoldReason.PROBLEM])
def test_a_parent_on_hold_puts_its_children_on_hold_for_the_same(
    desk: ServiceDesk, reason: HoldReason
) -> None:
    parent, children = family(desk, State.NEW, P, P)
    awaiting_caller(desk, children[2])
    if reason is HoldReason.VENDOR:
        desk.do(BEN, Engage(target=parent, vendor="acme", message="Help."))
    desk.do(BEN, PutOnHold(target=parent, reason=reason, on="acme"))
    assert states(desk, children) == [H, H, H]
    assert [look(desk, n).hold.reason for n in children] == [reason, reason, HoldReason.CALLER]  # type: ignore[union-attr]
    desk.do(BEN, Resume(target=parent))
    assert states(desk, children) == [P, P, H]


def test_a_parent_that_waits_for_the_caller_leaves_its_children_alone(desk: ServiceDesk) -> None:
    parent, children = family(desk, State.NEW, P)
    awaiting_caller(desk, parent)
    assert states(desk, children) == [State.NEW, P]


def test_edge_41_a_resolved_parent_resolves_also_the_child_that_awaits_its_caller(desk: ServiceDesk) -> None:
    parent, children = family(desk, State.NEW, P, P)
    awaiting_caller(desk, children[2])
    desk.do(BEN, Resolve(target=parent, code=ResolutionCode.WORKAROUND, notes="Restarted the pool."))
    assert states(desk, children) == [R, R, R]
    (last,) = [e for e in desk.store.timeline(children[2]) if e.kind == "resolved"]
    assert last.event is not None
    assert last.event.model_dump()["notes"] == "Restarted the pool."
    desk.do(BEN, Close(target=parent))
    assert states(desk, children) == [R, R, R]  # never closed with it


def test_a_canceled_parent_changes_no_child(desk: ServiceDesk) -> None:
    parent, children = family(desk, State.NEW, P)
    desk.do(BEN, Cancel(target=parent, reason="A test."))
    assert states(desk, children) == [State.NEW, P]


def test_our_reopening_reopens_what_was_resolved_with_it_and_a_callers_does_not(desk: ServiceDesk) -> None:
    parent, children = family(desk, P, P)
    desk.do(ANA, Correct(target=parent, reason="Who called.", caller="eva"))
    desk.do(ANA, fixed(children[0]))  # by itself, before its parent
    desk.do(ANA, fixed(parent))
    desk.do(Principal("eva", Role.RESPONDER, "cli"), Reopen(target=parent, reason="Still broken for me."))
    assert states(desk, [parent, *children]) == [P, R, R]
    desk.do(ANA, fixed(parent))
    desk.do(BEN, Reopen(target=parent, reason="It is back."))
    assert states(desk, [parent, *children]) == [P, R, P]
    again = look(desk, children[1])
    assert (again.reopened, again.last_reopened_by) == (1, person(desk, "ben"))


def test_a_reopened_parent_leaves_a_child_that_was_closed_since_closed(desk: ServiceDesk) -> None:
    parent, children = family(desk, P, P)
    desk.do(ANA, fixed(parent))
    desk.do(ANA, Close(target=children[0]))
    desk.do(BEN, Reopen(target=parent, reason="It is back."))
    assert states(desk, [parent, *children]) == [P, State.CLOSED, P]
    assert "reopened" not in story(desk, children[0])


def test_parents_and_children_are_one_generation_deep(desk: ServiceDesk) -> None:
    parent, (child,) = family(desk, State.NEW)
    third = log(desk)
    for target, to, why in (
        (parent, third, "has children of its own"),
        (third, child, "is a child itself"),
        (child, third, "has a parent already"),
        (third, third, "to itself"),
    ):
        before = everything(desk.store)
        with pytest.raises(Refused, match=why):
            desk.do(ANA, LinkTo(target=target, kind=Link.PARENT, to=to))
        assert everything(desk.store) == before
    with pytest.raises(Refused, match="INC-99"):
        desk.do(ANA, LinkTo(target=third, kind=Link.RELATED, to="99"))
    with pytest.raises(ValidationError, match="no number of an incident"):
        desk.do(ANA, LinkTo(target=third, kind=Link.RELATED, to="PRB-1"))


def test_all_that_a_parent_does_to_its_children_is_one_transaction(desk: ServiceDesk) -> None:
    parent, children = family(desk, P, P)
    command = fixed(parent)
    first = desk.do(BEN, command)
    assert {event.stream for event in first.events} == {parent, *children}
    again = desk.do(BEN, command)
    assert again.replayed
    assert again.number == parent
    assert verify(desk.store).faults == []


# Duplicates, and records elsewhere


def test_a_duplicate_says_of_which_incident(desk: ServiceDesk) -> None:
    original, copy = log(desk), log(desk)
    with pytest.raises(Refused, match="A duplicate of which incident") as refused:
        desk.do(ANA, Resolve(target=copy, code=ResolutionCode.DUPLICATE, notes="The same."))
    assert refused.value.ask == "duplicate_of"
    desk.do(ANA, Cancel(target=copy, reason="The same as another.", duplicate_of="1"))
    assert (look(desk, copy).state, look(desk, copy).duplicate_of) == (X, original)
    assert story(desk, original)[-1] == "linked"
    third = log(desk)
    with pytest.raises(Refused, match=f"is a duplicate itself: link {third} to {original}"):
        desk.do(ANA, LinkTo(target=third, kind=Link.DUPLICATE, to=copy))


def test_problems_and_changes_are_numbers_elsewhere(desk: ServiceDesk) -> None:
    number = log(desk)
    desk.do(ANA, LinkTo(target=number, kind=Link.PROBLEM, to="PRB-1"))
    desk.do(ANA, LinkTo(target=number, kind=Link.CHANGE, to="17"))
    assert (look(desk, number).problems, look(desk, number).changes) == (("PRB-1",), ("17",))
    desk.do(ANA, Unlink(target=number, kind=Link.PROBLEM, to="PRB-1"))
    assert look(desk, number).problems == ()


@pytest.mark.parametrize("end", [Close, Cancel])
def test_edge_29_what_is_over_for_good_goes_on_in_a_new_incident(sample: ServiceDesk, end: Any) -> None:
    number = log(sample, service="Webshop", category="application", impact="high", restricted=True)
    if end is Close:
        sample.do(ANA, fixed(number))
        sample.do(ANA, Close(target=number))
    else:
        sample.do(ANA, Cancel(target=number, reason="a test"))
    receipt = sample.do(ANA, FollowUp(target=number, reason="It is back.", urgency="high"))
    new = receipt.incident
    assert new is not None
    assert receipt.number == new.number != number
    old = look(sample, number)
    assert (new.follows, new.state, new.title, new.service, new.team) == (
        number,
        State.NEW,
        old.title,
        "Webshop",
        "app-ops",
    )
    assert int(new.priority) == 1
    assert new.opened_at > old.opened_at  # its clocks begin anew
    assert new.visibility is old.visibility
    assert story(sample, number)[-1] == "linked"
    with pytest.raises(Refused, match="muster follow-up"):
        sample.do(ANA, Reopen(target=number, reason="x"))
    with pytest.raises(Refused, match="work on it"):
        sample.do(ANA, FollowUp(target=new.number, reason="x"))


# What wakes a hold


def test_the_callers_answer_wakes_what_waits_for_it(desk: ServiceDesk) -> None:
    number = log(desk)
    awaiting_caller(desk, number)
    assert look(desk, number).word == "us"
    desk.do(BEN, HearCaller(target=number, text="The left one."))
    incident = look(desk, number)
    assert (incident.state, incident.hold, incident.word) == (P, None, "caller")
    desk.do(BEN, TellCaller(target=number, text="Thank you."))
    assert look(desk, number).word == "us"


def test_the_callers_word_on_what_is_over_is_kept_and_told(desk: ServiceDesk) -> None:
    number = log(desk)
    desk.do(ANA, fixed(number))
    receipt = desk.do(ANA, HearCaller(target=number, text="No."))
    assert look(desk, number).state is R
    assert f"muster reopen {number}" in receipt.remarks[0]


def waits_for_acme(desk: ServiceDesk, clock: Any) -> tuple[str, str]:
    number, bond = ticket_of(desk, clock)
    desk.do(BEN, PutOnHold(target=number, reason=HoldReason.VENDOR))
    return number, bond


@pytest.mark.parametrize(
    ("item", "goes_on"),
    [
        ({"kind": "comment"}, True),
        ({"kind": "comment", "by_our_account": True}, False),  # perhaps our own words
        ({"kind": "comment", "quiet": True}, False),  # a machine's
        ({"kind": "state", "raw_state": "open", "ball": Ball.THEIRS}, False),  # they have begun: we wait on
        ({"kind": "state", "raw_state": "stalled", "ball": Ball.OURS}, True),
        ({"kind": "state", "raw_state": "resolved", "fixed": True, "ball": Ball.OURS}, True),
        ({"kind": "state", "raw_state": "odd"}, True),  # a word that is not mapped: somebody should read it
    ],
)
def test_a_supplier_wakes_what_waits_for_it_when_there_is_something_to_do(
    desk: ServiceDesk, clock: Any, item: dict[str, Any], goes_on: bool
) -> None:
    number, bond = waits_for_acme(desk, clock)
    desk.do(ENGINE, Hear(vendor="acme", items=(heard(number, bond, clock(), **item),)))
    assert look(desk, number).state is (P if goes_on else H)


@pytest.mark.parametrize("kind", ["comment", "file"])
@pytest.mark.parametrize("quiet", [True, False])
def test_what_no_person_wrote_answers_nothing(desk: ServiceDesk, clock: Any, kind: str, quiet: bool) -> None:
    """An acknowledgement, say: it makes it nobody's turn, and is no answer by which a promise was kept."""
    number, bond = ticket_of(desk, clock)
    desk.do(ENGINE, Hear(vendor="acme", items=(heard(number, bond, clock(), kind=kind, quiet=quiet),)))
    now = look(desk, number).bonds[0]
    assert (now.ball, now.said_at is None) == ((Ball.THEIRS, True) if quiet else (Ball.OURS, False))


def test_another_suppliers_word_wakes_nothing(desk: ServiceDesk, clock: Any) -> None:
    number, bond = ticket_of(desk, clock)
    desk.do(BEN, Engage(target=number, vendor="practice", message="Help."))
    desk.do(BEN, PutOnHold(target=number, reason=HoldReason.VENDOR, on="practice"))
    desk.do(ENGINE, Hear(vendor="acme", items=(heard(number, bond, clock()),)))
    assert look(desk, number).state is H


def test_a_change_that_is_done_wakes_all_that_wait_for_it(desk: ServiceDesk) -> None:
    numbers = [log(desk) for _ in range(4)]
    for number, record in zip(numbers, ("CHG-12", "chg-12", "CHG-1", None), strict=True):
        if record:
            desk.do(ANA, PutOnHold(target=number, reason=HoldReason.CHANGE, on=record))
    desk.do(BEN, Done(record="CHG-12"))
    assert states(desk, numbers) == [P, P, H, State.NEW]
    assert story(desk, "register") == ["record_done"]
    with pytest.raises(Refused, match="No incident waits for CHG-12"):
        desk.do(BEN, Done(record="CHG-12"))


def test_whatever_wakes_a_parent_its_children_go_on_with_it_and_once(desk: ServiceDesk, clock: Any) -> None:
    asked, (first,) = family(desk, State.NEW)
    awaiting_caller(desk, asked)
    desk.do(BEN, HearCaller(target=asked, text="The left one."))
    changed, (second, apart) = family(desk, State.NEW, State.NEW)
    desk.do(BEN, PutOnHold(target=changed, reason=HoldReason.CHANGE, on="CHG-12"))
    awaiting_caller(desk, apart)
    late = log(desk)  # linked while its parent waits, and so not on hold itself
    desk.do(BEN, LinkTo(target=late, kind=Link.PARENT, to=changed))
    desk.do(BEN, Done(record="CHG-12"))
    assert states(desk, [asked, first, changed, second, apart, late]) == [P, P, P, P, H, P]
    for number in (first, second, late):
        assert story(desk, number).count("resumed") == 1


def test_a_supplier_that_answers_parent_and_child_at_once_wakes_each_once(
    desk: ServiceDesk, clock: Any
) -> None:
    parent, bond = ticket_of(desk, clock)
    child = log(desk)
    desk.do(BEN, Engage(target=child, vendor="acme", message="Here, too."))
    (row,) = claim(desk.store, clock())
    arrived(desk, row.row_id, ACME_2)
    desk.do(BEN, LinkTo(target=child, kind=Link.PARENT, to=parent))
    desk.do(BEN, PutOnHold(target=parent, reason=HoldReason.VENDOR))
    items = (heard(parent, bond, clock()), heard(child, row.bond, clock(), change_id="c2"))
    desk.do(ENGINE, Hear(vendor="acme", items=items))
    assert states(desk, [parent, child]) == [P, P]
    assert [story(desk, number).count("resumed") for number in (parent, child)] == [1, 1]


def test_a_date_wakes_at_its_time_and_not_before(desk: ServiceDesk, clock: Any) -> None:
    number = log(desk)
    until = clock.now + timedelta(hours=2)
    desk.do(ANA, PutOnHold(target=number, reason=HoldReason.PROBLEM, on="PRB-1", until=until))
    assert tick(desk, clock.now) == 0
    assert falls_due_soon(desk.store, clock.now)
    assert desk.do(WATCH, WakeUp(target=number)).events == ()  # too early, whoever asks
    clock.passes(hours=2)
    assert tick(desk, clock.now) == 1
    assert look(desk, number).state is P
    (last,) = desk.store.timeline(number)[-1:]
    assert (last.kind, last.source) == ("resumed", "watch")  # a person never looks like the engine
    assert tick(desk, clock.now) == 0


def test_what_is_resolved_closes_by_itself_and_not_what_was_reopened(desk: ServiceDesk, clock: Any) -> None:
    numbers = [log(desk), log(desk)]
    for number in numbers:
        desk.do(ANA, fixed(number))
    after = desk.policy.matrix.auto_close_after
    assert look(desk, numbers[0]).closes_at == look(desk, numbers[0]).resolved_at + after  # type: ignore[operator]
    desk.do(ANA, Reopen(target=numbers[1], reason="No."))
    clock.passes(days=after.days, minutes=1)
    assert tick(desk, clock.now) == 1
    assert states(desk, numbers) == [C, P]
    closed = desk.store.timeline(numbers[0])[-1].event
    assert closed is not None
    assert closed.model_dump()["note"] == "Nobody reopened it."


def test_what_its_caller_denies_closes_by_itself_only_after_they_were_answered(
    desk: ServiceDesk, clock: Any
) -> None:
    number = log(desk)
    desk.do(ANA, fixed(number))
    after = desk.policy.matrix.auto_close_after
    heard = desk.do(ANA, HearCaller(target=number, text="Still broken."))
    assert "does not close by itself" in heard.remarks[0]
    clock.passes(days=after.days, minutes=1)
    assert tick(desk, clock.now) == 0
    desk.do(ANA, TellCaller(target=number, text="It needs a restart."))
    desk.do(ANA, TellCaller(target=number, text="As said."))  # this puts nothing off again
    clock.passes(days=after.days - 1)
    assert tick(desk, clock.now) == 0
    clock.passes(days=1, minutes=1)
    assert tick(desk, clock.now) == 1
    assert look(desk, number).state is C


def test_after_an_outage_each_incident_takes_one_step(desk: ServiceDesk, clock: Any) -> None:
    number = log(desk)
    desk.do(ANA, PutOnHold(target=number, reason=HoldReason.CHANGE, until=clock.now + timedelta(minutes=5)))
    clock.passes(days=30)
    assert tick(desk, clock.now) == 1
    assert tick(desk, clock.now) == 0
    assert story(desk, number) == ["created", "held", "resumed"]


def test_two_workers_that_tick_at_once_wake_it_once(desk: ServiceDesk, clock: Any) -> None:
    number = log(desk)
    desk.do(ANA, PutOnHold(target=number, reason=HoldReason.CHANGE, until=clock.now + timedelta(minutes=5)))
    clock.passes(minutes=6)
    other = ServiceDesk(open_store(desk.store.url), desk.policy, clock)
    assert len(desk.do(WATCH, WakeUp(target=number)).events) == 1
    assert other.do(WATCH, WakeUp(target=number)).events == ()  # it had seen it due; the other was first
    other.store.close()


def test_edge_24_a_second_hold_takes_the_first_ones_place(desk: ServiceDesk, clock: Any) -> None:
    number = log(desk)
    desk.do(ANA, PutOnHold(target=number, reason=HoldReason.CHANGE, until=clock.now + timedelta(minutes=5)))
    desk.do(ANA, PutOnHold(target=number, reason=HoldReason.PROBLEM, on="PRB-1"))
    clock.passes(minutes=6)
    assert tick(desk, clock.now) == 0  # the first one's alarm went with it
    assert look(desk, number).state is H


# First contact


def test_what_the_first_line_resolves_alone_is_first_contact(sample: ServiceDesk) -> None:
    first_line = Principal("ana.demo", Role.COORDINATOR, "cli")
    second_line = Principal("ben.demo", Role.COORDINATOR, "cli")
    for who, passed, expected in (
        (first_line, False, True),
        (second_line, False, False),
        (first_line, True, False),
    ):
        number = log(sample)
        if passed:
            sample.do(second_line, Take(target=number))
            sample.do(second_line, PassOn(target=number, to="ana.demo"))
        sample.do(who, fixed(number))
        assert look(sample, number).first_contact is expected
    number = log(sample)
    sample.do(first_line, fixed(number))
    sample.do(first_line, Reopen(target=number, reason="It is back."))
    sample.do(first_line, fixed(number))
    assert not look(sample, number).first_contact  # it had come back


def test_what_a_supplier_was_engaged_for_is_not_resolved_at_first_contact(store: Store, clock: Any) -> None:
    vendors = {"acme": VendorFacts("acme", "Acme (sample)", production=False)}
    desk = ServiceDesk(store, Policy(vendors=vendors, matrix=read_matrix(SAMPLE.read_text())), clock)
    first_line = Principal("ana.demo", Role.COORDINATOR, "cli")
    number = log(desk)
    desk.do(first_line, Engage(target=number, vendor="acme", message="please look"))
    desk.do(first_line, fixed(number).model_copy(update={"theirs": WithTheirs.LEAVE}))
    assert not look(desk, number).first_contact


def test_a_redaction_takes_the_words_of_a_life_and_leaves_its_facts(sample: ServiceDesk) -> None:
    parent, number = log(sample), log(sample, service="Webshop", category="application")
    for command in (
        LinkTo(target=number, kind=Link.PARENT, to=parent),
        LinkTo(target=number, kind=Link.PROBLEM, to="PRB-1"),
        PassOn(target=number, to="cat.demo", team="net-ops", note="It said hunter2."),
        PassOn(target=number, to="ben", note="hunter2 again"),
        Correct(target=number, reason="hunter2", title="hunter2", urgency="high"),
        PutOnHold(target=number, reason=HoldReason.CALLER, on="eva", note="What is hunter2?"),
        HearCaller(target=number, text="hunter2 is my password."),
        TellCaller(target=number, text="Do not say hunter2."),
        fixed(number),
        Reopen(target=number, reason="hunter2"),
    ):
        sample.do(BEN, command)
    before = look(sample, number)
    after = sample.do(ADA, Redact(target=number, reason="a password")).incident
    assert after is not None
    assert after.title != before.title
    assert after.but(title=before.title, updated_at=before.updated_at) == before
    assert verify(sample.store).faults == []
    assert not any("hunter2" in str(row) for row in everything(sample.store)["event"])


def test_no_state_is_a_breach() -> None:
    assert {state.value for state in State} == {
        "New",
        "In Progress",
        "On Hold",
        "Resolved",
        "Closed",
        "Canceled",
    }
