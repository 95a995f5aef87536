"""What happened to incidents, from PagerDuty's log: notes, states and priorities, each an entry.

The log of the account comes newest first, in pages by offset, and is asked for by time. So each poll takes
all since a while before the newest entry known, whole, and what was told already is known by its id. After
some quiet ones it is asked from the newest entry on, so that polls stay small at rest; where it is long it is
read part by part, by time. No entry says that an incident was merged: that stands on the incident, which is
looked at where it was resolved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from integrations.connector import Change, ChangeKind, Cursor, Page, Ref, Unread
from integrations.errors import Rejected
from integrations.markup.formats import TextFormat, plain
from integrations.pagerduty.merged import merged_into
from integrations.pagerduty.wire import PAGE, Entry, Log, Me, path_of
from integrations.reading import read, unread_row
from integrations.zones import zoned
from register.marker import marker_of, unsigned
from register.text import MAX_TEXT, clip

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.pagerduty.config import PagerDutyConfig

OVERLAP: Final = timedelta(minutes=2)
"""Looked back over: what is written side by side may appear out of order."""
CALM: Final = 10
"""Polls without news, after which nothing can still be on its way before the newest entry."""
MOST: Final = 10_000
"""How far PagerDuty lets a list be paged."""
AT_ONCE: Final = 1_000
"""Entries of the account's log that are read for one page of ours, where they can be parted by time."""
SECOND: Final = timedelta(seconds=1)
STATES: Final = {
    "acknowledge_log_entry": "acknowledged",
    "unacknowledge_log_entry": "triggered",
    "reopen_log_entry": "triggered",
    "resolve_log_entry": "resolved",
}
ENDS: Final = ("unlink_log_entry", "resolve_log_entry")
"""What may tell that an incident was merged: its alerts went to another one, or it was resolved."""
MOST_ENDS: Final = 50
"""Incidents of which it is asked in one page whether they were merged."""
NOTE: Final = "annotate_log_entry"
PRIORITY: Final = "priority_change_log_entry"
Told = tuple[list[Change], list[Unread]]


