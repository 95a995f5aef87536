"""What is written on an issue: words, files, priorities, and transitions, which are asked for first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter, ValidationError

from integrations.answers import lost
from integrations.connector import Applied, Attach, Comment, Ref, Reprioritise, Theirs, Transition
from integrations.errors import Rejected
from integrations.forms import multipart
from integrations.jira.fields import on_screen, told, words_of
from integrations.jira.finding import PROPERTY
from integrations.jira.issues import FILE, PRIORITY, STATE
from integrations.jira.wire import DESK, Attachment, Change, Said, Step, Steps, id_of, issue_path
from integrations.mapping import priority_for, stateless
from integrations.markup.formats import TextFormat
from integrations.reading import read
from integrations.zones import zoned
from register.text import one_line

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.jira.account import Account
    from integrations.jira.config import JiraConfig
    from integrations.jira.issues import Issues
    from integrations.jira.wire import Issue

_ATTACHMENTS: Final = TypeAdapter(tuple[Attachment, ...])
_SAME_END: Final = {Theirs.CLOSED: (Theirs.CLOSED, Theirs.FIXED)}
"""Many workflows have one end alone."""


class Writing:
    """Changes one issue. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: JiraConfig, account: Account, issues: Issues) -> None:
        self.http = http
        self.name = http.name
        self.config = config
        self._account = account
        self._issues = issues

    async def say(self, ref: Ref, text: Comment) -> Applied:
        if not text.public and not self.config.internal_comments:
            raise Rejected(
                f"Internal comments are not set up for {self.name}: nothing was sent. Make it public, or set"
                " internal_comments = true in vendors.toml if they want to read and write them with us."
            )
        if self.config.service_desk:
            words: Any = words_of(self.name, text.body, text.op_id, TextFormat.JIRA)
            path, json = f"{DESK}/request/{id_of(ref)}/comment", {"body": words, "public": text.public}
        else:
            path, json = f"{issue_path(self.config, ref)}/comment", self._comment(text)
        said = read(Said, await self.http.post(path, json, op_id=text.op_id))
        if said.public is not None and said.public is not text.public:
            became = "internal, which is not meant for us" if text.public else "public to whoever sees it"
            raise Rejected(
                f"{self.name} made our words on {ref.key} {became}: they are written, and stay so. Ask them"
                " to mend it, and whether our account is an agent there, who may write both.",
                200,
            )
        return Applied((said.id,))

    def _comment(self, text: Comment) -> dict[str, Any]:
        json: dict[str, Any] = {
            "body": words_of(self.name, text.body, text.op_id, self.config.format),
            "properties": [{"key": PROPERTY, "value": {"op_id": text.op_id}}],
        }
        if not text.public:
            json["visibility"] = {"type": "role", "value": self.config.internal_role}
        return json

    async def transition(self, ref: Ref, wish: Transition) -> Applied:
        """Take the step that is possible now; what it lacks is told before anything is sent."""
        wanted = self._wanted(wish.to)
        issue = await self._issues.stands(ref)
        if issue.fields.status.name in wanted:
            if wish.note:
                return Applied(
                    (await self.say(ref, Comment(wish.op_id, wish.note))).change_ids,
                    self._issues.ticket(issue),
                )
            return Applied((), self._issues.ticket(issue))
        path = f"{issue_path(self.config, ref)}/transitions"
        steps = read(Steps, await self.http.get(path, {"expand": "transitions.fields"})).transitions
        step = self._possible(issue, steps, wanted)
        asked: dict[str, Any] = {"transition": {"id": step.id}}
        if fields := self._filled(step, wish):
            asked["fields"] = fields
        along = bool(wish.note) and "comment" in step.fields
        if along:
            note = {"body": words_of(self.name, wish.note, wish.op_id, self.config.format)}
            asked["update"] = {"comment": [{"add": note}]}
        await self.http.post(path, asked, safe=not along, op_id=wish.op_id)
        ids: tuple[str, ...] = ()
        if wish.note and not along:  # a step without a screen drops a comment, and says nothing
            ids = (await self.say(ref, Comment(wish.op_id, wish.note))).change_ids
        return await self._proved(ref, step.to.name, ids)

    def _wanted(self, to: Theirs) -> tuple[str, ...]:
        """Their words for a state that we want, the dearest first: each workflow has its own."""
        chosen = self.config.transitions.get(to)
        if chosen is not None:
            return (chosen,)
        means = _SAME_END.get(to, (to,)) if to is not Theirs.UNMAPPED else ()
        words = tuple(raw for one in means for raw, meant in self.config.states.items() if meant is one)
        if not words:
            raise stateless(self.name, to)
        return words

    def _possible(self, issue: Issue, steps: Sequence[Step], wanted: Sequence[str]) -> Step:
        for raw in wanted:
            for step in steps:
                if step.to.name == raw:
                    return step
        can = ", ".join(f"{one_line(step.to.name)} (by {one_line(step.name)})" for step in steps)
        raise Rejected(
            f"{self.name} lets our account set {issue.key} from {one_line(issue.fields.status.name)} to"
            f" {can or 'nothing else'}, and to none of {', '.join(wanted)}: nothing was sent. Name what is"
            " possible in `states` or `transitions` in vendors.toml, or ask them."
        )

    def _filled(self, step: Step, wish: Transition) -> dict[str, Any]:
        """The fields of the step's screen; Rejected where one is lacking, or is none of this screen's."""
        lacks = [
            f"{key} ({one_line(screen.name)})"
            for key, screen in step.fields.items()
            if screen.required and not screen.hasDefaultValue and key not in wish.fields and key != "comment"
        ]
        if lacks:
            raise Rejected(
                f"{self.name} asks for {', '.join(lacks)} with {one_line(step.name)}: nothing was sent. Add"
                " it to `close` in vendors.toml: `field` and `codes`, or `fields`.",
                fields=dict.fromkeys(lacks, "must be filled"),
            )
        strange = [key for key in wish.fields if key not in step.fields]
        if strange:
            raise Rejected(
                f"{self.name} has no {', '.join(strange)} on the screen of {one_line(step.name)}, only"
                f" {', '.join(step.fields) or 'nothing'}: nothing was sent. Take it out of `close` in"
                " vendors.toml, or ask them to put it there."
            )
        return {key: on_screen(key, step.fields[key], word) for key, word in wish.fields.items()}

    async def _proved(self, ref: Ref, raw: str, said: tuple[str, ...]) -> Applied:
        """Read back what became of it, and under which change it is recorded."""
        issue = await self._issues.whole(ref)
        ticket = self._issues.ticket(issue)
        if ticket.raw_state != one_line(raw):
            raise Rejected(
                f"{self.name} said yes and left {ref.key} {ticket.raw_state}, not {one_line(raw)}: a rule of"
                " theirs may have set it back.",
                200,
            )
        return Applied((*said, *await self._ours(issue, "status", raw, STATE)), ticket)

    async def reprioritise(self, ref: Ref, wish: Reprioritise) -> Applied:
        raw = None if wish.fields else priority_for(self.name, self.config, wish)
        fields = told(wish.fields) if wish.fields else {"priority": {"name": raw}}
        await self.http.put(issue_path(self.config, ref), {"fields": fields}, safe=True, op_id=wish.op_id)
        issue = await self._issues.whole(ref)
        ticket = self._issues.ticket(issue)
        if raw is None:
            return Applied((), ticket)
        if ticket.raw_priority != raw:
            raise Rejected(f"{self.name} said yes and did not set {ref.key} to {raw}.", 200)
        return Applied(await self._ours(issue, "priority", raw, PRIORITY), ticket)

    async def attach(self, ref: Ref, file: Attach) -> Applied:
        kind, content = multipart(file)
        headers = {"Content-Type": kind, "X-Atlassian-Token": "no-check"}
        path = f"{issue_path(self.config, ref)}/attachments"
        answer = await self.http.post(path, content=content, headers=headers, op_id=file.op_id)
        try:
            made = _ATTACHMENTS.validate_python(answer.json())
        except ValidationError:
            made = ()
        if not made:
            raise lost(self.name, "did not say where it put our file", False, file.op_id)
        return Applied(tuple(f"{one.id}{FILE}" for one in made))

    async def _ours(self, issue: Issue, field: str, raw: str, what: str) -> tuple[str, ...]:
        """The newest change by our account that set this, by its id; one that cannot be read is none."""
        me = await self._account.me()
        ours: list[Change] = []
        for row in issue.changelog.histories:
            try:
                change = Change.model_validate(row, context=zoned(self.http.zone))
            except ValidationError:
                continue
            by_us = change.author is not None and change.author.id == me
            if by_us and any(item.field == field and item.toString == raw for item in change.items):
                ours.append(change)
        newest = max(ours, key=lambda change: change.created, default=None)
        return () if newest is None else (f"{newest.id}{what}",)
