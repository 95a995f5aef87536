"""Mail as a way to a supplier: what a mail means, whose it is, and what goes wrong on the way."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority

from integrations.connector import Attach, Change, ChangeKind, Comment, Draft, Found, Page, Ref, Theirs
from integrations.errors import Ambiguous, AuthFailed, Gone, NotSent, RateLimited, Rejected, Unavailable
from integrations.http import Http, Limits
from integrations.mail.config import EmailConfig, where
from integrations.mail.folding import folded
from integrations.mail.letters import reference
from integrations.mail.login import Login
from integrations.mail.opened import Unopened, opened
from integrations.mail.transport import MailTransport
from integrations.systems.email import Email
from register.core import new_id
from register.incident import Priority
from tests.played.email import DESK, EmailWorld, Imap, PlayedMail, Smtp, Stored, playing

C, S, F = ChangeKind.COMMENT, ChangeKind.STATE, ChangeKind.FILE


class Case:
    """A ticket by mail, and the connector that listens."""

    def __init__(self, mail: PlayedMail) -> None:
        self.mail, self.world = mail, EmailWorld(mail)
        self.open: list[Http] = []

    def desk(self, total: float = 20.0, name: str = "acme", **more: Any) -> Email:
        world = EmailWorld(self.mail, **more)
        headers = Email.headers(world.config, world.secret)
        limits = Limits(connect=total, read=total, total=total)
        http = Http(world.url, headers, name=name, limits=limits, transport=world.transport())
        self.open.append(http)
        return Email(http, world.config)

    async def ticket(self, desk: Email, title: str = "Pump leaks") -> Ref:
        return await desk.create(Draft(new_id(), title, "It drips.", Priority.HIGH))

    async def begun(self, **more: Any) -> tuple[Email, Ref, Any]:
        """A connector, a ticket of it, and where its feed stands behind that."""
        desk = self.desk(**more)
        ref = await self.ticket(desk)
        return desk, ref, (await desk.changes(None)).next


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    async with playing() as mail:
        made = Case(mail)
        yield made
        for http in made.open:
            await http.aclose()


def kinds(page: Page) -> list[tuple[ChangeKind, str]]:
    return [(one.kind, one.raw_state or one.body) for one in page.changes]


def states(page: Page) -> list[Change]:
    return [one for one in page.changes if one.kind is S]


# Which ticket


@pytest.mark.parametrize(
    "headers",
    [
        {"Subject": "Re: [MUS-{mark}]"},
        {"Subject": "hello", "To": "desk+mus-{mark}@muster.test"},
        {"Subject": "hello", "In_Reply_To": "<{root}@muster.test>"},
    ],
)
async def test_a_reply_that_lost_most_of_its_thread_finds_its_ticket(
    case: Case, headers: dict[str, str]
) -> None:
    _, ref, at = await case.begun()
    fresh = case.desk()  # which has never heard of it
    told = {k: v.format(root=ref.id, mark=ref.id[-10:]) for k, v in headers.items()}
    case.world.answers(ref, "here", **({"In_Reply_To": "", "References": ""} | told))
    page = await fresh.changes(at)
    assert [(one.ref.id, one.body) for one in page.changes] == [(ref.id, "here")]


async def test_an_answer_to_our_second_mail_alone_finds_the_ticket_of_the_first(case: Case) -> None:
    desk, ref, at = await case.begun()
    op_id = new_id()
    await desk.apply(ref, Comment(op_id, "any news?"))
    lost = {"Subject": "yes", "In_Reply_To": f"<{op_id}@muster.test>", "References": ""}
    case.world.answers(ref, "soon", **lost)
    page = await case.desk().changes(at)
    assert [(one.ref.id, one.body) for one in page.changes] == [(ref.id, "any news?"), (ref.id, "soon")]


async def test_our_footer_in_what_they_quote_finds_it_too(case: Case) -> None:
    _, ref, at = await case.begun()
    case.world.answers(ref, f"ok\n\n> [muster:{ref.id}]", Subject="x", In_Reply_To="", References="")
    page = await case.desk().changes(at)
    assert [(one.ref.id, one.body, one.marker) for one in page.changes if one.kind is C] == [
        (ref.id, "ok", None)
    ]


async def test_their_number_is_learned_told_and_kept_in_our_subjects(case: Case) -> None:
    """So that a reply never opens a second ticket with them."""
    desk, ref, at = await case.begun()
    assert ref.key == reference(ref.id)
    case.world.answers(
        ref, "We have it.", Subject=f"[#4711] Re: x [{ref.key}]", Auto_Submitted="auto-replied"
    )
    page = await desk.changes(at)
    acknowledged, again, original = page.changes
    assert (acknowledged.raw_state, acknowledged.state) == ("acknowledged as 4711", Theirs.NEW)
    # the same word, unknown, has the engine read the ticket anew and learn its key; by itself it is no news
    assert (again.raw_state, again.state) == (acknowledged.raw_state, Theirs.UNMAPPED)
    assert (original.kind, original.body[:9], original.body[-4:]) == (F, "original-", ".eml")
    assert (await desk.get(ref)).ref == Ref(id=ref.id, key="4711")
    for speaker in (desk, case.desk()):  # one that knows, and one that asks the mailbox
        await speaker.apply(ref, Comment(new_id(), "thanks"))
        assert case.world.thread(ref)[-1]["Subject"] == f"Re: [#4711] Pump leaks [{reference(ref.id)}]"
    assert [one.raw_state for one in states(await case.desk().history(ref))] == ["acknowledged as 4711"] * 2
    case.world.answers(ref, "by number", Subject="Your case [#4711]", In_Reply_To="", References="")
    for speaker in (desk, case.desk()):
        last = (
            await speaker.changes((await speaker.changes(page.next)).next | {"uid": case.mail.next - 2})
        ).changes
        assert [(one.ref.id, one.body) for one in last if one.kind is C] == [(ref.id, "by number")]
    assert (await case.desk().get(Ref(id="4711", key="4711"))).ref.id == ref.id
    assert (await case.desk().get(Ref(id=reference(ref.id), key="x"))).ref.id == ref.id
    with pytest.raises(Gone):
        await desk.get(Ref(id="4712", key="4712"))


async def test_an_acknowledgement_that_comes_twice_is_told_once(case: Case) -> None:
    desk, ref, at = await case.begun()
    for _ in range(2):
        case.world.answers(ref, "We have it.", Subject=f"[#4711] [{ref.key}]", Auto_Submitted="auto-replied")
    assert len(states(await desk.changes(at))) == 2  # of the first


async def test_a_new_mail_of_theirs_that_fits_nothing_is_for_a_person(case: Case) -> None:
    desk, ref, at = await case.begun()
    lost = {"In_Reply_To": "", "References": "", "Subject": "New address"}
    case.world.answers(ref, "we moved", **lost)
    case.world.answers(ref, "our offers", **lost, List_Id="<news.kone.test>")
    case.world.answers(ref, "spam", sender="x@spam.test", **lost)
    page = await desk.changes(at)
    assert page.changes == ()
    (one,) = page.unread
    assert (one.ticket, "could not be matched" in one.why, "we moved" in one.raw) == ("", True, True)


# Whose


@pytest.mark.parametrize(
    "sender",
    [
        "Lena <lena@evil.test>",
        '"lena@kone.test" <lena@evil.test>',
        "Lena <lena@kone.test>, Eve <eve@evil.test>",
        "lena@kone.test.evil.test",
        "lena@notkone.test",
        "nobody",
    ],
)
async def test_whoever_else_writes_in_a_thread_is_not_taken_for_them(case: Case, sender: str) -> None:
    desk, ref, at = await case.begun()
    case.world.answers(ref, "has been repaired", sender=sender)
    page = await desk.changes(at)
    assert page.changes == ()
    (one,) = page.unread
    assert (one.ticket, "does not count as theirs" in one.why) == (ref.id, True)


async def test_a_stranger_is_told_of_by_the_supplier_alone_whose_ticket_it_is(case: Case) -> None:
    """Several suppliers may share a mailbox of ours."""
    _, ref, at = await case.begun()
    other = case.desk(name="other", to="help@other.muster.test", senders=("other.muster.test",))
    case.world.answers(ref, "hello", sender="x@evil.test")
    assert (await other.changes(at)).unread == ()
    assert (await other.changes(at)).changes == ()


async def test_addresses_and_hosts_below_a_domain_count_as_named(case: Case) -> None:
    desk, ref, at = await case.begun(senders=("kone.test", "Bob@partner.test"))
    for sender in ("a@mail.kone.test", "bob@partner.test"):
        case.world.answers(ref, "x", sender=sender)
    case.world.answers(ref, "x", sender="eve@partner.test")
    page = await desk.changes(at)
    assert ([one.author for one in page.changes], len(page.unread)) == (
        ["a@mail.kone.test", "bob@partner.test"],
        1,
    )


# What it means


async def test_an_agreed_phrase_is_a_state_and_all_else_is_to_be_read_with_a_suggestion(case: Case) -> None:
    desk, ref, at = await case.begun()
    case.world.answers(ref, "The pump  HAS been\nrepaired.")
    case.world.answers(ref, "Das Problem ist behoben.")
    case.world.answers(ref, "has been repaired? No: we are working on it now")
    case.world.answers(ref, "thanks\n\n> Has been repaired")
    page = await desk.changes(at)
    assert [(one.raw_state, one.state) for one in states(page)] == [("has been repaired", Theirs.FIXED)]
    words = [one.body for one in page.changes if one.kind is C]
    assert words[1].startswith("Das Problem ist behoben.\n\n[No agreed phrase: read it. It may mean fixed (")
    assert words[2].startswith("has been repaired? No: we are working on it now")  # two phrases, so neither
    assert words[3] == "thanks"


@pytest.mark.parametrize(
    "marks",
    [
        {"Auto_Submitted": "auto-replied (vacation)"},
        {"Precedence": "auto_reply"},
        {"X_Autoreply": "yes"},
    ],
)
async def test_an_automatic_answer_is_told_as_one_and_never_answered(
    case: Case, marks: dict[str, str]
) -> None:
    desk, ref, at = await case.begun()
    case.world.answers(ref, "I am away.", **marks)
    page = await desk.changes(at)
    assert kinds(page) == [(C, "[An automatic answer.]\n\nI am away.")]
    assert page.changes[0].quiet, "it is no word of a person"
    assert len(case.world.arrived()) == 1


def bounced(ref: Ref, action: str = "failed") -> bytes:
    return f"""From: MAILER-DAEMON@mail.muster.test
