"""The connector for mail against real servers: aiosmtpd takes it, Dovecot shows it, and a worker is killed.

MAIL_SMTP, MAIL_IMAP (host:port) and MAIL_PASSWORD as in test_pages_mail.py. Each test has its own mailboxes.
"""

from __future__ import annotations

import email
import email.policy
import imaplib
import os
import re
import signal
import smtplib
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integrations"))
from engine_kit import COORDINATOR, mortal, wait_for

from integrations.connector import Attach, ChangeKind, Draft, Found, Ref, Theirs
from integrations.errors import Ambiguous, AuthFailed, RateLimited, Rejected
from integrations.http import Http
from integrations.mail.config import EmailConfig
from integrations.mail.letters import reference
from integrations.mail.transport import MailTransport
from integrations.systems.email import Email
from integrations.vendors import load_vendors, policy_of
from register.core import new_id
from register.desk import ServiceDesk, kinds
from register.incident import Ball, BondState, Priority
from register.store import Store, open_store, outbox
from register.topics.delivery import RetrySending
from register.topics.engagement import Engage, Reply
from register.topics.intake import Log
from register.verify import verify

pytestmark = [pytest.mark.peers, pytest.mark.timeout(300)]
STATES = {"has been repaired": "fixed"}


class Post:
    """The two servers, and mailboxes of one test: ours, and the supplier's."""

    def __init__(self) -> None:
        self.smtp = os.environ.get("MAIL_SMTP", "127.0.0.1:2525")
        self.imap = os.environ.get("MAIL_IMAP", "127.0.0.1:1143")
        self.password = os.environ.get("MAIL_PASSWORD", "peer-pw")
        mark = new_id()[-12:].lower()
        self.desk, self.service = f"desk{mark}@muster.test", f"service{mark}@kone.test"
        for where in (self.smtp, self.imap):
            host, _, port = where.rpartition(":")
            try:
                socket.create_connection((host, int(port)), timeout=5).close()
            except OSError as error:
                says = f"no mail server: {where} does not answer ({error.strerror})"
                pytest.skip(f"{says}; `make test-peers` starts one")

    @contextmanager
    def box(self, address: str) -> Iterator[imaplib.IMAP4]:
        host, _, port = self.imap.rpartition(":")
        with imaplib.IMAP4(host, int(port), timeout=10) as box:
            box.login(address.partition("@")[0], self.password)
            yield box

    def arrived(self, address: str = "") -> list[EmailMessage]:
        """What the supplier has, oldest first."""
        with self.box(address or self.service) as box:
            box.select("INBOX", readonly=True)
            numbers = box.search(None, "ALL")[1][0].split()
            found = [box.fetch(n.decode(), "(BODY.PEEK[])")[1][0][1] for n in numbers]
        return [email.message_from_bytes(raw, policy=email.policy.default) for raw in found]  # type: ignore[misc]

    def answers(self, text: str, to: EmailMessage | None = None, **headers: str) -> None:
        """The supplier's person answers a mail, or writes one."""
        mail = EmailMessage(policy=SMTP)
        told = {"From": f"Lena <{self.service}>", "To": self.desk, "Message-ID": f"<{new_id()}@kone.test>"}
        if to is not None:
            told |= {"Subject": f"Re: {to['Subject']}", "In-Reply-To": to["Message-ID"]}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in told.items():
            mail[name] = value
        mail.set_content(text)
        host, _, port = self.smtp.rpartition(":")
        with smtplib.SMTP(host, int(port), timeout=10) as out:
            out.send_message(mail)

    def config(self, **more: Any) -> EmailConfig:
        keys: dict[str, Any] = {
            "smtp": f"smtp://{self.smtp}",
            "imap": f"imap://{self.imap}",
            "smtp_login": False,
            "address": self.desk,
            "account": self.desk.partition("@")[0],
            "to": self.service,
            "number": r"\[#(\d+)\]",
            "states": STATES,
        }
        return EmailConfig(**(keys | more))


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
async def desk(post: Post) -> AsyncIterator[Callable[..., Email]]:
    made: list[Http] = []

    def make(password: str = "", **more: Any) -> Email:
        config = post.config(**more)
        headers = Email.headers(config, password or post.password)
        http = Http(Email.base(config), headers, name="kone", transport=MailTransport(config))
        made.append(http)
        return Email(http, config)

    yield make
    for http in made:
        await http.aclose()


