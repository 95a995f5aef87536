"""Odd and hostile mail: what an odd program, or somebody with bad intent, has our mailbox hold."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.connector import Attach, ChangeKind
from integrations.errors import AuthFailed, Rejected, Unavailable
from integrations.http import Http
from integrations.mail.config import EmailConfig
from integrations.mail.folding import folded
from integrations.mail.letters import Thread, letter
from integrations.mail.opened import opened
from integrations.mail.sender import sender_in
from integrations.systems.email import Email
from register.core import new_id
from tests.integrations.test_email import Case, bounced, case, kinds, mail, multi
from tests.played.email import DESK, EmailWorld

C, S, F = ChangeKind.COMMENT, ChangeKind.STATE, ChangeKind.FILE
CONFIG = EmailConfig(smtp="smtps://a.test", imap="imaps://a.test", address=DESK, to="service@kone.test")
__all__ = ["case"]


# Whose


@pytest.mark.parametrize(
    ("said", "sender"),
    [
        ("Lena <lena@kone.test>", "lena@kone.test"),
        ("lena@kone.test", "lena@kone.test"),
        ("lena@kone.test (Lena)", "lena@kone.test"),
        ('"Berg, Lena" <LENA@kone.test>', "lena@kone.test"),
        ("Berg, Lena <lena@kone.test>", "lena@kone.test"),
        ("lena@kone.test <lena@kone.test>", "lena@kone.test"),
        ('"lena@kone.test" <eve@evil.test>', "eve@evil.test"),
        ("lena@kone.test <eve@evil.test>", "eve@evil.test"),
        ("=?utf-8?q?Lena_=3Clena=40kone.test=3E_=28?= <eve@evil.test>", "eve@evil.test"),
        ("=?utf-8?q?lena=40kone=2Etest?=", ""),
        ("lena@kone.test(<eve@evil.test>", ""),
        ('"<lena@kone.test> <eve@evil.test>', ""),
        ("Lena <lena@kone.test>, Eve <eve@evil.test>", ""),
        ("lena@kone.test, eve <eve@evil.test>", ""),
        ("Kone: lena@kone.test;", ""),
        ("<@evil.test:lena@kone.test>", ""),
        ('"lena@kone.test"@evil.test', ""),
        ("lena@kone.test@evil.test", ""),
        ("lena@kone.test\u202e", ""),
        ("(" * 1_900 + "lena@kone.test", ""),
        ("a@b," * 1_000 + "lena@kone.test", ""),
        ("", ""),
    ],
)
def test_a_mail_is_of_the_one_address_in_from_or_of_nobody(said: str, sender: str) -> None:
    assert sender_in(said)[1] == sender


def test_two_from_lines_are_nobodys() -> None:
    assert opened(b"From: lena@kone.test\r\nFrom: eve@evil.test\r\n\r\nx").sender == ""


async def test_who_hides_an_address_in_an_encoded_name_does_not_speak_for_them(case: Case) -> None:
    """Their server's DMARC says that evil.test sent it, and that is true."""
    desk, ref, at = await case.begun()
    stored = case.world.answers(ref, "It has been repaired")
    hidden = b"From: =?utf-8?q?Lena_=3Clena=40kone=2Etest=3E_=28?= <eve@evil.test>"
    stored.raw = stored.raw.replace(b"From: Lena <lena@kone.test>", hidden)
    page = await desk.changes(at)
    assert (page.changes, [one.ticket for one in page.unread]) == ((), [ref.id])
    assert "eve@evil.test" in page.unread[0].why


# What is in it


