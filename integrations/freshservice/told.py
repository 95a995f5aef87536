"""What happened on a ticket: its conversations with their files, and its state and priority as they are now.

Freshservice tells no history of states that a program could read (its activities are sentences, in the
account's language, without ids). So each time that a ticket changed, its state and priority are told as the
list has them; what we knew already is known by its value.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from integrations.connector import Change, ChangeKind, Ref, Unread
from integrations.errors import Rejected
from integrations.freshservice.asking import every, shown
from integrations.freshservice.config import priority_word
from integrations.freshservice.wire import Conversation, Conversations, merged_into, number_of, ref_to, stamp
from integrations.reading import unread_row
from integrations.zones import zoned
from register.marker import marker_of, name_marker_of, unsigned
from register.text import MAX_TEXT, clip, one_line

if TYPE_CHECKING:
    from integrations.freshservice.account import Account
    from integrations.freshservice.config import FreshserviceConfig
    from integrations.freshservice.wire import Attachment, FreshTicket
    from integrations.http import Http

FILE: Final = ".file"
"""What is added to an attachment's number for its being put there."""
WITH_TICKET: Final = "ticket"
WITH_WORDS: Final = "words"
"""Where a file is to be asked for again: no address of its own gives one."""
_MOST: Final = 60
"""Pages of one ticket's conversations: a list that goes on beyond is none of a ticket's."""
Told = tuple[list[Change], list[Unread]]


class Story:
    """Reads it. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: FreshserviceConfig, account: Account) -> None:
        self.http = http
        self.config = config
        self._account = account

    async def told(self, ticket: FreshTicket) -> Told:
        """One ticket's words and how it stands, oldest first; and what of it could not be read."""
        ref = ref_to(self.http, ticket.id)
        said, odd = await self.conversations(ref)
        me = await self._account.me()
        changes = self._files(ref, ticket, me)
        into = merged_into(ticket, said)
        for one in said:
            tells = into is not None and one.into is not None  # told by the state
            if (self.config.internal_comments or not one.private) and not tells:
                changes += self._said(ref, one, me)
        changes += self._stands(ref, ticket, into)
        changes.sort(key=lambda change: change.at)
        return changes, odd

    async def conversations(self, ref: Ref) -> tuple[list[Conversation], list[Unread]]:
        """All that we may see, the first one first."""
        path = f"/tickets/{number_of(ref)}/conversations"
        rows, pages = await shown(
            self._account, ref, every(self.http, path, Conversations, "conversations", _MOST)
        )
        if pages < 0:
            raise Rejected(f"{self.http.name} goes on telling of {ref.key} for ever: its list does not end.")
        found: dict[int, Conversation] = {}
        unread: list[Unread] = []
        for row in rows:
            try:
                one = Conversation.model_validate(row, context=zoned(self.http.zone))
            except ValidationError as error:
                unread.append(replace(unread_row(row, ("id",), error), ticket=ref.id))
            else:
                found[one.id] = one
        return sorted(found.values(), key=lambda one: (one.created_at, one.id)), unread

    def _said(self, ref: Ref, one: Conversation, me: int) -> list[Change]:
        """The words, and the files that came with them."""
        text = one.text
        word = Change(
            change_id=str(one.id),
            ref=ref,
            at=one.created_at,
            kind=ChangeKind.COMMENT,
            author=self._author(one.user_id),
            by_our_account=self._account.is_ours(one.user_id, me),
            body=clip(unsigned(text).strip(), MAX_TEXT),
            public=not one.private,
            marker=marker_of(text),
        )
        files = [_file(word, file, WITH_WORDS) for file in one.attachments or ()]
        return [word, *files] if text.strip() or not files else files

    def _files(self, ref: Ref, ticket: FreshTicket, me: int) -> list[Change]:
        """Those that came with the ticket itself: only a ticket that is asked for by itself tells them."""
        made = Change(
            change_id="",
            ref=ref,
            at=ticket.created_at,
            kind=ChangeKind.FILE,
            author=self._author(ticket.requester_id),
            by_our_account=self._account.is_ours(ticket.requester_id, me),
        )
        return [_file(made, file, WITH_TICKET) for file in ticket.attachments or ()]

    async def files_with_words(self, ref: Ref) -> tuple[Attachment, ...]:
        """All files that came with words, each with an address that is good for a while from now."""
        said, _ = await self.conversations(ref)
        return tuple(file for one in said for file in one.attachments or ())

    def _stands(self, ref: Ref, ticket: FreshTicket, into: int | None) -> list[Change]:
        raw, at = self.config.status(ticket.status), stamp(ticket.updated_at)
        about = Change(
            change_id=f"{ticket.id}.status{ticket.status}@{at}",
            ref=ref,
            at=ticket.updated_at,
            kind=ChangeKind.STATE,
            author="",
            by_our_account=False,
        )
        state = replace(about, raw_state=raw, state=self.config.meaning(raw))
        if into is not None:
            return [replace(about, raw_state=f"merged into #{into}", moved=True)]
        if self.config.impact or ticket.priority is None:
            return [state]
        word = priority_word(ticket.priority)
        name = f"{ticket.id}.priority{ticket.priority}@{at}"
        meant = self.config.meant(word)
        kind = ChangeKind.PRIORITY
        return [state, replace(about, change_id=name, kind=kind, raw_priority=word, priorities=meant)]

    def _author(self, user: int | None) -> str:
        return "" if user is None else f"user {user}"


def _file(word: Change, file: Attachment, where: str) -> Change:
    return replace(
        word,
        change_id=f"{file.id}{FILE}",
        kind=ChangeKind.FILE,
        body=one_line(file.name),
        marker=name_marker_of(file.name) or word.marker,
        size=file.size,
        place=f"{where}/{file.id}",
    )


def row_of(ticket: FreshTicket) -> dict[str, Any]:
    """A ticket as the feed keeps it until it is read: JSON, and nothing of what people wrote."""
    told = ticket.model_dump(mode="json", include=set(_KEPT))
    return {**told, "updated": stamp(ticket.updated_at)}


_KEPT: Final = (
    "id",
    "status",
    "priority",
    "requester_id",
    "department_id",
    "created_at",
    "updated_at",
)