def draft(op_id: str = "") -> Draft:
    return Draft(op_id or new_id(), "Lift stands: größe 3", "It stands.\nSince 02:10, äöü €.", Priority.HIGH)


async def test_the_check_passes_and_a_wrong_password_does_not(desk: Callable[..., Email]) -> None:
    assert (await desk().check()).ok
    health = await desk(password="wrong").check()
    assert not health.ok
    with pytest.raises(AuthFailed):
        await desk(password="wrong").changes(None)


async def test_there_and_back(desk: Callable[..., Email], post: Post) -> None:
    one = desk()
    at = (await one.changes(None)).next
    ref = await one.create(draft())
    (first,) = post.arrived()
    assert first["Message-ID"] == f"<{ref.id}@muster.test>"
    assert str(first.get_content()).replace("\r\n", "\n").startswith("It stands.\nSince 02:10, äöü €.")
    assert await one.find(ref.id, None) == Found((ref,))  # type: ignore[arg-type]  # it is not looked at
    post.answers("We come.", first, Subject=f"[#4711] {first['Subject']}")
    post.answers("has been repaired\n\nOn Mon, Desk <d@x.test> wrote:\n> It stands.", first)
    content = bytes(range(256)) * 50
    op_id = new_id()
    await one.apply(ref, Attach(op_id, "trace äö.bin", "application/octet-stream", "", content))
    page = await one.changes(at)
    told = [
        (one.kind, one.raw_state or one.body.partition("-")[0], one.by_our_account) for one in page.changes
    ]
    assert told == [
        (ChangeKind.STATE, "acknowledged as 4711", False),
        (ChangeKind.STATE, "acknowledged as 4711", False),
        (ChangeKind.COMMENT, "We come.", False),
        (ChangeKind.STATE, "has been repaired", False),
        (ChangeKind.COMMENT, "has been repaired", False),
        (ChangeKind.FILE, "original", False),
        (ChangeKind.FILE, "trace äö.bin", True),
    ]
    assert page.changes[-1].marker == op_id
    assert (await one.changes(page.next)).changes == ()
    assert post.arrived()[-1]["Subject"] == f"Re: [#4711] Lift stands: größe 3 [{reference(ref.id)}]"
    (file,) = post.arrived()[-1].iter_attachments()
    assert file.get_content() == content
    ticket = await desk().get(Ref(id="4711", key="4711"))
    assert (ticket.ref, ticket.state) == (Ref(id=ref.id, key="4711"), Theirs.FIXED)
    fresh = desk()
    assert [one.change_id for one in (await fresh.history(ref)).changes] == [
        one.change_id for one in page.changes
    ]