To: {DESK}
Subject: Undelivered
Message-ID: <bounce-1@mail.muster.test>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b

I am sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.muster.test

Final-Recipient: rfc822; service@kone.test
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--b
Content-Type: text/rfc822-headers

From: {DESK}
Message-ID: <{ref.id}@muster.test>

--b--
""".replace("\n", "\r\n").encode()


async def test_a_bounce_is_a_failure_and_the_turn_is_ours(case: Case) -> None:
    desk, ref, at = await case.begun()
    case.mail.deliver("desk", bounced(ref))
    page = await desk.changes(at)
    assert kinds(page) == [
        (S, "not delivered"),
        (
            C,
            "Our mail was NOT DELIVERED: service@kone.test 5.1.1 550 5.1.1 no such user."
            " Mend the address in vendors.toml, or call them.",
        ),
    ]
    assert page.changes[0].state is Theirs.WAITS_FOR_US
    assert [one.change_id for one in (await desk.history(ref)).changes] == [
        one.change_id for one in page.changes
    ]


async def test_a_mail_that_is_late_or_arrived_is_no_failure(case: Case) -> None:
    desk, ref, at = await case.begun()
    case.mail.deliver("desk", bounced(ref, "delayed"))
    case.mail.deliver("desk", bounced(ref, "delivered"))
    (one,) = (await desk.changes(at)).changes
    assert (one.kind, one.body.startswith("Our mail is late")) == (C, True)


# What is in it


def mail(body: str, head: str = "") -> bytes:
    return f"From: a@kone.test\r\nMessage-ID: <1@x>\r\nMIME-Version: 1.0\r\n{head}{body}".encode()


def multi(kind: str, *parts: str) -> bytes:
    inner = "".join(f"--b\r\n{part}\r\n" for part in parts)
    return mail(f'Content-Type: multipart/{kind}; boundary="b"\r\n\r\n{inner}--b--\r\n')


def test_html_is_made_text_and_the_plain_alternative_is_taken_before_it() -> None:
    html = "Content-Type: text/html; charset=utf-8\r\n\r\n<style>x{}</style><p>One<br>two <b>&auml;</b></p>"
    assert opened(multi("alternative", html)).text == "One\ntwo ä"
    plain = "Content-Type: text/plain\r\n\r\nplain words"
    assert opened(multi("alternative", html, plain)).text == "plain words"
    assert opened(multi("alternative", "Content-Type: text/plain\r\n\r\n \r\n", html)).text == "One\ntwo ä"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ('application/ms-tnef; name="winmail.dat"', "TNEF"),
        ('application/octet-stream; name="winmail.dat"', "TNEF"),
        ('application/pkcs7-mime; name="smime.p7m"', "encrypted or signed"),
    ],
)
def test_what_only_a_mail_program_opens_is_told(kind: str, said: str) -> None:
    part = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\neAA=\r\n"
    one = opened(multi("mixed", "Content-Type: text/plain\r\n\r\nhello", part))
    assert (one.text, len(one.files), said in one.notes[0]) == ("hello", 1, True)


@pytest.mark.parametrize("charset", ["utf-9", "punycode", "zlib", "utf-16", "ascii", "", "idna", "\x01"])
def test_a_charset_that_is_wrong_costs_signs_at_most(charset: str) -> None:
    head = f'Content-Type: text/plain; charset="{charset}"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n'
    assert opened(mail("gr\xfc\xdfe", head).replace("grüße".encode(), b"gr\xfc\xdfe")).text.startswith(
        "gr"
    ) or (charset == "utf-16")


def test_languages_stay_as_they_came() -> None:
    for text in ("Søren, æøå", "ポンプを修理しました。", "Насос починен", "المضخة تعمل", "水泵已修好"):
        raw = mail(
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + text
        )
        assert folded(opened(raw).text) == text


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("Fixed.\n\nOn Mon, 1 Jan 2026 at 10:00, Desk <d@x.test> wrote:\n> leaks\n> [muster:1]", "Fixed."),
        ("Erledigt.\n\nAm 01.01.2026 um 10:00 schrieb Desk:\n> alt", "Erledigt."),
        ("Fait.\n\nLe lun. 1 janv. 2026 à 10:00, Desk <d@x.test> a écrit :\n> vieux", "Fait."),
        ("ok\n\nFrom: Desk\nSent: Monday\nTo: x\nSubject: y\n\nold", "ok"),
        ("- one\n- two\n  indented\n\n-- \nLena\nKone", "- one\n- two\n  indented"),
        ("above\n> q1\nbetween\n> q2", "above\n> q1\nbetween"),
        ("> all of it\n> is quoted", "> all of it\n> is quoted"),
        ("On the roof it leaks\n    keep me", "On the roof it leaks\n    keep me"),
    ],
)
def test_what_is_quoted_and_signed_is_folded_away_and_nothing_else(text: str, new: str) -> None:
    assert folded(text) == new


def test_a_mail_that_is_nested_or_broken_harms_nobody() -> None:
    deep = b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(1_000)
    )
    with pytest.raises(Unopened, match="nested"):
        opened(b"From: a@kone.test\r\n" + deep)
    wide = multi("mixed", *["Content-Type: image/png; name=x.png\r\n\r\nx"] * 5_000)
    assert len(opened(wide).files) == 200
    for raw in (
        b"",
        b"\x00" * 1_000,
        b"From: =?utf-8?b?!!!?= <a@b\r\n\r\n\xff",
        b"Content-Type: multipart/mixed\r\n\r\nx",
    ):
        opened(raw)


async def test_one_that_cannot_be_read_is_set_aside_with_its_ticket_and_the_feed_goes_on(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    from integrations.mail import feed

    desk, ref, at = await case.begun()
    case.world.answers(ref, "poison")
    case.world.answers(ref, "next")

    def refuse(raw: bytes) -> Any:
        if b"cG9pc29u" in raw:
            raise Unopened("it is nested too deep")
        return opened(raw)

    monkeypatch.setattr(feed, "opened", refuse)
    page = await desk.changes(at)
    assert [one.body for one in page.changes] == ["next"]
    assert [(one.ticket, one.why) for one in page.unread] == [(ref.id, "it is nested too deep")]


async def test_what_was_folded_away_is_in_the_original_which_is_fetched(case: Case) -> None:
    desk, ref, at = await case.begun()
    stored = case.world.answers(ref, "ok\n\nOn Mon, Desk <d@x.test> wrote:\n> old words")
    words, original = (await desk.changes(at)).changes
    stamp = f"{stored.at:%Y%m%d-%H%M%S}"  # so that several of a ticket are told apart
    assert (words.body, original.body) == ("ok", f"original-{stamp}.eml")
    assert original.size == len(stored.raw)
    assert await desk.fetch(ref, original.place, 10_000) == stored.raw
    with pytest.raises(Rejected):
        await desk.fetch(ref, original.place, 10)


async def test_files_come_in_byte_for_byte(case: Case) -> None:
    desk, ref, at = await case.begun()
    content = bytes(range(256)) * 9
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    for name, value in {
        "From": "lena@kone.test",
        "Subject": f"[{ref.key}]",
        "Message-ID": "<f@kone.test>",
    }.items():
        message[name] = value
    message.set_content("see there")
    message.add_attachment(content, maintype="image", subtype="png", filename="../größe\u202e.png")
    case.mail.deliver("desk", message.as_bytes())
    words, file = (await desk.changes(at)).changes
    assert (words.body, file.body, file.size) == ("see there", "../größe.png", len(content))
    assert await desk.fetch(ref, file.place, 10_000) == content


async def test_nothing_in_a_title_or_a_name_begins_a_header(case: Case) -> None:
    desk = case.desk()
    ref = await case.ticket(desk, "x\r\nBcc: eve@evil.test\r\n\r\nbody")
    evil = Attach(new_id(), 'a"\r\nBcc: eve@evil.test.bin', "text/x\r\ny", "", b"x")
    await desk.apply(ref, evil)
    for one in case.world.thread(ref):
        assert one["Bcc"] is None
    assert {box for box, mails in case.mail.boxes.items() if mails} == {"desk", "service"}


async def test_no_line_of_a_text_ends_the_mail(case: Case) -> None:
    """A dot alone ends it in SMTP, and what followed would be the next command."""
    desk, ref, _ = await case.begun()
    text = "before\n.\n..two\nRCPT TO:<eve@evil.test>\n.\rafter"
    await desk.apply(ref, Comment(new_id(), text))
    said = (await case.world.said(ref))[-1].body
    assert said.startswith("before\n.\n..two\nRCPT TO:<eve@evil.test>\n.")
    assert len(case.world.arrived()) == 2


# The way


async def test_a_poll_at_rest_is_two_words_on_one_connection(case: Case) -> None:
    desk, ref, at = await case.begun()
    await desk.changes(at)
    case.mail.commands.clear()
    asked = desk.http.asked
    page = await desk.changes(at)
    assert (page.changes, page.next, desk.http.asked - asked) == ((), at, 1)
    assert case.mail.commands == ["imap NOOP", "imap UID FETCH"]
    for _ in range(10):
        case.world.answers(ref, "x")
    asked = desk.http.asked
    assert len((await desk.changes(at)).changes) == 10
    assert desk.http.asked - asked == 1


async def test_a_mailbox_that_was_replaced_is_read_again_and_says_the_same_by_its_ids(case: Case) -> None:
    desk, ref, at = await case.begun()
    case.world.answers(ref, "before")
    first = await desk.changes(at)
    case.mail.validity += 1
    for n, one in enumerate(case.mail.boxes["desk"]):
        one.uid = n + 1
    case.mail.next = len(case.mail.boxes["desk"]) + 1
    case.world.answers(ref, "after")
    again = case.desk()
    page = await again.changes(first.next)
    assert [one.body for one in page.changes] == ["before", "after"]
    assert page.changes[0].change_id == first.changes[0].change_id
    assert page.next["validity"] == case.mail.validity
    assert (await again.changes(page.next)).changes == ()


async def test_a_connection_that_was_closed_there_is_opened_anew(case: Case) -> None:
    desk, _, at = await case.begun()
    case.mail.hang_up()
    assert (await desk.changes(at)).done


@pytest.mark.parametrize(("mood", "kind"), [("full", RateLimited), ("no", Rejected)])
async def test_a_no_after_the_text_is_a_no(case: Case, mood: str, kind: type[Exception]) -> None:
    """RFC 5321, 4.2.5: by it the server says that it did not take it. Greylisting comes here."""
    case.mail.smtp_mood = mood
    with pytest.raises(kind):
        await case.ticket(case.desk())
    assert case.world.arrived() == []


async def test_where_one_address_is_refused_nobody_gets_the_mail(case: Case) -> None:
    """Else our copy would come back, and prove a mail that they never got."""
    desk = case.desk(to="nobody@kone.test")
    with pytest.raises(Rejected, match=r"nobody@kone\.test.*550"):
        await case.ticket(desk)
    assert not any(case.mail.boxes.values())


async def test_time_that_runs_out_before_the_text_went_is_not_sent(case: Case) -> None:
    desk = case.desk(total=0.4)
    server = await asyncio.start_server(lambda r, w: case.mail.forever.wait(), "127.0.0.1", 0)
    async with server:
        silent = EmailWorld(case.mail, smtp=f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        limits = Limits(connect=0.4, read=5, total=0.4)
        http = Http(silent.url, desk.headers(silent.config, "x"), limits=limits, transport=silent.transport())
        case.open.append(http)
        with pytest.raises(NotSent):
            await case.ticket(Email(http, silent.config))
        case.mail.forever.set()


async def test_a_lost_answer_is_in_doubt_and_sent_again_it_is_the_same_mail(case: Case) -> None:
    desk, op_id = case.desk(), new_id()
    draft = Draft(op_id, "Pump", "It drips.", Priority.LOW)
    case.mail.smtp_mood = "cut!"
    with pytest.raises(Ambiguous):
        await desk.create(draft)
    found = await desk.find(op_id, None)  # type: ignore[arg-type]  # it is not looked at
    assert isinstance(found, Found)
    await desk.create(draft)
    ids = {one["Message-ID"] for one in case.world.arrived()}
    assert ids == {f"<{op_id}@muster.test>"}
    assert len(await desk._threads.mails(op_id)) == 1


async def test_a_copy_that_is_not_there_yet_is_waited_for(case: Case) -> None:
    desk, ref, _ = await case.begun()
    case.mail.boxes["desk"].clear()
    with pytest.raises(Unavailable):
        await desk.get(ref)


async def test_nothing_internal_leaves_by_mail(case: Case) -> None:
    desk, ref, _ = await case.begun()
    with pytest.raises(Rejected):
        await desk.apply(ref, Comment(new_id(), "between us", public=False))
    assert len(case.world.arrived()) == 1


@pytest.fixture
def authority() -> Iterator[Authority]:
    return Authority()


@pytest.mark.parametrize("trusted", [True, False])
async def test_tls_is_verified_on_both_ways(
    case: Case, authority: Authority, tmp_path: Path, trusted: bool
) -> None:
    """From the first byte; and with it what is trusted is spoken to."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.signs(tmp_path / "server.pem"))
    ours = ssl.create_default_context(cadata=authority.pem if trusted else Authority().pem)
    ports = []
    for talk in (Smtp, Imap):
        server = await asyncio.start_server(case.mail.served(talk), "127.0.0.1", 0, ssl=context, limit=2**26)
        case.mail._servers.append(server)
        ports.append(server.sockets[0].getsockname()[1])
    world = EmailWorld(case.mail, smtp=f"smtps://127.0.0.1:{ports[0]}", imap=f"imaps://127.0.0.1:{ports[1]}")
    http = Http(
        world.url, Email.headers(world.config, world.secret), transport=MailTransport(world.config, ours)
    )
    case.open.append(http)
    desk = Email(http, world.config)
    if trusted:
        assert isinstance(await desk.find((await case.ticket(desk)).id, None), Found)  # type: ignore[arg-type]
        return
    with pytest.raises(NotSent, match="not trusted here"):
        await case.ticket(desk)
    with pytest.raises(NotSent, match="not trusted here"):
        await desk.find(new_id(), None)  # type: ignore[arg-type]
    assert case.world.arrived() == []


