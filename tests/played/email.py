"""A mail server in this process, SMTP and IMAP, and a supplier behind it; what goes wrong is on the wire.

`PlayedMail` speaks as much of RFC 5321 and 9051 as the connector asks for, strictly: what it does not know is
BAD. A mood strikes once, at the place where it hurts: after the end of a mail's text, or in the answer
to a search. `MailLine` has the suite's troubles happen there instead of beneath the client.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import email
import email.policy
import re
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any, ClassVar

import httpx

from integrations.conformance import line
from integrations.conformance.line import Fits, Forward, Line, Trouble
from integrations.conformance.world import Said, World
from integrations.connector import Ref, Theirs
from integrations.mail.config import EmailConfig
from integrations.mail.letters import reference
from integrations.mail.transport import MailTransport
from integrations.systems.email import Email

PASSWORD = "app-password-7"
DESK = "desk@muster.test"
SERVICE = "service@kone.test"
STATES = {
    "we are working on it now": Theirs.WORKING,
    "has been repaired": Theirs.FIXED,
    "we wait for your answer": Theirs.WAITS_FOR_US,
    "ticket is closed": Theirs.CLOSED,
}


class Stored:
    """A mail in a mailbox."""

    def __init__(self, uid: int, raw: bytes) -> None:
        self.uid, self.raw = uid, raw
        self.at = datetime.now(UTC)

    @property
    def size(self) -> int:
        return len(self.raw)

    @property
    def read(self) -> EmailMessage:
        found = email.message_from_bytes(self.raw, policy=email.policy.default)
        assert isinstance(found, EmailMessage)
        return found


class PlayedMail:
    """boxes: by local part. smtp_mood, imap_mood: what goes wrong next there."""

    def __init__(self) -> None:
        self.boxes: dict[str, list[Stored]] = {"desk": [], "service": []}
        self.validity = 7
        self.password = PASSWORD
        self.smtp_mood = self.imap_mood = ""
        self.slow_quit = self.tokens_alone = False
        self.logins = "250-AUTH PLAIN XOAUTH2\r\n"
        self.commands: list[str] = []
        self.next = 1
        self.reread: list[int] = []  # uids that another client marks as read meanwhile
        self.heard: list[bytes] = []  # what came after a no to XOAUTH2
        self.carried = 0  # bytes of both ways, over all connections
        self._servers: list[asyncio.Server] = []
        self._open: set[asyncio.StreamWriter] = set()
        self.forever = asyncio.Event()

    async def start(self) -> None:
        for talk in (Smtp, Imap):
            self._servers.append(await asyncio.start_server(self.served(talk), "127.0.0.1", 0, limit=2**26))
        self.smtp, self.imap = (one.sockets[0].getsockname()[1] for one in self._servers)

    async def stop(self) -> None:
        self.forever.set()
        for server in self._servers:
            server.close()
        self.hang_up()
        for server in self._servers:
            await server.wait_closed()

    def hang_up(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    def deliver(self, to: str, raw: bytes) -> Stored:
        stored = Stored(self.next, raw)
        self.next += 1
        self.boxes.setdefault(to, []).append(stored)
        return stored

    def served(
        self, talk: type[Talk]
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._open.add(writer)
            try:
                await talk(self, Weighed(self, reader), Weighed(self, writer)).run()
            except (OSError, asyncio.IncompleteReadError, ValueError):
                pass  # whoever called has gone
            finally:
                self._open.discard(writer)
                writer.close()

        return serve

    def taken(self, name: str) -> str:
        mood = getattr(self, name)
        setattr(self, name, "")
        return str(mood)


class Weighed:
    """One way of a connection, which counts what it carries."""

    def __init__(self, mail: PlayedMail, way: Any) -> None:
        self.mail, self.way = mail, way

    def write(self, data: bytes) -> None:
        self.mail.carried += len(data)
        self.way.write(data)

    async def drain(self) -> None:
        await self.way.drain()

    async def readline(self) -> bytes:
        line: bytes = await self.way.readline()
        self.mail.carried += len(line)
        return line


class Talk:
    """One connection, with its words in a table: a verb is a method of its name, in small letters."""

    mood: ClassVar[str]

    def __init__(self, mail: PlayedMail, reader: Weighed, writer: Weighed) -> None:
        self.mail, self.reader, self.writer = mail, reader, writer
        self.logged_in = False
        self.over = False

    async def run(self) -> None:
        if getattr(self.mail, self.mood) == "refused":
            self.mail.taken(self.mood)
            return
        self.greet()
        while not self.over and (words := (await self.reader.readline()).decode("latin-1").strip()):
            await self.hear(words)
            await self.writer.drain()

    def greet(self) -> None:
        raise NotImplementedError

    async def hear(self, words: str) -> None:
        raise NotImplementedError

    def say(self, text: str) -> None:
        self.writer.write(f"{text}\r\n".encode())

    async def explains(self, prefix: str) -> None:
        """As Google's page on XOAUTH2 has it: why not, as a challenge, which is answered by an empty line."""
        self.say(prefix + base64.b64encode(b'{"status":"401","schemes":"bearer mac"}').decode())
        await self.writer.drain()
        self.mail.heard.append(await self.reader.readline())

    def lets_in(self, how: str, said: str) -> bool:
        """Whether it is ours, as PLAIN or as XOAUTH2 has it; a token is no password."""
        given, password, token = base64.b64decode(said).decode(), self.mail.password, self.mail.tokens_alone
        plain, bearer = f"\0{DESK}\0{password}", f"user={DESK}\1auth=Bearer {password}\1\1"
        known = {"PLAIN": "" if token else plain, "XOAUTH2": bearer}.get(how.upper())
        return given == known and getattr(self.mail, self.mood) != "auth"


