"""Pages: asked for with a call, in a lane of their own, until their reason ends or their time is over."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from register.backup import back_up
from register.core import Policy, Refused
from register.desk import ServiceDesk
from register.incident import CallCard, CallWhy, Impact, PageState, Urgency
from register.matrix_toml import read_matrix
from register.policy_notes import notes
from register.restore import restore
from register.store import Store, open_store, outbox, pages
from register.store import tables as t
from register.store.erasing import erase, who_is
from register.store.pages import PageRow
from register.store.vendors import health
from register.toml_file import FileFaults
from register.topics.by_hand import HandOver
from register.topics.calling import CONFIRM_WITHIN, PAGED_WITHIN, CallDue
from register.topics.calls import LogCall
from register.topics.delivery import AdoptTicket, DropSending, RetrySending
from register.topics.engagement import Engage
from register.topics.erasure import Retire
from register.topics.paging import CancelPage, ConfirmPage, MissPage, Notified, Tried, about_of, no_more
from register.topics.privacy import Redact
from register.topics.resolution import Close
from register.topics.withdrawal import Withdraw
from register.verify import verify
from register.watch import tick
from tests.register.saying import (
    ADA,
    ANA,
    BEN,
    ENGINE,
    arrived,
    claim,
    fixed,
    log,
    look,
    reply,
    row_of,
    story,
)

DESK = 'fallback_team = "desk"\n[teams.desk]\nname = "Desk"\n'
MATRIX = f"""{DESK}
[people.ben]
name = "Ben Sample"
login = "ben"
role = "coordinator"
reach = ["sms", "mail"]
"""
AT = datetime(2026, 3, 1, tzinfo=UTC)
BOTH = (Tried(channel="sms", ok=False, why="no"), Tried(channel="mail", ok=False, why="no"))


@pytest.fixture
def policy(policy: Policy) -> Policy:
    return replace(policy, matrix=read_matrix(MATRIX))


def unconfirmed(desk: ServiceDesk, clock: Any) -> tuple[str, str]:
    """A P1 that the supplier has not confirmed in time: (number, the sending to them)."""
    number = log(desk, impact=Impact.HIGH, urgency=Urgency.HIGH)
    engage = Engage(target=number, vendor="acme", message="The database is down.")
    desk.do(BEN, engage)
    tick(desk, clock.passes(seconds=CONFIRM_WITHIN.total_seconds() + 1))
    return number, engage.command_id


def take(store: Store, now: Any, **more: Any) -> list[PageRow]:
    asked = {"lost": now, "most": 16, "each": 4, "busy": {}} | more
    return pages.claim(store, "w1", now, now + timedelta(seconds=20), now + timedelta(seconds=30), **asked)


def state(desk: ServiceDesk, row: PageRow) -> str:
    return str(row_of(desk.store, row.row_id)["state"])


def card(desk: ServiceDesk, number: str) -> PageState | None:
    call = look(desk, number).bonds[0].call
    return None if call is None else call.page


# What is asked for


def test_who_is_asked_to_call_is_paged_for_half_an_hour(desk: ServiceDesk, clock: Any) -> None:
    number, _ = unconfirmed(desk, clock)
    (row,) = pages.unfinished(desk.store)
    bond = look(desk, number).bonds[0]
    about = about_of(row.payload)
    assert (row.incident, row.person, row.state, row.tries) == (number, bond.engaged_by, "queued", 0)
    assert (about.bond, about.vendor, about.why) == (bond.id, "acme", CallWhy.UNCONFIRMED)
    assert row.expires_at - row.created_at == PAGED_WITHIN
    assert card(desk, number) is PageState.ASKED
    assert verify(desk.store).faults == []


def test_nobody_is_paged_where_nobody_says_by_what(store: Store, policy: Policy, clock: Any) -> None:
    desk = ServiceDesk(store, replace(policy, matrix=read_matrix(DESK)), clock)
    number, _ = unconfirmed(desk, clock)
    assert story(desk, number)[-1] == "call_due"
    assert pages.unfinished(store) == []
    assert card(desk, number) is None


def test_a_call_that_was_asked_for_before_there_were_pages_folds_as_it_did(desk: ServiceDesk) -> None:
    old = {"bond": "b", "vendor": "acme", "why": "unconfirmed", "asks": "p1"}
    assert CallDue.model_validate(old).page_until is None


def test_a_page_that_is_missing_is_found(desk: ServiceDesk, clock: Any) -> None:
    unconfirmed(desk, clock)
    with desk.store.rows_only() as connection:
        connection.execute(t.sending.delete().where(t.sending.c.lane == "pages"))
    assert "is not in the outbox" in verify(desk.store).faults[0]


# Two lanes


def test_neither_lane_waits_for_the_other(desk: ServiceDesk, clock: Any) -> None:
    number, row = unconfirmed(desk, clock)
    (page,) = take(desk.store, clock.now)
    (sent,) = claim(desk.store, clock.now)
    assert (sent.row_id, page.state) == (row, "sending")
    arrived(desk, row)
    later = reply(desk, number)
    assert [one.row_id for one in claim(desk.store, clock.now)] == [later]


def test_pages_are_no_suppliers_business(desk: ServiceDesk, clock: Any) -> None:
    _, row = unconfirmed(desk, clock)
    arrived(desk, row)
    assert outbox.unfinished(desk.store) == []
    assert outbox.unfinished_count(desk.store) == 0
    assert {name: (one.unsent, one.dead) for name, one in health(desk.store).items()} == {"acme": (0, 0)}


def test_a_page_that_reached_nobody_is_a_reason_to_keep_nothing(desk: ServiceDesk, clock: Any) -> None:
    number, row = unconfirmed(desk, clock)
    arrived(desk, row)
    (page,) = take(desk.store, clock.now)
    desk.do(ENGINE, MissPage(row_id=page.row_id, tries=1, tried=BOTH, why="late"))
    assert [one.state for one in pages.unfinished(desk.store)] == ["dead"]
    desk.do(BEN, Withdraw(target=number, reason="found it"))
    desk.do(ANA, fixed(number))
    assert pages.unfinished(desk.store) == []  # nobody needs it, and nobody is bothered with it
    with desk.store.write() as transaction:
        assert page.row_id not in transaction.sendings(None, [number])


# Claiming


def test_one_persons_pages_leave_room_for_anothers(desk: ServiceDesk, clock: Any) -> None:
    for _ in range(4):
        unconfirmed(desk, clock)
    with desk.store.rows_only() as connection:
        newest = pages.unfinished(desk.store)[-1].row_id
        connection.execute(t.sending.update().where(t.sending.c.row_id == newest), {"person": "p99"})
    first = take(desk.store, clock.now, most=3, each=2)
    assert Counter(row.person == "p99" for row in first) == {False: 2, True: 1}
    mine = first[0].person
    assert take(desk.store, clock.now, each=2, busy={mine: 2}) == []
    assert [row.person for row in take(desk.store, clock.now, each=2, busy={mine: 1})] == [mine]


def test_more_pages_of_one_person_than_are_looked_at_keep_no_other_waiting(
    desk: ServiceDesk, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "_DUE", pages._DUE.limit(2))
    for _ in range(5):
        unconfirmed(desk, clock)
    with desk.store.rows_only() as connection:
        newest = pages.unfinished(desk.store)[-1].row_id
        connection.execute(t.sending.update().where(t.sending.c.row_id == newest), {"person": "p99"})
    (mine,) = {row.person for row in take(desk.store, clock.now, each=2)}
    assert [row.person for row in take(desk.store, clock.now, each=2, busy={mine: 2})] == ["p99"]


def test_a_page_whose_sender_died_is_taken_again_when_its_lease_has_run_out(
    desk: ServiceDesk, clock: Any
) -> None:
    unconfirmed(desk, clock)
    (first,) = take(desk.store, clock.now)
    assert pages.next_due(desk.store) == clock.now + timedelta(seconds=30)
    assert take(desk.store, clock.now + timedelta(seconds=29)) == []
    (again,) = take(desk.store, clock.now + timedelta(seconds=30))
    assert (again.row_id, again.tries) == (first.row_id, 2)
    late = ConfirmPage(row_id=first.row_id, tries=1, tried=(Tried(channel="sms", ok=True),))
    assert desk.do(ENGINE, late).events == ()  # word of the try that was given up


def test_many_workers_take_each_page_once(desk: ServiceDesk, clock: Any) -> None:
    for _ in range(12):
        unconfirmed(desk, clock)
    stores = [open_store(desk.store.url) for _ in range(3)]
    start, now = threading.Barrier(3), clock.now

    def work(store: Store) -> list[str]:
        start.wait()
        found: list[str] = []
        while some := take(store, now, most=2, each=99):
            found += [row.row_id for row in some]
        return found

    with ThreadPoolExecutor(3) as threads:
        taken = [row_id for some in threads.map(work, stores) for row_id in some]
    for store in stores:
        store.close()
    while rest := take(desk.store, now, each=99):  # what the others had locked when each looked last
        taken += [row.row_id for row in rest]
    assert len(taken) == 12
    assert set(Counter(taken).values()) == {1}


# What becomes of it


def test_what_became_of_a_page_is_in_the_story_and_on_the_card(desk: ServiceDesk, clock: Any) -> None:
    number, _ = unconfirmed(desk, clock)
    (page,) = take(desk.store, clock.now)
    again = clock.now + timedelta(seconds=10)
    desk.do(ENGINE, MissPage(row_id=page.row_id, tries=1, tried=BOTH, next_at=again))
    assert (state(desk, page), card(desk, number)) == ("waiting", PageState.FAILED)
    assert row_of(desk.store, page.row_id)["why"] == "sms: no; mail: no"
    assert take(desk.store, clock.now) == []
    (page,) = take(desk.store, again)
    tried = (BOTH[0], Tried(channel="mail", ok=True))
    desk.do(ENGINE, ConfirmPage(row_id=page.row_id, tries=2, tried=tried))
    assert (state(desk, page), card(desk, number)) == ("done", PageState.DELIVERED)
    assert story(desk, number)[-3:] == ["call_due", "notify_failed", "notified"]
    assert verify(desk.store).faults == []


def test_a_redaction_keeps_who_was_reached_by_what(store: Store, policy: Policy, clock: Any) -> None:
    wants_calls = replace(policy.vendors["acme"], p1="ticket+call")
    desk = ServiceDesk(store, replace(policy, vendors={"acme": wants_calls}), clock)
    number = log(desk, impact=Impact.HIGH, urgency=Urgency.HIGH)
    engage = Engage(target=number, vendor="acme", message="The database is down.")
    desk.do(BEN, engage)
    arrived(desk, engage.command_id)
    (page,) = take(store, clock.now)
    tried = (BOTH[0], Tried(channel="mail", ok=True))
    desk.do(ENGINE, ConfirmPage(row_id=page.row_id, tries=1, tried=tried))
    desk.do(ADA, Redact(target=number, reason="a test"))
    told = next(one.event for one in store.timeline(number) if isinstance(one.event, Notified))
    assert [(one.channel, one.ok, one.why) for one in told.tried] == [("sms", False, ""), ("mail", True, "")]
    assert (card(desk, number), look(desk, number).bonds[0].call.why) == (PageState.DELIVERED, CallWhy.P1)
    assert verify(store).faults == []


def test_a_page_tells_of_the_call_that_it_was_for(desk: ServiceDesk, clock: Any) -> None:
    """A promise has passed meanwhile: the card asks for that, and a page of its own was asked for."""
    number, row = unconfirmed(desk, clock)
    (page,) = take(desk.store, clock.now)
    arrived(desk, row)
    desk.do(ANA, LogCall(target=number, whom="Lena", said="Soon.", until=clock.now + timedelta(hours=1)))
    tick(desk, clock.passes(hours=2))
    desk.do(ENGINE, ConfirmPage(row_id=page.row_id, tries=1, tried=(Tried(channel="sms", ok=True),)))
    assert card(desk, number) is PageState.ASKED
    assert no_more(look(desk, number), about_of(page.payload)) == "there is a newer reason to call them"


def test_a_page_for_one_promise_says_nothing_of_the_next(desk: ServiceDesk, clock: Any) -> None:
    """Both are promises that passed, of one supplier and at one level: the time tells which."""
    number, row = unconfirmed(desk, clock)
    arrived(desk, row)
    for _ in range(2):
        desk.do(ANA, LogCall(target=number, whom="Lena", said="Soon.", until=clock.now + timedelta(hours=1)))
        tick(desk, clock.passes(hours=2))
    old, new = (one for one in pages.unfinished(desk.store) if about_of(one.payload).why is CallWhy.PROMISE)
    assert no_more(look(desk, number), about_of(old.payload)) == "there is a newer reason to call them"
    assert no_more(look(desk, number), about_of(new.payload)) == ""
    sent = {row.row_id: row for row in take(desk.store, clock.now, lost=clock.now - timedelta(days=1))}
    sms = (Tried(channel="sms", ok=True),)
    desk.do(ENGINE, ConfirmPage(row_id=old.row_id, tries=sent[old.row_id].tries, tried=sms))
    assert card(desk, number) is PageState.ASKED
    desk.do(ENGINE, ConfirmPage(row_id=new.row_id, tries=sent[new.row_id].tries, tried=sms))
    assert card(desk, number) is PageState.DELIVERED
    assert verify(desk.store).faults == []


def test_word_of_a_page_from_before_it_told_of_which_promise_folds_as_it_did() -> None:
    card = CallCard(why=CallWhy.PROMISE, since=AT, level=2, passed=AT, clock="")
    assert card.is_for(CallWhy.PROMISE, 2, None, "")
    assert not card.is_for(CallWhy.PROMISE, 2, AT + timedelta(hours=1), "")
    assert not card.is_for(CallWhy.CONTRACT, 2, None, "")
    assert CallCard(why=CallWhy.CONTRACT, since=AT, clock="fix").is_for(CallWhy.CONTRACT, 1, AT, "fix")
    assert not CallCard(why=CallWhy.CONTRACT, since=AT, clock="fix").is_for(CallWhy.CONTRACT, 1, AT, "answer")


def test_every_end_of_the_reason_is_known(desk: ServiceDesk, clock: Any) -> None:
    number, row = unconfirmed(desk, clock)
    about = about_of(pages.unfinished(desk.store)[0].payload)
    assert no_more(look(desk, number), about) == ""
    assert no_more(None, about) == "the incident is over"
    arrived(desk, row)
    assert no_more(look(desk, number), about) == "acme has answered, or was called"
    number, _ = unconfirmed(desk, clock)
    about = about_of(pages.unfinished(desk.store)[-1].payload)
    desk.do(BEN, Withdraw(target=number, reason="found it"))
    assert no_more(look(desk, number), about) == "acme is not engaged any more"
    desk.do(ANA, fixed(number))
    assert no_more(look(desk, number), about) == "the incident is over"


# What a person decides


def test_one_that_reached_nobody_becomes_a_new_page_on_a_persons_word(desk: ServiceDesk, clock: Any) -> None:
    number, row = unconfirmed(desk, clock)
    (page,) = take(desk.store, clock.now)
    with pytest.raises(Refused, match="being sent right now"):
        desk.do(BEN, RetrySending(row_id=page.row_id))
    desk.do(ENGINE, MissPage(row_id=page.row_id, tries=1, tried=BOTH, why="late"))
    assert (state(desk, page), card(desk, number)) == ("dead", PageState.FAILED)
    clock.passes(hours=3)
    again = RetrySending(row_id=page.row_id)
    desk.do(BEN, again)
    (new,) = pages.unfinished(desk.store)
    assert (new.row_id, new.payload, state(desk, page)) == (again.command_id, page.payload, "ignored")
    assert new.expires_at - new.created_at == PAGED_WITHIN
    assert card(desk, number) is PageState.ASKED
    arrived(desk, row)
    with pytest.raises(Refused, match="Nobody needs that page any more: acme has answered"):
        desk.do(BEN, RetrySending(row_id=new.row_id))
    assert "" not in health(desk.store)  # no supplier without a name came of it
    assert verify(desk.store).faults == []


def test_one_that_waits_is_tried_now_or_given_up(desk: ServiceDesk, clock: Any) -> None:
    number, _ = unconfirmed(desk, clock)
    (page,) = take(desk.store, clock.now)
    later = clock.now + timedelta(minutes=5)
    desk.do(ENGINE, MissPage(row_id=page.row_id, tries=1, tried=BOTH, next_at=later))
    desk.do(BEN, RetrySending(row_id=page.row_id))
    assert state(desk, page) == "queued"
    desk.do(BEN, DropSending(row_id=page.row_id, reason="I sit beside him"))
    assert (state(desk, page), card(desk, number)) == ("cancelled", None)
    assert story(desk, number)[-2:] == ["paged_again", "page_cancelled"]
    for word in (AdoptTicket(row_id=page.row_id, ticket="7"), HandOver(row_id=page.row_id)):
        with pytest.raises(Refused, match="page"):
            desk.do(BEN, word)


def test_words_about_a_page_that_is_settled_are_no_news(desk: ServiceDesk, clock: Any) -> None:
    number, row = unconfirmed(desk, clock)
    (page,) = take(desk.store, clock.now)
    desk.do(ENGINE, CancelPage(row_id=page.row_id, tries=1, why="it is over"))
    before = story(desk, number)
    tried = (Tried(channel="sms", ok=True),)
    for word in (
        ConfirmPage(row_id=page.row_id, tries=1, tried=tried),
        MissPage(row_id=page.row_id, tries=1),
        CancelPage(row_id=page.row_id, tries=1, why="again"),
        ConfirmPage(row_id=row, tries=0, tried=tried),  # a sending to a supplier is no page
    ):
        assert desk.do(ENGINE, word).events == ()
    assert story(desk, number) == before


def test_a_backup_that_is_put_back_pauses_nobody_for_a_page(
    desk: ServiceDesk, clock: Any, new_register: Any, tmp_path: Path
) -> None:
    _, row = unconfirmed(desk, clock)
    arrived(desk, row)
    back_up(desk.store, tmp_path / "b.muster", clock.now)
    url = new_register()
    restore(tmp_path / "b.muster", url, "ada", clock.now, force=False)
    back = open_store(url)
    assert [one.state for one in pages.unfinished(back)] == ["queued"]  # looked at once more when it is sent
    assert [one.paused_why for one in health(back).values()] == [""]
    assert verify(back).faults == []
    back.close()


# People


def test_who_is_erased_has_no_login_to_page_and_their_channels_are_named(
    desk: ServiceDesk, clock: Any
) -> None:
    unconfirmed(desk, clock)
    (page,) = pages.unfinished(desk.store)
    assert desk.store.ask(lambda c: pages.login_of(c, page.person)) == "ben"
    desk.store.adopted = None
    found = who_is(desk.store, "ben")
    erase(desk, ADA, found, "they left")
    assert desk.store.ask(lambda c: pages.login_of(c, page.person)) is None
    assert verify(desk.store).faults == []


def test_what_retention_takes_out_is_not_left_with_a_page_that_reached_nobody(
    store: Store, policy: Policy, clock: Any
) -> None:
    kept = read_matrix(f'{MATRIX}[[retention]]\nafter = "1d"\n')
    desk = ServiceDesk(store, replace(policy, matrix=kept), clock)
    number, _ = unconfirmed(desk, clock)
    (page,) = take(store, clock.now)
    why = "matrix.toml has nothing that Ben Sample can be reached by"
    desk.do(ENGINE, MissPage(row_id=page.row_id, tries=1, why=why))
    desk.do(BEN, Withdraw(target=number, reason="found it"))
    desk.do(ANA, fixed(number))
    desk.do(ANA, Close(target=number))
    clock.passes(days=2)
    desk.do(ADA, Retire(target=number))
    assert (row_of(store, page.row_id)["payload"], row_of(store, page.row_id)["why"]) == ("{}", "")
    assert "Ben Sample" not in f"{[one.event for one in store.timeline(number)]}"
    with pytest.raises(Refused, match="Nobody needs that page any more: what it was about was taken out"):
        desk.do(BEN, RetrySending(row_id=page.row_id))
    assert verify(store).faults == []


def test_an_address_may_not_stand_in_the_matrix_and_a_channel_once() -> None:
    for reach, told in (
        ('["mailtos://ben:hunter2@mail.example.com"]', "muster page login ben NAME"),
        ('"tgram://123456:token/1"', "muster page login ben NAME"),
        ('["sms", "sms"]', "says sms twice"),
        ('["By phone"]', "is no name"),
        ('["a", "b", "c", "d", "e", "f"]', "5"),
    ):
        with pytest.raises(FileFaults) as error:
            read_matrix(f'{DESK}[people.ben]\nname = "Ben"\nlogin = "ben"\nreach = {reach}\n')
        (fault,) = error.value.faults
        assert told in fault
        assert "people.ben.reach" in fault
        assert "hunter2" not in fault
        assert "123456" not in fault
    with pytest.raises(FileFaults) as error:
        read_matrix(
            f'{DESK}[people.ben]\nname = "Ben"\nlogin = "ben"\nsms = "mailtos://ben:hunter2@x.example"\n'
        )
    assert "muster page login ben NAME" in str(error.value)


def test_whoever_may_engage_and_cannot_be_paged_is_told_of() -> None:
    some = f'{MATRIX}[people.cat]\nname = "Cat"\nlogin = "cat"\nrole = "admin"\n'
    assert any("Nothing pages cat," in one for one in notes(read_matrix(some), {}))
    assert not any("Nothing pages" in one for one in notes(read_matrix(DESK), {}))
