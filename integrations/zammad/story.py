"""What happened on a ticket of a Zammad: its articles, their files, and its history of states.

One question tells all: the history, whose assets are the articles themselves (`history_get` and
Ticket::Article#assets in its source). It checks itself: where it has not all that the ticket lists, the
articles are asked for by themselves, too. To customers it is not shown (TicketsControllerPolicy): each
time that a ticket changed, they are told its articles, and its state and priority as they are; what we knew
already is known by its value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import RootModel, ValidationError

from integrations.connector import Change, ChangeKind, Theirs, Unread
from integrations.errors import AuthFailed, AuthTrouble
from integrations.markup.formats import TextFormat, plain
from integrations.reading import read, unread_row
from integrations.zammad.config import MERGED
from integrations.zammad.wire import Article, Entry, FileOf, History, ZammadTicket, number_of
from integrations.zones import zoned
from register.marker import marker_of, name_marker_of, unsigned
from register.text import one_line

if TYPE_CHECKING:
    from integrations.connector import Ref
    from integrations.http import Http
    from integrations.zammad.config import ZammadConfig
    from integrations.zammad.tickets import Tickets

MERGED_INTO: Final = "merged_into"
_UNTOLD: Final = History(history=())
_KINDS: Final = {"state": ChangeKind.STATE, "priority": ChangeKind.PRIORITY}
Told = tuple[list[Change], list[Unread]]


class _Rows(RootModel[tuple[dict[str, Any], ...]]):
    pass


class Story:
    """Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: ZammadConfig, tickets: Tickets) -> None:
        self.http = http
        self.config = config
        self._tickets = tickets
        self._as_customer = False

    async def told(self, ref: Ref, floor: datetime | None = None, listed: ZammadTicket | None = None) -> Told:
        """What happened from a time on, oldest first; and what of it could not be read.

        listed: the ticket as a list has it, which saves a customer from asking for it.

        The line of a merge bears the time of the change before it; that of its new state, the right one.
        """
        story, lines = await self.history(ref)
        came = story.articles(ref.id)
        words, odd = await self.articles(ref) if came is None else self._read(ref, came)
        me = await self._tickets.me()
        movers = {line.created_by_id for line in lines if line.type == MERGED_INTO}
        changes = [
            change
            for article in words
            if self.config.internal_comments or not article.internal
            if not (article.body == MERGED and article.created_by_id in movers)  # Zammad's own note of it
            for change in self._of_article(ref, story, article, me)
        ]
        merged = [line.created_at for line in lines if (line.attribute, line.value_to) == ("state", MERGED)]
        for line in lines:
            if (change := self._of_entry(ref, story, line, me)) is not None:
                changes.append(replace(change, at=max([change.at, *merged])) if change.moved else change)
        if self._as_customer:
            changes += self._stands(ref, listed or await self._tickets.one(number_of(ref)))
        changes.sort(key=lambda change: change.at)
        return [one for one in changes if floor is None or one.at >= floor], odd

    async def articles(self, ref: Ref) -> tuple[list[Article], list[Unread]]:
        """All that we may see, in their order."""
        return self._read(ref, read(_Rows, await self.http.get(f"/ticket_articles/by_ticket/{ref.id}")).root)

    def _read(self, ref: Ref, rows: Sequence[dict[str, Any]]) -> tuple[list[Article], list[Unread]]:
        found: list[Article] = []
        unread: list[Unread] = []
        for row in rows:
            try:
                found.append(Article.model_validate(row, context=zoned(self.http.zone)))
            except ValidationError as error:
                unread.append(replace(unread_row(row, ("id",), error), ticket=ref.id))
        return sorted(found, key=lambda one: (one.created_at, one.id)), unread

    async def history(self, ref: Ref) -> tuple[History, list[Entry]]:
        """The lines of the ticket itself. What is of another shape there is no line that we know.

        None for a customer: who is shown the articles of a ticket, and refused its history, is one.
        """
        if self._as_customer:
            return _UNTOLD, []
        try:
            story = read(History, await self.http.get(f"/ticket_history/{ref.id}"))
        except AuthFailed as failure:
            if failure.trouble is not AuthTrouble.FORBIDDEN:
                raise
            await self.articles(ref)
            self._as_customer = True
            return _UNTOLD, []
        lines: list[Entry] = []
        for row in story.history:
            try:
                lines.append(Entry.model_validate(row, context=zoned(self.http.zone)))
            except ValidationError:
                continue
        return story, [line for line in lines if line.object == "Ticket"]

    def _of_article(self, ref: Ref, story: History, article: Article, me: int) -> list[Change]:
        html = "html" in article.content_type
        text = plain(article.body, TextFormat.HTML if html else TextFormat.TEXT)
        word = Change(
            change_id=str(article.id),
            ref=ref,
            at=article.created_at,
            kind=ChangeKind.COMMENT,
            author=one_line(article.created_by) or story.login(article.created_by_id),
            by_our_account=article.created_by_id == me,
            body=unsigned(text),
            public=not article.internal,
            marker=marker_of(text),
        )
        return [word, *(_file(word, article, one) for one in article.attachments)]

    def _stands(self, ref: Ref, ticket: ZammadTicket) -> list[Change]:
        """State and priority as they are now: who set them, and when, a customer is not told."""
        at, raw, word = ticket.updated_at, one_line(ticket.state), one_line(ticket.priority or "")
        about = Change("", ref, at, ChangeKind.STATE, author="", by_our_account=False)
        state = replace(about, change_id=f"{ref.id}.state.{raw}@{at.isoformat()}", raw_state=raw)
        if ticket.state == MERGED:
            return [replace(state, moved=True)]
        state = replace(state, state=self.config.meaning(ticket.state))
        if self.config.impact or not word:
            return [state]
        name, meant = f"{ref.id}.priority.{word}@{at.isoformat()}", self.config.meant(ticket.priority or "")
        kind = ChangeKind.PRIORITY
        return [state, replace(about, change_id=name, kind=kind, raw_priority=word, priorities=meant)]

    def _of_entry(self, ref: Ref, story: History, line: Entry, me: int) -> Change | None:
        told = line.value_to or ""
        moved = line.type == MERGED_INTO
        kind = ChangeKind.STATE if moved else _KINDS.get(line.attribute or "")
        if kind is None or not (moved or line.type == "updated") or (told == MERGED and not moved):
            return None
        change = Change(
            change_id=f"h{line.id}",
            ref=ref,
            at=line.created_at,
            kind=kind,
            author=story.login(line.created_by_id),
            by_our_account=line.created_by_id == me,
        )
        if moved:
            return replace(change, raw_state=f"merged into {line.id_to}", state=Theirs.UNMAPPED, moved=True)
        if kind is ChangeKind.STATE:
            return replace(change, raw_state=one_line(told), state=self.config.meaning(told))
        return replace(change, raw_priority=one_line(told), priorities=self.config.meant(told))


def _file(word: Change, article: Article, file: FileOf) -> Change:
    return replace(
        word,
        change_id=f"{article.id}.file{file.id}",
        kind=ChangeKind.FILE,
        body=one_line(file.filename),
        marker=name_marker_of(file.filename),
        size=file.size,
        place=f"{article.ticket_id}/{article.id}/{file.id}",
    )