@pytest.mark.parametrize(("to", "kind"), [("reject", Rejected), ("temp", RateLimited), ("full", RateLimited)])
async def test_a_no_of_a_real_server_is_what_it_is(
    desk: Callable[..., Email], post: Post, to: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        await desk(to=f"{to}@kone.test").create(draft())
    assert post.arrived(post.desk) == []


async def test_a_server_that_takes_it_and_cuts_leaves_it_in_doubt(
    desk: Callable[..., Email], post: Post
) -> None:
    with pytest.raises(Ambiguous):
        await desk(to="drop@kone.test").create(draft())


async def test_a_mailbox_that_is_another_one_under_its_name_is_read_again(
    desk: Callable[..., Email], post: Post
) -> None:
    """Made again, Dovecot gives it another UIDVALIDITY, and numbers begin anew."""
    one = desk(folder="Suppliers")
    with post.box(post.desk) as box:
        box.create("Suppliers")
        at = (await one.changes(None)).next
        ref = Ref(id=new_id(), key="x")

        def put(text: str) -> None:
            mail = EmailMessage(policy=SMTP)
            mail["From"], mail["Subject"] = post.service, f"[{reference(ref.id)}]"
            mail["In-Reply-To"], mail["Message-ID"] = f"<{ref.id}@muster.test>", f"<{text}@kone.test>"
            mail.set_content(text)
            box.append("Suppliers", "", imaplib.Time2Internaldate(time.time()), mail.as_bytes())

        put("before")
        first = await one.changes(at)
        await one.http.aclose()
        box.delete("Suppliers")
        box.create("Suppliers")
        put("before")
        put("after")
    page = await desk(folder="Suppliers").changes(first.next)
    assert first.next["validity"] != page.next["validity"]
    assert [one.body for one in page.changes] == ["before", "after"]
    assert page.changes[0].change_id == first.changes[0].change_id


async def test_many_mails_are_a_request_a_hundred(desk: Callable[..., Email], post: Post) -> None:
    """And a poll at rest is one, small."""
    one = desk()
    at = (await one.changes(None)).next
    ref = await one.create(draft())
    (first,) = post.arrived()
    host, _, port = post.smtp.rpartition(":")
    with smtplib.SMTP(host, int(port), timeout=10) as out:
        for n in range(250):
            mail = EmailMessage(policy=SMTP)
            mail["From"], mail["To"], mail["Message-ID"] = (
                post.service,
                post.desk,
                f"<{n}.{ref.id}@kone.test>",
            )
            mail["Subject"], mail["In-Reply-To"] = f"Re: {first['Subject']}", first["Message-ID"]
            mail.set_content(str(n))
            out.send_message(mail)
    asked, words = one.http.asked, list[str]()
    while not (page := await one.changes(at)).done or page.changes:
        words += [one.body for one in page.changes]
        at = page.next
    assert words == [str(n) for n in range(250)]
    assert one.http.asked - asked == 4


# A worker that is killed


class Between:
    """A way to the SMTP server that kills whoever sends when `at` is seen: DATA, or the answer to its end."""

    def __init__(self, post: Post, at: str) -> None:
        self._post, self.at = post, at
        self.victim: int | None = None
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:
                return
            host, _, port = self._post.smtp.rpartition(":")
            server = socket.create_connection((host, int(port)))
            self._ended = threading.Event()
            threading.Thread(target=self._to_server, args=(client, server), daemon=True).start()
            threading.Thread(target=self._to_client, args=(server, client), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        seen = b""
        while part := client.recv(65_536):
            seen = seen[-8:] + part
            if b"DATA\r\n" in part and self._dies("data"):
                break
            if seen.endswith(b"\r\n.\r\n"):
                self._ended.set()
            server.sendall(part)
        server.shutdown(socket.SHUT_WR)

    def _to_client(self, server: socket.socket, client: socket.socket) -> None:
        while part := server.recv(65_536):
            if self._ended.is_set() and re.match(rb"250 ", part) and self._dies("answer"):
                break
            try:
                client.sendall(part)
            except OSError:
                break

    def _dies(self, here: str) -> bool:
        if self.at != here or self.victim is None:
            return False
        os.kill(self.victim, signal.SIGKILL)
        self.victim = None
        return True

    def close(self) -> None:
        self._door.close()


@pytest.fixture
def own_store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(str(tmp_path / "register.db"))
    yield store
    store.close()


def service_desk(store: Store, post: Post, home: Path, port: int) -> tuple[ServiceDesk, dict[str, str]]:
    file, folder = home / "vendors.toml", home / "credentials"
    file.write_text(
        f'[vendor.kone]\nconnector = "email"\ntitle = "Kone"\nenvironment = "test"\npoll_seconds = 1\n'
        f'deadline_seconds = 10\nsmtp = "smtp://127.0.0.1:{port}"\nimap = "imap://{post.imap}"\n'
        f'smtp_login = false\naddress = "{post.desk}"\naccount = "{post.desk.partition("@")[0]}"\n'
        f"to = \"{post.service}\"\nnumber = '\\[#(\\d+)\\]'\n[vendor.kone.states]\n"
        '"has been repaired" = "fixed"\n'
    )
    folder.mkdir(mode=0o700)
    (folder / "muster-kone").write_text(post.password)
    desk = ServiceDesk(store, policy_of(load_vendors(file)))
    return desk, {"CREDENTIALS_DIRECTORY": str(folder)}


def engaged(desk: ServiceDesk) -> tuple[str, str]:
    number = desk.do(COORDINATOR, Log(title="Lift stands")).number or ""
    engage = Engage(target=number, vendor="kone", message="It stands.")
    desk.do(COORDINATOR, engage)
    return number, engage.command_id


def test_killed_between_the_end_of_the_text_and_its_answer_it_is_one_mail(
    post: Post, own_store: Store, tmp_path: Path
) -> None:
    way = Between(post, "answer")
    desk, env = service_desk(own_store, post, tmp_path, way.port)
    number, op_id = engaged(desk)
    with mortal(str(own_store.path), tmp_path, settle=1.0, env=env) as worker:
        way.victim = worker.pid
        assert worker.wait(30) == -9
    assert own_store.incident(number).bonds[0].ref is None
    with mortal(str(own_store.path), tmp_path, settle=1.0, env=env):
        wait_for(lambda: own_store.incident(number).bonds[0].ref is not None, 40, "the copy of what was sent")
    assert [one["Message-ID"] for one in post.arrived()] == [f"<{op_id}@muster.test>"]
    assert "person_needed" not in kinds(own_store.timeline(number))
    assert verify(own_store).faults == []
    way.close()


def test_killed_before_the_text_nothing_went_and_a_person_says_whether_it_goes_again(
    post: Post, own_store: Store, tmp_path: Path
) -> None:
    """That no copy is there proves nothing, so nothing is sent again by itself."""
    way = Between(post, "data")
    desk, env = service_desk(own_store, post, tmp_path, way.port)
    number, op_id = engaged(desk)
    with mortal(str(own_store.path), tmp_path, settle=1.0, env=env) as worker:
        way.victim = worker.pid
        assert worker.wait(30) == -9
    with mortal(str(own_store.path), tmp_path, settle=1.0, env=env):
        wait_for(lambda: "person_needed" in kinds(own_store.timeline(number)), 90, "the question")
        assert post.arrived() == []
        (row,) = outbox.unfinished(own_store)
        desk.do(COORDINATOR, RetrySending(row_id=row.row_id))
        wait_for(lambda: own_store.incident(number).bonds[0].ref is not None, 60, "the ticket")
    assert [one["Message-ID"] for one in post.arrived()] == [f"<{op_id}@muster.test>"]
    way.close()


def test_a_conversation_by_the_worker(post: Post, own_store: Store, tmp_path: Path) -> None:
    way = Between(post, "")
    desk, env = service_desk(own_store, post, tmp_path, way.port)
    number, _ = engaged(desk)

    def bond() -> Any:
        return own_store.incident(number).bonds[0]

    def seen(kind: str) -> int:
        return kinds(own_store.timeline(number)).count(kind)

    with mortal(str(own_store.path), tmp_path, settle=1.0, env=env):
        wait_for(lambda: bond().ref is not None, 30, "the ticket")
        (first,) = post.arrived()
        told = {"Subject": f"[#4711] {first['Subject']}", "Auto_Submitted": "auto-replied"}
        post.answers("We have it.", first, **told)
        wait_for(lambda: bond().ref.key == "4711", 30, "their number")
        assert (bond().raw_state, seen("supplier_said")) == ("acknowledged as 4711", 0)
        assert (bond().ball, seen("supplier_file")) == (Ball.THEIRS, 1), "it is kept, and is no answer"
        post.answers("We come at four.", first)
        wait_for(lambda: seen("supplier_said") == 1, 30, "their words")
        desk.do(COORDINATOR, Reply(target=number, message="Thanks."))
        wait_for(lambda: len(post.arrived()) == 2, 30, "our words")
        assert post.arrived()[1]["Subject"].startswith("Re: [#4711] Lift stands")
        post.answers("It has been repaired.", post.arrived()[1])
        wait_for(lambda: bond().state is BondState.FIXED, 30, "their phrase")
    assert seen("supplier_said") == 2, "our own copies came back as news"
    assert outbox.unfinished(own_store) == []
    assert verify(own_store).faults == []
    way.close()
