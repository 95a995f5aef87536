"""A mail as it came, opened: who wrote what to whom, its files, and what of it cannot be read here.

Whatever is in it, it is read once, in one walk of bounded depth and breadth; a charset that is wrong costs
signs, never the mail.
"""

from __future__ import annotations

import email
import email.errors
import email.header
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.policy import Compat32
from email.utils import parsedate_to_datetime
from typing import Final

from integrations.mail.charsets import decoded, garbled
from integrations.mail.sender import sender_in
from integrations.markup.formats import MOST_READ, TextFormat, plain
from register.text import clean, clip, one_line

MOST_PARTS: Final = 200
MOST_DEPTH: Final = 20
MOST_IDS: Final = 200
_IDS: Final = re.compile(r"<[^<>\s]{1,250}>")
MOST_HEADER: Final = 10_000
MOST_CHAIN: Final = 50_000
MOST_WORK: Final = 5_000_000
"""Lines of a mail, times the boundaries that each of them may be: about a second's work."""
_LARGE: Final = 100_000
_SEALED: Final = {
    "application/pkcs7-mime": "encrypted or signed so that only a mail program with the key opens it",
    "application/x-pkcs7-mime": "encrypted or signed so that only a mail program with the key opens it",
    "application/ms-tnef": "in Outlook's own wrapping (TNEF), which Muster does not unpack",
    "application/vnd.ms-tnef": "in Outlook's own wrapping (TNEF), which Muster does not unpack",
    "multipart/encrypted": "encrypted (PGP)",
}
_SEALED_NAMES: Final = {"smime.p7m": "application/pkcs7-mime", "winmail.dat": "application/ms-tnef"}


@dataclass(frozen=True, slots=True)
class File:
    """A file in a mail. place: its number in the walk, by which it is fetched again."""

    name: str
    place: int
    size: int


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a delivery report (RFC 3464) says of one recipient."""

    recipient: str
    action: str  # failed, delayed, delivered, …
    status: str  # 5.1.1
    why: str


@dataclass(frozen=True, slots=True)
class Opened:
    """One mail. message_id: theirs, or a digest where it has none. Texts are clean."""

    message_id: str
    sender: str  # the address alone; empty where there is none, or more than one
    name: str
    to: str
    subject: str
    at: datetime | None
    answers: tuple[str, ...]  # Message-IDs that it names, the nearest first
    supplier: str  # of our own mails: for which supplier
    text: str
    files: tuple[File, ...] = ()
    notes: tuple[str, ...] = ()  # what of it cannot be read here
    automatic: bool = False
    replied: bool = False  # by itself, to a mail of ours: nobody wrote it
    bulk: bool = False  # a list or a newsletter
    bounces: tuple[Bounce, ...] = ()
    about: tuple[str, ...] = ()  # Message-IDs of mails that it brings along


class Unopened(Exception):
    """The mail is built so that it cannot be read."""


class _Bounded(Compat32):
    """Headers have an end: what the library does with their parameters grows with the square of them."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        chain = name.lower() in ("references", "in-reply-to")
        return name, value[: MOST_CHAIN if chain else MOST_HEADER]

    def header_fetch_parse(self, name: str, value: str) -> str:
        """What came in eight bits, without a charset, in a likely one."""
        return value if value.isascii() else decoded(value.encode("utf-8", "surrogateescape"), "utf-8")


_POLICY: Final = _Bounded()


def opened(raw: bytes) -> Opened:
    """Read a mail, or its head alone. Unopened where it cannot be."""
    if len(raw) > _LARGE and raw.count(b"\n") * (1 + raw.lower().count(b"boundary")) > MOST_WORK:
        raise Unopened("it has so many lines and parts that reading it would take too long")
    try:
        message = email.message_from_bytes(raw, policy=_POLICY)
        return _Reader(message, raw).read()
    except RecursionError:
        pass
    except (LookupError, ValueError, TypeError, AttributeError, email.errors.MessageError) as error:
        raise Unopened(f"it is built in a way that cannot be read ({type(error).__name__})") from None
    raise Unopened("it is nested too deep")


def part_of(raw: bytes, place: int) -> bytes | None:
    """The file at a place of `Opened.files`; None where there is none."""
    message = email.message_from_bytes(raw, policy=_POLICY)
    for number, part, _ in _walk(message):
        if number == place and part.get_content_maintype() != "multipart":
            return _bytes(part)
    return None


