"""What an answer of `history` tells, as changes: words, states, priorities and files of one ticket."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from integrations.connector import Change, ChangeKind, Ref, Unread
from integrations.markup.formats import plain
from integrations.reading import unread_row
from integrations.rest.paths import rows, taken
from integrations.rest.running import Told
from integrations.rest.steps import Tells
from integrations.rest.times import read_time
from register.marker import marker_of, name_marker_of, unsigned
from register.text import MAX_TEXT, clip, one_line

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.rest.config import RestConfig

_SEP: Final = ":"
Changes = tuple[list[Change], list[Unread]]


class Telling:
    """Reads rows into changes. Pure but for what it was made with."""

    def __init__(self, http: Http, config: RestConfig) -> None:
        self.http = http
        self.config = config

    def of(self, ref: Ref, told: Sequence[Told], account: str) -> Changes:
        """All changes, oldest first; and those that could not be read."""
        changes: list[Change] = []
        unread: list[Unread] = []
        for one in told:
            for tells in one.step.tells:
                for row in rows(tells.rows, one.data) or ():
                    try:
                        changes.append(self._change(ref, tells, row, account))
                    except ValueError as error:
                        unread.append(self._unread(ref, tells, row, error))
        changes.sort(key=lambda change: change.at)  # stable: of one instant, as they were told
        return changes, unread

    def snapshot(self, ref: Ref, row: Mapping[str, Any]) -> Changes:
        """State and priority as the list has them, for systems that tell no history of either.

        Each is named by what it is, too: within one second it may become another.
        """
        at = read_time(row.get("updated"), self.config.read_format, self.http.zone)
        found: list[Change] = []
        unread: list[Unread] = []
        for kind, key in ((ChangeKind.STATE, "state"), (ChangeKind.PRIORITY, "priority")):
            if row.get(key) is None:
                continue
            name = f"{kind}{_SEP}{ref.id}@{row['updated']}"
            about = Change(name, ref, at, kind, author="", by_our_account=False)
            try:
                made = _MADE[kind](self, about, partial(_always, row[key]))
            except ValueError as error:
                unread.append(replace(unread_row({**row, "id": name}, ("id",), error), ticket=ref.id))
                continue
            word = made.raw_state or made.raw_priority
            found.append(replace(made, change_id=clip(f"{name}{_SEP}{word}", 200)))
        return found, unread

    def _unread(self, ref: Ref, tells: Tells, row: Any, error: ValueError) -> Unread:
        name = taken(tells.id, row, {})
        known = {"id": f"{ref.id}{_SEP}{tells.kind}{_SEP}{name}"} if type(name) in (int, str) else {}
        about = row if isinstance(row, Mapping) else {"row": row}
        return replace(unread_row({**about, **known}, ("id",) if known else ("",), error), ticket=ref.id)

    def _change(self, ref: Ref, tells: Tells, row: Any, account: str) -> Change:
        def take(key: str) -> Any:
            wanted = getattr(tells, key)
            return None if wanted is None else taken(wanted, row, {})

        name = take("id")
        if type(name) not in (int, str) or name == "":
            raise ValueError("it has no id")
        author = one_line(text_of(take("author")))
        named = one_line(text_of(take("name"))) if author else ""
        about = Change(
            change_id=f"{tells.kind}{_SEP}{clip(one_line(str(name)), 100)}",
            ref=ref,
            at=read_time(take("at"), self.config.read_format, self.http.zone),
            kind=tells.kind,
            author=named or author,
            by_our_account=bool(author) and author == account,
        )
        return _MADE[tells.kind](self, about, take)

    def _comment(self, about: Change, take: Callable[[str], Any]) -> Change:
        told = take("text")
        if told is None:
            raise ValueError("it has no text")
        said, public = plain(told, self.config.format), take("public")
        return replace(
            about,
            body=clip(unsigned(said).strip(), MAX_TEXT),
            public=public is None or _is_yes(public),
            marker=marker_of(said),
        )

    def _file(self, about: Change, take: Callable[[str], Any]) -> Change:
        name, size = one_line(text_of(take("text"))), take("size")
        return replace(
            about, body=name, marker=name_marker_of(name), size=size if type(size) is int else None
        )

    def _state(self, about: Change, take: Callable[[str], Any]) -> Change:
        raw = word_of(take("value"), self.config.state_codes)
        return replace(about, raw_state=raw, state=self.config.meaning(raw))

    def _priority(self, about: Change, take: Callable[[str], Any]) -> Change:
        raw = word_of(take("value"), self.config.priority_codes)
        return replace(about, raw_priority=raw, priorities=self.config.meant(raw))


_MADE: Final[Mapping[ChangeKind, Callable[[Telling, Change, Callable[[str], Any]], Change]]] = {
    ChangeKind.COMMENT: Telling._comment,
    ChangeKind.FILE: Telling._file,
    ChangeKind.STATE: Telling._state,
    ChangeKind.PRIORITY: Telling._priority,
}


def text_of(value: Any) -> str:
    """A text or number as text; ValueError for what is neither, empty where there is nothing."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("has something in it that is neither text nor number")  # noqa: TRY004 - of their data
    return str(value)


def word_of(value: Any, codes: Mapping[str, str | int]) -> str:
    """Their word for what stands in their API: by `state_codes` or `priority_codes`, else as it is."""
    said = text_of(value)
    return next((word for word, code in codes.items() if str(code) == said), one_line(said))


def _is_yes(value: Any) -> bool:
    return value not in (False, 0, "0", "false", "False", "no", "")


def _always(value: Any, _: str) -> Any:
    return value
