"""What came into the mailbox, as changes of tickets: each mail once, by its Message-ID.

A cursor is the folder's UIDVALIDITY and the highest uid that was told. Where the mailbox was replaced, its
uids say nothing: what came since shortly before is told again, and known by its ids. So it is where the
folder counts anew under its old UIDVALIDITY, as one does that was put back from a copy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from integrations.connector import Change, Cursor, Page, Ref, Unread
from integrations.mail.box import Box, Mail
from integrations.mail.config import EmailConfig
from integrations.mail.letters import reference
from integrations.mail.meaning import Told, change_id, changes_of, names_one
from integrations.mail.opened import Opened, Unopened, opened
from integrations.mail.threads import Threads
from integrations.reading import MAX_RAW
from register.text import clean, clip, one_line

if TYPE_CHECKING:
    from integrations.http import Http

BACK: Final = timedelta(days=3)
"""How far before the last news a mailbox that was replaced is read again."""
_MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class Feed:
    def __init__(self, http: Http, config: EmailConfig) -> None:
        self._config = config
        self.box = Box(http, config)
        self.threads = Threads(self.box, config, http.name)
        self._name = http.name

    async def page(self, cursor: Cursor | None) -> Page:
        if cursor is None:
            at = await self.box.start(self._config.folder)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            return Page((), {"validity": at.validity, "uid": at.next - 1, "at": now}, done=True)
        at = await self.box.new(cursor["validity"], cursor["uid"])
        if at.validity != cursor["validity"] or 0 < at.next <= cursor["uid"]:
            return await self._replaced(cursor)
        if not at.mails:
            return Page((), cursor, done=True)
        changes, unread = await self._told(at.mails)
        last = max(at.mails, key=lambda mail: mail.uid)
        place = {"validity": at.validity, "uid": last.uid, "at": _stamp(last.at)}
        return Page(tuple(changes), place, done=not at.more, unread=tuple(unread))

    async def _replaced(self, cursor: Cursor) -> Page:
        """Another mailbox under the same name: begin at its end, and tell again what came lately."""
        at = await self.box.start(self._config.folder)
        since = datetime.fromisoformat(cursor["at"]) - BACK
        day = f"{since.day}-{_MONTHS[since.month - 1]}-{since.year}"
        heads = [mail for mail, _ in await self.box.heads([["SINCE", day]], [self._config.folder])]
        mails = [mail async for mail in self.box.whole([mail for mail in heads if mail.uid < at.next])]
        changes, unread = await self._told(mails)
        place = {"validity": at.validity, "uid": at.next - 1, "at": cursor["at"]}
        return Page(tuple(changes), place, done=False, unread=tuple(unread))

    async def history(self, root: str) -> tuple[list[Change], list[Unread], str]:
        """All of a ticket, oldest first, and the title that it was made with."""
        heads = await self.threads.mails(root)
        found: dict[str, tuple[Mail, Opened]] = {}
        unread: list[Unread] = []
        async for mail in self.box.whole(heads):
            try:
                one = opened(mail.raw)
            except Unopened as error:
                unread.append(_unread(mail, str(error), root))
                continue
            found.setdefault(one.message_id, (mail, one))
        changes: list[Change] = []
        title = ""
        for mail, one in sorted(found.values(), key=lambda each: (each[0].at, each[0].uid)):
            if one.message_id.upper().startswith(f"<{root}@") and self.threads.is_ours(one):
                title = self.threads.title(one.subject)
            told, aside = await self._of(mail, one, root)
            changes += told
            unread += aside
        return changes, unread, title

    async def _told(self, mails: Iterable[Mail]) -> tuple[list[Change], list[Unread]]:
        changes: list[Change] = []
        unread: list[Unread] = []
        for mail in mails:
            await asyncio.sleep(0)  # others have something to do, too
            told, aside = await self._one(mail)
            changes += told
            unread += aside
        return changes, unread

    async def _one(self, mail: Mail) -> tuple[list[Change], list[Unread]]:
        """A mail that came. What is neither theirs nor of a ticket of ours is no business of ours."""
        try:
            one = opened(mail.raw)
        except Unopened as error:
            return [], await self._unopened(mail, str(error))
        if self.threads.is_anothers(one):
            return [], []
        theirs, ours = self._config.is_theirs(one.sender), self.threads.is_ours(one)
        root = await self.threads.root_of(one)
        if root is None and theirs and not ours and not one.bulk:
            why = "it could not be matched to a ticket of ours: perhaps they began another one"
            return [], [_unread(mail, why, "", one)]
        if root is None:
            return [], []
        return await self._of(mail, one, root)

    async def _of(self, mail: Mail, one: Opened, root: str) -> tuple[list[Change], list[Unread]]:
        """What a mail of a ticket tells, if its sender counts."""
        ours = self.threads.is_ours(one)
        if self.threads.is_anothers(one):
            return [], []
        report = bool(one.bounces or one.about)
        if not ours and not report and not self._config.is_theirs(one.sender):
            if not await self.threads.is_known(root):
                return [], []
            who = one.sender or "nobody, or several at once"
            why = (
                f"it came from {who}, who does not count as theirs: read it, and add them to `senders`, if so"
            )
            return [], [_unread(mail, why, root, one)]
        if ours:
            self.threads.hear(one)
        words = not ours and not report
        tells = not self.threads.number(root) and self.threads.number_in(one)
        asked = words and (tells or names_one(one, self._config))
        title = await self.threads.titled(root) if asked else ""
        if words:
            self.threads.learn(root, one, title)
        first = self.threads.told_first(root, one)
        told = Told(one, self.ref(root), mail.at, mail.size, mail.cut, ours, first, title)
        return changes_of(told, self._config), []

    async def _unopened(self, mail: Mail, why: str) -> list[Unread]:
        """Of a mail that cannot be read the head perhaps can: it is told whose it is."""
        try:
            head = opened(mail.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        except Unopened:
            return [_unread(mail, why, "")]
        root = await self.threads.root_of(head)
        if root is None and not self._config.is_theirs(head.sender):
            return []
        return [_unread(mail, why, root or "", head)]

    def ref(self, root: str) -> Ref:
        """A ticket: our first operation is its id, their number its name, ours until they told one."""
        return Ref(id=root, key=self.threads.number(root) or reference(root))


def _unread(mail: Mail, why: str, root: str, one: Opened | None = None) -> Unread:
    """A mail that a person must read: its beginning as it came, and where it lies."""
    name = change_id(one.message_id) if one else f"?{mail.folder}:{mail.uid}"
    if one is not None:
        head = f"From: {one.name} <{one.sender}>\nSubject: {one.subject}\n\n{one.text}"
    else:
        head = mail.raw[:MAX_RAW].decode("utf-8", "replace")
    return Unread(name, clip(clean(head), MAX_RAW), clip(one_line(why), 300), root)


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