class Smtp(Talk):
    mood = "smtp_mood"

    def greet(self) -> None:
        self.to: list[str] = []
        self.say("220 mail.test ESMTP")

    async def hear(self, words: str) -> None:
        verb = words.split()[0].lower()
        self.mail.commands.append(f"smtp {verb.upper()}")
        if not self.logged_in and verb not in ("ehlo", "starttls", "auth", "quit"):
            self.say("530 5.7.0 authentication required")
        elif verb in ("ehlo", "starttls", "auth", "mail", "rcpt", "data", "quit"):
            await getattr(self, "mail_" if verb == "mail" else verb)(words)
        else:
            self.say("502 5.5.2 unknown")

    async def ehlo(self, words: str) -> None:
        tls = "250-STARTTLS\r\n" if self.mail.smtp_mood == "tls" else ""
        self.say(f"250-mail.test\r\n{tls}{self.mail.logins}250 HELP")

    async def starttls(self, words: str) -> None:
        self.mail.taken("smtp_mood")
        self.say("220 go on\r\nthis is no TLS")

    async def auth(self, words: str) -> None:
        how, said = words.split()[1:]
        if self.mail.smtp_mood == "mirror":
            self.mail.taken("smtp_mood")
            self.say(f"535 5.7.8 no: {words} {base64.b64decode(said).decode()!r}")
        elif self.lets_in(how, said):
            self.logged_in = True
            self.say("235 2.7.0 welcome")
        else:
            self.mail.taken("smtp_mood")
            if how == "XOAUTH2":
                await self.explains("334 ")
            self.say("535 5.7.8 authentication failed")

    async def mail_(self, words: str) -> None:
        said = {"policy": "550 5.7.1 not for you", "wait": "451 4.7.1 slower, please"}
        if self.mail.smtp_mood in said:
            self.say(said[self.mail.taken("smtp_mood")])
        else:
            self.say("250 ok")

    async def rcpt(self, words: str) -> None:
        if self.mail.smtp_mood == "elsewhere":
            self.mail.taken("smtp_mood")
            self.say("551 5.1.6 user not local; please try <service@elsewhere.test>")
            return
        found = re.fullmatch(r"RCPT TO:<([a-z0-9.+-]+)@(?:muster|kone)\.test>", words)
        if found is None or found[1] == "nobody":
            self.say("550 5.1.1 no such user")
        else:
            self.to.append(found[1].partition("+")[0])
            self.say("250 ok")

    async def data(self, words: str) -> None:
        self.say("354 go on")
        self.over = await self._ends(await self._text())

    async def quit(self, words: str) -> None:
        if self.mail.slow_quit:
            await self.mail.forever.wait()
        self.say("221 bye")

    async def _text(self) -> bytes:
        raw = b""
        while (part := await self.reader.readline()) != b".\r\n":
            if not part:
                raise ValueError("cut within the text")
            raw += part[1:] if part.startswith(b".") else part
        return raw

    async def _ends(self, raw: bytes) -> bool:
        """Take the mail over, or not, and say so, or not; whether the connection ends with it."""
        mood, done, _ = self.mail.taken("smtp_mood").partition("!")
        if done or not mood:
            for box in self.to:
                self.mail.deliver(box, raw)
        said = {
            "": b"250 2.0.0 queued\r\n",
            "full": b"452 4.2.2 mailbox full\r\n",
            "no": b"554 5.6.0 not this one\r\n",
            "trouble": b"421 4.3.0 trouble\r\n",
            "more": b"354 go on\r\n",
            "garbage": b"<!doctype html><h1>Sign in</h1>\r\n",
            "half": b"25",
            "utf16": "250 ok\r\n".encode("utf-16"),
            "huge": b"250 " + b"x" * 200_000,
            "cut": b"",
        }.get(mood)
        if mood == "hang":
            await self.mail.forever.wait()
        if mood == "drip":
            for byte in b"250 2.0.0 queued\r\n":
                self.writer.write(bytes([byte]))
                await asyncio.sleep(0.2)
        self.writer.write(said or b"")
        await self.writer.drain()
        return mood not in ("", "full", "no")


