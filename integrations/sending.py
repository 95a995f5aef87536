"""One row of the outbox as what its connector is asked: a table from kind to request.

What can be asked is what the connector declares; what it cannot do is said to the supplier's people in words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

import orjson

from integrations.connector import (
    BALL,
    Applied,
    Attach,
    Cap,
    Comment,
    Draft,
    Fetches,
    Lookup,
    Reprioritise,
    Strong,
    Theirs,
    Ticket,
    TicketUpdate,
    Transition,
    Updates,
)
from integrations.errors import Conflict, Rejected
from integrations.mapping import Closing
from integrations.register_files import Fetched, RegisterFiles
from integrations.vendor import Vendor, Wired
from register.core import Command
from register.incident import Impact, Priority, TicketRef, Urgency
from register.merging import Owner, Shared, Verdict, merged
from register.store.outbox import Sending
from register.topics.differences import TellDifference
from register.topics.files import MAX_BYTES
from register.translation import WITHDRAWN

ROUNDS: Final = 3
"""Times that a field is looked at anew in one try, where somebody changes the ticket meanwhile."""


@dataclass(frozen=True, slots=True)
class Differs:
    """They changed the same field meanwhile, and nothing was written: theirs holds, or a person is asked."""

    field: Shared
    ours: str
    ticket: Ticket
    gives_way: bool

    def told(self, row: Sending, vendor: Vendor, said: str = "") -> Command:
        """What the register is to do with it. said: what was asked and what came back, to be kept."""
        ticket, of_state = self.ticket, self.field is Shared.STATE
        theirs = ticket.raw_state if of_state else ticket.raw_priority
        why = (
            f"{vendor.title} changed {ticket.ref.key} to {theirs} meanwhile, so what was asked for may not"
            f" fit any more: `muster settle {row.incident} --keep ours` sends it all the same."
        )
        return TellDifference(
            row_id=row.row_id,
            tries=row.tries,
            field=self.field,
            ours=self.ours,
            theirs=theirs,
            gives_way=self.gives_way,
            ball=BALL[ticket.state] if of_state else None,
            fixed=of_state and ticket.state in (Theirs.FIXED, Theirs.CLOSED),
            priorities=() if of_state else ticket.priorities,
            why=why,
            exchange=said,
        )


Outcome = TicketRef | Applied | Fetched | Differs
"""What came of a request that was answered."""


class Request:
    """One sending, about to be made. Raises `integrations.errors.Failure` kinds."""

    def __init__(
        self,
        vendor: Vendor,
        connector: Wired,
        row: Sending,
        files: RegisterFiles,
        pins: Mapping[str, str] | None = None,
    ) -> None:
        """pins: what it takes along that stands nowhere but in the keyring, by name."""
        self._pins = dict(pins or {})
        self._vendor = vendor
        self._connector = connector
        self._row = row
        self._files = files
        self._payload: Mapping[str, Any] = orjson.loads(row.payload)

    async def make(self) -> Outcome:
        return await _MADE[self._row.kind](self)

    async def create(self) -> TicketRef:
        told = self._payload
        priority, known = Priority(told["priority"]), self._vendor.fields
        fields: Mapping[str, str] = {**told.get("fields", {}), **self._pins}
        theirs = {known[name]: value for name, value in fields.items() if name in known}
        said = with_fields(told["body"], {n: value for n, value in fields.items() if n not in known})
        impact, urgency = self._graded()
        theirs |= self._parts(priority) | self._kept_under()
        draft = Draft(self._row.op_id, told["title"], said, priority, theirs, impact, urgency)
        return await self._connector.create(draft)

    def _graded(self) -> tuple[Impact | None, Urgency | None]:
        """Impact and urgency, as they were when it was asked for; a row of before they were told has none."""
        told = self._payload
        return (
            Impact(told["impact"]) if told.get("impact") else None,
            Urgency(told["urgency"]) if told.get("urgency") else None,
        )

    def _parts(self, priority: Priority) -> dict[str, str]:
        """Their fields of what they work the priority out of, where they do."""
        table = self._vendor.translation
        if not table.by_parts:
            return {}
        words = table.graded(priority, *self._graded())
        if len(words) != len(_PARTS):
            raise Rejected(
                f"{self._vendor.title} wants impact and urgency, and this was asked for before either was"
                " kept: nothing was sent. Drop it, and ask for it anew."
            )
        return {self._vendor.fields[name]: words[name] for name in _PARTS}

    def _kept_under(self) -> dict[str, str]:
        """Their fields for category and service; the tables may have changed since it was asked for."""
        table, told = self._vendor.translation, self._payload
        category, service = told.get("category", ""), told.get("service", "")
        for key, ours in table.unnamed(category, service).items():
            raise Rejected(
                f"`{key}` of {self._vendor.name} in vendors.toml has nothing for {ours or 'what has none'}:"
                ' nothing was sent. Add it there ("*" stands for all others), then try again.'
            )
        words = table.kept_under(category, service)
        return {self._vendor.fields[name]: word for name, word in words.items()}

    def _closing(self, wish: Theirs) -> dict[str, str]:
        """Their fields that must go with closing a ticket."""
        close = getattr(self._vendor.config, "close", None)
        if wish not in (Theirs.CLOSED, Theirs.FIXED) or not isinstance(close, Closing):
            return {}
        if not close.codes:
            return dict(close.fields)
        ended = self._payload.get("ended", WITHDRAWN)
        code = self._vendor.translation.code(ended)
        if code is None:
            raise Rejected(
                f"`close.codes` of {self._vendor.name} in vendors.toml has nothing for {ended}: nothing was"
                ' sent. Add it there ("*" stands for all others), then try again.'
            )
        return {**close.fields, close.field: code}

    async def comment(self) -> Applied:
        return await self._apply(Comment(self._row.op_id, self._payload["body"], self._payload["public"]))

    async def transition(self) -> Applied | Differs:
        """Their state, by the three-way rule: what they changed meanwhile is not overwritten in silence."""
        told, wish = self._payload, Theirs(self._payload["to"])
        if Cap.SET_STATE not in self._connector.info.caps:
            return await self._apply(Comment(self._row.op_id, told["note"] or _IN_WORDS[wish]))

        def verdict(ticket: Ticket) -> Verdict:
            if ticket.state is wish:
                return Verdict.WRITE if told["note"] else Verdict.AGREED
            changed = ticket.raw_state != told["seen"] and not told.get("firm")
            found = merged(
                agrees=False, they_changed=changed, we_changed=True, owner=self._owner(Shared.STATE)
            )
            # words of a person are not dropped in silence
            return Verdict.ASK if found is Verdict.GIVE_WAY and told["note"] else found

        update = Transition(self._row.op_id, wish, told["note"], self._closing(wish))
        done = await self._write(update, verdict, Shared.STATE, wish.value.replace("_", " "))
        if isinstance(done, Applied) and done.ticket is None:
            return replace(done, ticket=await self._connector.get(self._ref()))
        return done

    async def priority(self) -> Applied | Differs:
        """Their priority, by the three-way rule."""
        told, to = self._payload, Priority(self._payload["priority"])
        if Cap.SET_PRIORITY not in self._connector.info.caps:
            return await self._apply(Comment(self._row.op_id, f"For us this is {to} from now on."))

        def verdict(ticket: Ticket) -> Verdict:
            return merged(
                agrees=to in ticket.priorities,
                they_changed=not told.get("firm") and _is_another(ticket, told),
                we_changed=True,
                owner=self._owner(Shared.PRIORITY),
            )

        update = Reprioritise(self._row.op_id, to, *self._graded(), self._parts(to))
        return await self._write(update, verdict, Shared.PRIORITY, str(to))

    async def _write(
        self,
        update: TicketUpdate,
        verdict: Callable[[Ticket], Verdict],
        field: Shared,
        ours: str,
    ) -> Applied | Differs:
        """Write on the version that was seen when it was asked for; where it is another one now, look first.

        Raises Conflict where somebody changes it each time between the look and the word.
        """
        checks = Cap.ETAG in self._connector.info.caps
        version: str | None = self._payload.get("version") if checks else None
        for _ in range(ROUNDS):
            if version is None:
                ticket = await self._connector.get(self._ref())
                found = verdict(ticket)
                if found is Verdict.AGREED:
                    return Applied((), ticket)
                if found is not Verdict.WRITE:
                    return Differs(field, ours, ticket, gives_way=found is Verdict.GIVE_WAY)
                version = ticket.version if checks else None
            try:
                return await self._apply(update, version)
            except Conflict:  # between our look and our word
                version = None
        raise Conflict(
            f"{self._vendor.title} changes this ticket again and again while we ask for the {field} {ours}:"
            " look, then try again or drop it."
        )

    def _owner(self, field: Shared) -> Owner:
        return self._vendor.owners[field]

    async def attach(self) -> Applied:
        told = self._payload
        if Cap.ATTACH not in self._connector.info.caps:
            raise Rejected(
                f"{self._vendor.title} takes no files through its {self._connector.info.title}: nothing was"
                " sent. Send it another way and say in a reply where it is."
            )
        content = await self._files.bytes_of(told["sha256"])
        if content is None or hashlib.sha256(content).hexdigest() != told["sha256"]:
            raise Rejected(f"{told['name']} is not in the register any more: nothing was sent.")
        return await self._apply(
            Attach(self._row.op_id, told["name"], told["media_type"], told["sha256"], content)
        )

    async def fetch(self) -> Fetched:
        """A file of theirs into the register. Reading twice is reading once."""
        if not isinstance(self._connector, Fetches):
            kind = self._connector.info.title
            raise Rejected(f"{self._vendor.title} gives no files through its {kind}: ask them to send it.")
        content = await self._connector.fetch(self._ref(), self._payload["place"], MAX_BYTES)
        return await self._files.keep(self._payload["name"], content)

    async def _apply(self, update: TicketUpdate, version: str | None = None) -> Applied:
        connector, ref = self._connector, self._ref()
        if not isinstance(connector, Updates):
            raise Rejected(f"{self._vendor.title} takes no messages through its {connector.info.title}")
        return await connector.apply(ref, update, version)

    def _ref(self) -> TicketRef:
        ref = ref_of(self._row)
        if ref is None:
            raise Rejected("there is no ticket to write to")
        return ref


_MADE: Final[Mapping[str, Callable[[Request], Awaitable[Outcome]]]] = MappingProxyType(
    {
        "create": Request.create,
        "comment": Request.comment,
        "transition": Request.transition,
        "priority": Request.priority,
        "attach": Request.attach,
        "fetch": Request.fetch,
    }
)
_IN_WORDS: Final[Mapping[Theirs, str]] = MappingProxyType(
    {
        Theirs.CLOSED: "For us this is over: please close the ticket.",
        Theirs.WORKING: "For us this is not over: please go on with it.",
    }
)


_PARTS: Final = ("impact", "urgency")


def _is_another(ticket: Ticket, told: Mapping[str, Any]) -> bool:
    """Whether they have given it a priority that is not the one they had when we asked."""
    if not ticket.raw_priority:
        return False
    if told.get("seen"):
        return bool(ticket.raw_priority != told["seen"])
    return "before" in told and Priority(told["before"]) not in ticket.priorities


def in_words(wish: Theirs) -> str:
    """What is said where a state cannot be set."""
    return _IN_WORDS.get(wish, "")


def with_fields(body: str, fields: Mapping[str, str]) -> str:
    """A text, and under it what has no field of its own in their system, a line each."""
    named = ((name.replace("_", " "), value) for name, value in fields.items())
    lines = "\n".join(f"{name[:1].upper()}{name[1:]}: {value}" for name, value in named)
    return f"{body}\n\n{lines}" if lines else body


def ref_of(row: Sending) -> TicketRef | None:
    """The ticket that a row is about, where it is known."""
    if row.remote_id is None:
        return None
    return TicketRef(id=row.remote_id, key=row.remote_id)


def settled_at(row: Sending, lookup: Lookup, settle: timedelta | None = None) -> datetime | None:
    """From when on an empty look-up proves something; None where it never does. settle: a test's own."""
    if not isinstance(lookup, Strong):
        return None
    return (row.deadline_at or row.created_at) + (lookup.settle if settle is None else settle)


def may_repeat(row: Sending) -> bool:
    """Whether doing it twice is doing it once: a state or a priority, and no words with it."""
    if row.kind in ("priority", "fetch"):
        return True
    return row.kind == "transition" and not orjson.loads(row.payload)["note"]
