"""Any REST system that vendors.toml describes: `connector = "rest"`. See docs/rest.md.

What an answer proves is as good as the block that says how it is asked for; what cannot be true together is
refused when the block is read. Nothing that this connector makes is made without our operation id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from integrations.answers import lost
from integrations.connector import (
    Absent,
    Applied,
    Attach,
    CannotTell,
    Cap,
    Change,
    ChangeKind,
    Comment,
    Cursor,
    Draft,
    FindResult,
    Found,
    Health,
    Hooks,
    Info,
    NoNative,
    Page,
    Ref,
    Reprioritise,
    Strong,
    Ticket,
    TicketUpdate,
    Transition,
    Unread,
)
from integrations.errors import Conflict, Failure, Moved, OpId, Rejected
from integrations.mapping import state_for
from integrations.markup.formats import signed
from integrations.rest.check import health
from integrations.rest.config import RestConfig
from integrations.rest.feed import Feed
from integrations.rest.fields import Fields, ranked
from integrations.rest.identity import headers_of, proved_by
from integrations.rest.readback import ReadBack, marked, misread
from integrations.rest.reader import Reader
from integrations.rest.running import Runner
from integrations.rest.steps import Step
from integrations.rest.telling import Telling, text_of
from integrations.rest.times import NoTime, written
from register.marker import marked_name
from register.text import MAX_TITLE, clip, one_line

if TYPE_CHECKING:
    from integrations.http import Http

ROUNDS: Final = 3
"""Times that something is looked at anew because they changed it between our look and our word."""


class Rest:
    """Connector of what a block describes. `info` of the class is the most that one can say."""

    info: Info = Info(
        kind="rest",
        title="REST, as its block says",
        caps=~Cap(0),
        lookup=Strong(settle=timedelta(seconds=60)),
        idempotency=NoNative(),
        config=RestConfig,
        needs_secret=False,
        oauth2=True,
        docs="docs/rest.md",
    )

    def __init__(self, http: Http, config: RestConfig) -> None:
        self.http = http
        self.config = config
        self.info = self.informed(config)
        self.runner = Runner(http, config.headers)
        self._readback = ReadBack(http, config, self.history)
        self._telling = Telling(http, config)
        self._reader = Reader(http, config, self.runner.site)
        self.feed = Feed(http, config, self.listed, self._look, self.whoami)
        self._account = ""

    @classmethod
    def informed(cls, config: RestConfig) -> Info:
        """What one block says of its system."""
        return replace(cls.info, caps=config.caps, lookup=config.looks_up, idempotency=config.honours)

    @staticmethod
    def headers(config: RestConfig, secret: str) -> Mapping[str, str]:
        """The credential as it goes along; a name that begins with ? goes into the query."""
        return headers_of(config.sign_in, secret)

    @staticmethod
    def hooks(config: RestConfig, secrets: Sequence[str]) -> Hooks:
        return proved_by(config.webhook, secrets)

    async def whoami(self) -> str:
        """Who we are there, asked now; AuthFailed when we are nobody any more."""
        told = await self.runner.run("me", self.config.me, {"account": ""})
        try:
            account = one_line(text_of(told[-1].given["account"])) if told else ""
        except ValueError:
            account = ""
        if self.config.me and not account:
            raise Rejected(f"{self.http.name} does not say who we are there, as `me` in vendors.toml has it.")
        self._account = account
        return account

    async def create(self, draft: Draft) -> Ref:
        """Never repeatable by itself: their key for it holds for a while only, which the engine minds."""
        values = {
            "op_id": draft.op_id,
            "title": clip(one_line(draft.title), MAX_TITLE),
            "text": signed(draft.body, draft.op_id, self.config.format),
            **ranked(self.http.name, self.config, self.config.create, draft, draft.priority),
        }
        key = self.config.idempotency
        steps = self.config.create
        if key is not None:
            steps = tuple(_with_key(step, key.header) for step in steps)
        told = await self.runner.run("create", steps, await self._base(steps, values), draft.op_id)
        made = self.runner.done("create", steps, told)
        try:
            return self._reader.ref(made.given)
        except ValueError:
            raise lost(self.http.name, "made a ticket without an id", False, draft.op_id) from None

    async def get(self, ref: Ref) -> Ticket:
        steps = self.config.get
        told = await self.runner.run("get", steps, await self._base(steps, {"ticket": _ticket(ref)}))
        given = self.runner.done("get", steps, told).given
        moved = given.get("moved")
        try:
            if moved:
                to = self._reader.ref({"id": moved})
                raise Moved(f"{self.http.name} goes on with {ref.key} as {to.key}.", to)
            return self._reader.ticket(self._reader.ref({"id": ref.id, **given}), given)
        except (ValueError, NoTime) as error:
            said = str(error)
        raise lost(self.http.name, f"told a ticket of which something {said}", True)

    async def find(self, op_id: OpId, since: datetime) -> FindResult:
        """Whatever is found must carry our reference; nothing at all is believed to who is somebody there."""
        steps = self.config.find
        if not steps:
            return CannotTell(
                f"vendors.toml does not say how a ticket is found at {self.http.name} (`find`)."
            )
        values = await self._base(steps, {"op_id": op_id, "since": self._since(since)})
        told = await self.runner.run("find", steps, values)
        if told and told[-1].step is steps[-1]:
            wanted = self.runner.expected(steps[-1], values, told)
            hits, strange = [], False
            for row in told[-1].rows:
                try:
                    ours = row.get("reference") is not None and text_of(row["reference"]) == wanted
                    hits += [self._reader.ref(row)] if ours else []
                except ValueError:  # a list, say, where the block means what is in it
                    ours = False
                strange = strange or not ours
            if hits:
                return Found(tuple(hits))
            if strange:
                return CannotTell(f"{self.http.name} finds tickets that do not carry our reference.")
        if self.config.me:
            await self.whoami()  # whoever is nobody there finds nothing, and is not told why
        return Absent()

    async def find_comment(self, ref: Ref, op_id: OpId) -> FindResult:
        page = await self.history(ref)
        ours = marked(page, op_id)
        if ours:
            return Found(tuple(ref.model_copy(update={"id": one.change_id}) for one in ours))
        if misread(page, op_id):
            return CannotTell(self._readback.misread(ref, page, op_id))
        return CannotTell("A part of the ticket could not be read.") if page.unread else Absent()

    async def apply(self, ref: Ref, update: TicketUpdate, if_version: str | None = None) -> Applied:
        """Where they change it between our look and our word nothing was done, and it is done anew."""
        for last in range(ROUNDS):
            try:
                return await self._apply(ref, update, if_version)
            except Conflict:
                if if_version is not None or last == ROUNDS - 1:
                    raise
        raise AssertionError  # the last round returned or raised

    async def _apply(self, ref: Ref, update: TicketUpdate, version: str | None) -> Applied:
        if isinstance(update, Comment):
            return await self._say(ref, update)
        if isinstance(update, Attach):
            name = marked_name(update.name, update.op_id)
            about = {
                "name": name,
                "media_type": update.media_type,
                "size": update.size,
                "content": update.content,
            }
            done = await self._put("attach", ref, about, update.op_id, ChangeKind.FILE)
            return Applied(await self._seen(ref, update.op_id, done))
        if isinstance(update, Reprioritise):
            return await self._reprioritise(ref, update, version)
        return await self._transition(ref, update, version)

    async def changes(self, cursor: Cursor | None) -> Page:
        return await self.feed.page(cursor)

    async def history(self, ref: Ref) -> Page:
        changes, unread = await self._look(ref, None)
        return Page(tuple(changes), {}, done=True, unread=tuple(unread))

    async def check(self) -> Health:
        return await health(self)

    async def listed(self, since: datetime) -> Sequence[Mapping[str, Any]]:
        """The tickets that changed since then."""
        steps = self.config.changes
        values = await self._base(steps, {"since": self._since(since)})
        return self.runner.done("changes", steps, await self.runner.run("changes", steps, values)).rows

    async def _look(self, ref: Ref, row: Mapping[str, Any] | None) -> tuple[list[Change], list[Unread]]:
        """All that happened on one ticket. row: what the list told of it, where it comes from there."""
        steps = self.config.history
        row_told = None if row is None else SimpleNamespace(**row)
        values = await self._base(steps, {"ticket": _ticket(ref), "row": row_told})
        told = await self.runner.run("history", steps, values)
        account = (self._account or await self.whoami()) if self.config.me else ""
        about = self._reader.ref({"id": ref.id, "key": ref.key})
        changes, unread = self._telling.of(about, told, account)
        shown, odd = self._telling.snapshot(about, row) if row else ([], [])
        return [*changes, *shown], [*unread, *odd]

    async def _say(self, ref: Ref, text: Comment) -> Applied:
        values = {"text": signed(text.body, text.op_id, self.config.format), "public": text.public}
        done = await self._put("comment", ref, values, text.op_id, ChangeKind.COMMENT)
        return Applied(await self._seen(ref, text.op_id, done, public=text.public))

    async def _seen(
        self, ref: Ref, op_id: OpId, told: tuple[str, ...], *, public: bool = True
    ) -> tuple[str, ...]:
        """What we wrote, as it stands there now; in a rehearsal nothing does."""
        if not self.runner.asks:
            return told
        return await self._readback.words(ref, op_id, told, public=public)

    async def _reprioritise(self, ref: Ref, wish: Reprioritise, version: str | None) -> Applied:
        values = ranked(self.http.name, self.config, self.config.priority, wish, wish.to)
        await self._put("priority", ref, {**values, "version": version}, wish.op_id, None)
        ticket = await self.get(ref)
        raw = "" if values["priority"] is None else str(values["priority"])
        if raw and ticket.raw_priority not in ("", raw) and wish.to not in ticket.priorities:
            raise Rejected(f"{self.http.name} said yes and did not set {ref.key} to {raw}.", 200)
        return Applied(await self._readback.set_by_us(ref, ChangeKind.PRIORITY, raw), ticket)

    async def _transition(self, ref: Ref, wish: Transition, version: str | None) -> Applied:
        raw = state_for(self.http.name, self.config, wish.to)
        along = bool(wish.note) and self.config.note_goes_along
        values = {
            "state": raw,
            "state_code": self.config.state_codes.get(raw, raw),
            "means": str(wish.to),
            "note": signed(wish.note, wish.op_id, self.config.format) if along else "",
            "version": version,
            "fields": Fields(wish.fields),
        }
        kind = ChangeKind.COMMENT if along else None
        ids = await self._put("transition", ref, values, wish.op_id, kind)
        if along:
            ids = await self._seen(ref, wish.op_id, ids)
        elif wish.note:  # the state first, which may be said twice: where the note is, both are done
            ids = (await self._say(ref, Comment(wish.op_id, wish.note))).change_ids
        try:
            ticket = await self.get(ref)
        except Failure as failure:
            if wish.note:
                raise lost(
                    self.http.name, "did it and could then not be read", False, wish.op_id
                ) from failure
            raise
        if ticket.state is not wish.to and ticket.raw_state != raw:
            raise Rejected(f"{self.http.name} said yes and did not set {ref.key} to {raw}.", 200)
        return Applied(ids, ticket)

    async def _put(
        self, operation: str, ref: Ref, values: Mapping[str, Any], op_id: OpId, kind: ChangeKind | None
    ) -> tuple[str, ...]:
        """Make the requests of an update; return the change ids that their answers told."""
        steps = getattr(self.config, operation)
        base = await self._base(steps, {"ticket": _ticket(ref), "op_id": op_id, **values})
        told = await self.runner.run(operation, steps, base, op_id, repeatable=kind is None)
        given = self.runner.done(operation, steps, told).given
        if kind is None or "id" not in given:
            return ()
        return (f"{kind}:{_id_of(given['id'], self.http.name, op_id)}",)

    async def _base(self, steps: Sequence[Step], values: Mapping[str, Any]) -> dict[str, Any]:
        """What a template may take besides; who we are is only asked where one wants to know."""
        account = self._account
        if not account and self.config.me and any(step.mentions("account") for step in steps):
            account = await self.whoami()
        return {"account": account, **values}

    def _since(self, at: datetime) -> str | int:
        return written(at, self.config.time_format, self.config.time_zone)


def _id_of(told: object, name: str, op_id: OpId) -> str:
    """What we wrote is known by; it is written, so what is no id leaves it in doubt."""
    try:
        return clip(one_line(text_of(told)), 100)
    except ValueError as error:
        said = str(error)
    raise lost(name, f"took it and told an id that {said}", False, op_id)


def _ticket(ref: Ref) -> SimpleNamespace:
    return SimpleNamespace(id=ref.id, key=ref.key, url=ref.url)


def _with_key(step: Step, header: str) -> Step:
    """The request that counts, with the key of ours that they honour."""
    return (
        step
        if step.reads or step.repeatable
        else step.model_copy(update={"headers": {**step.headers, header: "{{ op_id }}"}})
    )
