"""What happened on one issue of GitLab: its notes, and what GitLab keeps of its states and labels.

States and labels are lists of their own. They are asked for where the issue shows that one of them changed,
or that something changed which no note tells of.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, islice
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import unquote

from pydantic import BaseModel, ValidationError

from integrations.connector import Change, ChangeKind, Ref, Unread
from integrations.errors import Gone, Moved, Rejected
from integrations.gitlab.wire import Account, Event, Issue, Note
from integrations.markup.formats import TextFormat
from integrations.markup.hidden import said
from integrations.reading import unread_row
from integrations.zones import zoned
from register.marker import name_marker_of
from register.text import clip, one_line

if TYPE_CHECKING:
    from integrations.gitlab.projects import Projects
    from integrations.patience import Told

STATES: Final = "resource_state_events"
LABELS: Final = "resource_label_events"
NOTES: Final = "notes"
LISTS: Final = (STATES, LABELS)
_PREFIX: Final = {STATES: "s", LABELS: "l", NOTES: ""}
"""Before the number of each: they are counted by themselves."""
UPLOADED: Final = re.compile(r"\]\(/uploads/([0-9a-f]{32})/([^()\s/]+)\)")
"""A file in a text (docs.gitlab.com/api/project_markdown_uploads), from where its name ends. Where that
begins is not looked for: in a text full of brackets it would take hours."""
_FILES: Final = 100
"""Files of one note that are told."""
_WITH: Final = timedelta(seconds=2)
"""How far a note's time and its issue's may be apart."""
_BORN: Final = timedelta(seconds=5)
"""How long after an issue was made its first labels may be written down."""
_MOST: Final = 10_000
"""Issues of which is known what we last told."""
M = TypeVar("M", bound=BaseModel)
Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Known:
    """What of an issue shows whether its lists must be asked for."""

    labels: frozenset[str]
    closed_at: datetime | None
    updated_at: datetime

    @classmethod
    def of(cls, issue: Issue) -> Known:
        return cls(frozenset(issue.labels), issue.closed_at, issue.updated_at)


class Memory:
    """Issues as they were when all was told up to then, and that was taken in.

    What was told and not taken in is told again: nothing of it may be taken for known.
    """

    def __init__(self) -> None:
        self._sure: OrderedDict[Key, Known] = OrderedDict()
        self._told: dict[Key, Known] = {}

    def get(self, key: Key) -> Known | None:
        return self._sure.get(key)

    def was_made(self, key: Key, issue: Issue) -> None:
        """Just now, by us: nothing has happened to it yet."""
        self._sure[key] = Known.of(issue)
        if len(self._sure) > _MOST:
            self._sure.popitem(last=False)

    def was_told(self, key: Key, issue: Issue) -> None:
        self._told[key] = Known.of(issue)

    def settle(self, *, taken_in: bool) -> None:
        """What was told since the last time was taken in, or was not."""
        for key, known in self._told.items() if taken_in else ():
            self._sure[key] = known
            self._sure.move_to_end(key)
        self._told.clear()
        while len(self._sure) > _MOST:
            self._sure.popitem(last=False)


class Story:
    """Raises `integrations.errors` kinds."""

    def __init__(self, projects: Projects) -> None:
        self.memory = Memory()
        self._projects = projects
        self._config = projects.config

    async def told(self, project: str, issue: Issue, *, whole: bool = False) -> Told:
        """What happened after it was made, oldest first, and what could not be read.

        whole: everything, whatever is known; else what changed since it was last told, and perhaps more.
        """
        key, ref = (project, issue.iid), self._projects.ref(project, issue.iid, issue.web_url)
        notes, unread = await self.notes(project, issue.iid)
        events: list[tuple[str, Event]] = []
        for what in LISTS if self._is_more(None if whole else self.memory.get(key), issue, notes) else ():
            rows = await self._projects.rows(project, issue.iid, what)
            found, odd = self._read(Event, rows, ref, _PREFIX[what])
            events += [(what, one) for one in found]
            unread += odd
        changes = [change for note in notes for change in await self._of_note(ref, note, issue)]
        changes += await self._of_events(ref, issue, events)
        if not whole:
            self.memory.was_told(key, issue)
        return _copies_are_quiet(sorted(changes, key=lambda one: one.at), notes), unread

    async def notes(self, project: str, number: int) -> tuple[list[Note], list[Unread]]:
        rows = await self._projects.rows(project, number, NOTES)
        return self._read(Note, rows, self._projects.ref(project, number), "")

    async def current(self, ref: Ref) -> Issue:
        """The issue; Moved where it goes on in another project, which a line of GitLab's own names."""
        project, number = self._projects.place(ref)
        issue = await self._projects.issue(project, number)
        if issue.moved_to_id is None:
            return issue
        notes, _ = await self.notes(project, number)
        to = next((where for one in reversed(notes) if (where := one.moved("to"))), None)
        name = self._projects.http.name
        if to is None:
            raise Gone(f"{name} has moved {ref.key} to where our account cannot see it: ask them.")
        named = to[0] if "/" in to[0] else f"{project.rpartition('/')[0]}/{to[0]}"
        key = f"{named}#{to[1]}"
        if named not in self._config.projects:
            raise Rejected(f"{ref.key} was moved. {self._projects.unheard(key, named)}")
        raise Moved(f"{name} has moved {ref.key} to {key}.", self._projects.ref(named, to[1]))

    async def beginning(self, ref: Ref, issue: Issue) -> Change:
        """The words that it was made with."""
        body, marker = said(issue.description, TextFormat.GITLAB)
        about = await self._about(ref, f"issue {ref.id}", issue.created_at, issue.author)
        return replace(about, body=body, marker=marker)

    async def labels_set(self, project: str, number: int, label: str) -> tuple[str, ...]:
        """The change id of the last time that our account set this label."""
        rows = await self._projects.rows(project, number, LABELS)
        found, _ = self._read(Event, rows, self._projects.ref(project, number), "")
        ours = [one for one in found if _added(one) == label and await self._projects.ours(one.user)]
        return tuple(_priority_id(one) for one in ours[-1:])

    def _is_more(self, known: Known | None, issue: Issue, notes: Sequence[Note]) -> bool:
        """Whether more than notes may have changed: both lists are asked for then, each needs the other."""
        now = Known.of(issue)
        if known is None or (known.labels, known.closed_at) != (now.labels, now.closed_at):
            return True
        noted = any(abs(one.created_at - now.updated_at) <= _WITH for one in notes)
        return known.updated_at != now.updated_at and not noted

    def _read(
        self, model: type[M], rows: Sequence[dict[str, object]], ref: Ref, prefix: str
    ) -> tuple[list[M], list[Unread]]:
        found: list[M] = []
        unread: list[Unread] = []
        for row in rows:
            try:
                found.append(model.model_validate(row, context=zoned(self._projects.http.zone)))
            except ValidationError as error:
                odd = unread_row(row, ("id",), error)
                unread.append(replace(odd, change_id=f"{prefix}{odd.change_id}", ticket=ref.id))
        return found, unread

    async def _about(self, ref: Ref, change_id: str, at: datetime, who: Account | None) -> Change:
        return Change(
            change_id=change_id,
            ref=ref,
            at=at,
            kind=ChangeKind.COMMENT,
            author=one_line(who.username) if who else "",
            by_our_account=await self._projects.ours(who),
        )

    async def _of_note(self, ref: Ref, note: Note, issue: Issue) -> list[Change]:
        about = await self._about(ref, str(note.id), note.created_at, note.author)
        if note.system:
            if issue.moved_to_id is None or note.moved("to") is None:
                return []
            return [replace(about, kind=ChangeKind.STATE, raw_state=one_line(note.body), moved=True)]
        if note.is_internal and not self._config.internal_comments:
            return []
        body, marker = said(note.body, TextFormat.GITLAB)
        word = replace(about, body=body, marker=marker, public=not note.is_internal)
        files = islice(UPLOADED.finditer(note.body), _FILES)
        return [word, *(_file(word, *found.groups()) for found in files)]

    async def _of_events(self, ref: Ref, issue: Issue, events: list[tuple[str, Event]]) -> list[Change]:
        """States and priorities. From the newest back to the oldest: what it began with is told nowhere.

        What happened in one instant is one change: a label that takes another's place.
        """
        events.sort(key=lambda one: (one[1].created_at, one[1].id), reverse=True)
        is_open, labels = issue.is_open, set(issue.labels)
        changes: list[Change] = []
        instants = [list(group) for _, group in groupby(events, key=lambda one: one[1].created_at)]
        for place, together in enumerate(instants, start=1):
            after = self._config.word(is_open, labels)
            what, newest = together[0]
            about = await self._about(ref, f"{_PREFIX[what]}{newest.id}", newest.created_at, newest.user)
            born = place == len(instants) and about.by_our_account and _made_with(together, issue)
            for _, event in together:
                is_open = _before(event, is_open, labels)
                if not born and (label := _added(event)) in self._config.theirs:
                    changes.append(self._ranked(replace(about, change_id=_priority_id(event)), label))
            if not born and self._config.word(is_open, labels) != after:
                state = self._config.meaning(after)
                changes.append(replace(about, kind=ChangeKind.STATE, raw_state=one_line(after), state=state))
        return changes

    def _ranked(self, about: Change, label: str) -> Change:
        meant = self._config.meant(label)
        return replace(about, kind=ChangeKind.PRIORITY, raw_priority=one_line(label), priorities=meant)


