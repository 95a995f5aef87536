"""A page goes out to a real mail server, is read there, replied to and acknowledged; the reply is answered.

Asks for what `test_pages_mail` asks for. `make test-peers` starts a server.
"""

from __future__ import annotations

import email.message
import email.policy
import imaplib
import os
import re
import smtplib
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrations.acks.replies import ReplyReader
from integrations.hand import Hand
from integrations.leasing import Leasing
from integrations.pager import Pager
from register.core import Policy, VendorFacts, new_id
from register.desk import ServiceDesk
from register.matrix_toml import read_matrix
from register.store import Store
from register.verify import verify
from register.watch import tick
from tests.conftest import Clock
from tests.integrations.page_kit import DESK, engage_urgently

pytestmark = pytest.mark.peers
TRIES = 30.0
SMTP = os.environ.get("MAIL_SMTP", "127.0.0.1:2525")
IMAP = os.environ.get("MAIL_IMAP", "127.0.0.1:1143")
PASSWORD = os.environ.get("MAIL_PASSWORD", "peer-pw")


def place(where: str) -> tuple[str, int]:
    host, _, port = where.rpartition(":")
    return host, int(port)


def mails(who: str, count: int) -> list[email.message.EmailMessage]:
    """So many mails of somebody's, when they are there, the oldest first."""
    end = time.monotonic() + TRIES
    while True:
        with imaplib.IMAP4(*place(IMAP), timeout=10) as box:
            box.login(who, PASSWORD)
            box.select("INBOX", readonly=True)
            found = [
                box.fetch(n.decode(), "(BODY.PEEK[])")[1][0] for n in box.search(None, "ALL")[1][0].split()
            ]
        if len(found) >= count or time.monotonic() > end:
            return [email.message_from_bytes(one[1], policy=email.policy.default) for one in found]  # type: ignore[index]
        time.sleep(0.1)


def flags(who: str) -> list[bytes]:
    with imaplib.IMAP4(*place(IMAP), timeout=10) as box:
        box.login(who, PASSWORD)
        box.select("INBOX", readonly=True)
        found = box.fetch("1:*", "(FLAGS)")[1]
    return [one for one in found if isinstance(one, bytes) and b"\\Seen" in one]


def text_of(mail: email.message.EmailMessage) -> str:
    body = mail.get_body(("plain", "html"))
    assert body is not None
    return str(body.get_content())


def reply(page: email.message.EmailMessage, words: str, sender: str, **head: str) -> None:
    """Answer it as a mail program does: to its From, quoting it, in its thread."""
    mail = email.message.EmailMessage()
    mail["From"], mail["To"] = sender, page["From"]
    mail["Subject"] = f"Re: {page['Subject']}"
    mail["Message-ID"] = f"<{new_id()}@duty.test>"
    for name, value in head.items():
        mail[name.replace("_", "-")] = value
    quoted = "\n".join(f"> {line}" for line in text_of(page).splitlines())
    mail.set_content(f"{words}\n\nOn Fri, Nov 28, 2026 at 2:05 AM {page['From']} wrote:\n{quoted}\n")
    with smtplib.SMTP(*place(SMTP), timeout=10) as smtp:
        smtp.send_message(mail)


