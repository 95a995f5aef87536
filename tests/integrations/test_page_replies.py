"""Replies to mailed pages: read over IMAP, proved by their token, dealt with once, and answered."""

from __future__ import annotations

import email.policy
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from ack_kit import ANSWERED, AckStage, ack_stage
from page_kit import BEN

from integrations.acks.inbox import AT_ONCE
from integrations.acks.replies import TRIES, ReplyReader
from integrations.acks.reply_text import said_in
from integrations.leasing import Leasing
from integrations.mail.opened import opened
from integrations.page_text import Words
from register.core import Policy, Principal, Role
from register.incident import Impact, ResolutionCode, Urgency
from register.store import Store
from register.topics.ending import WithTheirs
from register.topics.intake import Log
from register.topics.ownership import Acknowledge
from register.topics.paging import Tried
from register.topics.resolution import Resolve
from register.topics.sight import Restrict
from register.verify import verify
from register.watch import tick
from tests.played.email import DESK, PASSWORD, PlayedMail

EVA = Principal("eva", Role.COORDINATOR, "test")


@dataclass
class Mailroom:
    """A mailbox in which pages are answered, whoever reads it, and what they are answered."""

    at: AckStage
    played: PlayedMail
    broken: set[str] = field(default_factory=set)
    answers: list[tuple[str, str, Words]] = field(default_factory=list)
    made: int = 0
    reader: ReplyReader | None = None

    def start(self) -> ReplyReader:
        """As after a restart."""
        if self.reader is not None:
            self.reader._close()
        hand = self.at.hand
        self.reader = ReplyReader(
            hand, self.at.env, Leasing(hand), self.at.told.append, through=self._through
        )
        return self.reader

    async def look(self) -> float:
        return await (self.reader or self.start()).step(sole=True)

    async def _through(
        self, person: str, channel: str, words: Words, seconds: float, env: Mapping[str, str]
    ) -> Tried:
        ok = channel not in self.broken
        if ok:
            self.answers.append((person, channel, words))
        return Tried(channel=channel, ok=ok, why="" if ok else "gone")

    def reply(
        self, text: str, sender: str = "Ben <ben@duty.test>", quoted: str | None = None, **head: str
    ) -> bytes:
        """Somebody's mail program answers the last page."""
        page = self.at.got[-1][2].as_mail()
        self.made += 1
        mail = EmailMessage(policy=email.policy.SMTP)
        mail["From"] = sender
        mail["To"] = DESK
        mail["Subject"] = f"Re: {page.title}"
        mail["Message-ID"] = f"<{self.made}@duty.test>"
        for name, value in head.items():
            del mail[name.replace("_", "-")]
            mail[name.replace("_", "-")] = value
        below = "\n".join(f"> {line}" for line in page.body.splitlines()) if quoted is None else quoted
        mail.set_content(
            f"{text}\n\nOn Fri, Nov 28, 2026 at 2:05 AM Muster <muster@desk.test> wrote:\n\n{below}\n"
        )
        raw = mail.as_bytes()
        self.played.deliver("desk", raw)
        return raw

    def notes(self, number: str) -> list[tuple[str, str]]:
        names = self.at.store.people()
        told = self.at.store.timeline(number)
        return [(names[one.actor], one.event.text) for one in told if one.kind == "note"]  # type: ignore[union-attr]

    @property
    def said(self) -> list[str]:
        return [f"{words.title}\n{words.body}" for _, _, words in self.answers]


@asynccontextmanager
async def mailroom(
    store: Store, policy: Policy, clock: Any, folder: Path, first: str = "", last: str = ""
) -> AsyncIterator[Mailroom]:
    played = PlayedMail()
    await played.start()
    more = ANSWERED.replace("imaps://mail.example.net", f"imap://127.0.0.1:{played.imap}").replace(
        'user = "muster"', f'user = "{DESK}"'
    )
    (folder / "muster-page.replies").write_text(PASSWORD)
    (folder / "muster-page.ben.sms").write_text("json://127.0.0.1:9/sms")
    (folder / "muster-page.ben.mail").write_text(
        "mailto://127.0.0.1:9?from=muster@desk.test&to=ben@duty.test"
    )
    async with ack_stage(store, policy, clock, folder, more + last, first) as at:
        made = Mailroom(at, played)
        yield made
        if made.reader is not None:
            made.reader._close()
        assert verify(store).faults == []
    await played.stop()