class Imap(Talk):
    mood = "imap_mood"

    def greet(self) -> None:
        self.box: list[Stored] = []
        self.say("* OK ready")

    async def hear(self, words: str) -> None:
        tag, _, rest = words.partition(" ")
        verb = rest.upper().split()[0]
        if verb == "UID":
            verb = f"UID {rest.upper().split()[1]}"
        self.mail.commands.append(f"imap {verb}")
        how = self._VERBS.get(verb)
        if how is None or not (self.logged_in or verb in ("CAPABILITY", "AUTHENTICATE", "LOGOUT")):
            self.say(f"{tag} BAD not now")
        elif (said := await how(self, tag, rest)) is not None:
            self.say(f"{tag} {said}")

    async def capability(self, tag: str, rest: str) -> str | None:
        self.say("* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2")
        return "OK done"

    async def authenticate(self, tag: str, rest: str) -> str | None:
        self.say("+ ")
        await self.writer.drain()
        given = (await self.reader.readline()).decode()
        if self.mail.imap_mood == "mirror":
            return f"NO [AUTHENTICATIONFAILED] {base64.b64decode(given).decode()!r}"
        self.logged_in = self.lets_in(rest.split()[-1], given)
        if not self.logged_in and rest.upper().endswith("XOAUTH2"):
            await self.explains("+ ")
        return "OK welcome" if self.logged_in else "NO [AUTHENTICATIONFAILED] no"

    async def logout(self, tag: str, rest: str) -> str | None:
        self.say("* BYE")
        self.over = True
        return "OK done"

    async def noop(self, tag: str, rest: str) -> str | None:
        return "OK done"

    async def examine(self, tag: str, rest: str) -> str | None:
        if self.mail.imap_mood == "elsewhere":
            self.mail.taken("imap_mood")
            return "NO [REFERRAL IMAP://elsewhere.test/INBOX] it is there"
        if '"INBOX"' not in rest:
            return "NO [NONEXISTENT] no such folder"
        self.box = self.mail.boxes["desk"]
        self.say(f"* {len(self.box)} EXISTS\r\n* OK [UIDVALIDITY {self.mail.validity}] ok")
        self.say(f"* OK [UIDNEXT {self.mail.next}] ok")
        return "OK [READ-ONLY] done"

    async def search(self, tag: str, rest: str) -> str | None:
        if await self._struck(tag):
            self.over = True
            return None
        self.say(f"* SEARCH {' '.join(str(one.uid) for one in self.box if _fits(one, rest[11:]))}")
        return "OK done"

    async def fetch(self, tag: str, rest: str) -> str | None:
        _, _, uids, what = rest.split(" ", 3)
        for number, one in enumerate(self.box, 1):
            if _within(one.uid, uids, self.box):
                self.writer.write(_fetched(number, one, what))
            if one.uid in self.mail.reread:
                self.say(f"* {number} FETCH (UID {one.uid} FLAGS (\\Seen))")
        return "OK done"

    _VERBS: ClassVar = {
        "CAPABILITY": capability,
        "AUTHENTICATE": authenticate,
        "LOGOUT": logout,
        "NOOP": noop,
        "EXAMINE": examine,
        "UID SEARCH": search,
        "UID FETCH": fetch,
    }

    async def _struck(self, tag: str) -> bool:
        """Whether the answer to a search went wrong, and with it the connection."""
        mood = self.mail.taken("imap_mood").partition("!")[0]
        said = {
            "cut": b"",
            "trouble": b"* BYE trouble\r\n",
            "garbage": b"<!doctype html><h1>Sign in</h1>\r\n",
            "half": b"* SEA",
            "utf16": "* SEARCH 1\r\n".encode("utf-16"),
            "huge": b"* 1 FETCH (UID 1 BODY[] {10485760000}\r\n",
            "policy": f"{tag} NO [NOPERM] no\r\n".encode(),
            "elsewhere": f"{tag} NO [REFERRAL IMAP://elsewhere.test/INBOX] it is there\r\n".encode(),
            "wait": f"{tag} NO [LIMIT] slower, please\r\n".encode(),
        }.get(mood)
        if mood == "hang":
            await self.mail.forever.wait()
        if mood == "drip":
            for byte in b"* SEARCH 1 2 3 4 5 6 7 8 9\r\n":
                self.writer.write(bytes([byte]))
                await asyncio.sleep(0.2)
        self.writer.write(said or b"")
        await self.writer.drain()
        return bool(mood)


