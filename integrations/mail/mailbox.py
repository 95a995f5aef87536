"""A mailbox over IMAP (RFC 9051 and 3501), read only: nothing is marked as read, moved or deleted.

Blocking: for one thread at a time, cut from outside. Raises a `Failure`, `OSError` or `imaplib`'s kinds.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from integrations.errors import AuthFailed, AuthTrouble, Failure, RateLimited, Rejected, Unavailable
from integrations.mail.config import Where
from integrations.mail.login import Login

MOST: Final = 32 * 2**20
"""Bytes of one literal that are taken, whatever the server announces."""
_SIZE: Final = re.compile(rb"\bRFC822\.SIZE (\d{1,12})")
_AT: Final = re.compile(rb'\bINTERNALDATE "([^"]{1,40})"')
_UID: Final = re.compile(rb"\bUID (\d{1,10})\b")
_CODE: Final = re.compile(r"\[([A-Z-]+)")
_REFUSED: Final = frozenset({"AUTHENTICATIONFAILED", "EXPIRED", "PRIVACYREQUIRED"})
_FORBIDDEN: Final = frozenset({"AUTHORIZATIONFAILED", "NOPERM", "CONTACTADMIN"})
_WAIT: Final = frozenset({"LIMIT", "OVERQUOTA"})
_DOWN: Final = frozenset({"UNAVAILABLE", "INUSE", "SERVERBUG"})


@dataclass(frozen=True, slots=True)
class Row:
    """A mail in a folder. raw: what was asked of it, perhaps only its beginning."""

    uid: int
    size: int
    at: str  # when it came, as IMAP writes it
    raw: bytes = b""


class _Talk(imaplib.IMAP4):
    """imaplib, with a socket that can be cut from the first moment on, and answers that have an end."""

    def __init__(self, where: Where, tls: ssl.SSLContext, seconds: float, held: list[socket.socket]) -> None:
        self._where, self._context, self._held = where, tls, held
        super().__init__(where.host, where.port, timeout=seconds)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        sock = socket.create_connection((self._where.host, self._where.port), timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each login waits for 40 ms
        self._held.append(sock)
        if self._where.tls:
            sock = self._context.wrap_socket(sock, server_hostname=self._where.host)
            self._held.append(sock)
        return sock

    def read(self, size: int) -> bytes:
        if size > MOST:
            raise self.abort(f"a part of {size:,} bytes")
        return super().read(size)


class Mailbox:
    """A connection to one mailbox, logged in; `folder` is the one that is open."""

    def __init__(self, where: Where, tls: ssl.SSLContext, seconds: float) -> None:
        self.where = where
        self._tls, self._seconds = tls, seconds
        self._held: list[socket.socket] = []
        self._who = Login("", "")
        self.folder = ""
        self.validity = 0
        self.next = 0

    def open(self, who: Login) -> None:
        self._who = who
        self._imap = imap = _Talk(self.where, self._tls, self._seconds, self._held)
        if not self.where.tls and "STARTTLS" in imap.capabilities:
            imap.starttls(self._tls)
        elif not self.where.tls and not self.where.plain:
            raise Unavailable(
                f"The mail server {self.where} does not offer to encrypt (STARTTLS): nothing was said to it."
            )
        self._held.append(imap.socket())
        try:
            if who.token:
                answers = iter((who.xoauth2,))
                imap.authenticate("XOAUTH2", lambda _: next(answers, b""))
            elif "AUTH=PLAIN" in imap.capabilities:
                imap.authenticate("PLAIN", lambda _: who.plain)
            else:
                imap.login(who.account, who.secret)
        except imaplib.IMAP4.abort:
            raise
        except (imaplib.IMAP4.error, UnicodeError) as error:
            told = error.args[0] if error.args else b""
            said = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
        else:
            return
        raise self._no("does not accept the stored credential", said, refused=True)

    def refresh(self) -> None:
        """Hear what came meanwhile, and whether anybody is there still."""
        self._ok("is not there any more", self._imap.noop())

    def select(self, folder: str, *, anew: bool = False) -> None:
        """Have this folder open for reading."""
        if folder == self.folder and not anew:
            return
        self.folder = ""
        self._ok(f"does not open the folder {folder}", self._imap.select(_quoted(folder), readonly=True))
        self.validity = self._told("UIDVALIDITY")
        self.next = self._told("UIDNEXT")
        self.folder = folder

    def after(self, uid: int) -> list[Row]:
        """All mails with a higher uid, by sizes alone. `n:*` has the last mail even where n is higher."""
        rows = self._fetched(f"{uid + 1}:*", "(UID INTERNALDATE RFC822.SIZE)")
        found = sorted((row for row in rows if row.uid > uid), key=lambda row: row.uid)
        self.next = max(self.next, *(row.uid + 1 for row in found)) if found else self.next
        return found

    def search(self, any_of: Sequence[Sequence[str]]) -> list[int]:
        """The uids of mails that fit any of these keys, lowest first: at most 1,000, the newest."""
        found = self._ok("does not search", self._imap.uid("SEARCH", _or(any_of)))
        uids = [int(one) for line in found if line for one in line.split() if one.isdigit()]
        return sorted(uids)[-1_000:]

    def fetch(self, uids: Sequence[int], what: str) -> list[Row]:
        """These mails, each with what is asked of it (`BODY.PEEK[]`, or a part)."""
        if not uids:
            return []
        rows = self._fetched(",".join(map(str, uids)), f"(UID INTERNALDATE RFC822.SIZE {what})")
        return sorted((row for row in rows if row.uid in set(uids)), key=lambda row: row.uid)

    def _fetched(self, uids: str, what: str) -> list[Row]:
        rows: list[Row] = []
        head, raw = b"", b""
        for item in [*self._ok("does not give mails", self._imap.uid("FETCH", uids, what)), b")"]:
            if isinstance(item, tuple):
                head, raw = head + b" " + item[0], item[1]
                continue
            told = head + b" " + (item or b"")
            uid, size, at = _UID.search(told), _SIZE.search(told), _AT.search(told)
            if uid is not None and size is not None:  # else it only tells that a mail was read meanwhile
                said = at[1].decode("ascii", "replace") if at else ""
                rows.append(Row(int(uid[1]), int(size[1]), said, raw))
            head, raw = b"", b""
        return rows

    def _told(self, name: str) -> int:
        _, found = self._imap.response(name)
        return int(found[0]) if found and found[0] and found[0].isdigit() else 0

    def _ok(self, what: str, answer: tuple[str, list[Any]]) -> list[Any]:
        kind, said = answer
        if kind == "OK":
            return said
        words = b" ".join(one for one in said if isinstance(one, bytes))
        raise self._no(what, words.decode("utf-8", "replace"))

    def _no(self, what: str, said: str, *, refused: bool = False) -> Failure:
        """A no of theirs, as what it is (RFC 5530)."""
        words = self._who.masked(said)
        found = _CODE.search(words)
        code = found[1] if found else ""
        why = f"The mail server {self.where} {what}: {words}."
        if code in _WAIT:
            return RateLimited(why)
        if code in _DOWN:
            return Unavailable(why)
        if refused or code in _REFUSED:
            return AuthFailed(why, AuthTrouble.REFUSED)
        if code in _FORBIDDEN:
            return AuthFailed(why, AuthTrouble.FORBIDDEN)
        return Rejected(why)

    def end(self) -> None:
        """Say good-bye. What is said to that changes nothing."""
        with contextlib.suppress(OSError, imaplib.IMAP4.error, AttributeError):
            self._imap.logout()
        self.cut()

    def cut(self) -> None:
        """Have whatever waits on it end now; from any thread."""
        for sock in self._held:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                sock.close()


def _quoted(text: str) -> str:
    """A quoted string. What it cannot hold is not sent."""
    if not text.isascii() or not text.isprintable():
        raise Rejected(
            "Only plain signs can be looked for in a mailbox, and names of folders have no others."
        )
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _or(any_of: Sequence[Sequence[str]]) -> str:
    """Keys of which any is to fit: `(HEADER name value)`, `(SUBJECT value)`, joined by OR."""
    found = ""
    for key, *values in any_of:
        one = f"({' '.join([key, *map(_quoted, values)])})"
        found = f"OR {found} {one}" if found else one
    return found