@pytest.mark.parametrize(
    ("charset", "said", "read"),
    [
        (
            "gb2312",
            "电梯坏了，请朱镕基来修".encode("gb18030"),
            "电梯坏了，请朱镕基来修",
        ),  # 镕 is not in GB 2312
        ("iso-8859-1", "„Pumpe“ – 5 €".encode("cp1252"), "„Pumpe“ – 5 €"),
        ("us-ascii", "grüße".encode(), "grüße"),
        ("us-ascii", "grüße".encode("cp1252"), "grüße"),
        ("shift_jis", "①階のポンプ".encode("cp932"), "①階のポンプ"),
        ("x-sjis", "ポンプ".encode("cp932"), "ポンプ"),
        ("utf-8", "Störung, bitte prüfen".encode() + b"\xe2\x82", "Störung, bitte prüfen"),
        ("ks_c_5601-1987", "펌프가 고장났습니다 똠".encode("cp949"), "펌프가 고장났습니다 똠"),
        ("zlib", "grüße".encode(), "grüße"),
    ],
)
def test_a_charset_that_is_nearly_right_is_read_as_it_was_meant(charset: str, said: bytes, read: str) -> None:
    head = f'Content-Type: text/plain; charset="{charset}"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    assert opened(mail(base64.b64encode(said).decode(), head)).text.rstrip("\ufffd") == read


async def test_of_words_in_no_charset_the_original_is_offered(case: Case) -> None:
    desk, ref, at = await case.begun()
    stored = case.world.answers(ref, "x")
    head, _, _ = stored.raw.partition(b"\r\n\r\n")
    head = head.replace(b"base64", b"8bit").replace(b'"utf-8"', b'"us-ascii"')
    stored.raw = head + b"\r\n\r\n" + "电梯坏了请来修".encode("gb2312")
    words, original = (await desk.changes(at)).changes
    assert words.body.endswith("[The charset that this mail names is not its own: look at the original.]")
    assert await desk.fetch(ref, original.place, 10_000) == stored.raw


def test_headers_in_eight_bits_keep_their_language() -> None:
    one = opened("From: Jürgen <j@kone.test>\r\nSubject: Störung – Насос\r\n\r\nx".encode())
    assert (one.name, one.subject) == ("Jürgen", "Störung – Насос")
    assert opened("Subject: Störung\r\n\r\nx".encode("latin-1")).subject == "Störung"


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\n" + b"x" * 10_000_000,
        b"Subject: " + b"x" * 10_000_000 + b"\r\n\r\nx",
        b"Content-Type: text/plain" + b";" * 10_000_000 + b"\r\n\r\nx",
        b"Content-Type: text/plain" + b"".join(b"; name*%d=b" % n for n in range(200_000)) + b"\r\n\r\nx",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 5_000 + b"--b--",
        b"References: " + b"<a@b> " * 500_000 + b"\r\n\r\nx",
    ],
    ids=["line", "subject", "semicolons", "parameters", "parts", "references"],
)
def test_a_mail_that_is_built_to_take_long_is_read_all_the_same(raw: bytes) -> None:
    """Without its bounds the library takes more than an hour for the one of semicolons."""
    one = opened(b"From: a@kone.test\r\n" + raw)
    assert (one.sender, len(one.files) <= 200, len(one.answers) <= 200) == ("a@kone.test", True, True)


