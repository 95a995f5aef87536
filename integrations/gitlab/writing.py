"""What we write to GitLab: issues, notes, states, labels, files; read back where GitLab drops in silence."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from integrations.connector import Applied, Attach, Comment, Draft, Ref, Reprioritise, Transition
from integrations.errors import AuthFailed, AuthTrouble, Failure, Gone, OpId, Rejected
from integrations.fitting import fitting
from integrations.gitlab.files import uploaded
from integrations.gitlab.wire import PLANNER, Issue, Note
from integrations.mapping import named_priority, state_for
from integrations.markup.formats import TextFormat
from integrations.markup.hidden import written
from integrations.reading import read
from integrations.wish import Wish
from register.text import clip, one_line

if TYPE_CHECKING:
    from integrations.connector import TicketUpdate
    from integrations.gitlab.projects import Projects
    from integrations.gitlab.story import Story

MAX_TITLE: Final = 255
"""Characters of a title that GitLab takes."""
MAX_BODY: Final = 1_000_000
T = TypeVar("T")


class Writing:
    """Raises `integrations.errors` kinds."""

    def __init__(self, projects: Projects, story: Story) -> None:
        self._projects = projects
        self._story = story
        self._http = projects.http
        self._name = projects.http.name
        self._config = projects.config

    async def create(self, draft: Draft) -> Ref:
        title, project = one_line(draft.title), self._config.project
        body = draft.body if len(title) <= MAX_TITLE else f"{title}\n\n{draft.body}"
        priority = named_priority(self._name, self._config, draft)
        issue: dict[str, Any] = {
            "title": clip(title, MAX_TITLE),
            "description": self._written(body, draft.op_id),
            "labels": ",".join([priority, *([self._config.label] if self._config.label else [])]),
        }
        if self._config.issue_type != "issue":
            issue["issue_type"] = self._config.issue_type
        if self._config.confidential:
            issue["confidential"] = True
        asked = self._http.post(f"{self._projects.path(project)}/issues", issue, op_id=draft.op_id)
        try:
            made = read(Issue, await self._open(project, asked))
        except Gone as failure:
            raise Rejected(
                f"{failure.why} Is `project` of {self._name} right, and does it take issues?", 404
            ) from None
        self._story.memory.was_made((project, made.iid), made)
        return self._projects.ref(project, made.iid, made.web_url)

    async def apply(self, ref: Ref, update: TicketUpdate) -> Applied:
        match update:
            case Comment():
                if not update.public:
                    await self._may_be_internal(ref)
                return Applied((await self._say(ref, update),))
            case Transition():
                return await self._transition(ref, update)
            case Reprioritise():
                return await self._reprioritise(ref, update)
            case Attach():
                project, _ = self._projects.place(ref)
                secret, link = await self._open(project, uploaded(self._projects, project, update), ref)
                note = await self._say(ref, Comment(update.op_id, ""), f"{link}\n\n")
                return Applied((note, f"{note}.{secret}"))

    def _written(self, text: str, op_id: OpId) -> str:
        return fitting(self._name, written(text, op_id, TextFormat.GITLAB), MAX_BODY, " with its markup")

    async def _say(self, ref: Ref, text: Comment, before: str = "") -> str:
        """Write a note; its id. Both names of what is internal are said: an unknown one is dropped."""
        body: dict[str, Any] = {"body": before + self._written(text.body, text.op_id)}
        if not text.public:
            body |= {"internal": True, "confidential": True}
        project, _ = self._projects.place(ref)
        path = f"{self._projects.issue_path(ref)}/notes"
        answer = await self._open(project, self._http.post(path, body, op_id=text.op_id), ref)
        note = read(Note, answer)
        if not text.public and not note.is_internal:
            await self._take_back(ref, f"{path}/{note.id}", text.op_id)
        return str(note.id)

    async def _may_be_internal(self, ref: Ref) -> None:
        """Asked for each time: without the right GitLab makes the note public and says nothing."""
        project, _ = self._projects.place(ref)
        if self._config.internal_comments and (await self._projects.project(project)).level >= PLANNER:
            return
        raise Rejected(
            f"Our account may write no internal notes at {self._name}: nothing was sent. Make it public, or"
            " ask them for the role Planner and set internal_comments = true."
        )

    async def _take_back(self, ref: Ref, path: str, op_id: OpId) -> None:
        said_of_it = "and it was taken back"
        try:
            await self._http.ask(Wish("DELETE", path, True, op_id=op_id))
        except Failure:
            said_of_it = "and could not be taken back: ask them to delete it"
        raise Rejected(
            f"{self._name} made our internal note on {ref.key} public to whoever sees it, {said_of_it}.",
            201,
        )

    async def _transition(self, ref: Ref, wish: Transition) -> Applied:
        """The state, which may be said again, and then the word: so a lost answer never doubles it."""
        raw = state_for(self._name, self._config, wish.to, "THEIR LABEL")
        before = await self._story.current(ref)
        after = before
        if self._projects.word(before) != raw:
            after = await self._put(ref, self._to(raw, before), wish.op_id)
        if (now := self._projects.word(after)) != raw:
            raise Rejected(
                f"{self._name} said yes, and {ref.key} is {one_line(now)}, not {raw}: our account may not"
                " set it.",
                200,
            )
        ids = (await self._say(ref, Comment(wish.op_id, wish.note)),) if wish.note else ()
        return Applied(ids, self._projects.ticket(ref, after))

    def _to(self, raw: str, before: Issue) -> dict[str, Any]:
        """Only labels of ours are named: whatever others set meanwhile stays."""
        change: dict[str, Any] = {}
        if self._config.closes(raw) is before.is_open:
            change["state_event"] = "close" if before.is_open else "reopen"
        if raw in self._config.state_labels:
            change["add_labels"] = raw
        if others := [one for one in self._config.state_labels if one != raw]:
            change["remove_labels"] = ",".join(others)
        return change

    async def _reprioritise(self, ref: Ref, wish: Reprioritise) -> Applied:
        raw = named_priority(self._name, self._config, wish)
        others = ",".join(str(one) for one in self._config.theirs if one != raw)
        change = {"add_labels": raw, **({"remove_labels": others} if others else {})}
        issue = await self._put(ref, change, wish.op_id)
        if raw not in issue.labels:
            raise Rejected(
                f"{self._name} said yes, and {ref.key} has no label {raw}: our account may not set it.",
                200,
            )
        ids = await self._story.labels_set(*self._projects.place(ref), raw)
        return Applied(ids, self._projects.ticket(ref, issue))

    async def _put(self, ref: Ref, change: Mapping[str, Any], op_id: OpId) -> Issue:
        project, _ = self._projects.place(ref)
        asked = self._http.put(self._projects.issue_path(ref), change, safe=True, op_id=op_id)
        return read(Issue, await self._open(project, asked, ref))

    async def _open(self, project: str, asked: Awaitable[T], ref: Ref | None = None) -> T:
        """What was asked for; if it is forbidden, tell what is closed to everybody from a right we lost."""
        try:
            return await self._projects.seen(project, asked)
        except AuthFailed as failure:
            if failure.trouble is not AuthTrouble.FORBIDDEN:
                raise
            if (await self._projects.project(project)).archived:
                why = f"has archived {project}: nobody may write there. Ask them where it goes on."
            elif ref is not None and (await self._story.current(ref)).discussion_locked:
                why = f"has locked {ref.key}: nobody but members may write there. Ask them to unlock it."
            else:
                raise
        raise Rejected(f"{self._name} {why}", 403)