class Night:
    """Somebody on call with a mail program alone, and Muster on the other side of a mail server."""

    def __init__(self, store: Store, clock: Clock, folder: Path) -> None:
        self.me, self.desk_box = f"duty{new_id().lower()}", f"desk{new_id().lower()}"
        (folder / "muster-page.key").write_text("a key that is known to nobody but this test")
        (folder / "muster-page.replies").write_text(PASSWORD)
        (folder / "muster-page.ben.mail").write_text(
            f"mailto://{SMTP}?from={self.desk_box}@desk.test&to={self.me}@duty.test"
        )
        matrix = (
            f'{DESK}[people.ben]\nname = "Ben"\nlogin = "ben"\nrole = "coordinator"\nreach = ["mail"]\n'
            f'[pages]\nlink = "https://muster.example.net"\n'
            f'[pages.replies]\nimap = "imap://{IMAP}"\nuser = "{self.desk_box}"\n'
        )
        acme = VendorFacts("acme", "Acme (sample)", production=True, phone="+47 22 00 00 00")
        self.clock, self.store = clock, store
        self.desk = ServiceDesk(store, Policy(vendors={"acme": acme}, matrix=read_matrix(matrix)), clock)
        self.hand = Hand(self.desk, clock)
        self.env = {"CREDENTIALS_DIRECTORY": str(folder), "MUSTER_KEYRING": "keyring.backends.fail.Keyring"}
        self.told: list[str] = []
        self.reader = ReplyReader(self.hand, self.env, Leasing(self.hand), self.told.append)

    async def paged(self) -> tuple[str, email.message.EmailMessage]:
        """A P1 that no supplier confirmed: its number, and the page as it lies in their mailbox."""
        before = len(mails(self.me, 0))
        number, _ = engage_urgently(self.desk, title="Checkout answers 500 æøå")
        tick(self.desk, self.clock.passes(minutes=3))
        await Pager(self.hand, self.env, "w1", tell=self.told.append).until_quiet()
        return number, mails(self.me, before + 1)[-1]

    def acknowledged(self, number: str) -> list[str]:
        return [one.source for one in self.store.timeline(number) if one.kind == "acknowledged"]


@pytest.fixture
def night(store: Store, clock: Clock, tmp_path: Path) -> Iterator[Night]:
    for where in (SMTP, IMAP):
        try:
            socket.create_connection(place(where), timeout=5).close()
        except OSError as error:
            pytest.skip(
                f"no mail server: {where} does not answer ({error.strerror}); `make test-peers` starts one"
            )
    made = Night(store, clock, tmp_path)
    yield made
    made.reader._close()
    made.hand.close()
    assert verify(store).faults == []


async def test_a_page_is_acknowledged_by_replying_ok(night: Night) -> None:
    number, page = await night.paged()
    assert re.search(rf"\[{number} ack [a-z2-7]{{48}}\]", page["Subject"])
    assert "Or answer this mail" in text_of(page)
    reply(page, "Ok", f"Ben Sample <{night.me}@duty.test>")
    assert mails(night.desk_box, 1)
    await night.reader.step(sole=True)
    assert night.told == []
    assert night.acknowledged(number) == ["mail"]
    answer = mails(night.me, 2)[-1]
    assert answer["Subject"] == f"You have it: {number}"
    assert f"{number} is yours to look after: you have it." in text_of(answer)
    assert flags(night.desk_box) == []  # nothing was marked as read
    await night.reader.step(sole=True)
    assert len(mails(night.me, 2)) == 2


async def test_words_become_a_note_and_a_vacation_notice_nothing(night: Night) -> None:
    number, page = await night.paged()
    reply(page, "ok, I am away until Monday", f"{night.me}@duty.test", Auto_Submitted="auto-replied")
    reply(page, "I look at it in ten minutes", f"{night.me}@duty.test")
    assert len(mails(night.desk_box, 2)) == 2
    await night.reader.step(sole=True)
    assert night.acknowledged(number) == []
    notes: list[Any] = [one.event for one in night.store.timeline(number) if one.kind == "note"]
    assert [one.text for one in notes] == ["I look at it in ten minutes"]
    answer = mails(night.me, 2)[-1]
    assert "NOT acknowledged" in text_of(answer)
    reply(page, "yes, mine", f"{night.me}@duty.test")
    assert len(mails(night.desk_box, 3)) == 3
    await night.reader.step(sole=True)
    assert night.acknowledged(number) == ["mail"]


async def test_whoever_it_was_passed_on_to_does_not_acknowledge_as_them(night: Night) -> None:
    number, page = await night.paged()
    reply(page, "ok", "Eva <eva@duty.test>")
    assert mails(night.desk_box, 1)
    await night.reader.step(sole=True)
    assert night.acknowledged(number) == []
    assert "do not go to" in text_of(mails(night.me, 2)[-1])
