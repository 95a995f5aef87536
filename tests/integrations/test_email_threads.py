"""Which ticket a mail is about, in the forms in which odd mail programs and ticket systems answer."""

from __future__ import annotations

import pytest

from integrations.connector import ChangeKind, Comment, Theirs
from integrations.mail.letters import Thread, reference
from register.core import new_id
from tests.integrations.test_email import Case, case, states

__all__ = ["case"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Subject": "AW: Pump leaks [{ref}]"},
        {"Subject": "Antwort: [{ref}] Pump leaks"},
        {"Subject": "RE[2]: Pump leaks [{ref}]"},
        {"Subject": "回复：Pump leaks ({low})"},
        {"Subject": "WG: AW: Pump leaks - {low} - Vorgang 12"},
        {"Subject": "[External] Re: Pump leaks [{ref}] (fwd)"},
        {"Subject": "=?utf-8?q?Pomp_lekt_=5B{ref}=5D?="},
        {"Subject": "your mail", "In_Reply_To": "<{root}@muster.test>"},
        {"Subject": "your mail", "In_Reply_To": "<{small}@muster.test>"},
        {"Subject": "your mail", "References": "<gone@kone.test> <{root}@muster.test>"},
        {"Subject": "your mail", "In_Reply_To": "Your message of Monday <{root}@muster.test>"},
        {"Subject": "your mail", "References": "<{root}@muster.test>,<x@kone.test>"},
        {"Subject": "your mail", "To": "Desk <desk+{low}@muster.test>"},
    ],
)
async def test_an_answer_in_an_odd_form_finds_its_ticket_and_begins_none(
    case: Case, headers: dict[str, str]
) -> None:
    _, ref, at = await case.begun()
    fresh = case.desk()
    known = {
        "ref": reference(ref.id),
        "low": reference(ref.id).lower(),
        "root": ref.id,
        "small": ref.id.lower(),
    }
    told = {name: value.format(**known) for name, value in headers.items()}
    case.world.answers(ref, "here", **({"In_Reply_To": "", "References": ""} | told))
    page = await fresh.changes(at)
    assert [(one.ref.id, one.body, one.kind) for one in page.changes] == [
        (ref.id, "here", ChangeKind.COMMENT)
    ]
    assert page.unread == ()


async def test_a_mail_that_names_two_is_of_the_one_that_it_answers(case: Case) -> None:
    desk, first, _ = await case.begun()
    second = await case.ticket(desk, "Lift stuck")
    at = (await desk.changes(None)).next
    both = f"Re: Pump leaks [{reference(first.id)}] [{reference(second.id)}]"
    answered = {"In_Reply_To": f"<{second.id}@muster.test>", "References": f"<{first.id}@muster.test>"}
    case.world.answers(first, "of the lift", Subject=both, **answered)
    quoted = f"of the pump\n\n> [muster:{second.id}]"
    case.world.answers(first, quoted, Subject=f"Re: [{reference(first.id)}]")
    case.world.answers(first, quoted, Subject="see", In_Reply_To=f"<{first.id}@muster.test>", References="")
    page = await case.desk().changes(at)
    assert [one.ref.id for one in page.changes if one.kind is ChangeKind.COMMENT] == [
        second.id,
        first.id,
        first.id,
    ]


async def test_a_forward_by_somebody_else_is_for_a_person_with_its_ticket(case: Case) -> None:
    """Also by a colleague of ours: what is in it somebody else said, perhaps."""
    desk, ref, at = await case.begun()
    forward = {"Subject": f"FW: Pump leaks [{reference(ref.id)}]", "In_Reply_To": "", "References": ""}
    for sender in ("bob@muster.test", "carl@third.test"):
        case.world.answers(ref, "fyi: has been repaired", sender=sender, **forward)
    page = await desk.changes(at)
    assert (page.changes, [one.ticket for one in page.unread]) == ((), [ref.id, ref.id])
    assert "bob@muster.test" in page.unread[0].why


async def test_two_suppliers_in_one_mailbox_hear_their_own(case: Case) -> None:
    kone, pump, at = await case.begun()
    other = case.desk(name="other", to="service@muster.test", senders=("other.test",))
    lift = await case.ticket(other, "Lift stuck")
    case.world.answers(pump, "of the pump", Subject=f"[#77] [{reference(pump.id)}]")
    theirs = {"In_Reply_To": f"<{lift.id}@muster.test>", "References": ""}
    case.world.answers(pump, "of the lift", "x@other.test", Subject="[#77] Lift stuck", **theirs)
    by_number = {"In_Reply_To": "", "References": "", "Subject": "[#77]"}
    case.world.answers(pump, "77 of other", "x@other.test", **by_number)
    case.world.answers(pump, "77 of kone", **by_number)
    for desk, ref, words in (
        (kone, pump, ["of the pump", "77 of kone"]),
        (other, lift, ["of the lift", "77 of other"]),
    ):
        page = await desk.changes(at)
        assert [one.body for one in page.changes if one.kind is ChangeKind.COMMENT] == words
        assert {one.ref.id for one in page.changes} == {ref.id}
        (one,) = page.unread  # a number alone, from who knows whom: perhaps they have a new address
        assert (one.ticket, one.raw.rpartition(" ")[2] in ("kone", "other")) == (ref.id, True)


