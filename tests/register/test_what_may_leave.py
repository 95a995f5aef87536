"""What a rule lets out to a supplier: labels, restricted incidents, quotes; and what a redaction takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from register.adoption import as_text, vendors_in
from register.attaching import attach, detach
from register.core import Command, NotFound, Refused
from register.desk import ServiceDesk
from register.incident import Label, ResolutionCode
from register.leaving import NOTHING_MORE, USUAL, May, Receives
from register.store.files import files_of
from register.store.leaving import Stands, claim, stand
from register.store.outbox import unfinished
from register.topics.delivery import DropSending
from register.topics.ending import WithTheirs
from register.topics.engagement import Engage, Reply
from register.topics.forwarding import Forward
from register.topics.hearing import Hear
from register.topics.notes import Note
from register.topics.privacy import Redact
from register.topics.proposal import Dispute
from register.topics.resolution import Resolve
from register.topics.sending_files import SendFile, TellPlace
from register.topics.sight import Restrict, Unrestrict
from register.topics.withdrawal import Withdraw
from register.verify import verify
from tests.register.saying import (
    ANA,
    BEN,
    ENGINE,
    ask,
    engaged,
    everything,
    heard,
    log,
    look,
    story,
    ticket_of,
)

SECRET = "ghp_0123456789abcdefghij"


def lets(desk: ServiceDesk, *may: May, vendor: str = "acme", **more: Any) -> None:
    """The supplier may receive these from now on."""
    facts = desk.policy.vendors[vendor]
    told = replace(facts, receives=Receives(may=frozenset(may), **more))
    desk.policy = replace(desk.policy, vendors={**desk.policy.vendors, vendor: told})


def payload(desk: ServiceDesk, kind: str) -> Any:
    return orjson.loads([row for row in unfinished(desk.store) if row.kind == kind][-1].payload)


def refused(desk: ServiceDesk, command: Command, match: str) -> None:
    """It is refused with these words, and nothing is written."""
    was = everything(desk.store)
    with pytest.raises(Refused, match=match):
        desk.do(BEN, command)
    assert everything(desk.store) == was


# Words


def test_what_is_taken_out_is_in_no_event_and_no_sending_and_is_told(desk: ServiceDesk) -> None:
    number = log(desk, f"Login with {SECRET} fails")
    receipt = desk.do(
        BEN, Engage(target=number, vendor="acme", message=f"use {SECRET}, ring +47 22 33 44 55")
    )
    told = payload(desk, "create")
    assert told["title"] == "Login with [credential removed] fails"
    assert told["body"] == "use [credential removed], ring [phone number removed]"
    assert receipt.remarks == (
        "Taken out before it goes to acme: 2 × credential (leaves to nobody);"
        ' 1 × phone number (may_receive has no "phones").',
    )
    assert SECRET not in str([one.event for one in desk.store.timeline(number)][1:])
    assert verify(desk.store).faults == []


@pytest.mark.parametrize("words", [SECRET, f"password: {SECRET}"])
def test_every_way_to_write_to_them_takes_it_out(desk: ServiceDesk, clock: Any, words: str) -> None:
    number, bond = ticket_of(desk, clock)
    desk.do(BEN, Reply(target=number, message=f"Try {words} now"))
    state = heard(number, bond, clock(), kind="state", raw_state="Fixed", fixed=True)
    desk.do(ENGINE, Hear(vendor="acme", items=(state,)))
    desk.do(BEN, Dispute(target=number, message=f"Not with {words} here"))
    desk.do(
        BEN,
        Resolve(
            target=number,
            code=ResolutionCode.FIXED,
            notes=f"It was {words} all along",
            theirs=WithTheirs.TELL,
        ),
    )
    desk.do(BEN, Withdraw(target=number, reason=f"We set {words} ourselves"))
    rows = ask(desk.store, "SELECT kind, payload FROM sending ORDER BY position")
    assert [row.kind for row in rows] == ["create", "comment", "transition", "comment", "transition"]
    assert [row.payload.count("[credential removed]") for row in rows] == [0, 1, 1, 1, 1]
    assert SECRET not in str(rows)


def test_what_is_nothing_but_a_secret_is_refused(desk: ServiceDesk) -> None:
    number, _ = engaged(desk)
    refused(desk, Reply(target=number, message=SECRET), "Nothing of it may leave to acme")


def test_without_the_title_their_ticket_has_our_number(desk: ServiceDesk) -> None:
    lets(desk)
    number, _ = engaged(desk)
    assert payload(desk, "create")["title"] == f"Incident {number}"


def test_a_supplier_of_no_policy_may_receive_nothing_more(desk: ServiceDesk) -> None:
    number, _ = engaged(desk)
    desk.policy = replace(desk.policy, vendors={})
    desk.do(BEN, Reply(target=number, message="ask bob@example.com"))
    assert payload(desk, "comment")["body"] == "ask [mail address removed]"
    assert NOTHING_MORE.may == frozenset()


def test_a_block_says_what_may_leave_and_strange_words_let_nothing_out() -> None:
    more = {"entitlement": {"*": {"contract": 4711}}, "entitlement_required": ["contract"]}
    block = more | {
        "may_receive": ["files", "everything"],
        "redact": ["x+"],
        "max_attachment": 7,
        "upload": "a\nb",
    }
    known = vendors_in(as_text({"vendor": {"acme": block, "plain": {}}}))
    assert known["acme"].receives == Receives(
        frozenset({May.FILES}), ("x+",), 7, "a b", {"*": {"contract": "4711"}}, ("contract",)
    )
    assert known["plain"].receives.may == USUAL


def test_without_what_they_ask_for_nobody_is_engaged(desk: ServiceDesk) -> None:
    known = {"*": {"site": "Oslo"}, "Webshop": {"contract": "4711"}}
    lets(desk, May.TITLE, entitlement=known, required=("contract",))
    other, shop = log(desk, service="Mail"), log(desk, service="webshop")
    refused(desk, Engage(target=other, vendor="acme", message="x"), "acme asks for contract")
    desk.do(BEN, Engage(target=shop, vendor="acme", message="x"))
    assert payload(desk, "create")["fields"] == {"site": "Oslo", "contract": "4711"}
    assert verify(desk.store).faults == []


# Restricted incidents


def test_of_a_restricted_incident_nothing_is_written_to_who_may_not(desk: ServiceDesk) -> None:
    number, _ = engaged(desk)
    file = attach(desk, ANA, number, b"x", "a.log", Label.SHAREABLE).events[0].command_id
    desk.do(ANA, Restrict(target=number, to=("ben",)))
    for command in (
        Reply(target=number, message="x"),
        Engage(target=number, vendor="practice", message="x"),
        SendFile(target=number, file=file),
        TellPlace(target=number, name="a", place="b", vendor="acme"),
        Resolve(target=number, code=ResolutionCode.FIXED, notes="x", theirs=WithTheirs.TELL),
    ):
        refused(desk, command, f"{number} is restricted")
    desk.do(BEN, TellPlace(target=number, name="a", place="b"))
    lets(desk, May.RESTRICTED)
    desk.do(BEN, Reply(target=number, message="x"))


def test_who_may_not_have_the_reason_is_called_off_without_a_word(desk: ServiceDesk, clock: Any) -> None:
    number, _ = ticket_of(desk, clock)
    desk.do(ANA, Restrict(target=number, to=("ben",)))
    desk.do(BEN, Withdraw(target=number, reason="the payroll leaked"))
    assert payload(desk, "transition")["note"] == ""
    assert desk.store.timeline(number)[-1].event.reason == "the payroll leaked"  # type: ignore[union-attr]


# The timeline


def test_shareable_notes_go_where_they_may_and_are_asked_for(desk: ServiceDesk) -> None:
    number = log(desk)
    for label in Label:
        desk.do(ANA, Note(target=number, text=f"a note that is {label}", label=label))
    desk.do(ANA, Note(target=number, text=f"tried {SECRET} twice", label=Label.SHAREABLE))
    engage = Engage(target=number, vendor="acme", message="Help", timeline=True)
    refused(desk, engage, "may not receive notes")
    lets(desk, May.TIMELINE)
    desk.do(BEN, engage)
    told = payload(desk, "create")
    assert told["body"] == (
        "Help\n\nWhat we know so far:\n- a note that is shareable\n- tried [credential removed] twice"
    )
    assert [desk.store.timeline(number)[seq - 1].kind for seq in told["quotes"]] == ["note", "note"]


def test_notes_that_were_redacted_before_do_not_go(desk: ServiceDesk) -> None:
    number = log(desk)
    desk.do(ANA, Note(target=number, text="of somebody else", label=Label.SHAREABLE))
    desk.do(BEN, Redact(target=number, reason="x", event=desk.store.timeline(number)[-1].seq))
    lets(desk, May.TIMELINE)
    desk.do(BEN, Engage(target=number, vendor="acme", message="Help", timeline=True))
    assert payload(desk, "create")["body"] == "Help"


def test_a_long_story_is_cut_at_its_old_end(desk: ServiceDesk) -> None:
    number = log(desk)
    for n in range(3):
        desk.do(ANA, Note(target=number, text=f"{n} " + "x " * 15_000, label=Label.SHAREABLE))
    lets(desk, May.TIMELINE)
    desk.do(BEN, Engage(target=number, vendor="acme", message="Help", timeline=True))
    body = payload(desk, "create")["body"]
    assert len(body) <= 65_536
    assert ("- 0 " in body, "- 1 " in body, "- 2 " in body) == (False, True, True)


# Files


def test_a_file_that_is_shareable_is_sent(desk: ServiceDesk, clock: Any) -> None:
    number, bond = ticket_of(desk, clock)
    made = attach(desk, BEN, number, b"trace", "trace.log", Label.SHAREABLE, send_to="acme")
    told = payload(desk, "attach")
    assert (told["file"], told["name"], told["size"]) == (made.events[0].command_id, "trace.log", 5)
    assert story(desk, number)[-2:] == ["attached", "file_sent"]
    assert unfinished(desk.store)[-1].bond == bond
    desk.do(BEN, SendFile(target=number, file="trace.log", vendor="acme"))
    assert verify(desk.store).faults == []


def test_files_that_may_not_leave_are_refused(desk: ServiceDesk, clock: Any) -> None:
    number, _ = ticket_of(desk, clock)
    for label in (Label.INTERNAL, Label.CONFIDENTIAL):
        attach(desk, BEN, number, b"x", f"{label}.log", label)
        refused(desk, SendFile(target=number, file=f"{label}.log"), f"is {label}, and only what is shareable")
    attach(desk, BEN, number, b"12345678", "a.log", Label.SHAREABLE)
    attach(desk, BEN, number, b"12345678", "b.log", Label.SHAREABLE)
    attach(desk, BEN, number, b"12345678", "b.log", Label.SHAREABLE)
    refused(desk, SendFile(target=number, file="b.log"), "more than once")
    with pytest.raises(NotFound, match="has no file"):
        desk.do(BEN, SendFile(target=number, file="c.log"))
    lets(desk, May.FILES, most_bytes=7, upload="sftp://files.acme.example/in")
    refused(desk, SendFile(target=number, file="a.log"), "Put it there: sftp://files.acme.example/in")
    lets(desk)
    refused(desk, SendFile(target=number, file="a.log"), "may receive no files")
    was = everything(desk.store)
    with pytest.raises(Refused, match="may receive no files"):
        attach(desk, BEN, number, b"12345678", "d.log", Label.SHAREABLE, send_to="acme")
    assert everything(desk.store)["event"] == was["event"]
    assert verify(desk.store).faults == []


def test_a_files_name_says_no_secret(desk: ServiceDesk, clock: Any) -> None:
    number, _ = ticket_of(desk, clock)
    attach(desk, BEN, number, b"x", f"dump {SECRET}.log", Label.SHAREABLE, send_to="acme")
    assert payload(desk, "attach")["name"] == "dump [credential removed].log"


def test_where_a_file_lies_is_noted_and_told(desk: ServiceDesk, clock: Any) -> None:
    number, _ = ticket_of(desk, clock)
    place = "sftp://drop@files.acme.example/in/dump.bin"
    about = {"target": number, "name": "dump.bin", "place": place, "size": 31_000_000, "sha256": "ab" * 32}
    desk.do(BEN, TellPlace(**about))
    assert unfinished(desk.store) == []
    desk.do(BEN, TellPlace(**about, vendor="acme"))
    digest = " ".join(["abababab"] * 8)
    assert payload(desk, "comment")["body"] == (
        f"The file dump.bin (31,000,000 bytes) is here: {place}\nSHA-256: {digest}"
    )
    assert verify(desk.store).faults == []
    for with_a_key in ("sftp://bob:hunter2@files.example/in", "https://up.example/x?token=abcdef"):
        with pytest.raises(ValueError, match="has a credential in it"):
            TellPlace(target=number, name="a", place=with_a_key)


# Forwarding


def said(desk: ServiceDesk, clock: Any, number: str, vendor: str = "acme", **more: Any) -> int:
    """This supplier says something; its seq."""
    (bond,) = look(desk, number).live_bonds(vendor)
    item = heard(number, bond.id, clock(), **({"change_id": f"c{desk.store.seq()}"} | more))
    desk.do(ENGINE, Hear(vendor=vendor, items=(item,)))
    return desk.store.seq()


def two(desk: ServiceDesk) -> str:
    """An incident with acme and practice engaged."""
    number, _ = engaged(desk)
    desk.do(BEN, Engage(target=number, vendor="practice", message="x"))
    return number


def test_one_suppliers_words_go_to_another_without_what_may_not_leave(desk: ServiceDesk, clock: Any) -> None:
    number = two(desk)
    said(desk, clock, number, body="an older word")
    body = f"Login is {SECRET}.\nRing +47 22 33 44 55.\n[muster:01ARZ3NDEKTSV4RRFFQ69G5FAV]"
    seq = said(desk, clock, number, body=body)
    receipt = desk.do(BEN, Forward(target=number, vendor="practice", message="See below."))
    title = desk.policy.vendors["acme"].title
    told = payload(desk, "comment")
    assert told["body"] == (
        f"See below.\n\n{title} wrote:\n> Login is [credential removed].\n> Ring [phone number removed]."
    )
    assert told["quotes"] == [seq]
    assert "Taken out before it goes to practice" in receipt.remarks[0]
    assert unfinished(desk.store)[-1].vendor == "practice"
    assert verify(desk.store).faults == []


def test_what_is_not_for_others_is_not_forwarded(desk: ServiceDesk, clock: Any) -> None:
    number = two(desk)
    with pytest.raises(NotFound, match="nothing to forward"):
        desk.do(BEN, Forward(target=number, vendor="practice"))
    private = said(desk, clock, number, body="among us", public=False)
    with pytest.raises(NotFound, match="nothing to forward"):
        desk.do(BEN, Forward(target=number, vendor="practice"))
    refused(desk, Forward(target=number, vendor="practice", event=private), "for their own people")
    own = said(desk, clock, number, vendor="practice", body="ours")
    refused(desk, Forward(target=number, vendor="practice", event=own), "wrote that themselves")
    with pytest.raises(NotFound, match="no supplier's word"):
        desk.do(BEN, Forward(target=number, vendor="practice", event=1))
    gone = said(desk, clock, number, body="of somebody")
    desk.do(BEN, Redact(target=number, reason="x", event=gone))
    with pytest.raises(NotFound, match="nothing to forward"):
        desk.do(BEN, Forward(target=number, vendor="practice", event=gone))
    said(desk, clock, number, body="fine")
    lets(desk, vendor="practice")
    refused(desk, Forward(target=number, vendor="practice"), "may not receive what other suppliers write")


# Between being asked for and being sent


def test_what_a_sending_takes_along_is_looked_at_when_it_is_claimed(desk: ServiceDesk, clock: Any) -> None:
    number = log(desk)
    desk.do(ANA, Note(target=number, text="of somebody", label=Label.SHAREABLE))
    note = desk.store.seq()
    lets(desk, May.TIMELINE, May.FILES)
    desk.do(BEN, Engage(target=number, vendor="acme", message="Help", timeline=True))
    made = attach(desk, BEN, number, b"x", "a.log", Label.SHAREABLE, send_to="acme")
    create, file = unfinished(desk.store)
    assert stand(desk.store, [create, file]) == {file.row_id: Stands(label="shareable")}
    desk.do(BEN, Redact(target=number, reason="x", event=note))
    detach(desk, BEN, number, made.events[0].command_id)
    desk.do(ANA, Restrict(target=number, to=("ben",)))
    assert stand(desk.store, [create, file]) == {
        create.row_id: Stands(restricted=True, wiped=True),
        file.row_id: Stands(restricted=True, label=""),
    }
    desk.do(ANA, Unrestrict(target=number))
    now = clock()
    later = now + timedelta(seconds=9)
    (taken,) = claim(desk.store, "acme", "w1", now, later, later, 5)
    assert (taken[0].row_id, taken[1]) == (create.row_id, Stands(wiped=True))
    with desk.store.read() as connection:
        assert files_of(connection, number) == []


@pytest.mark.parametrize("way", ["withdraw", "resolve", "evidence", "send"])
def test_words_on_their_way_are_not_redacted_under_them_whatever_asked_for_them(
    desk: ServiceDesk, clock: Any, way: str
) -> None:
    number, _ = ticket_of(desk, clock)
    words = "hunter two of Theo"
    if way == "send":
        attach(desk, BEN, number, b"x", f"{words}.log", Label.SHAREABLE, send_to="acme")
    else:
        commands: dict[str, Command] = {
            "withdraw": Withdraw(target=number, reason=words),
            "evidence": TellPlace(target=number, name="a", place=words, vendor="acme"),
            "resolve": Resolve(target=number, code=ResolutionCode.FIXED, notes=words, theirs=WithTheirs.TELL),
        }
        desk.do(BEN, commands[way])
    (row,) = unfinished(desk.store)
    assert words in row.payload
    refused(desk, Redact(target=number, reason="x"), "to acme is not known to have arrived")
    desk.do(BEN, DropSending(row_id=row.row_id))
    desk.do(BEN, Redact(target=number, reason="x"))
    assert words not in str(everything(desk.store))
    assert verify(desk.store).faults == []