@pytest.fixture
async def room(store: Store, policy: Policy, clock: Any, tmp_path: Path) -> AsyncIterator[Mailroom]:
    async with mailroom(store, policy, clock, tmp_path) as made:
        yield made


@pytest.mark.parametrize("words", ["ok", "Ack", "YES", "Okay, thanks", "ok.", "  yes - on it"])
async def test_who_says_so_has_it_and_is_told(room: Mailroom, words: str) -> None:
    number, _ = await room.at.page()
    room.reply(words)
    await room.look()
    assert room.at.acknowledged(number) == [("ben", "mail")]
    ((person, channel, told),) = room.answers
    assert (person, channel) == ("ben", "mail")  # so they wrote, though sms is their first
    assert f"{number} is yours to look after: you have it." in told.body


@pytest.mark.parametrize(
    "words", ["looking into it", "not me, ask Eva", "oklahoma is down", "nok", "is that ok?", "no"]
)
async def test_anything_else_is_noted_and_acknowledges_nothing(room: Mailroom, words: str) -> None:
    number, token = await room.at.page()
    room.reply(words)
    await room.look()
    assert room.at.acknowledged(number) == []
    assert room.notes(number) == [("ben", words)]
    (said,) = room.said
    assert "is noted" in said
    assert "NOT acknowledged" in said
    assert "<button" in (await room.at.ask("GET", token)).text  # it is not used up


async def test_what_is_said_besides_is_noted_too(room: Mailroom) -> None:
    number, _ = await room.at.page()
    room.reply("ok, restarting db1 now")
    await room.look()
    assert room.at.acknowledged(number) == [("ben", "mail")]
    assert room.notes(number) == [("ben", "ok, restarting db1 now")]
    assert len(room.answers) == 1


@pytest.mark.parametrize(
    "head",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated"},
        {"Precedence": "bulk"},
        {"X_Autoreply": "yes"},
        {"List_Id": "<all.duty.test>"},
        {"Return_Path": "<>"},
        {"Subject": "Automatic reply: INC-1 P1"},
        {"Subject": "Out of Office: until Monday"},
    ],
)
async def test_what_nobody_wrote_acknowledges_nothing_and_is_not_answered(
    room: Mailroom, head: dict[str, str]
) -> None:
    number, _ = await room.at.page()
    before = room.at.store.seq()
    room.reply("ok, I am on vacation until Monday.", **head)
    await room.look()
    assert room.at.store.seq() == before
    assert room.answers == []
    assert room.at.acknowledged(number) == []


async def test_a_bounce_acknowledges_nothing(room: Mailroom) -> None:
    await room.at.page()
    page = room.at.got[-1][2].as_mail()
    before = room.at.store.seq()
    room.played.deliver(
        "desk",
        (
            "From: MAILER-DAEMON@duty.test\r\nTo: desk@muster.test\r\nSubject: Undelivered Mail\r\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
            f"--b\r\nContent-Type: text/plain\r\n\r\nok\r\n{page.title}\r\n"
            "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
            "Final-Recipient: rfc822; ben@duty.test\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
        ).encode(),
    )
    await room.look()
    assert room.at.store.seq() == before
    assert room.answers == []


async def test_a_reply_from_elsewhere_is_not_believed_though_it_has_the_token(room: Mailroom) -> None:
    """Ben has passed the mail on: whoever answers it is not Ben."""
    number, _ = await room.at.page()
    room.reply("ok", sender="Eva <eva@duty.test>")
    room.reply("ok", sender="ben@duty.test, eva@duty.test")
    await room.look()
    assert room.at.acknowledged(number) == []
    assert [person for person, _, _ in room.answers] == ["ben", "ben"]
    assert all("do not go to" in said for said in room.said)