def _before(event: Event, is_open: bool, labels: set[str]) -> bool:
    """Whether it was open before this; `labels` become those of then."""
    if event.state:
        return event.state == "closed"
    if event.label is not None:
        (labels.discard if event.action == "add" else labels.add)(event.label.name)
    return is_open


def _made_with(together: Sequence[tuple[str, Event]], issue: Issue) -> bool:
    """Whether the first that was written down are the labels it was made with: they are no news."""
    soon = together[0][1].created_at - issue.created_at <= _BORN
    return soon and all(event.action == "add" for _, event in together)


def _priority_id(event: Event) -> str:
    """A change id of its own: the same label may be a state, too."""
    return f"{_PREFIX[LABELS]}{event.id}.priority"


def _added(event: Event) -> str:
    return event.label.name if event.label is not None and event.action == "add" else ""


def _file(word: Change, secret: str, filename: str) -> Change:
    shown = one_line(unquote(filename))
    return replace(
        word,
        change_id=f"{word.change_id}.{secret}",
        kind=ChangeKind.FILE,
        body=clip(shown, 255),
        marker=name_marker_of(shown),
        place=f"{secret}/{filename}",
    )


def _copies_are_quiet(changes: list[Change], notes: Sequence[Note]) -> list[Change]:
    """An issue that was moved brings all its notes along as new ones: they were told where it was."""
    moved = max((note.created_at for note in notes if note.moved("from")), default=None)
    if moved is None:
        return changes
    return [replace(one, quiet=True) if one.at < moved and one.body else one for one in changes]
