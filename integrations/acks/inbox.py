"""The mailbox in which pages are answered, read only: nothing is marked, moved or deleted. Blocking."""

from __future__ import annotations

import contextlib
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from integrations.mail.config import BEGINNING, where
from integrations.mail.login import Login
from integrations.mail.mailbox import Mailbox
from register.page_settings import Replies

SECONDS: Final = 20.0
KEPT_FOR: Final = 900.0
"""Seconds after which it is opened anew."""
BACK: Final = timedelta(days=1)
"""How far back it is read where it was never read before, or was replaced: no token counts longer."""
AT_ONCE: Final = 50
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Found:
    """Mails as they came, the oldest first, and where the mailbox was read to. more: there is more behind."""

    mails: tuple[bytes, ...]
    validity: int
    uid: int
    more: bool = False


class Inbox:
    """One mailbox, over a connection that is kept. Raises a `Failure`, OSError or imaplib's kinds."""

    def __init__(self, settings: Replies, secret: str, tls: ssl.SSLContext) -> None:
        self.settings, self.secret = settings, secret
        self._tls = tls
        self._box: Mailbox | None = None
        self._since = 0.0

    def look(self, place: tuple[int, int] | None, now: datetime) -> Found:
        """What came since `place`, which is (validity, uid); what came lately where that says nothing."""
        box = self._opened()
        box.select(self.settings.folder, anew=True)
        if place is None or place[0] != box.validity or 0 < box.next <= place[1]:
            day = now - BACK
            since = f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"
            uids, uid = box.search([["SINCE", since]]), max(0, box.next - 1)
        else:
            uids, uid = [row.uid for row in box.after(place[1])], place[1]
        some, more = uids[:AT_ONCE], len(uids) > AT_ONCE
        rows = box.fetch(some, f"BODY.PEEK[]<0.{BEGINNING}>")
        return Found(tuple(row.raw for row in rows), box.validity, some[-1] if some else uid, more)

    def knock(self) -> None:
        """See whether it opens, and has that folder."""
        self._opened().select(self.settings.folder, anew=True)

    def _opened(self) -> Mailbox:
        if self._box is not None and monotonic() - self._since < KEPT_FOR:
            with contextlib.suppress(Exception):  # it was closed there: a new one tells what is wrong
                self._box.refresh()
                return self._box
        self.close()
        box = Mailbox(where(self.settings.imap), self._tls, SECONDS)
        try:
            box.open(Login(self.settings.user, self.secret))
        except BaseException:  # whatever ended it: a line that is half open is of no use
            box.cut()
            raise
        self._box, self._since = box, monotonic()
        return box

    def close(self) -> None:
        """Let go of it; from any thread, so that what waits there ends."""
        box, self._box = self._box, None
        if box is not None:
            box.cut()
