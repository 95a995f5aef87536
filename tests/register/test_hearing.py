"""What a supplier says: taken in once, with where their feed was left, and never taken for our own word."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from register.core import Refused
from register.desk import Receipt, ServiceDesk
from register.effect import Remember
from register.incident import Ball, BondState, State
from register.store import transaction
from register.store.vendors import bonds_of, cursor_of, health, unread_bonds
from register.topics.delivery import DropSending
from register.topics.ending import WithTheirs
from register.topics.hearing import Hear, Unreadable
from register.topics.intake import Log
from register.verify import verify
from tests.register.saying import (
    ANA,
    BEN,
    ENGINE,
    ask,
    claim,
    doubt,
    everything,
    fixed,
    heard,
    log,
    look,
    reply,
    row_of,
    story,
    ticket_of,
)


@pytest.fixture
def ticket(desk: ServiceDesk, clock: Any) -> tuple[str, str]:
    return ticket_of(desk, clock)


def hear(
    desk: ServiceDesk, *items: Any, after: str | None = None, cursor: str | None = None, **more: Any
) -> Receipt:
    return desk.do(ENGINE, Hear(vendor="acme", items=items, after=after, cursor=cursor, **more))


def bond_of(desk: ServiceDesk, number: str) -> Any:
    (bond,) = look(desk, number).bonds
    return bond


def test_their_answer_stands_in_the_timeline_and_the_ball_is_ours(
    desk: ServiceDesk, clock: Any, ticket: Any
) -> None:
    hear(desk, heard(*ticket, clock()), cursor="1")
    said = desk.store.timeline(ticket[0])[-1].event
    assert said.body == "We look into it."  # type: ignore[union-attr]
    assert bond_of(desk, ticket[0]).ball is Ball.OURS
    assert bond_of(desk, ticket[0]).ball_since == clock.now - timedelta(milliseconds=1)


def test_a_second_word_of_theirs_does_not_set_the_clock_back(
    desk: ServiceDesk, clock: Any, ticket: Any
) -> None:
    hear(desk, heard(*ticket, clock()))
    since = bond_of(desk, ticket[0]).ball_since
    hear(desk, heard(*ticket, clock.passes(hours=1), change_id="c2"))
    assert bond_of(desk, ticket[0]).ball_since == since


def test_what_was_heard_is_not_heard_again(desk: ServiceDesk, clock: Any, ticket: Any) -> None:
    item = heard(*ticket, clock())
    hear(desk, item, cursor="1")
    assert hear(desk, item, after="1", cursor="2").events == ()
    assert hear(desk, item, item).events == ()
    assert story(desk, ticket[0]).count("supplier_said") == 1


def test_one_page_that_tells_a_change_twice_tells_it_once(desk: ServiceDesk, clock: Any, ticket: Any) -> None:
    hear(desk, heard(*ticket, clock()), heard(*ticket, clock()), cursor="1")
    assert story(desk, ticket[0]).count("supplier_said") == 1


def test_one_suppliers_ids_say_nothing_about_anothers(desk: ServiceDesk, clock: Any, ticket: Any) -> None:
    hear(desk, heard(*ticket, clock()))
    receipt = desk.do(ENGINE, Hear(vendor="practice", items=(heard(*ticket, clock()),)))
    assert len(receipt.events) == 1


def test_edge_43_our_own_words_come_back_and_are_no_news(desk: ServiceDesk, clock: Any, ticket: Any) -> None:
    number, _ = ticket
    row_id = reply(desk, number)
    op_id = row_of(desk.store, row_id)["op_id"]
    was = story(desk, number)
    hear(desk, heard(*ticket, clock(), op_id=op_id, by_our_account=True), cursor="1")
    assert story(desk, number) == was
    assert bond_of(desk, number).ball is Ball.THEIRS


def test_our_own_words_coming_back_prove_that_they_arrived(
    desk: ServiceDesk, clock: Any, ticket: Any
) -> None:
    number, _ = ticket
    row_id = reply(desk, number)
    (row,) = claim(desk.store, clock())
    doubt(desk, row)
    hear(
        desk,
        heard(*ticket, clock(), op_id=row.op_id),
        heard(*ticket, clock(), op_id=row.op_id, change_id="c2"),
        cursor="1",
    )
    assert row_of(desk.store, row_id)["state"] == "done"
    assert story(desk, number)[-2:] == ["send_ambiguous", "delivered"]
    assert not bond_of(desk, number).doubtful


def test_a_person_who_uses_our_account_there_is_heard_and_is_not_their_turn(
    desk: ServiceDesk, clock: Any, ticket: Any
) -> None:
    hear(desk, heard(*ticket, clock(), by_our_account=True))
    said = desk.store.timeline(ticket[0])[-1].event
    assert said.perhaps_ours  # type: ignore[union-attr]
    assert bond_of(desk, ticket[0]).ball is Ball.THEIRS


def state(ticket: Any, clock: Any, word: str, change_id: str, **more: Any) -> Any:
    return heard(*ticket, clock(), kind="state", raw_state=word, change_id=change_id, **more)


def test_a_state_that_we_know_already_is_no_news(desk: ServiceDesk, clock: Any, ticket: Any) -> None:
    hear(desk, state(ticket, clock, "open", "s1"))
    assert hear(desk, state(ticket, clock, "open", "s2")).events == ()
    receipt = hear(
        desk,
        state(ticket, clock, "stalled", "s3"),
        state(ticket, clock, "stalled", "s4"),
        state(ticket, clock, "open", "s5"),
    )
    assert [(e.event.before, e.event.raw_state) for e in receipt.events] == [  # type: ignore[union-attr]
        ("open", "stalled"),
        ("stalled", "open"),
    ]


def test_edge_44_their_fixed_is_a_proposal_and_our_incident_stays_open(
    desk: ServiceDesk, clock: Any, ticket: Any
) -> None:
    hear(desk, state(ticket, clock, "resolved", "s1", fixed=True, ball=Ball.OURS))
    incident = look(desk, ticket[0])
    assert (incident.state, incident.resolution) == (State.NEW, None)
    assert (bond_of(desk, ticket[0]).state, bond_of(desk, ticket[0]).ball) == (BondState.FIXED, Ball.OURS)
    hear(desk, state(ticket, clock, "open", "s2", fixed=False, ball=Ball.THEIRS))
    assert (bond_of(desk, ticket[0]).state, bond_of(desk, ticket[0]).ball) == (BondState.OPEN, Ball.THEIRS)


def test_a_word_that_is_not_mapped_changes_the_word_alone(desk: ServiceDesk, clock: Any, ticket: Any) -> None:
    was = bond_of(desk, ticket[0])
    hear(desk, state(ticket, clock, "with-the-moon", "s1"))
    now = bond_of(desk, ticket[0])
    assert (now.state, now.ball, now.raw_state) == (was.state, was.ball, "with-the-moon")


def test_they_are_heard_after_our_incident_is_over(desk: ServiceDesk, clock: Any, ticket: Any) -> None:
    desk.do(ANA, fixed(ticket[0]).model_copy(update={"theirs": WithTheirs.LEAVE}))
    hear(desk, heard(*ticket, clock()))
    assert story(desk, ticket[0])[-1] == "supplier_said"
    assert look(desk, ticket[0]).state is State.RESOLVED


def test_a_change_from_the_future_happened_now(desk: ServiceDesk, clock: Any, ticket: Any) -> None:
    hear(desk, heard(*ticket, clock.now + timedelta(days=400)))
    event = desk.store.timeline(ticket[0])[-1]
    assert event.at == event.recorded_at


def test_a_change_from_yesterday_says_when_it_happened_and_when_it_was_written(
    desk: ServiceDesk, clock: Any, ticket: Any
) -> None:
    at = clock.now - timedelta(days=1)
    hear(desk, heard(*ticket, at))
    event = desk.store.timeline(ticket[0])[-1]
    assert event.at == at < event.recorded_at
    assert look(desk, ticket[0]).updated_at == event.recorded_at


# Where the feed was left


def test_the_cursor_moves_with_what_it_brought(desk: ServiceDesk, clock: Any, ticket: Any) -> None:
    hear(desk, heard(*ticket, clock()), after=None, cursor="page-2")
    assert cursor_of(desk.store, "acme") == "page-2"
    hear(desk, after="page-2", cursor="page-3")
    assert cursor_of(desk.store, "acme") == "page-3"


def test_what_cannot_be_written_does_not_move_the_cursor(
    desk: ServiceDesk, clock: Any, ticket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    was = everything(desk.store)
    whole = transaction.carry

    def broken(effect: Any, *where: Any) -> None:
        if isinstance(effect, Remember):
            raise ZeroDivisionError
        whole(effect, *where)

    monkeypatch.setattr(transaction, "carry", broken)
    with pytest.raises(ZeroDivisionError):
        hear(desk, heard(*ticket, clock()), cursor="1")
    assert everything(desk.store) == was
    assert cursor_of(desk.store, "acme") is None


def test_a_feed_that_another_collector_moved_is_refused_and_nothing_is_taken_in(
    desk: ServiceDesk, clock: Any, ticket: Any
) -> None:
    hear(desk, cursor="1")
    was = everything(desk.store)
    for after in (None, "0"):
        with pytest.raises(Refused, match="moved by another collector"):
            hear(desk, heard(*ticket, clock()), after=after, cursor="2")
    assert everything(desk.store) == was


def test_what_cannot_be_read_is_kept_and_the_feed_goes_on(desk: ServiceDesk, clock: Any, ticket: Any) -> None:
    odd = Unreadable(change_id="c9", raw='{"Type": "?"}', why="it has no time")
    hear(desk, heard(*ticket, clock()), unreadable=(odd,), cursor="1")
    assert health(desk.store)["acme"].unread == 1
    (kept,) = ask(desk.store, "SELECT * FROM quarantine")
    assert (kept.vendor, kept.change_id, kept.raw, kept.why) == (
        "acme",
        "c9",
        '{"Type": "?"}',
        "it has no time",
    )
    assert cursor_of(desk.store, "acme") == "1"
    hear(desk, unreadable=(odd,), after="1", cursor="2")
    assert len(ask(desk.store, "SELECT * FROM quarantine")) == 1


def test_a_ticket_is_read_whole_once(desk: ServiceDesk, clock: Any, ticket: Any) -> None:
    assert [b.id for b in unread_bonds(desk.store, "acme", 9)] == [ticket[1]]
    hear(desk, heard(*ticket, clock()), whole=ticket[1])
    assert unread_bonds(desk.store, "acme", 9) == []
    assert [b.whole for b in bonds_of(desk.store, "acme", {"4711"})] == [True]
    assert cursor_of(desk.store, "acme") is None


def test_a_bond_that_is_not_ours_is_passed_over(desk: ServiceDesk, clock: Any, ticket: Any) -> None:
    assert hear(desk, heard(log(desk), "no-bond", clock()), cursor="1").events == ()


def test_one_page_may_speak_of_several_incidents(desk: ServiceDesk, clock: Any, ticket: Any) -> None:
    other = ticket_of(desk, clock)
    hear(desk, heard(*ticket, clock()), heard(*other, clock(), change_id="c2"), cursor="1")
    assert [story(desk, number)[-1] for number in (ticket[0], other[0])] == ["supplier_said"] * 2
    assert verify(desk.store).ok


def test_a_hostile_supplier_leaves_no_sting_in_the_register(
    desk: ServiceDesk, clock: Any, ticket: Any
) -> None:
    """The connectors clean what they read; the door does not rely on it."""
    nasty = "a\x00b\x1b[31mc\ud800d\u202ee"
    odd = Unreadable(change_id="c9" + nasty, raw=nasty, why=nasty)
    hear(
        desk,
        heard(*ticket, clock(), author=nasty, body=nasty, change_id=nasty),
        heard(*ticket, clock(), kind="state", author="x", raw_state=nasty, change_id="c2"),
        unreadable=(odd,),
        cursor="1",
    )
    kept = repr(everything(desk.store))
    for bad in ("\\x00", "\\x1b", "\\ud800", "\\u202e", "u0000", "u001b"):
        assert bad not in kept, bad
    assert verify(desk.store).ok


def test_nothing_of_theirs_counts_after_we_dropped_the_engagement(desk: ServiceDesk, clock: Any) -> None:
    number = log(desk)
    from register.topics.engagement import Engage

    command = Engage(target=number, vendor="acme", message="x")
    desk.do(BEN, command)
    desk.do(BEN, DropSending(row_id=command.command_id))
    hear(desk, heard(number, command.command_id, clock(), kind="state", raw_state="open", fixed=False))
    assert bond_of(desk, number).state is BondState.ENDED
    desk.do(ANA, Log(title="x"))
    assert verify(desk.store).ok