def _within(uid: int, uids: str, box: list[Stored]) -> bool:
    """As IMAP has it: `9:*` has the last mail, too, where there is none above."""
    top = max((one.uid for one in box), default=0)
    for part in uids.split(","):
        low, _, high = part.partition(":")
        ends = sorted((int(low), top if high == "*" else int(high or low)))
        if ends[0] <= uid <= ends[1]:
            return True
    return False


def _fetched(number: int, one: Stored, what: str) -> bytes:
    known = "(UID INTERNALDATE RFC822.SIZE"
    assert what.startswith(known), what
    at = one.at.strftime("%d-%b-%Y %H:%M:%S +0000")
    head = f'* {number} FETCH (UID {one.uid} INTERNALDATE "{at}" RFC822.SIZE {one.size}'.encode()
    part = what.removeprefix(known).strip(" )")
    if not part:
        return head + b")\r\n"
    if part == "BODY.PEEK[HEADER]":
        raw, name = one.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", "BODY[HEADER]"
    elif part == "BODY.PEEK[]":
        raw, name = one.raw, "BODY[]"
    else:
        found = re.fullmatch(r"BODY\.PEEK\[\]<0\.(\d+)>", part)
        assert found, part
        raw, name = one.raw[: int(found[1])], "BODY[]<0>"
    return head + f" {name} {{{len(raw)}}}\r\n".encode() + raw + b")\r\n"


def _fits(one: Stored, keys: str) -> bool:
    """OR, HEADER, SUBJECT, BODY and SINCE in brackets, substrings in any case."""
    tests = re.findall(r'\((HEADER|SUBJECT|BODY|SINCE)((?: "(?:[^"\\]|\\.)*")+)\)', keys)
    assert tests, keys
    assert keys.count("OR ") == len(tests) - 1, keys
    head, _, body = one.raw.partition(b"\r\n\r\n")
    for key, given in tests:
        values = [re.sub(r"\\(.)", r"\1", value) for value in re.findall(r'"((?:[^"\\]|\\.)*)"', given)]
        if key == "SINCE":
            day = datetime.strptime(values[0], "%d-%b-%Y").replace(tzinfo=UTC)
            hit = one.at.date() >= day.date()
        elif key == "BODY":
            hit = values[0].lower() in body.decode("latin-1").lower()
        else:
            name, value = values if key == "HEADER" else ("Subject", values[0])
            lines = re.findall(rf"(?im)^{name}:((?:.*\n[ \t])*.*)", head.decode("latin-1").replace("\r", ""))
            told = email.message_from_bytes(head, policy=email.policy.default)[name] if lines else ""
            hit = any(value.lower() in text.lower() for text in (*lines, str(told)))
        if hit:
            return True
    return False


class MailLine(Line):
    """Has what goes wrong happen on the wire, in SMTP's and IMAP's own way."""

    def __init__(self, inner: httpx.AsyncBaseTransport, mail: PlayedMail) -> None:
        super().__init__(inner)
        self._mail = mail

    def spoil(self, trouble: Trouble, fits: Fits = line.writes, times: int = 1) -> None:
        async def on_the_wire(request: httpx.Request, forward: Forward) -> httpx.Response:
            mood = await _mood(trouble, request)
            if line.writes(request):
                self._mail.smtp_mood = mood
            else:
                self._mail.imap_mood = mood
                if mood in ("auth", "mirror", "refused"):
                    self._mail.hang_up()  # so that it must be logged in anew
            return await forward(request)

        super().spoil(on_the_wire, fits, times)