class TheLog:
    """Reads it. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: PagerDutyConfig) -> None:
        self.http = http
        self.config = config
        self._me = ""
        self._quiet = 0

    async def me(self) -> str:
        """Our id; a key of the whole account belongs to nobody, and cannot ask so."""
        if not self._me:
            self._me = read(Me, await self.http.get("/users/me")).user.id
        return self._me

    async def page(self, cursor: Cursor | None) -> Page:
        if cursor is None:
            await self.me()
            last = (await self._rows(_ALL, {}, size=1)).log_entries
            told = [Entry.model_validate(row, context=zoned(self.http.zone)) for row in last]
            now = datetime.now(UTC) + (self.http.gap or timedelta(0))
            start = max((entry.created_at for entry in told), default=now)
            return Page((), _cursor(start, start, [entry.id for entry in told]), done=True)
        newest, begin = (datetime.fromisoformat(cursor[name]) for name in ("newest", "begin"))
        seen, back = set(cursor["seen"]), max(begin, newest - OVERLAP)
        rows, until = await self._since(newest if self._quiet >= CALM else back, newest)
        fresh = [row for row in rows if row.get("id") not in seen]
        if fresh and self._quiet >= CALM:  # what was told stays known as far back as the next polls look
            rows, until = await self._since(back, newest)
            fresh = [row for row in rows if row.get("id") not in seen]
        self._quiet = 0 if fresh or until else self._quiet + 1
        part = self._part(fresh)
        cut = len(part) < len(fresh)
        changes, unread = await self._told(part, self._ended(part))
        read_to = [] if cut or until is None else [until]
        at = max([newest, *map(_at, part), *read_to])  # of any kind, or what is looked back over would grow
        known = seen | {row["id"] for row in part if isinstance(row.get("id"), str)}
        kept = [row["id"] for row in rows if row.get("id") in known]
        after = _cursor(at, begin, kept) if fresh or read_to else cursor
        return Page(tuple(changes), after, done=not cut and until is None, unread=tuple(unread))

    async def history(self, ref: Ref) -> Told:
        rows = await self._every(f"{path_of(ref)}/log_entries")
        return await self._told(rows, self._ended(rows, anywhere=True))

    async def written(self, ref: Ref) -> Told:
        """The same for who looks for words or a priority: whether it was merged is not asked."""
        return await self._told(await self._every(f"{path_of(ref)}/log_entries"), {})

    def _part(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """So many of them that not too much has to be asked: an outage may resolve hundreds at once."""
        asked: set[str] = set()
        for place, row in enumerate(rows):
            asked.update(self._ended([row]))
            if len(asked) > MOST_ENDS:
                return rows[:place]
        return rows

    def _ended(self, rows: list[dict[str, Any]], *, anywhere: bool = False) -> dict[str, str]:
        """Incidents that may have been merged, each with its entry that would tell so.

        The log is of the whole account: only those on our service are looked at, unless `anywhere`.
        """
        found: dict[str, str] = {}
        for kind in ENDS:
            for row in rows:
                about, at = row.get("incident"), row.get("service")
                ours = anywhere or not isinstance(at, dict) or at.get("id") == self.config.service
                if row.get("type") == kind and ours and isinstance(about, dict) and about.get("id"):
                    found[str(about["id"])] = str(row.get("id"))
        return found

    async def _since(self, since: datetime, newest: datetime) -> tuple[list[dict[str, Any]], datetime | None]:
        """What was written since then; where that is long, its first part, and until when that goes.

        newest: the newest that is known. What is behind it counts, not what is looked back over.
        """
        until: datetime | None = None
        asked = {"since": _stamp(since)}
        while True:
            first = await self._rows(_ALL, asked)
            new = {**asked, "since": _stamp(newest)}
            if not first.more or not (await self._rows(_ALL, new, AT_ONCE, 1)).goes_on:
                break
            end = until or datetime.now(UTC) + (self.http.gap or timedelta(0))
            half = (newest + max((end - newest) / 2, SECOND)).replace(microsecond=0)
            if half >= end:  # so much was written within a second
                break
            until, asked = half, {**asked, "until": _stamp(half)}
        return await self._every(_ALL, asked, first), until

    async def _every(
        self, path: str, asked: Mapping[str, str] | None = None, first: Log | None = None
    ) -> list[dict[str, Any]]:
        """All rows, the oldest first. first: the first page, where it is here already."""
        rows: dict[str, dict[str, Any]] = {}
        for offset in range(0, MOST, PAGE):
            page = first if first is not None and not offset else await self._rows(path, asked or {}, offset)
            rows |= {str(row.get("id", f"?{offset}:{n}")): row for n, row in enumerate(page.log_entries)}
            if not page.more:
                found = list(reversed(rows.values()))  # within one second, too, the newest came first
                return sorted(found, key=lambda row: str(row.get("created_at")))
        raise Rejected(f"{self.http.name} has more than {MOST:,} entries in its log since we last asked.")

    async def _rows(self, path: str, asked: Mapping[str, str], offset: int = 0, size: int = PAGE) -> Log:
        params = {**_PARAMS, **asked, "limit": size, "offset": offset}
        return read(Log, await self.http.get(path, params=params))

    async def _told(self, rows: list[dict[str, Any]], ended: Mapping[str, str]) -> Told:
        """ended: incidents that may have been merged, each with its entry that would tell so."""
        changes: list[Change] = []
        unread: list[Unread] = []
        me = await self.me()
        mergers = await self._mergers(ended)
        for row in rows:
            try:
                entry = Entry.model_validate(row, context=zoned(self.http.zone))
            except ValidationError as error:
                unread.append(unread_row(row, ("id",), error))
                continue
            change = self._change(entry, me, mergers.get(entry.id))
            changes += [change] if change is not None else []
        return changes, unread

    async def _mergers(self, ended: Mapping[str, str]) -> dict[str, Ref]:
        """By the entry that tells so: what an incident goes on as."""
        found: dict[str, Ref] = {}
        for number, entry in ended.items():
            into = await merged_into(self.http, Ref(id=number, key=number))
            found |= {entry: into} if into is not None else {}
        return found

    def _change(self, entry: Entry, me: str, into: Ref | None) -> Change | None:
        who, channel = entry.agent, entry.channel
        about = Change(
            change_id=entry.id,
            ref=entry.incident.ref,
            at=entry.created_at,
            kind=ChangeKind.STATE,
            author=who.title if who else "PagerDuty",
            by_our_account=who is not None and who.id == me,
        )
        if into is not None:
            return replace(about, raw_state=f"merged into {into.key}", moved=True)
        if entry.type in STATES:
            raw = STATES[entry.type]
            return replace(about, raw_state=raw, state=self.config.meaning(raw))
        if entry.type == NOTE and channel is not None:
            text = plain(channel.content or channel.summary or "", TextFormat.TEXT)
            said = clip(unsigned(text).strip(), MAX_TEXT)
            return replace(about, kind=ChangeKind.COMMENT, body=said, marker=marker_of(text))
        if entry.type == PRIORITY and channel is not None and channel.new_priority is not None:
            raw = channel.new_priority.title
            return replace(
                about, kind=ChangeKind.PRIORITY, raw_priority=raw, priorities=self.config.meant(raw)
            )
        return None


_ALL: Final = "/log_entries"
_PARAMS: Final = {"is_overview": "false", "include[]": "channels"}


def _at(row: dict[str, Any]) -> datetime:
    """When an entry was written; the beginning where it does not say so."""
    try:
        told = datetime.fromisoformat(str(row.get("created_at")))
    except ValueError:
        return _NEVER
    return told if told.tzinfo is not None else _NEVER


_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _cursor(newest: datetime, begin: datetime, told: list[str]) -> Cursor:
    return {"newest": newest.isoformat(), "begin": begin.isoformat(), "seen": sorted(set(told))}