def _walk(message: Message) -> Iterator[tuple[int, Message, int]]:
    """All parts that hold something, numbered, with how deep they lie. What a mail brings along is one."""
    todo, number = [(message, 0)], 0
    while todo and number < MOST_PARTS:
        part, depth = todo.pop(0)
        inner = _inner(part)
        if inner and part.get_content_maintype() == "multipart" and depth < MOST_DEPTH:
            todo[:0] = [(one, depth + 1) for one in inner[:MOST_PARTS]]
            if part.get_content_type() == "multipart/encrypted":
                yield number, part, depth
            continue
        yield number, part, depth
        number += 1


class _Reader:
    def __init__(self, message: Message, raw: bytes) -> None:
        self._message, self._raw = message, raw

    def read(self) -> Opened:
        said = self._all("From")
        name, sender = sender_in(said[0]) if len(said) == 1 else ("", "")
        text, files, notes = self._content()
        bounces, about = self._report()
        return Opened(
            message_id=self._id(),
            sender=one_line(sender),
            name=_words(name),
            to=self._text("To").lower() + " " + self._text("Delivered-To").lower(),
            subject=clip(self._text("Subject"), 300),
            at=self._at(),
            answers=self._answers(),
            supplier=self._text("X-Muster-Supplier"),
            text=text,
            files=tuple(files),
            notes=tuple(dict.fromkeys(notes)),
            automatic=self._automatic(),
            replied=self._replied(),
            bulk=self._text("Precedence").lower() in ("bulk", "junk", "list") or bool(self._all("List-Id")),
            bounces=bounces,
            about=about,
        )

    def _all(self, name: str) -> list[str]:
        return [str(one) for one in self._message.get_all(name, [])]

    def _text(self, name: str) -> str:
        """A header in one clean line, its encoded words read; as it stands where they cannot be."""
        return _words(str(self._message.get(name, ""))[:5_000])

    def _id(self) -> str:
        found = _IDS.search(str(self._message.get("Message-ID", ""))[:1_000])
        return found[0] if found else f"<sha256-{hashlib.sha256(self._raw).hexdigest()[:40]}>"

    def _at(self) -> datetime | None:
        try:
            at = parsedate_to_datetime(str(self._message.get("Date", ""))[:100])
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None

    def _answers(self) -> tuple[str, ...]:
        nearest = _IDS.findall(str(self._message.get("In-Reply-To", ""))[:50_000])
        chain = _IDS.findall(str(self._message.get("References", ""))[:50_000])
        return tuple(dict.fromkeys([*nearest, *reversed(chain)]))[:MOST_IDS]

    def _replied(self) -> bool:
        """RFC 3834's auto-replied: auto-generated is also what a ticket system sends of people's words."""
        return (
            self._text("Auto-Submitted").lower().partition(";")[0].strip().startswith("auto-replied")
            or self._text("Precedence").lower() == "auto_reply"
            or bool(self._all("X-Autoreply") or self._all("X-Autorespond"))
        )

    def _automatic(self) -> bool:
        """By RFC 3834, and by what came before it."""
        said = self._text("Auto-Submitted").lower()
        return (
            (bool(said) and said.partition(";")[0].strip() != "no")
            or self._text("Precedence").lower() in ("bulk", "junk", "list", "auto_reply")
            or any(self._all(name) for name in _AUTOMATIC)
            or self._text("Return-Path").strip() == "<>"
        )

    def _content(self) -> tuple[str, list[File], list[str]]:
        texts: list[str] = []
        files: list[File] = []
        notes: list[str] = []
        chosen = _chosen(self._message)
        for number, part, depth in _walk(self._message):
            kind, name = part.get_content_type(), self._name(part)
            sealed = _SEALED.get(kind) or _SEALED.get(_SEALED_NAMES.get(name.lower(), ""), "")
            if sealed:
                notes.append(f"A part of this mail is {sealed}: look at the original.")
            if depth >= MOST_DEPTH:
                notes.append("This mail is nested so deep that a part of it was not read.")
            if kind == "multipart/encrypted":
                continue
            if kind in ("text/plain", "text/html") and not self._is_file(part, name):
                if id(part) in chosen:
                    raw, charset = _bytes(part)[: MOST_READ * 4], _charset(part)
                    said = decoded(raw, charset)
                    if garbled(raw, charset):
                        notes.append("The charset that this mail names is not its own: look at the original.")
                    how = TextFormat.HTML if kind == "text/html" else TextFormat.TEXT
                    texts.append(plain(said.replace("\r\n", "\n"), how).strip("\n"))
                continue
            if not kind.startswith("multipart/") and kind not in _REPORTS:
                files.append(File(name or _NAMES.get(kind, "file"), number, len(_bytes(part))))
        if len(files) + len(texts) >= MOST_PARTS:
            notes.append(f"This mail has more than {MOST_PARTS} parts, of which these were read.")
        return "\n\n".join(filter(None, texts)), files, notes

    def _name(self, part: Message) -> str:
        try:
            said = part.get_filename() or ""
        except (ValueError, LookupError, TypeError, email.errors.MessageError):
            said = ""
        return clip(_words(said), 200)

    @staticmethod
    def _is_file(part: Message, name: str) -> bool:
        return part.get_content_disposition() == "attachment" or bool(name)

    def _report(self) -> tuple[tuple[Bounce, ...], tuple[str, ...]]:
        """What a delivery report says, and which mail it is about."""
        if self._message.get_content_type() != "multipart/report":
            return (), ()
        bounces: list[Bounce] = []
        about: list[str] = []
        for _, part, _ in _walk(self._message):
            kind, inner = part.get_content_type(), _inner(part)
            if kind == "message/delivery-status":
                bounces += [_bounce(one) for one in inner[1:20] if one.get("Action")]
            elif kind == "message/rfc822":
                about += [str(one.get("Message-ID", "")).strip()[:300] for one in inner[:1]]
            elif kind == "text/rfc822-headers":
                inside = email.message_from_bytes(_bytes(part)[:50_000], policy=_POLICY)
                about.append(str(inside.get("Message-ID", "")).strip()[:300])
        return tuple(bounces), tuple(filter(None, about))