_NAMED = {
    line.hang: "hang",
    line.drip: "drip!",
    line.truncated: "half!",
    line.wrong_charset: "utf16!",
    line.huge: "huge!",
    line.mirror: "mirror",
}
_BY_STATUS = {200: "garbage", 401: "auth", 403: "policy", 429: "wait", 500: "trouble"}


async def _mood(trouble: Trouble, request: httpx.Request) -> str:
    """What a trouble of the suite is in mail's terms; `!`: and what was asked for is done."""
    if trouble in _NAMED:
        return _NAMED[trouble]
    done = ""

    async def forward(asked: httpx.Request) -> httpx.Response:
        nonlocal done
        done = "!"
        return line.answer(200, b"{}")

    try:
        answer = await trouble(request, forward)
    except httpx.ConnectTimeout:
        return "refused"
    except httpx.ConnectError:
        return "tls"
    except httpx.TransportError:
        return f"cut{done}"
    if 300 <= answer.status_code < 400:  # SMTP's 3yz after the text, its 551, IMAP's REFERRAL (RFC 2193)
        return "more" if answer.status_code == 302 and line.writes(request) else "elsewhere"
    return _BY_STATUS.get(answer.status_code, "trouble") + done


class EmailWorld(World):
    """A supplier that is reached by mail, with Lena to answer."""

    system: ClassVar[Any] = Email
    secret = PASSWORD
    patience = 3.0

    def __init__(self, mail: PlayedMail, **more: Any) -> None:
        self.mail = mail
        own = {"number": r"\[#(\d+)\]", "states": STATES, "address": DESK, "to": SERVICE}
        ways = {"smtp": f"smtp://127.0.0.1:{mail.smtp}", "imap": f"imap://127.0.0.1:{mail.imap}"}
        self.config = EmailConfig(**(own | ways | more))
        self.url = Email.base(self.config)

    def transport(self) -> httpx.AsyncBaseTransport:
        return MailTransport(self.config)

    def line(self) -> Line:
        return MailLine(self.transport(), self.mail)

    @property
    def carried(self) -> int:
        """Bytes of both ways so far."""
        return self.mail.carried

    def arrived(self) -> list[EmailMessage]:
        return [one.read for one in self.mail.boxes["service"]]

    def thread(self, ref: Ref) -> list[EmailMessage]:
        return [one for one in self.arrived() if reference(ref.id) in one["Subject"]]

    async def tickets(self, op_id: str) -> int:
        return sum(one["Message-ID"] == f"<{op_id}@muster.test>" for one in self.arrived())

    async def said(self, ref: Ref) -> list[Said]:
        return [Said(_text(one)) for one in self.thread(ref)]

    async def files(self, ref: Ref) -> list[bytes]:
        return [part.get_content() for one in self.thread(ref) for part in one.iter_attachments()]

    def answers(self, ref: Ref, text: str, sender: str = "Lena <lena@kone.test>", **headers: str) -> Stored:
        """A mail about a ticket arrives at our mailbox."""
        first = self.thread(ref)[0]
        mail = EmailMessage(policy=email.policy.SMTP)
        told = {
            "From": sender,
            "To": DESK,
            "Subject": f"Re: {first['Subject']}",
            "Message-ID": f"<{len(self.mail.boxes['desk'])}.{id(mail):x}@kone.test>",
            "In-Reply-To": first["Message-ID"],
            "References": first["Message-ID"],
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in told.items():
            if value:
                mail[name] = value
        mail.set_content("x")
        mail.replace_header("Content-Transfer-Encoding", "base64")
        mail.set_payload(base64.encodebytes(text.encode()).decode())
        return self.mail.deliver("desk", mail.as_bytes())

    async def says(self, ref: Ref, text: str) -> None:
        self.answers(ref, text)

    async def sets(self, ref: Ref, to: Theirs) -> None:
        phrase = next(phrase for phrase, means in STATES.items() if means is to)
        self.answers(ref, f"Dear customer, {phrase}.", Auto_Submitted="auto-generated")

    async def types_as_us(self, ref: Ref, text: str) -> None:
        self.answers(ref, text, sender=f"Duty <{DESK}>")

    async def crowds(self, ref: Ref, count: int) -> None:
        at = datetime.now(UTC)
        for number in range(count):
            self.answers(ref, str(number)).at = at

    async def expires(self) -> None:
        self.mail.password = "another"
        self.mail.hang_up()


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")  # as lines end in mail


@contextlib.asynccontextmanager
async def playing() -> Any:
    mail = PlayedMail()
    await mail.start()
    try:
        yield mail
    finally:
        await mail.stop()