@pytest.mark.parametrize("head", [b"", b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n'])
async def test_lines_and_parts_that_multiply_are_set_aside(case: Case, head: bytes) -> None:
    desk, ref, at = await case.begun()
    stored = case.world.answers(ref, "x")
    above = stored.raw.partition(b"Content-Type")[0]
    nested = b"".join(head % (n, n) for n in range(100)) if head else b"\r\n"
    stored.raw = above + nested + b"\n" * (100_000 if head else 6_000_000)
    page = await desk.changes(at)
    assert (page.changes, page.next["uid"]) == ((), stored.uid)
    assert [(one.ticket, "too long" in one.why) for one in page.unread] == [(ref.id, True)]


def test_a_signed_mail_is_read_and_its_signature_is_a_file() -> None:
    text = "Content-Type: text/plain\r\n\r\nhello"
    part = 'Content-Type: application/pkcs7-signature; name="smime.p7s"\r\n\r\nx'
    one = opened(multi("signed", text, part))
    assert (one.text, [file.name for file in one.files], one.notes) == ("hello", ["smime.p7s"], ())


SAID = "Erledigt: 修理しました。"


@pytest.mark.parametrize(
    "quoted",
    [
        "2026年11月28日(土) 10:00 Desk <d@x.test>:\n> 漏れています",
        "Von: Desk <d@x.test>\nGesendet: Montag, 1. Januar 2026 10:00\nAn: K\nBetreff: P\n\nalt",
        "De : Desk <d@x.test>\nEnvoyé : lundi 1 janvier 2026 10:00\nÀ : K\nObjet : P\n\nvieux",
        "Den man. 1. jan. 2026 kl. 10.00 skrev Desk <d@x.test>:\n> gammelt",
        "-----Original Message-----\nFrom: Desk\nSent: Monday\nTo: K\nSubject: P\n\nold",
        "________________________________\nFrom: Desk\nSent: Monday\nTo: K\nSubject: P\n\nold",
        "-- \nLena Berg\nKone GmbH",
        "-- \nレナ",
    ],
)
def test_quoted_text_and_signatures_of_other_languages_are_folded(quoted: str) -> None:
    assert folded(f"{SAID}\n\n{quoted}") == SAID


def test_a_line_that_parts_nothing_stays() -> None:
    assert folded("1 of 2\n-----\n2 of 2\n-----") == "1 of 2\n-----\n2 of 2\n-----"


# What goes out


@pytest.mark.parametrize(
    "title",
    [
        "a\r\nBcc: eve@evil.test",
        "a\nBcc: eve@evil.test\n\nbody",
        "a\x00b\x0b\x0c\x1c\x85\u2028Bcc: eve@evil.test",
        "pump \u202egnp.exe\u2066",
        "=?utf-8?q?a=0D=0ABcc=3A_eve=40evil.test?=",
        "ポンプが漏れています" * 30,
        "x" * 400,
        "ä" * 400,
        "Pump, \"left\" <a@b.test> (1): 'x'; \\",
    ],
)
def test_a_title_is_one_line_of_our_subject_whatever_is_in_it(title: str) -> None:
    op = new_id()
    raw = letter(CONFIG, "acme", Thread(op, title), op, "x", datetime.now(UTC)).as_bytes()
    head = raw.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    assert len(names) == len(set(names))
    assert not {b"Bcc", b"bcc"} & set(names)
    assert b"\r" not in head.replace(b"\r\n", b"")
    assert max(map(len, head.split(b"\r\n"))) < 998
    subject = opened(raw).subject
    assert not set(subject) & set("\r\n\x00\x0b\x85\u2028\u202e\u2066")
    assert subject.endswith(f"[MUS-{op[-10:]}]") or len(title) > 200


async def test_a_file_is_called_what_it_is_called(case: Case) -> None:
    op = new_id()
    evil = Attach(op, "=?utf-8?q?a=0D=0ABcc=3A_eve=40evil.test?=.png", "image/png", "", b"x")
    raw = letter(CONFIG, "acme", Thread(new_id(), "Pump"), op, "x", datetime.now(UTC), evil).as_bytes()
    assert b"\nBcc" not in raw
    assert [file.name for file in opened(raw).files] == ["= ?utf-8?q?a=0D=0ABcc=3A_eve=40evil.test?=.png"]


# By itself, and lost


@pytest.mark.parametrize(
    "marks",
    [
        {"Auto_Submitted": "auto-generated"},
        {"Precedence": "bulk"},
        {"X_Autorespond": "yes"},
        {"X_Auto_Response_Suppress": "All"},
    ],
)
async def test_an_acknowledgement_with_their_number_names_the_ticket_and_is_nobodys_word(
    case: Case, marks: dict[str, str]
) -> None:
    desk, ref, at = await case.begun()
    case.world.answers(ref, "We got your ticket [#4711].", Subject="Your ticket", **marks)
    page = await desk.changes(at)
    assert [(one.kind, one.raw_state or one.body[:8]) for one in page.changes] == [
        (S, "acknowledged as 4711"),
        (S, "acknowledged as 4711"),
        (F, "original"),
    ]
    assert {one.ref.key for one in page.changes} == {"4711"}
    assert page.changes[-1].quiet, "that it is kept is no news"


async def test_what_a_ticket_system_sends_of_people_is_their_word(case: Case) -> None:
    """Many mark all that they send as auto-generated, what people wrote in them, too."""
    desk, ref, at = await case.begun()
    case.world.answers(ref, "We come at four.", Auto_Submitted="auto-generated")
    (words,) = (await desk.changes(at)).changes
    assert (words.kind, words.quiet) == (C, False)


async def test_two_that_answer_by_themselves_do_not_go_round_in_circles(case: Case) -> None:
    desk, ref, at = await case.begun()
    for _ in range(20):
        case.world.answers(ref, "Thank you for your mail.", Auto_Submitted="auto-replied")
        at = (await desk.changes(at)).next
    assert len(case.world.arrived()) == 1


async def test_a_report_that_brings_no_mail_along_is_known_by_what_it_answers(case: Case) -> None:
    desk, ref, at = await case.begun()
    raw = bounced(ref).partition(b"--b\r\nContent-Type: text/rfc822-headers")[0] + b"--b--\r\n"
    threaded = raw.replace(b"Auto-Sub", f"In-Reply-To: <{ref.id}@muster.test>\r\nAuto-Sub".encode())
    case.mail.deliver("desk", threaded)
    assert kinds(await desk.changes(at))[0] == (S, "not delivered")


async def test_a_report_in_no_form_is_for_a_person_with_its_ticket(case: Case) -> None:
    """As qmail writes it: a text, with ours beneath."""
    desk, ref, at = await case.begun()
    said = f"Hi. This is the qmail-send program.\n<service@kone.test>: no mailbox\n\n[muster:{ref.id}]"
    lost = {"In_Reply_To": "", "References": "", "Subject": "failure notice"}
    case.world.answers(ref, said, sender="MAILER-DAEMON@mail.muster.test", **lost)
    page = await desk.changes(at)
    assert (page.changes, [one.ticket for one in page.unread]) == ((), [ref.id])


# The mailbox


async def test_the_same_mail_by_two_aliases_is_told_by_one_id(case: Case) -> None:
    """The engine hears an id once, whatever copy it comes by."""
    desk, ref, at = await case.begun()
    stored = case.world.answers(ref, "hello")
    case.mail.deliver("desk", b"Delivered-To: other@muster.test\r\n" + stored.raw)
    page = await desk.changes(at)
    assert len({one.change_id for one in page.changes}) == 1
    assert len((await desk.history(ref)).changes) == 1


async def test_the_date_in_a_mail_is_not_believed(case: Case) -> None:
    desk, ref, at = await case.begun()
    case.world.answers(ref, "from the future", Date="Fri, 01 Jan 2060 00:00:00 +0000")
    (one,) = (await desk.changes(at)).changes
    assert abs(one.at - datetime.now(UTC)) < timedelta(minutes=5)


async def test_a_mailbox_that_was_emptied_is_quiet_and_goes_on(case: Case) -> None:
    desk, ref, at = await case.begun()
    case.world.answers(ref, "before")
    at = (await desk.changes(at)).next
    case.mail.boxes["desk"].clear()
    case.mail.hang_up()
    page = await desk.changes(at)
    assert (page.changes, page.next) == ((), at)
    case.world.answers(ref, "after")
    assert [one.body for one in (await desk.changes(at)).changes] == ["after"]


async def test_a_folder_that_counts_anew_under_its_old_validity_is_read_again(case: Case) -> None:
    """As one that was put back from a copy does: else nobody would hear a word of it for long."""
    desk, ref, at = await case.begun()
    for _ in range(5):
        case.world.answers(ref, "before")
    at = (await desk.changes(at)).next
    case.mail.boxes["desk"][:] = case.mail.boxes["desk"][:1]
    case.mail.next = 2
    case.mail.hang_up()
    case.world.answers(ref, "after")
    page = await desk.changes(at)
    assert [one.body for one in page.changes] == ["after"]
    assert (await desk.changes(page.next)).changes == ()


async def test_another_that_listens_too_does_not_make_a_mailbox_a_new_one(case: Case) -> None:
    """A connection that is kept knows where the folder ended when it was opened, no more."""
    desk, ref, at = await case.begun()
    other = case.desk()
    await other.changes(at)
    for _ in range(3):
        case.world.answers(ref, "x")
    at = (await other.changes(at)).next
    page = await desk.changes(at)
    assert (page.changes, page.next) == ((), at)


async def test_what_somebody_reads_meanwhile_is_no_mail(case: Case) -> None:
    """A server may say so in the midst of an answer (RFC 9051, 7.5.2)."""
    desk, ref, at = await case.begun()
    stored = case.world.answers(ref, "hello")
    case.mail.reread = [stored.uid]
    page = await desk.changes(at)
    assert (kinds(page), page.unread) == ([(C, "hello")], ())
    assert len((await desk._feed.box.new(at["validity"], at["uid"])).mails) == 1


# The way


async def test_another_server_that_is_named_is_not_gone_to(case: Case) -> None:
    desk = case.desk()
    case.mail.smtp_mood = "elsewhere"
    with pytest.raises(Rejected, match="551"):
        await case.ticket(desk)
    case.mail.imap_mood = "elsewhere"
    with pytest.raises(Rejected, match="REFERRAL"):
        await desk.changes(None)


async def test_why_a_token_is_refused_is_heard_and_answered_by_an_empty_line(case: Case) -> None:
    """As Google's page has it (gmail/imap/xoauth2-protocol): only then the server says no."""
    desk = case.desk(login="xoauth2")
    case.mail.password = "another"
    with pytest.raises(AuthFailed):
        await case.ticket(desk)
    with pytest.raises(AuthFailed):
        await desk.changes(None)
    assert case.mail.heard == [b"\r\n", b"\r\n"]


class Renewing:
    """A credential whose token is over once."""

    about = ""

    def __init__(self, world: EmailWorld, *tokens: str) -> None:
        self.tokens, self.world = list(tokens), world

    @property
    def held(self) -> Any:
        return Email.headers(self.world.config, self.tokens[0])

    async def headers(self) -> Any:
        return self.held

    async def renewed(self, refused: Any) -> bool:
        if len(self.tokens) > 1:
            del self.tokens[0]
        return refused != self.held

    async def aclose(self) -> None: ...


async def test_a_token_that_is_over_is_renewed_and_the_mailbox_opened_with_the_new_one(case: Case) -> None:
    world = EmailWorld(case.mail, login="xoauth2")
    tokens = Renewing(world, "old", world.secret)
    http = Http(world.url, name="acme", credential=tokens, transport=world.transport())
    case.open.append(http)
    desk = Email(http, world.config)
    ref = await case.ticket(desk)  # over SMTP it was refused and renewed
    at = (await desk.changes(None)).next
    case.world.answers(ref, "hello")
    assert kinds(await desk.changes(at)) == [(C, "hello")]
    tokens.tokens.append("new")
    case.mail.password = "new"
    case.mail.hang_up()
    case.world.answers(ref, "again")
    with pytest.raises(Unavailable, match="It is renewed"):
        await desk.changes(at)
    assert [one.body for one in (await desk.changes(at)).changes] == ["hello", "again"]
    assert case.mail.heard == [b"\r\n", b"\r\n"]
    logins = case.mail.commands.count("imap AUTHENTICATE")
    tokens.tokens[:] = ["newer"]
    case.mail.password = "newer"
    await desk.changes(at)  # a connection is its token's: it is not kept beyond that
    assert case.mail.commands.count("imap AUTHENTICATE") == logins + 1
