"""What happened on a ticket of a Zammad: its articles, their files, and its history of states."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from pydantic import RootModel, ValidationError

from integrations.connector import Change, ChangeKind, Theirs, Unread
from integrations.markup.formats import TextFormat, plain
from integrations.reading import read, unread_row
from integrations.zammad.config import MERGED
from integrations.zammad.wire import Article, Entry, FileOf, History
from integrations.zones import zoned
from register.marker import marker_of, name_marker_of, unsigned
from register.text import one_line

if TYPE_CHECKING:
    from integrations.connector import Ref
    from integrations.http import Http
    from integrations.zammad.config import ZammadConfig
    from integrations.zammad.tickets import Tickets

MERGED_INTO: Final = "merged_into"
_KINDS: Final = {"state": ChangeKind.STATE, "priority": ChangeKind.PRIORITY}
Told = tuple[list[Change], list[Unread]]


class _Rows(RootModel[tuple[dict[str, object], ...]]):
    pass


class Story:
    """Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: ZammadConfig, tickets: Tickets) -> None:
        self.http = http
        self.config = config
        self._tickets = tickets

    async def told(self, ref: Ref, floor: datetime | None = None) -> Told:
        """What happened from a time on, oldest first; and what of it could not be read."""
        words, odd = await self.articles(ref)
        story, lines = await self.history(ref)
        me = await self._tickets.me()
        changes = [
            change
            for article in words
            if self.config.internal_comments or not article.internal
            for change in self._of_article(ref, article, me)
        ]
        changes += [one for line in lines if (one := self._of_entry(ref, story, line, me)) is not None]
        changes.sort(key=lambda change: change.at)
        return [one for one in changes if floor is None or one.at >= floor], odd

    async def articles(self, ref: Ref) -> tuple[list[Article], list[Unread]]:
        """All that we may see, in their order."""
        rows = read(_Rows, await self.http.get(f"/ticket_articles/by_ticket/{ref.id}")).root
        found: list[Article] = []
        unread: list[Unread] = []
        for row in rows:
            try:
                found.append(Article.model_validate(row, context=zoned(self.http.zone)))
            except ValidationError as error:
                unread.append(replace(unread_row(row, ("id",), error), ticket=ref.id))
        return found, unread

    async def history(self, ref: Ref) -> tuple[History, list[Entry]]:
        """The lines of the ticket itself. What is of another shape there is no line that we know."""
        story = read(History, await self.http.get(f"/ticket_history/{ref.id}"))
        lines: list[Entry] = []
        for row in story.history:
            try:
                lines.append(Entry.model_validate(row, context=zoned(self.http.zone)))
            except ValidationError:
                continue
        return story, [line for line in lines if line.object == "Ticket"]

    def _of_article(self, ref: Ref, article: Article, me: int) -> list[Change]:
        html = "html" in article.content_type
        text = plain(article.body, TextFormat.HTML if html else TextFormat.TEXT)
        word = Change(
            change_id=str(article.id),
            ref=ref,
            at=article.created_at,
            kind=ChangeKind.COMMENT,
            author=one_line(article.created_by),
            by_our_account=article.created_by_id == me,
            body=unsigned(text),
            public=not article.internal,
            marker=marker_of(text),
        )
        return [word, *(_file(word, article, one) for one in article.attachments)]

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
