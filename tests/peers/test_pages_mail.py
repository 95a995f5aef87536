"""A page arrives as a mail at a real mail server, and is read there as its receiver would read it.

MAIL_SMTP, MAIL_IMAP (host:port) and MAIL_PASSWORD, in the environment: a server that takes mail for anybody
at *.test without a login, and lets them read it by IMAP. `make test-peers` starts one.
"""

from __future__ import annotations

import email
import email.message
import email.policy
import imaplib
import os
import socket
import time
from pathlib import Path

import pytest

from integrations.hand import Hand
from integrations.page_text import trial_words
from integrations.pager import Pager
from integrations.paging import send
from register.core import Policy, VendorFacts, new_id
from register.desk import ServiceDesk, kinds
from register.matrix_toml import read_matrix
from register.store import Store
from register.verify import verify
from register.watch import tick
from tests.conftest import Clock
from tests.integrations.page_kit import DESK, engage_urgently

pytestmark = pytest.mark.peers
TRIES = 30.0


class Mailbox:
    """Somebody's mailbox at the peer, and the address by which apprise reaches it."""

    def __init__(self, smtp: str, imap: str, password: str) -> None:
        self.who = f"page{new_id().lower()}"
        self.address = f"mailto://{smtp}?from=muster@desk.test&to={self.who}@duty.test"
        self._imap, self._password = imap, password

    def mails(self, count: int) -> list[email.message.EmailMessage]:
        """So many mails, when they are there."""
        host, _, port = self._imap.rpartition(":")
        end = time.monotonic() + TRIES
        while True:
            with imaplib.IMAP4(host, int(port), timeout=10) as box:
                box.login(self.who, self._password)
                box.select("INBOX", readonly=True)
                found = [self._read(box, n) for n in box.search(None, "ALL")[1][0].split()]
            if len(found) >= count or time.monotonic() > end:
                return found
            time.sleep(0.1)

    def _read(self, box: imaplib.IMAP4, n: bytes) -> email.message.EmailMessage:
        (_, raw), *_ = box.fetch(n.decode(), "(RFC822)")[1]
        return email.message_from_bytes(raw, policy=email.policy.default)


@pytest.fixture
def mailbox() -> Mailbox:
    smtp, imap = os.environ.get("MAIL_SMTP", "127.0.0.1:2525"), os.environ.get("MAIL_IMAP", "127.0.0.1:1143")
    for where in (smtp, imap):
        host, _, port = where.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
        except OSError as error:
            pytest.skip(
                f"no mail server: {where} does not answer ({error.strerror}); `make test-peers` starts one"
            )
    return Mailbox(smtp, imap, os.environ.get("MAIL_PASSWORD", "peer-pw"))


async def test_a_page_for_trying_arrives(mailbox: Mailbox, tmp_path: Path) -> None:
    (tmp_path / "muster-page.ben.mail").write_text(mailbox.address)
    words = trial_words("Ben Sample", "mail", "r.db")
    tried = await send("ben", "mail", words, 60, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert tried.ok, tried.why
    (mail,) = mailbox.mails(1)
    assert mail["Subject"] == "Muster: test page for Ben Sample"


async def test_the_engager_of_an_unconfirmed_p1_has_it_in_their_mailbox(
    store: Store, clock: Clock, mailbox: Mailbox, tmp_path: Path
) -> None:
    """By the second channel: the first one's server is not there."""
    people = f'{DESK}[people.ben]\nname = "Ben Sample"\nlogin = "ben"\nreach = ["gone", "mail"]\n'
    (tmp_path / "muster-page.ben.gone").write_text(
        "mailto://127.0.0.1:1?from=muster@desk.test&to=ben@duty.test"
    )
    (tmp_path / "muster-page.ben.mail").write_text(mailbox.address)
    acme = VendorFacts("acme", "Acme <b>(sample)</b>", production=True, phone="+47 22 00 00 00")
    desk = ServiceDesk(store, Policy(vendors={"acme": acme}, matrix=read_matrix(people)), clock)
    number, _ = engage_urgently(desk, title="Checkout <script> answers 500 æøå")
    tick(desk, clock.passes(minutes=3))
    hand = Hand(desk, clock)
    pager = Pager(hand, {"CREDENTIALS_DIRECTORY": str(tmp_path)}, "w1")
    await pager.until_quiet()
    (mail,) = mailbox.mails(1)
    assert mail["Subject"] == f"{number} P1: call Acme <b>(sample)</b>"
    body = mail.get_body(("plain", "html"))
    assert body is not None
    text = body.get_content()
    for words in ("+47 22 00 00 00", f"muster call {number}", "answers 500 æøå"):
        assert words in text
    html = mail.get_body(("html",))
    assert html is None or "<script>" not in html.get_content()
    (told,) = [one.event for one in store.timeline(number) if one.kind == "notified"]
    assert [(one.channel, one.ok) for one in told.tried] == [("gone", False), ("mail", True)]  # type: ignore[union-attr]
    assert kinds(store.timeline(number))[-1] == "notified"
    assert verify(store).faults == []
    hand.close()
