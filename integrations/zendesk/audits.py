"""What happened on a ticket, from its audits: each is one update by one person, of one or more events."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from integrations.connector import Change, ChangeKind, Unread
from integrations.markup.formats import TextFormat, plain
from integrations.reading import unread_row
from integrations.zendesk.wire import MERGED, Audit, Event, every, ref_to
from integrations.zones import zoned
from register.marker import marker_of, unsigned
from register.text import MAX_TEXT, clip, one_line

if TYPE_CHECKING:
    from datetime import datetime

    from integrations.http import Http
    from integrations.zendesk.account import Account
    from integrations.zendesk.config import ZendeskConfig

FILE: Final = ".file"
"""What is added to an attachment's number for its being put there."""
_INTO: Final = re.compile(r"\bmerged into request #(\d{1,18})\b", re.IGNORECASE)
_NUMBER: Final = re.compile(r"#(\d{1,18})\b")
Told = tuple[list[Change], list[Unread]]


class Audits:
    """Reads them. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: ZendeskConfig, account: Account) -> None:
        self.http = http
        self.config = config
        self._account = account
        self._names: dict[int, str] = {}

    async def told(self, number: int, since: datetime | None = None) -> Told:
        """What a ticket's audits say, oldest first, and those that could not be read.

        since: without what is older, and without the making of the ticket.
        """
        rows, names = await every(self.http, number, "audits", include="users")
        self._names |= names
        me = await self._account.me()
        changes: list[Change] = []
        unread: list[Unread] = []
        for row in rows:
            try:
                audit = Audit.model_validate(row, context=zoned(self.http.zone))
            except ValidationError as error:
                unread.append(replace(unread_row(row, ("id",), error), ticket=str(number)))
                continue
            if since is None or (audit.created_at >= since and not audit.is_first):
                changes += self._changes(number, audit, me)
        return changes, unread

    async def moved_to(self, number: int) -> int | None:
        """The ticket that this one was merged into, where an audit tells it."""
        rows, _ = await every(self.http, number, "audits")
        for row in reversed(rows):
            try:
                into = merged_into(Audit.model_validate(row, context=zoned(self.http.zone)))
            except ValidationError:
                continue
            if into is not None:
                return into
        return None

    def named(self, person: int | None) -> str:
        return "" if person is None else self._names.get(person, f"user {person}")

    def _changes(self, number: int, audit: Audit, me: int) -> list[Change]:
        """Words, then their files, then the state: whoever writes and solves in one go says why first."""
        about = Change(
            change_id="",
            ref=ref_to(self.http, number),
            at=audit.created_at,
            kind=ChangeKind.STATE,
            author=self.named(audit.author_id),
            by_our_account=audit.author_id == me,
        )
        into = merged_into(audit)
        changes: list[Change] = []
        for event in audit.events:
            if event.is_comment and into is None:
                changes += self._said(event, about, me)
        for event in audit.events:
            ours = about.by_our_account and not event.by_rule
            one = replace(about, change_id=str(event.id), by_our_account=ours)
            if (raw := event.sets("status")) is not None:
                told = raw if into is None else f"merged into #{into}"
                means = self.config.meaning(told)
                changes.append(replace(one, raw_state=told, state=means, moved=into is not None))
            if (raw := event.sets("priority")) is not None and not self.config.impact:
                meant = self.config.meant(raw)
                kind = ChangeKind.PRIORITY
                changes.append(replace(one, kind=kind, raw_priority=raw, priorities=meant))
        return changes

    def _said(self, event: Event, about: Change, me: int) -> list[Change]:
        """A comment, where it has words, and the files that came with it."""
        public = event.public is not False
        if not public and not self.config.internal_comments:
            return []
        text = text_of(event)
        author = about.author if event.author_id is None else self.named(event.author_id)
        by_us = about.by_our_account if event.author_id is None else event.author_id == me
        one = replace(
            about, author=author, by_our_account=by_us, public=public, marker=marker_of(text), kind=_WORDS
        )
        said = clip(unsigned(text).strip(), MAX_TEXT)
        words = [replace(one, change_id=str(event.id), body=said)] if text.strip() else []
        files = [
            replace(
                one,
                change_id=f"{file.id}{FILE}",
                kind=ChangeKind.FILE,
                body=one_line(file.file_name),
                size=file.size,
                place=str(file.id),
            )
            for file in event.files
        ]
        return [*words, *files]


_WORDS: Final = ChangeKind.COMMENT


def text_of(event: Event) -> str:
    """A comment's words: of its HTML, for what Zendesk calls plain is spoilt by spaces as signs."""
    if event.html_body:
        return plain(event.html_body, TextFormat.HTML)
    return plain(event.plain_body or event.body or "", TextFormat.TEXT)


def merged_into(audit: Audit) -> int | None:
    """The ticket that this audit merged its own into. No field tells it: only a tag and a sentence do."""
    if not any(event.sets("status") == "closed" for event in audit.events):
        return None
    tagged = any(event.field_name == "tags" and MERGED in _tags(event.value) for event in audit.events)
    for text in (text_of(event) for event in audit.events if event.is_comment):
        found = _INTO.search(text) or (_NUMBER.search(text) if tagged else None)
        if found is not None:
            return int(found[1])
    return None


def _tags(value: object) -> list[str]:
    return (
        value.split() if isinstance(value, str) else list(map(str, value)) if isinstance(value, list) else []
    )