_AUTOMATIC: Final = ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress", "List-Id")
_REPORTS: Final = frozenset({"message/delivery-status", "text/rfc822-headers"})
_NAMES: Final = {"message/rfc822": "mail.eml", "text/calendar": "invitation.ics"}


def _bounce(said: Message) -> Bounce:
    def line(name: str) -> str:
        return clip(one_line(clean(str(said.get(name, "")).rpartition(";")[2])), 300)

    return Bounce(line("Final-Recipient"), line("Action").lower(), line("Status"), line("Diagnostic-Code"))


def _chosen(message: Message) -> set[int]:
    """Of alternatives one: the plain text, unless it is empty; of the rest all."""
    found: set[int] = set()

    def choose(part: Message, depth: int) -> bool:
        """Whether it has text; takes what is to be read."""
        inner = _inner(part)
        if part.get_content_maintype() != "multipart" or not inner:
            says = part.get_content_maintype() == "text" and bool(_bytes(part).strip())
            if says:
                found.add(id(part))
            return says
        if depth >= MOST_DEPTH:
            return False
        if part.get_content_type() == "multipart/alternative":
            return any(choose(one, depth + 1) for one in sorted(inner[:MOST_PARTS], key=_preference))
        return bool([one for one in inner[:MOST_PARTS] if choose(one, depth + 1)])

    choose(message, 0)
    return found


_ORDER: Final = {"text/plain": 0, "text/calendar": 3}


def _preference(part: Message) -> int:
    return _ORDER.get(part.get_content_type(), 1)


def _inner(part: Message) -> list[Message]:
    """The parts of a part, or the mail that it brings along."""
    payload = part.get_payload() if part.is_multipart() else None
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


def _bytes(part: Message) -> bytes:
    if part.is_multipart():
        return b"".join(one.as_bytes() for one in _inner(part))
    said = part.get_payload(decode=True)
    return said if isinstance(said, bytes) else b""


def _charset(part: Message) -> str:
    try:
        return part.get_content_charset() or "utf-8"
    except (ValueError, LookupError, TypeError):  # it names one that is itself not encoded in any
        return "utf-8"


def _words(said: str) -> str:
    """A header's words in one clean line, the encoded ones read; as it stands where they cannot be."""
    try:
        words = email.header.decode_header(said)
        said = "".join(w if isinstance(w, str) else decoded(w, cs or "utf-8") for w, cs in words)
    except (ValueError, LookupError, email.errors.MessageError):
        pass  # its encoding is broken: the header is shown as it came
    return one_line(clean(said))
