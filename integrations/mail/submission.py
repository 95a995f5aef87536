"""One mail out, over SMTP (RFC 5321): in steps, so that whoever asks knows whether its end has gone out.

Before the end of the text nothing was taken over; a no, 4yz or 5yz, says that nothing is. Only what is not
heard after it, or is no SMTP, leaves it in doubt. Blocking: for a thread of its own, cut from outside.
"""

from __future__ import annotations

import base64
import contextlib
import re
import smtplib
import socket
import ssl
from typing import Final, NoReturn

from integrations.errors import AuthFailed, AuthTrouble, Failure, NotSent, RateLimited, Rejected
from integrations.mail.config import Where
from integrations.mail.login import Login

_POLICY: Final = re.compile(r"\b5\.7\.\d+\b")
"""Enhanced codes (RFC 3463) by which a server says that we may not."""


class Garbled(Exception):
    """What the server said is no SMTP."""


class Submission:
    """A connection for one mail. Each step raises a `Failure`, `OSError`, `smtplib` kinds or `Garbled`."""

    def __init__(self, where: Where, tls: ssl.SSLContext, seconds: float, us: str) -> None:
        name = us.rpartition("@")[2]
        self.where = where
        self._tls = tls
        self._smtp = (
            smtplib.SMTP_SSL(timeout=seconds, local_hostname=name, context=tls)
            if where.tls
            else smtplib.SMTP(timeout=seconds, local_hostname=name)
        )

    def open(self, who: Login | None) -> None:
        """Connect, have it encrypted unless on this machine, log in."""
        smtp = self._smtp
        smtp._host = self.where.host  # type: ignore[attr-defined]  # whose name starttls checks; else by __init__
        code, said = smtp.connect(self.where.host, self.where.port)
        if code != 220:
            self._no("does not take mail now", code, said, who)
        smtp.ehlo_or_helo_if_needed()
        if not self.where.tls and smtp.has_extn("starttls"):
            code, said = smtp.starttls(context=self._tls)
            if code != 220:
                self._no("does not begin to encrypt", code, said, who)
            smtp.ehlo()
        elif not self.where.tls and not self.where.plain:
            raise NotSent(
                f"The mail server {self.where} does not offer to encrypt (STARTTLS): nothing was said to it."
            )
        if who is not None:
            self._log_in(who)

    def _log_in(self, who: Login) -> None:
        ways = self._smtp.esmtp_features.get("auth", "").upper().split()
        if not ways:
            raise Rejected(
                f"The mail server {self.where} offers no login: write `smtp_login = false` in vendors.toml"
                " if it takes mail of this host without one."
            )
        if who.token:
            code, said = self._smtp.docmd("AUTH", f"XOAUTH2 {_b64(who.xoauth2)}")
            if code == 334:  # it says why, and wants to hear that we heard it
                code, said = self._smtp.docmd("")
        elif "PLAIN" in ways or "LOGIN" not in ways:
            code, said = self._smtp.docmd("AUTH", f"PLAIN {_b64(who.plain)}")
        else:
            code, said = self._smtp.docmd("AUTH", "LOGIN")
            for word in (who.account, who.secret):
                if code == 334:
                    code, said = self._smtp.docmd(_b64(word.encode()))
        if code not in (235, 503):  # 503: logged in already
            self._no("does not accept the stored credential", code, said, who, refused=True)

    def envelope(self, sender: str, to: list[str], who: Login | None) -> None:
        """Say from whom and to whom, up to where it waits for the text."""
        smtp = self._smtp
        smtp.ehlo_or_helo_if_needed()
        told = [("MAIL", f"FROM:<{sender}>"), *(("RCPT", f"TO:<{one}>") for one in to), ("DATA", "")]
        for verb, args in told:
            code, said = smtp.docmd(verb, args)
            if code not in ((354,) if verb == "DATA" else (250, 251, 252)):
                self._no(f"does not take it ({args.removeprefix('TO:') or verb})", code, said, who)

    def content(self, raw: bytes, who: Login | None) -> str:
        """Send the text and its end; return what it was taken with. What is heard of it decides."""
        lines = re.sub(rb"\r\n|\r|\n", b"\r\n", raw)
        dotted = re.sub(rb"(?m)^\.", b"..", lines)
        self._smtp.send(dotted + (b".\r\n" if dotted.endswith(b"\r\n") else b"\r\n.\r\n"))
        code, said = self._smtp.getreply()
        if code == 421 or not 200 <= code < 600 or 300 <= code < 400:
            raise Garbled(f"{code}")  # 421: it goes away, and may have taken it
        if code >= 400:
            self._no("does not take it", code, said, who)
        with contextlib.suppress(OSError, smtplib.SMTPException):
            self._smtp.putcmd("quit")  # nobody waits for what is said to that: the mail is theirs
        return f"{code} {said.decode('utf-8', 'replace')}"

    def _no(self, what: str, code: int, said: bytes, who: Login | None, *, refused: bool = False) -> NoReturn:
        """A no of theirs, as what it is. Nothing was taken over."""
        words = (who or Login("", "")).masked(said)
        why = f"The mail server {self.where} {what}: {code} {words}."
        raise self._judged(why, code, words, refused)

    @staticmethod
    def _judged(why: str, code: int, words: str, refused: bool) -> Failure:
        if not 400 <= code < 600:
            return NotSent(why)
        if code < 500:
            return RateLimited(why)
        if refused:
            return AuthFailed(why, AuthTrouble.REFUSED)
        if code == 530 or _POLICY.search(words):
            return AuthFailed(why, AuthTrouble.FORBIDDEN)
        return Rejected(why, code)

    def cut(self) -> None:
        """Have whatever waits on it end now; from any thread."""
        sock = self._smtp.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                sock.close()


def _b64(said: bytes) -> str:
    return base64.b64encode(said).decode()