@pytest.mark.parametrize(
    ("pattern", "subject", "mark"),
    [
        (r"\[#(\d+)\]", "[#4711] Re: Pump", "[#4711]"),
        (r"\[kone\.test #(\d+)\]", "[kone.test #4711] Pump", "[kone.test #4711]"),
        (r"Ticket#(\d+)", "[Ticket#4711] Pump", "Ticket#4711"),
        (r"Case (\d+)", "Case 4711: Pump", "[Case 4711]"),
        (r"Case (\d+)", "Pump", "[4711]"),
        (r"\b(\d{4})\b", "4711 Pump", "[4711]"),
    ],
)
async def test_their_number_goes_back_as_their_subjects_write_it(
    case: Case, pattern: str, subject: str, mark: str
) -> None:
    """By it their system knows the ticket: `[4711]` would open a second one where it looks for `[#4711]`."""
    desk, ref, at = await case.begun(number=pattern)
    case.world.answers(ref, "It is Case 4711.", Subject=f"{subject} [{ref.key}]")
    await desk.changes(at)
    for speaker in (desk, case.desk(number=pattern)):
        await speaker.apply(ref, Comment(new_id(), "thanks"))
        said = case.world.thread(ref)[-1]["Subject"]
        assert said == f"Re: {mark} Pump leaks [{reference(ref.id)}]"


def test_a_title_that_has_their_mark_does_not_get_it_twice() -> None:
    assert Thread("1" * 26, "[#4711] Pump", "4711", mark="[#4711]").subject(True).count("4711") == 1


async def test_our_own_title_in_their_subject_is_no_word_of_theirs(case: Case) -> None:
    desk = case.desk()
    ref = await case.ticket(desk, "Pump has been repaired, and leaks again")
    at = (await desk.changes(None)).next
    case.world.answers(ref, "We look at it.")
    case.world.answers(ref, "See subject.", Subject=f"Pump has been repaired, an… [{reference(ref.id)}]")
    case.world.answers(ref, "See subject.", Subject=f"Ticket is closed: Pump [{reference(ref.id)}]")
    for listener in (desk, case.desk()):
        page = await listener.changes(at)
        said = [one.raw_state for one in states(page) if one.state is not Theirs.UNMAPPED]
        assert said == ["ticket is closed"]


async def test_a_number_in_our_own_words_is_none_of_theirs(case: Case) -> None:
    """Neither in our title, which their subject repeats, nor in what they quote of us."""
    desk = case.desk()
    ref = await case.ticket(desk, "Error [#12] in pump")
    at = (await desk.changes(None)).next
    case.world.answers(ref, "We look.\n\nOn Mon, 1 Jan 2026 at 10:00, Desk <d@x.test> wrote:\n> as in [#13]")
    for listener in (desk, case.desk()):
        assert {one.ref.key for one in (await listener.changes(at)).changes} == {reference(ref.id)}
    await desk.apply(ref, Comment(new_id(), "thanks"))
    assert case.world.thread(ref)[-1]["Subject"] == f"Re: Error [#12] in pump [{reference(ref.id)}]"
    case.world.answers(
        ref, "Yours is here.", Subject=f"[#4711] Re: Error [#12] in pump [{reference(ref.id)}]"
    )
    for listener in (desk, case.desk()):
        assert (await listener.changes(at)).changes[-1].ref.key == "4711"


async def test_what_a_ticket_is_called_is_not_asked_for_where_our_own_mail_was_heard(case: Case) -> None:
    desk = case.desk()
    at = (await desk.changes(None)).next
    ref = await case.ticket(desk, "Pump")
    case.world.answers(ref, "It is here.", Subject=f"[#4711] Pump [{reference(ref.id)}]")
    asked = desk.http.asked
    assert (await desk.changes(at)).changes[-1].ref.key == "4711"
    assert desk.http.asked - asked == 1


async def test_a_stranger_with_a_number_costs_one_look_and_no_reading(case: Case) -> None:
    """Everybody can write to the mailbox, and numbers stand in all that is written."""
    _, _, at = await case.begun()
    for n in range(3):
        head = f"From: x@spam.test\r\nMessage-ID: <{n}@spam.test>\r\nSubject: hi\r\n\r\n"
        case.mail.deliver("desk", f"{head}about [#12]\r\n".encode())
    case.mail.commands.clear()
    page = await case.desk().changes(at)
    assert (page.changes, page.unread) == ((), ())
    assert case.mail.commands.count("imap UID SEARCH") == 3
    assert case.mail.commands.count("imap UID FETCH") == 2