async def test_the_sender_alone_proves_nothing(room: Mailroom) -> None:
    number, token = await room.at.page()
    forged = ("b" if token[0] == "a" else "a") + token[1:]
    for subject in ("ok", f"[{number} ack {forged}]", f"[{number} ack {'a' * 48}]"):
        room.reply("ok", quoted="nothing", Subject=subject)
    before = room.at.store.seq()
    await room.look()
    assert room.at.store.seq() == before
    assert room.answers == []


async def test_the_token_is_found_in_the_quoted_page_too(room: Mailroom) -> None:
    number, _ = await room.at.page()
    room.reply("ok", Subject="Re: something")
    await room.look()
    assert room.at.acknowledged(number) == [("ben", "mail")]


async def test_each_reply_is_dealt_with_once_whatever_is_begun_anew(
    room: Mailroom,
) -> None:
    number, _ = await room.at.page()
    raw = room.reply("looking into it")
    await room.look()
    room.start()
    await room.look()
    room.played.deliver("desk", raw)  # a copy of it
    await room.look()
    room.played.validity += 1  # another mailbox with the same mails
    await room.look()
    room.start()
    await room.look()
    assert len(room.notes(number)) == 1
    assert len(room.answers) == 1


async def test_what_was_noted_before_a_kill_is_not_noted_again(
    room: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the note and the acknowledgement of one reply."""
    from integrations.acks import taking

    number, _ = await room.at.page()
    room.reply("ok, restarting db1 now")

    def killed(*about: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(taking, "acknowledge", killed)
    with pytest.raises(KeyboardInterrupt):
        await room.look()
    monkeypatch.undo()
    assert room.notes(number) != []
    assert room.at.acknowledged(number) == []
    room.start()
    await room.look()
    assert room.notes(number) == [("ben", "ok, restarting db1 now")]
    assert room.at.acknowledged(number) == [("ben", "mail")]
    assert len(room.answers) == 1


async def test_the_mailbox_is_only_looked_into(room: Mailroom) -> None:
    await room.at.page()
    room.reply("ok")
    await room.look()
    verbs = {one for one in room.played.commands if one.startswith("imap")}
    assert verbs <= {
        f"imap {verb}"
        for verb in ("CAPABILITY", "AUTHENTICATE", "NOOP", "EXAMINE", "UID SEARCH", "UID FETCH")
    }


async def test_a_page_that_was_answered_is_answered_so(room: Mailroom) -> None:
    number, token = await room.at.page()
    await room.at.ask("POST", token)
    room.reply("ok")
    room.reply("and now?")
    await room.look()
    assert room.at.acknowledged(number) == [("ben", "link")]
    assert room.notes(number) == []
    assert all("you have it" in said for said in room.said)
    assert len(room.answers) == 2


async def test_who_has_it_and_what_is_over_is_told(room: Mailroom) -> None:
    first, _ = await room.at.page()
    room.at.desk.do(EVA, Acknowledge(target=first))
    room.reply("ok")
    await room.look()
    assert f"eva has {first} since" in room.said[-1]
    second, _ = await room.at.page()
    room.at.desk.do(
        BEN, Resolve(target=second, code=ResolutionCode.FIXED, notes="restarted", theirs=WithTheirs.LEAVE)
    )
    room.reply("ok")
    await room.look()
    assert f"{second} is resolved already" in room.said[-1]


async def test_of_an_escalation_it_is_told_who_was_first(
    store: Store, policy: Policy, clock: Any, tmp_path: Path
) -> None:
    """Whoever acknowledges last is who it asks again, and that is not who had it."""
    steps = '[policies.all]\nsteps = [{ to = ["person:ben", "person:eva"], wait = "5m" }]\n'
    async with mailroom(store, policy, clock, tmp_path, 'default_policy = "all"\n', steps) as room:
        number = room.at.desk.do(EVA, Log(title="x", impact=Impact.HIGH, urgency=Urgency.HIGH)).number or ""
        tick(room.at.desk, clock.passes(seconds=1))
        await room.at.send()
        room.at.got.sort(key=lambda one: one[0] != "eva")
        assert [one[0] for one in room.at.got] == ["eva", "ben"]
        room.at.desk.do(EVA, Acknowledge(target=number))
        room.reply("ok")
        await room.look()
        assert f"eva has {number} since" in room.said[-1]
        assert room.at.acknowledged(number) == [("eva", "test"), ("ben", "mail")]
        clock.passes(minutes=2)
        room.reply("ok")
        await room.look()
        assert f"{number} is yours to look after since" in room.said[-1]


async def test_nothing_of_a_restricted_one_leaves_but_its_number(room: Mailroom) -> None:
    number, _ = await room.at.page(title="Payroll of the board leaked")
    room.at.desk.do(BEN, Restrict(target=number))
    room.reply("ok", quoted="")
    await room.look()
    assert number in room.said[-1]
    assert "Payroll" not in room.said[-1]


async def test_no_token_gets_into_a_note_and_none_into_an_answer(room: Mailroom) -> None:
    number, token = await room.at.page()
    room.reply(f"see {token.upper()} and {token}")
    await room.look()
    assert room.notes(number) == [("ben", "see … and …")]
    assert token not in "".join(room.said)


async def test_who_cannot_be_told_is_tried_again_and_given_up(room: Mailroom) -> None:
    number, _ = await room.at.page()
    room.broken = {"mail", "sms"}
    room.reply("ok")
    for _ in range(TRIES + 3):
        await room.look()
        room.at.clock.passes(hours=2)
    assert room.at.acknowledged(number) == [("ben", "mail")]
    assert len([one for one in room.at.told if "could not be told" in one]) == 1
    room.broken = {"mail"}
    await room.at.page()
    room.reply("ok")
    await room.look()
    assert [(channel, person) for person, channel, _ in room.answers] == [("sms", "ben")]


async def test_a_robot_is_left_alone_after_a_while(room: Mailroom) -> None:
    number, _ = await room.at.page()
    for at in range(40):
        room.reply(f"I am a robot, for the {at}th time")
    while await room.look() == 0:
        pass
    assert len(room.notes(number)) == 30
    assert any("a robot?" in one for one in room.at.told)


async def test_many_mails_of_others_are_passed_by(room: Mailroom) -> None:
    number, _ = await room.at.page()
    for at in range(AT_ONCE + 5):
        room.played.deliver("desk", f"From: x@y.test\r\nSubject: {at}\r\n\r\nhello\r\n".encode())
    room.reply("ok")
    assert await room.look() == 0
    await room.look()
    assert room.at.acknowledged(number) == [("ben", "mail")]


async def test_a_mailbox_that_cannot_be_opened_is_told_and_tried_again(room: Mailroom) -> None:
    number, _ = await room.at.page()
    room.reply("ok")
    room.played.password = "another"
    assert await room.look() > 30
    assert any("Replies to pages cannot be read" in one for one in room.at.told)
    assert PASSWORD not in "".join(room.at.told)
    room.played.password = PASSWORD
    await room.look()
    assert room.at.acknowledged(number) == [("ben", "mail")]


async def test_a_line_that_broke_is_made_anew(room: Mailroom) -> None:
    number, _ = await room.at.page()
    await room.look()
    room.played.hang_up()
    room.reply("ok")
    await room.look()
    assert room.at.acknowledged(number) == [("ben", "mail")]


@pytest.mark.parametrize(
    ("text", "words", "yes"),
    [
        ("ok", "ok", True),
        ("On Fri, Nov 28, 2026 at 2:05 AM Muster <m@desk.test> wrote:\n> page\n\nyes", "yes", True),
        ("On Fri, Nov 28, 2026 at 2:05 AM Muster <m@desk.test> wrote:\n> ok page", "", False),
        ("> ok\n> yes\n\nnot mine", "not mine", False),
        ("ok\n\n-- \nBen\nOperations", "ok", True),
        ("Ok\nSent from my iPhone", "Ok", True),
        (
            "Ack\n\n-----Original Message-----\nFrom: Muster\nSent: Fri\nTo: Ben\nSubject: x\n\nno",
            "Ack",
            True,
        ),
        ("", "", False),
        ("*ok*", "*ok*", True),
    ],
)
def test_their_own_words(text: str, words: str, yes: bool) -> None:
    said = said_in(opened(f"From: b@x.test\r\nSubject: x\r\n\r\n{text}\r\n".encode()))
    assert (said.words, said.yes) == (words, yes)
