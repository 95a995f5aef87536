"""What is asked of a supplier and what becomes of it: engagements, the outbox, word of the courier."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from register.core import NotFound, Refused, Role
from register.desk import ServiceDesk
from register.incident import Ball, BondState, State, TicketRef
from register.store.vendors import health
from register.topics.delivery import (
    AdoptTicket,
    AskAboutSending,
    ConfirmSending,
    DoubtSending,
    DropSending,
    FailSending,
    PauseVendor,
    ResendSending,
    RetrySending,
)
from register.topics.engagement import Engage, Reply
from register.topics.pausing import HoldBack, LetGoOn, ResumeVendor
from register.topics.relinking import Relink
from register.verify import verify
from tests.register.saying import (
    ACME_1,
    ACME_2,
    BEN,
    ENGINE,
    arrived,
    claim,
    doubt,
    engaged,
    everything,
    failed,
    incident_in,
    log,
    look,
    reply,
    row_of,
    story,
    ticket_of,
)


def bond_of(desk: ServiceDesk, number: str) -> Any:
    (bond,) = look(desk, number).bonds
    return bond


def test_engaging_a_supplier_puts_one_sending_in_the_outbox_with_the_incident(desk: ServiceDesk) -> None:
    number, bond = engaged(desk)
    found = bond_of(desk, number)
    assert (found.id, found.vendor, found.state, found.ball, found.production) == (
        bond,
        "acme",
        BondState.ENGAGING,
        Ball.OURS,
        True,
    )
    row = row_of(desk.store, bond)
    assert (row["state"], row["kind"], row["op_id"], row["bond"], row["tries"]) == (
        "queued",
        "create",
        bond,
        bond,
        0,
    )
    assert orjson.loads(row["payload"]) == {
        "title": "Checkout answers 500",
        "body": "The database is down.",
        "priority": 3,
        "impact": "medium",
        "urgency": "medium",
    }


def test_an_unknown_supplier_is_refused_with_the_known_ones(desk: ServiceDesk) -> None:
    with pytest.raises(Refused, match="Known: acme, practice") as refused:
        desk.do(BEN, Engage(target=log(desk), vendor="nobody", message="x"))
    assert refused.value.ask == "vendor"


@pytest.mark.parametrize("state", [State.RESOLVED, State.CLOSED, State.CANCELED])
def test_nobody_is_engaged_for_what_is_over(desk: ServiceDesk, state: State) -> None:
    with pytest.raises(Refused):
        desk.do(BEN, Engage(target=incident_in(desk, state), vendor="acme", message="x"))


def test_a_second_ticket_at_one_supplier_is_made_only_on_purpose(desk: ServiceDesk) -> None:
    number, _ = engaged(desk)
    with pytest.raises(Refused, match="on its way") as refused:
        desk.do(BEN, Engage(target=number, vendor="acme", message="x"))
    assert refused.value.ask == "again"
    desk.do(BEN, Engage(target=number, vendor="practice", message="x"))
    desk.do(BEN, Engage(target=number, vendor="acme", message="x", again=True))
    assert [b.vendor for b in look(desk, number).live_bonds()] == ["acme", "practice", "acme"]


def test_after_an_engagement_was_dropped_the_supplier_can_be_engaged_again(desk: ServiceDesk) -> None:
    number, bond = engaged(desk)
    desk.do(BEN, DropSending(row_id=bond))
    desk.do(BEN, Engage(target=number, vendor="acme", message="x"))
    assert [b.state for b in look(desk, number).bonds] == [BondState.ENDED, BondState.ENGAGING]


def test_their_ticket_is_known_and_the_ball_is_theirs(desk: ServiceDesk, clock: Any) -> None:
    number, bond = ticket_of(desk, clock)
    found = bond_of(desk, number)
    assert (found.ref, found.state, found.ball) == (ACME_1, BondState.OPEN, Ball.THEIRS)
    assert row_of(desk.store, bond)["state"] == "done"
    assert story(desk, number) == ["created", "engaged", "ticket_made"]


def test_a_reply_goes_on_the_ticket_and_says_which_when_there_are_several(
    desk: ServiceDesk, clock: Any
) -> None:
    number, bond = ticket_of(desk, clock)
    row_id = reply(desk, number)
    assert (row_of(desk.store, row_id)["kind"], row_of(desk.store, row_id)["bond"]) == ("comment", bond)
    desk.do(BEN, Engage(target=number, vendor="practice", message="x"))
    with pytest.raises(Refused, match=r"say which \(acme, practice\)"):
        desk.do(BEN, Reply(target=number, message="x"))
    desk.do(BEN, Reply(target=number, message="x", vendor="practice"))


def test_a_reply_to_nobody_is_refused(desk: ServiceDesk) -> None:
    number = log(desk)
    for vendor in (None, "acme"):
        with pytest.raises(Refused, match="engage"):
            desk.do(BEN, Reply(target=number, message="x", vendor=vendor))


def test_a_delivered_comment_is_no_news_when_it_comes_back(desk: ServiceDesk, clock: Any) -> None:
    number, _ = ticket_of(desk, clock)
    row_id = reply(desk, number)
    claim(desk.store, clock())
    arrived(desk, row_id, None, change_ids=("77",))
    assert row_of(desk.store, row_id)["state"] == "done"
    with desk.store.write() as transaction:
        assert transaction.heard("acme", ["77", "78"]) == {"77"}


# A lost answer


def test_a_lost_answer_is_doubtful_until_it_is_found(desk: ServiceDesk, clock: Any) -> None:
    number, bond = engaged(desk)
    (row,) = claim(desk.store, clock())
    doubt(desk, row)
    assert row_of(desk.store, bond)["state"] == "ambiguous"
    assert bond_of(desk, number).doubtful
    assert claim(desk.store, clock.passes(days=1)) == []
    arrived(desk, bond, how="found", duplicates=(ACME_2,))
    found = bond_of(desk, number)
    assert (found.doubtful, found.ref, found.duplicates) == (False, ACME_1, (ACME_2,))
    assert story(desk, number)[-2:] == ["send_ambiguous", "ticket_adopted"]


def test_proved_absent_it_is_sent_again_under_the_same_operation_id(desk: ServiceDesk, clock: Any) -> None:
    number, bond = engaged(desk)
    (row,) = claim(desk.store, clock())
    doubt(desk, row)
    desk.do(ENGINE, ResendSending(row_id=bond, tries=row.tries, why="It is not there."))
    (again,) = claim(desk.store, clock())
    assert (again.row_id, again.op_id, again.tries) == (row.row_id, row.op_id, 2)
    assert not bond_of(desk, number).doubtful


def test_word_of_an_older_try_is_no_news(desk: ServiceDesk, clock: Any) -> None:
    _, bond = engaged(desk)
    (first,) = claim(desk.store, clock())
    doubt(desk, first)
    desk.do(ENGINE, ResendSending(row_id=bond, tries=1, why="It is not there."))
    claim(desk.store, clock())
    was = everything(desk.store)
    late = {"row_id": bond, "tries": 1, "why": "late word"}
    for command in (DoubtSending(**late, next_at=clock()), FailSending(**late), ResendSending(**late)):
        assert desk.do(ENGINE, command).events == ()
    assert everything(desk.store) == was


def test_doubt_is_told_once(desk: ServiceDesk, clock: Any) -> None:
    number, _ = engaged(desk)
    (row,) = claim(desk.store, clock())
    doubt(desk, row)
    doubt(desk, row)
    assert story(desk, number).count("send_ambiguous") == 1


def test_what_no_look_up_settles_waits_for_a_person_who_may_have_it_looked_up_and_sent_again(
    desk: ServiceDesk, clock: Any
) -> None:
    number, bond = engaged(desk)
    (row,) = claim(desk.store, clock())
    doubt(desk, row)
    desk.do(ENGINE, AskAboutSending(row_id=bond, why="They cannot be searched."))
    assert (bond_of(desk, number).doubtful, bond_of(desk, number).dead) == (True, True)
    desk.do(BEN, RetrySending(row_id=bond))
    kept = row_of(desk.store, bond)
    assert (kept["state"], kept["on_ambiguous"]) == ("ambiguous", "resend")
    assert kept["next_at"] is not None
    desk.do(ENGINE, ResendSending(row_id=bond, tries=1, why="It is not there."))
    assert row_of(desk.store, bond)["on_ambiguous"] == "ask"


def test_asking_a_person_about_what_is_settled_is_no_news(desk: ServiceDesk, clock: Any) -> None:
    _, bond = ticket_of(desk, clock)
    assert desk.do(ENGINE, AskAboutSending(row_id=bond, why="late")).events == ()


def test_their_no_parks_the_bond_until_a_person_looks(desk: ServiceDesk, clock: Any) -> None:
    number, bond = engaged(desk)
    reply(desk, number)
    (row,) = claim(desk.store, clock())
    failed(desk, row)
    assert row_of(desk.store, bond)["state"] == "dead"
    assert bond_of(desk, number).dead
    assert claim(desk.store, clock.passes(days=1)) == []
    assert health(desk.store)["acme"].dead == 1


def test_a_dead_one_tried_again_is_a_new_row_with_the_same_operation_in_the_same_place(
    desk: ServiceDesk, clock: Any
) -> None:
    number, bond = engaged(desk)
    behind = reply(desk, number)
    (row,) = claim(desk.store, clock())
    failed(desk, row)
    again = RetrySending(row_id=bond)
    desk.do(BEN, again)
    old, new = row_of(desk.store, bond), row_of(desk.store, again.command_id)
    assert (old["state"], new["state"]) == ("ignored", "queued")
    same = ("op_id", "bond", "kind", "payload", "position", "incident", "vendor")
    assert [new[name] for name in same] == [old[name] for name in same]
    (row,) = claim(desk.store, clock())
    assert (row.row_id, row.op_id) == (again.command_id, bond)
    arrived(desk, row.row_id)
    assert [r.row_id for r in claim(desk.store, clock())] == [behind]
    assert not bond_of(desk, number).dead


def test_asking_not_to_wait_sends_at_once(desk: ServiceDesk, clock: Any) -> None:
    from register.store import outbox

    _, bond = engaged(desk)
    (row,) = claim(desk.store, clock())
    outbox.wait(desk.store, row, clock.now.replace(year=2030), "Too many requests.", clock())
    assert claim(desk.store, clock()) == []
    desk.do(BEN, RetrySending(row_id=bond))
    assert [r.row_id for r in claim(desk.store, clock())] == [bond]


def test_what_is_being_sent_can_be_neither_dropped_nor_tried_nor_adopted(
    desk: ServiceDesk, clock: Any
) -> None:
    _, bond = engaged(desk)
    claim(desk.store, clock())
    was = everything(desk.store)
    for command in (
        RetrySending(row_id=bond),
        DropSending(row_id=bond),
        AdoptTicket(row_id=bond, ticket="1"),
    ):
        with pytest.raises(Refused):
            desk.do(BEN, command)
    assert everything(desk.store) == was


@pytest.mark.parametrize("verb", [RetrySending, DropSending])
def test_what_is_done_is_done(desk: ServiceDesk, clock: Any, verb: Any) -> None:
    _, bond = ticket_of(desk, clock)
    with pytest.raises(Refused, match="othing"):
        desk.do(BEN, verb(row_id=bond))


@pytest.mark.parametrize("verb", [RetrySending, DropSending])
def test_an_unknown_sending_is_not_found(desk: ServiceDesk, verb: Any) -> None:
    with pytest.raises(NotFound, match="outbox list"):
        desk.do(BEN, verb(row_id="nothing"))


def test_dropping_an_engagement_cancels_what_waits_behind_it(desk: ServiceDesk, clock: Any) -> None:
    number, bond = engaged(desk)
    other = engaged(desk)[1]
    behind = [reply(desk, number), reply(desk, number)]
    desk.do(BEN, DropSending(row_id=bond, reason="They rang back."))
    assert [row_of(desk.store, row_id)["state"] for row_id in (bond, *behind)] == ["cancelled"] * 3
    assert bond_of(desk, number).state is BondState.ENDED
    assert [r.row_id for r in claim(desk.store, clock())] == [other]


def test_dropping_a_comment_drops_that_alone(desk: ServiceDesk, clock: Any) -> None:
    number, _ = ticket_of(desk, clock)
    first, second = reply(desk, number, "one"), reply(desk, number, "two")
    desk.do(BEN, DropSending(row_id=first))
    assert bond_of(desk, number).state is BondState.OPEN
    assert [r.row_id for r in claim(desk.store, clock())] == [second]


def test_a_person_says_under_which_number_they_have_it(desk: ServiceDesk, clock: Any) -> None:
    number, bond = engaged(desk)
    behind = reply(desk, number)
    (row,) = claim(desk.store, clock())
    doubt(desk, row)
    desk.do(BEN, AdoptTicket(row_id=bond, ticket="#4711"))
    assert bond_of(desk, number).ref == TicketRef(id="4711", key="#4711")
    (row,) = claim(desk.store, clock())
    assert (row.row_id, row.remote_id) == (behind, "4711")


def test_only_a_ticket_has_a_number_to_adopt(desk: ServiceDesk, clock: Any) -> None:
    number, _ = ticket_of(desk, clock)
    with pytest.raises(Refused, match="only a ticket"):
        desk.do(BEN, AdoptTicket(row_id=reply(desk, number), ticket="1"))


# An answer after all was settled


def test_a_late_answer_about_the_known_ticket_is_no_news(desk: ServiceDesk, clock: Any) -> None:
    _, bond = ticket_of(desk, clock)
    was = everything(desk.store)
    assert arrived(desk, bond).events == ()
    assert arrived(desk, bond, None).events == ()
    assert everything(desk.store) == was


def test_a_late_answer_about_another_ticket_is_a_duplicate_found_and_told_once(
    desk: ServiceDesk, clock: Any
) -> None:
    number, bond = ticket_of(desk, clock)
    for _ in range(2):
        arrived(desk, bond, ACME_2)
    assert story(desk, number)[-1] == "duplicate_found"
    assert story(desk, number).count("duplicate_found") == 1
    assert (bond_of(desk, number).ref, bond_of(desk, number).duplicates) == (ACME_1, (ACME_2,))


def test_a_late_answer_about_a_further_ticket_that_a_person_knows_is_no_news(
    desk: ServiceDesk, clock: Any
) -> None:
    number, bond = ticket_of(desk, clock)
    desk.do(BEN, Relink(target=number, ticket=ACME_2.id, also=True))
    arrived(desk, bond, ACME_2)
    assert story(desk, number)[-1] == "further_linked"
    assert bond_of(desk, number).duplicates == ()


def test_a_ticket_that_was_made_after_all_though_it_was_dropped_is_told(
    desk: ServiceDesk, clock: Any
) -> None:
    number, bond = engaged(desk)
    (row,) = claim(desk.store, clock())
    doubt(desk, row)
    desk.do(BEN, DropSending(row_id=bond))
    arrived(desk, bond)
    assert story(desk, number)[-1] == "duplicate_found"
    assert bond_of(desk, number).state is BondState.ENDED


# Pausing


def test_a_paused_supplier_is_on_record_and_gets_nothing_until_a_person_says_so(
    desk: ServiceDesk, clock: Any
) -> None:
    engaged(desk)
    desk.do(ENGINE, PauseVendor(vendor="acme", why="The token is refused."))
    assert health(desk.store)["acme"].paused_why == "The token is refused."
    assert claim(desk.store, clock()) == []
    desk.do(BEN, ResumeVendor(vendor="acme", why="mended"))
    assert health(desk.store)["acme"].paused_why == ""
    assert len(claim(desk.store, clock())) == 1
    assert story(desk, "vendor:acme") == ["vendor_paused", "vendor_resumed"]
    assert verify(desk.store).ok


def test_what_a_person_holds_back_is_let_go_on_by_a_person_alone(desk: ServiceDesk, clock: Any) -> None:
    """Even where a credential was refused, too: that another one works does not end what they said."""
    engaged(desk)
    why = "another credential works"
    desk.do(BEN, HoldBack(vendor="acme", reason="they move"))
    assert desk.do(ENGINE, ResumeVendor(vendor="acme", why=why)).events == ()
    desk.do(ENGINE, PauseVendor(vendor="acme", why="The token is refused."))
    assert desk.do(ENGINE, ResumeVendor(vendor="acme", why=why)).events == ()
    assert claim(desk.store, clock()) == []
    desk.do(BEN, LetGoOn(vendor="acme", reason="they have moved"))
    assert len(claim(desk.store, clock())) == 1
    desk.do(ENGINE, PauseVendor(vendor="acme", why="The token is refused."))
    assert desk.do(ENGINE, ResumeVendor(vendor="acme", why=why)).events[0].kind == "vendor_resumed"
    assert health(desk.store)["acme"].paused_why == ""


def test_the_engine_settles_and_people_decide() -> None:
    engine = (ConfirmSending, DoubtSending, AskAboutSending, FailSending, ResendSending, PauseVendor)
    assert {verb.role for verb in engine} == {Role.ENGINE}
    assert {verb.role for verb in (RetrySending, DropSending, AdoptTicket, ResumeVendor)} == {
        Role.COORDINATOR
    }


def test_all_of_this_leaves_a_register_that_verifies(desk: ServiceDesk, clock: Any) -> None:
    number, bond = engaged(desk)
    (row,) = claim(desk.store, clock())
    failed(desk, row)
    desk.do(BEN, RetrySending(row_id=bond))
    (row,) = claim(desk.store, clock())
    doubt(desk, row)
    desk.do(BEN, AdoptTicket(row_id=row.row_id, ticket="9"))
    arrived(desk, row.row_id, ACME_2)
    reply(desk, number)
    assert verify(desk.store).faults == []
    assert bond_of(desk, number).duplicates == (ACME_2,)


@pytest.mark.parametrize("bad", ["\x00", "\ud800", "\x1b[2J", "\u202e"])
def test_a_ticket_whose_reference_no_database_takes_is_on_record_all_the_same(
    desk: ServiceDesk, clock: Any, bad: str
) -> None:
    """Else a supplier that answers so is asked about its ticket for ever."""
    number, bond = engaged(desk)
    claim(desk.store, clock())
    arrived(desk, bond, TicketRef(id=f"47{bad}11", key=f"ACME{bad}-1", url=f"https://acme.invalid/{bad}"))
    ref = bond_of(desk, number).ref
    assert not any(bad in text for text in (ref.id, ref.key, ref.url))
    assert ref.id.startswith("47")
    assert row_of(desk.store, bond)["state"] == "done"
    assert verify(desk.store).ok
