"""What is written on an incident: each is one PUT, whose answer is the record as it then is."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Final, TypeVar

from integrations.answers import lost
from integrations.connector import Applied, Attach, Comment, Ref, Reprioritise, Theirs, Ticket, Transition
from integrations.errors import AuthFailed, AuthTrouble, Failure, Gone, Rejected
from integrations.mapping import named_priority, state_for
from integrations.reading import read
from integrations.servicenow.audit import version_of
from integrations.servicenow.code_tags import as_written, defused
from integrations.servicenow.refusals import asked
from integrations.servicenow.story import PRIVATE, PUBLIC
from integrations.servicenow.wire import (
    FILES,
    TABLE,
    Incident,
    One,
    id_of,
    listed,
    path_of,
    ref_to,
    text_in,
    web_of,
)
from register.marker import marked_name, sign
from register.text import one_line

if TYPE_CHECKING:
    from integrations.answers import Answer
    from integrations.http import Http
    from integrations.servicenow.account import Account
    from integrations.servicenow.config import ServiceNowConfig
    from integrations.servicenow.story import Story

T = TypeVar("T")
COLUMNS: Final = (
    "sys_id,number,short_description,state,hold_reason,priority,assigned_to.name,sys_created_on,"
    "sys_created_by,sys_updated_on,sys_updated_by,sys_mod_count"
)
_OVER: Final = (Theirs.CLOSED, Theirs.REFUSED)
_DONE: Final = (Theirs.FIXED, Theirs.CLOSED)
_NO_WORD: Final = "Closed by the customer, who said nothing besides."


class Writing:
    """Reads one incident and changes it. Raises `integrations.errors` kinds."""

    def __init__(self, http: Http, config: ServiceNowConfig, account: Account, story: Story) -> None:
        self.http = http
        self.name = http.name
        self.config = config
        self._account = account
        self._web = web_of(http)
        self._story = story

    async def get(self, ref: Ref) -> Ticket:
        return self.ticket(await self.incident(ref))

    async def incident(self, ref: Ref, *, more: str = "") -> Incident:
        params = {"sysparm_fields": COLUMNS + more, "sysparm_exclude_reference_link": "true"}
        answer = await self._there(ref, self.http.get(path_of(ref), params))
        return _incident(answer)

    async def say(self, ref: Ref, text: Comment, **more: str) -> Applied:
        """Write into a journal, and more with it. Where it stands, only the journal tells."""
        if not text.public and not self.config.internal_comments:
            raise Rejected(
                f"Work notes are not set up for {self.name}: nothing was sent. Make it public, or set"
                " internal_comments = true in vendors.toml if they want to read and write notes with us."
            )
        element = PUBLIC if text.public else PRIVATE
        body = {**more, element: sign(defused(text.body), text.op_id)}
        done = await self._put(ref, body, text.op_id, safe=False)
        ids, whole = await self._found(ref, text.op_id)
        if not ids and not whole:
            raise lost(self.name, "took our words and does not show us where they are", False, text.op_id)
        if not ids:
            raise Rejected(
                f"{self.name} said yes, and our words are not on {ref.key}: our account may not write its"
                f" {element}. Ask them for that right.",
                200,
            )
        if {*ids.values()} - {element}:
            became = "a work note, which is not meant for us" if text.public else "public to whoever sees it"
            raise Rejected(
                f"{self.name} made our text on {ref.key} {became}: it is written, and stays so. Ask them to"
                " mend the rule that did it.",
                200,
            )
        state = self._version(done) if "state" in more else ()
        return Applied((*ids, *state), self.ticket(done))

    async def transition(self, ref: Ref, wish: Transition) -> Applied:
        raw = state_for(self.name, self.config, wish.to)
        state, reason = self.config.code_of(raw)
        body = {"state": state, "hold_reason": reason, **self._closing(raw, wish), **wish.fields}
        if wish.note:
            done = await self.say(ref, Comment(wish.op_id, wish.note), **body)
            ticket = done.ticket or await self.get(ref)
        else:
            row = await self._put(ref, body, wish.op_id, safe=True)
            ticket = self.ticket(row)
            done = Applied(self._version(row), ticket)
        if ticket.raw_state != raw:
            raise Rejected(
                f"{self.name} said yes and left {ref.key} {one_line(ticket.raw_state)}, not {raw}: a rule of"
                " theirs may have set it back, or our account may not write it.",
                200,
            )
        return done

    def _closing(self, raw: str, wish: Transition) -> dict[str, str]:
        """What resolving takes by itself: a code and a note."""
        if self.config.meaning(raw) not in _DONE:
            return {}
        close = self.config.close
        told = {"close_notes": defused(wish.note) or _NO_WORD, **close.fields}
        if close.field and close.field not in wish.fields and "*" in close.codes:
            told[close.field] = close.codes["*"]
        return told

    async def reprioritise(self, ref: Ref, wish: Reprioritise) -> Applied:
        """Impact and urgency, of which they make the priority: it is theirs to work out."""
        if wish.fields:
            row = await self._put(ref, wish.fields, wish.op_id, safe=True)
            return Applied((), self.ticket(row))
        word = named_priority(self.name, self.config, wish)
        row = await self._put(ref, self.grade(word), wish.op_id, safe=True)
        self._graded(ref, row, word)
        return Applied(await self._story.audit.priority_set(row), self.ticket(row))

    def grade(self, word: str) -> dict[str, str]:
        """The impact and the urgency of which they make a priority."""
        impact, _, urgency = self.config.grades[word].partition("/")
        return {"impact": impact, "urgency": urgency}

    def _graded(self, ref: Ref, row: Incident, word: str) -> None:
        if self.config.level_of(row.priority) != word:
            made = one_line(self.config.level_of(row.priority)) or "none"
            raise Rejected(
                f"{self.name} makes {made} of impact/urgency {self.config.grades[word]} on {ref.key}, not"
                f" {word}: it is so now. Mend `grades` in vendors.toml by their priority lookup rules.",
                200,
            )

    async def attach(self, ref: Ref, file: Attach) -> Applied:
        """One request, whose name for the file carries our operation id."""
        params = {
            "table_name": "incident",
            "table_sys_id": id_of(ref),
            "file_name": one_line(marked_name(file.name, file.op_id)),
        }
        done = asked(
            self.http,
            "POST",
            f"{FILES}/file",
            params,
            file.content,
            op_id=file.op_id,
            media_type=file.media_type,
        )
        answer = await self._there(ref, self._shown(ref, done))
        told = read(One, answer).result
        sys_id, size = text_in(told, "sys_id"), text_in(told, "size_bytes")
        if not sys_id:
            raise lost(self.name, "did not say where it put our file", False, file.op_id)
        if size and size != str(file.size):
            raise Rejected(
                f"{self.name} kept {one_line(size)} bytes of {one_line(file.name)} on {ref.key}, which has"
                f" {file.size:,}: it lies there so. Ask them what their attachments may be.",
                200,
            )
        return Applied((sys_id,))

    def ticket(self, told: Incident) -> Ticket:
        raw = self.config.raw_of(told.state, told.hold_reason)
        level = self.config.level_of(told.priority)
        graded = bool(self.config.impact)
        return Ticket(
            ref=ref_to(self._web, told.sys_id, told.number),
            title=one_line(told.short_description),
            raw_state=one_line(raw),
            state=self.config.meaning(raw),
            raw_priority="" if graded else one_line(level),
            assignee=one_line(told.assignee) or None,
            updated_at=told.sys_updated_on,
            priorities=self.config.meant(level),
        )

    async def _put(self, ref: Ref, body: Mapping[str, str], op_id: str, *, safe: bool) -> Incident:
        """Change it; the record as it then is. What our account may not write is left out without a word."""
        readable = [name for name in body if name not in (PUBLIC, PRIVATE)]
        params = {
            "sysparm_fields": ",".join([COLUMNS, *(name for name in readable if name not in COLUMNS)]),
            "sysparm_exclude_reference_link": "true",
        }
        done = asked(self.http, "PUT", path_of(ref), params, body, op_id=op_id, safe=safe)
        answer = await self._there(ref, self._shown(ref, done))
        told = read(One, answer).result
        derived = ("state", "hold_reason")
        lacks = [
            name for name in readable if name not in derived and not _is_so(text_in(told, name), body[name])
        ]
        if lacks:
            raise Rejected(
                f"{self.name} said yes and did not set {', '.join(lacks)} on {ref.key}: there is no such"
                " column, our account may not write it, or it does not take that value. The rest is written.",
                200,
            )
        return _incident(answer)

    async def _found(self, ref: Ref, op_id: str) -> tuple[dict[str, str], bool]:
        """What is there of what was just written: where that cannot be read now, it is in doubt."""
        try:
            return await self._story.ours(ref, op_id)
        except Failure:
            return {}, False

    def _version(self, row: Incident) -> tuple[str, ...]:
        """Where no audit is read, a state that we set is known by the version that has it.

        Not one that only came with our words: that is news.
        """
        return () if self.config.audit else (version_of(row, "state"),)

    async def _shown(self, ref: Ref, done: Awaitable[T]) -> T:
        """What was asked for; if refused, tell a closed incident, and rules about one, from a lost right."""
        try:
            return await done
        except AuthFailed as failure:
            if failure.trouble is not AuthTrouble.FORBIDDEN:
                raise
            refusal: Rejected | AuthFailed = failure
        except Rejected as failure:
            if failure.status != 403:
                raise
            refusal = failure
        now = await self.get(ref)  # not ours any more either: then that is told
        if now.state in _OVER:
            raise Rejected(
                f"{ref.key} at {self.name} is {now.raw_state}, and our account cannot change it any more:"
                f" nothing was written ({refusal.why}) What is still to be said goes into an incident of its"
                f" own: engage them anew, and name {ref.key} in it.",
                403,
            )
        if isinstance(refusal, Rejected):
            raise refusal
        raise Rejected(f"{refusal.why} It may read {ref.key}, so this is a rule about it: ask them.", 403)

    async def _there(self, ref: Ref, done: Awaitable[T]) -> T:
        """What was asked for. ServiceNow says 404 both of what is gone and of what is hidden from us."""
        try:
            return await done
        except Gone as failure:
            gone = failure
        told = await listed(self.http, TABLE, f"sys_id={id_of(ref)}", "sys_id", limit=1)
        if told.total and not told.rows:
            raise Rejected(
                f"{self.name} has {ref.key}, and does not let our account at it: an access rule of theirs"
                " changed, or it was moved. Ask them.",
                404,
            )
        raise gone


def _is_so(held: str, asked: str) -> bool:
    """Whether a column has what was written, however its spaces and line ends are kept there."""
    return as_written(held).split() == as_written(asked).split()


def _incident(answer: Answer) -> Incident:
    return read(_TheIncident, answer).result


class _TheIncident(One):
    result: Incident  # type: ignore[assignment]  # the same, typed