async def test_elsewhere_nothing_is_said_to_a_server_that_does_not_encrypt(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.mail.config.is_own", lambda host: False)
    desk = case.desk()
    with pytest.raises(NotSent, match="STARTTLS"):
        await case.ticket(desk)
    with pytest.raises(Unavailable, match="STARTTLS"):
        await desk.changes(None)
    assert not [one for one in case.mail.commands if "AUTH" in one]


async def test_a_wrong_password_is_a_refused_credential_on_both_ways(case: Case) -> None:
    desk = case.desk()
    case.mail.password = "another"
    with pytest.raises(AuthFailed):
        await case.ticket(desk)
    with pytest.raises(AuthFailed):
        await desk.changes(None)
    health = await desk.check()
    assert not health.ok
    assert "vendors login acme" in health.checks[0].todo


async def test_a_server_that_offers_no_login_is_told_with_what_to_write(case: Case) -> None:
    case.mail.logins = ""
    with pytest.raises(Rejected, match="smtp_login = false"):
        await case.ticket(case.desk())


async def test_a_token_goes_as_xoauth2_to_both(case: Case) -> None:
    """As both vendors describe it: Google at gmail/imap/xoauth2-protocol, Microsoft for legacy protocols."""
    case.mail.tokens_alone = True
    desk = case.desk(login="xoauth2")
    ref = await case.ticket(desk)
    assert isinstance(await desk.find(ref.id, None), Found)  # type: ignore[arg-type]  # it is not looked at
    case.mail.password = "renewed"
    with pytest.raises(AuthFailed):
        await case.ticket(desk)


async def test_what_is_said_to_our_good_bye_is_waited_for_by_nobody(case: Case) -> None:
    """A mail that was taken over must not come into doubt by it."""
    case.mail.slow_quit = True
    desk = case.desk(total=3.0)
    assert await case.ticket(desk)


async def test_a_size_that_a_server_guesses_cuts_nothing(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, ref, at = await case.begun()
    case.world.answers(ref, "hello")
    monkeypatch.setattr(Stored, "size", property(lambda one: len(one.raw) + 5_000))
    assert kinds(await desk.changes(at)) == [(C, "hello")]


async def test_of_a_huge_mail_the_beginning_is_read_and_that_is_told(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, ref, at = await case.begun()
    case.world.answers(ref, "hello " * 100_000)
    monkeypatch.setattr(Stored, "size", property(lambda one: 30 * 2**20))
    words, original = (await desk.changes(at)).changes
    assert words.body.startswith("hello hello")
    assert words.body.endswith("The rest is in the mailbox.]")
    with pytest.raises(Rejected):
        await desk.fetch(ref, original.place, 10**9)


def test_a_login_shows_no_secret() -> None:
    who = Login("desk", "hunter2-secret")
    assert "hunter2" not in repr(who)
    assert "hunter2" not in who.masked("no hunter2-secret here, AGRlc2sAaHVudGVyMi1zZWNyZXQ=")
    assert "AGRlc2sAaHVudGVyMi1zZWNyZXQ" not in who.masked("AGRlc2sAaHVudGVyMi1zZWNyZXQ=")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("smtp", "smtp.kone.test"),
        ("smtp", "smtps://u:p@kone.test"),
        ("imap", "https://kone.test"),
        ("address", "Desk <desk@x.test>"),
        ("to", "a@b.test\r\nBcc: c@d.test"),
        ("number", "[#(\\d+)"),
        ("number", "\\d+"),
        ("senders", ("not a domain",)),
    ],
)
def test_what_cannot_be_is_refused_in_vendors_toml(key: str, value: Any) -> None:
    good = {"smtp": "smtps://a.test", "imap": "imaps://a.test", "address": "desk@x.test", "to": "a@b.test"}
    assert where(EmailConfig(**good).smtp).port == 465
    with pytest.raises(ValueError):
        EmailConfig(**(good | {key: value}))
