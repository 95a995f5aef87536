"""A supplier that is reached by mail alone: SMTP out, IMAP in (RFC 5321, 9051, 5322, 3834, 3464).

A ticket is a thread: its id is the operation by which it was begun, which is its Message-ID, too. A copy of
each mail of ours comes back to our mailbox, and proves that our server took it; that none is there yet
proves nothing. Whatever is no agreed phrase is for a person to read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from integrations.connector import (
    Absent,
    Applied,
    Attach,
    Cap,
    ChangeKind,
    Comment,
    Cursor,
    Draft,
    FindResult,
    Found,
    Health,
    Info,
    Lagging,
    NoNative,
    Page,
    Ref,
    Theirs,
    Ticket,
    TicketUpdate,
)
from integrations.errors import Gone, OpId, Rejected, Unavailable
from integrations.mail.check import health
from integrations.mail.config import EmailConfig, where
from integrations.mail.feed import Feed
from integrations.mail.letters import ULID, Thread, letter, message_id, references_in
from integrations.mail.login import authorization
from integrations.mail.meaning import ORIGINAL, change_id
from integrations.mail.opened import part_of
from register.incident import Priority
from register.text import one_line

if TYPE_CHECKING:
    import httpx

    from integrations.http import Http

_URGENT: Final = frozenset({Priority.CRITICAL, Priority.HIGH})


class Email:
    """Connector of suppliers by mail."""

    info: ClassVar[Info] = Info(
        kind="email",
        title="E-mail",
        caps=Cap.CREATE | Cap.COMMENT_PUBLIC | Cap.ATTACH | Cap.POLL,
        lookup=Lagging(index_delay=timedelta(minutes=2), settle=timedelta(minutes=5)),
        idempotency=NoNative(),
        config=EmailConfig,
        oauth2=True,
        needs_url=False,
        docs="https://www.rfc-editor.org/rfc/rfc5322",
    )

    def __init__(self, http: Http, config: EmailConfig) -> None:
        self.http = http
        self.config = config
        self._feed = Feed(http, config)
        self._box, self._threads = self._feed.box, self._feed.threads

    @staticmethod
    def headers(config: EmailConfig, secret: str) -> Mapping[str, str]:
        return authorization(config.us, secret, config.login) if secret else {}

    @staticmethod
    def base(config: EmailConfig) -> str:
        """What the client is made for: the mail server, whose own protocols are spoken beneath it."""
        server = where(config.smtp)
        return f"{'http' if server.plain else 'https'}://{server}"

    @staticmethod
    def transport(config: EmailConfig) -> httpx.AsyncBaseTransport:
        from integrations.mail.transport import MailTransport

        return MailTransport(config)

    async def check(self) -> Health:
        return await health(self._box, self.config)

    async def create(self, draft: Draft) -> Ref:
        thread = Thread(draft.op_id, one_line(draft.title))
        body = f"{draft.body}\n\nPriority: {draft.priority}"
        more = {"Importance": "high"} if draft.priority in _URGENT else {}
        mail = letter(self.config, self.http.name, thread, draft.op_id, body, datetime.now(UTC), more=more)
        await self._box.hand_over(mail, draft.op_id)
        return self._feed.ref(draft.op_id)

    async def find(self, op_id: OpId, since: datetime) -> FindResult:
        """Whether our copy is there. It may be on its way, so that it is not proves nothing."""
        return Found((self._feed.ref(op_id),)) if await self._has_copy(op_id) else Absent()

    async def find_comment(self, ref: Ref, op_id: OpId) -> FindResult:
        if not await self._has_copy(op_id):
            return Absent()
        return Found((ref.model_copy(update={"id": self._change_id(op_id)}),))

    async def apply(self, ref: Ref, update: TicketUpdate, if_version: str | None = None) -> Applied:
        """Words and files, each a mail of its own in the thread, under their number once it is known."""
        if not isinstance(update, Comment | Attach):
            raise Rejected(f"{self.http.name} is written to by mail, which sets nothing: say it in words.")
        if isinstance(update, Comment) and not update.public:
            raise Rejected(f"A mail to {self.http.name} is read by all of them: nothing internal was sent.")
        thread = await self._threads.thread(await self._root(ref))
        file = update if isinstance(update, Attach) else None
        body = f"File: {file.name}" if file else update.body if isinstance(update, Comment) else ""
        mail = letter(self.config, self.http.name, thread, update.op_id, body, datetime.now(UTC), file)
        await self._box.hand_over(mail, update.op_id)
        return Applied((self._change_id(update.op_id),))

    async def get(self, ref: Ref) -> Ticket:
        root = await self._root(ref)
        changes, _, title = await self._feed.history(root)
        if not title:
            raise Unavailable(
                f"Our own copy of {ref.key} is not in the mailbox, or not yet: it is looked for again."
            )
        states = [one for one in changes if one.kind is ChangeKind.STATE and one.state is not Theirs.UNMAPPED]
        return Ticket(
            ref=self._feed.ref(root),
            title=title,
            raw_state=states[-1].raw_state if states else "sent",
            state=states[-1].state if states else Theirs.NEW,
            raw_priority="",
            assignee=None,
            updated_at=changes[-1].at if changes else datetime.now(UTC),
        )

    async def changes(self, cursor: Cursor | None) -> Page:
        return await self._feed.page(cursor)

    async def history(self, ref: Ref) -> Page:
        changes, unread, _ = await self._feed.history(await self._root(ref))
        return Page(tuple(changes), {}, done=True, unread=tuple(unread))

    async def fetch(self, ref: Ref, place: str, most: int) -> bytes:
        """A file out of a mail, or the mail itself."""
        number, _, mid = place.partition(" ")
        heads = [mail for mail, head in await self._box.heads(_keys(mid)) if head.message_id == mid]
        async for mail in self._box.whole(heads[:1]):
            if mail.cut:
                raise Rejected(f"The mail has {mail.size:,} bytes: get the file out of the mailbox itself.")
            found = mail.raw if number == ORIGINAL else part_of(mail.raw, int(number))
            if found is not None and len(found) > most:
                raise Rejected(f"The file has {len(found):,} bytes, {most:,} at most: it was not fetched.")
            if found is not None:
                return found
        raise Gone(f"The mail with this file is not in the mailbox of {self.http.name} any more.")

    async def _root(self, ref: Ref) -> str:
        """A ticket's first operation: its id, or found by their number or our reference in its place."""
        if re.fullmatch(ULID, ref.id):
            return ref.id
        for mark in references_in(ref.id):
            if (root := await self._threads.by_mark(mark)) is not None:
                return root
        if (root := await self._threads.by_number(ref.id)) is not None:
            return root
        raise Gone(f"No mail to or of {self.http.name} is about {ref.key}.")

    async def _has_copy(self, op_id: OpId) -> bool:
        mid = message_id(op_id, self.config)
        heads = await self._box.heads([["HEADER", "Message-ID", mid]])
        return any(head.message_id == mid and self._threads.is_ours(head) for _, head in heads)

    def _change_id(self, op_id: OpId) -> str:
        return change_id(message_id(op_id, self.config))


def _keys(mid: str) -> list[list[str]]:
    return [["HEADER", "Message-ID", mid]]
