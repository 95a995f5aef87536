"""One change at a supplier's, and what it is news of: an echo, history and what is known already are none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import AfterValidator, BaseModel

from register.core import Event, PersonField, Said, World, evolve
from register.incident import Ball, Bond, Incident, Priority, TicketRef
from register.text import clean, one_line
from register.topics.delivery import UNFINISHED, is_quiet
from register.topics.fetching import SupplierFile
from register.topics.files import safe_name
from register.topics.further import LinkShown, is_known
from register.topics.news import SupplierSaid, SupplierUpdated
from register.topics.sendings import Delivered
from register.topics.their_priority import priority_news

# Connectors clean and clip what they read; the door does not rely on it. Nothing is too long to be kept.
_Foreign = Annotated[str, AfterValidator(clean)]
_ForeignLine = Annotated[str, AfterValidator(one_line)]


class Heard(BaseModel, frozen=True):
    """One change at a supplier, about one of our bonds. `at` is the supplier's time, UTC."""

    incident: str
    bond: str
    change_id: _ForeignLine
    at: datetime
    kind: Literal["comment", "state", "file", "priority", "link"]
    author: Annotated[_ForeignLine, PersonField("supplier")]
    by_our_account: bool = False
    body: _Foreign = ""
    public: bool = True
    raw_state: _ForeignLine = ""
    ball: Ball | None = None
    fixed: bool | None = None  # kind state: they say it is fixed; None where the word is not mapped
    closed: bool = False  # kind state: and it is closed with them
    means: str = ""  # kind state: what it means to us, as vendors.toml says
    moved: bool = False  # kind state: it goes on as another ticket
    version: str | None = None  # kind state: of the ticket, as this change left it, where it has one
    op_id: str | None = None
    size: int | None = None  # kind file, whose name is the body: bytes, where told
    place: _ForeignLine = ""  # kind file: where it lies there
    quiet: bool = False  # kinds comment and file: no word of a person, nor news by itself
    raw_priority: _ForeignLine = ""  # kind priority: the new one in their word
    priorities: tuple[Priority, ...] = ()  # kind priority: which of ours it may stand for
    ticket: TicketRef | None = None  # which of their tickets, where it is not the bond's own
    link: TicketRef | None = None  # kind link, whose how is the body: the ticket beside it

    @property
    def ticket_id(self) -> str:
        """The id of a ticket besides the bond's own, else empty."""
        return "" if self.ticket is None else self.ticket.id


class Listening:
    """What the items of one page are news of, one after the other: each after what those before it made.

    incidents: as they are before the page.
    """

    def __init__(self, world: World, incidents: dict[str, Incident], items: Iterable[Heard]) -> None:
        self._world = world
        self._incidents = incidents
        self._shadow: dict[tuple[str, str], str] = {}  # bond and ticket → the state as of the items before
        self._settled: set[str] = set()
        self._taken: set[tuple[str, str]] = set()  # by bond: a ticket may be that of two incidents
        self._stale = _overtaken(items, incidents, world)

    def news(self, item: Heard) -> list[Said]:
        bond = self._incidents[item.incident].bond(item.bond) if item.incident in self._incidents else None
        taken = bond is None or item.change_id in self._world.heard
        if bond is None or taken or (bond.id, item.change_id) in self._taken:
            return []
        self._taken.add((bond.id, item.change_id))  # a page may overlap itself
        at = min(item.at, self._world.now)
        if item.op_id is not None:
            events = self._settled_by(item, bond)
        else:
            events = _NEWS[item.kind](self, item, bond, _besides(item, bond), at)
        return [Said(item.incident, event, at) for event in events]

    def state(self, item: Heard, bond: Bond, of: TicketRef | None, at: datetime) -> list[Event]:
        if of is None and _is_own_doing(item, bond, self._world):
            return []  # the answer to our own request brings what became of it
        known = _known_state(bond, of)
        if known is None or item.change_id in self._stale:
            return []
        before = self._shadow.get((bond.id, item.ticket_id), known)
        if item.raw_state == before:
            return []
        if not item.moved:
            self._shadow[bond.id, item.ticket_id] = item.raw_state
        return [_update(item, bond, before, of)]

    def priority(self, item: Heard, bond: Bond, of: TicketRef | None, at: datetime) -> list[Event]:
        incident = self._incidents[item.incident]
        late = item.change_id in self._stale
        if late and item.by_our_account:
            return []  # it is ours, or came before it
        events = priority_news(item, incident, bond, of, self._world, UNFINISHED, overtaken=late)
        said = [Said(item.incident, event, at) for event in events]
        self._incidents.update(after(said, self._incidents, at))
        return list(events)

    def link(self, item: Heard, bond: Bond, of: TicketRef | None, at: datetime) -> list[Event]:
        """Another ticket beside theirs is proposed, once: whether it concerns us is for a person to say."""
        if item.link is None or is_known(self._incidents[item.incident], bond, item.link):
            return []
        shown = LinkShown(**_about(item, bond), ref=item.link, how=item.body)
        self._incidents.update(after([Said(item.incident, shown)], self._incidents, at))
        return [shown]

    def told(self, item: Heard, bond: Bond, of: TicketRef | None, at: datetime) -> list[Event]:
        return [_TOLD[item.kind](item, bond, of)]

    def _settled_by(self, item: Heard, bond: Bond) -> list[Event]:
        """Our own words came back: no news, but proof that they arrived."""
        row = next((row for row in self._world.sendings.values() if row.op_id == item.op_id), None)
        if row is None or row.row_id in self._settled or row.state != "ambiguous" or row.kind != "comment":
            return []
        if row.bond != bond.id:  # a ticket of two incidents: these words are the other one's
            return []
        self._settled.add(row.row_id)
        about: dict[str, Any] = {"row_id": row.row_id, "bond": bond.id, "vendor": bond.vendor}
        ids = (item.change_id,)
        return [Delivered(**about, what=row.kind, how="heard", quiet=is_quiet(row), change_ids=ids)]


def after(said: Iterable[Said], incidents: Mapping[str, Incident], now: datetime) -> dict[str, Incident]:
    """The incidents that these events are about, as they leave them."""
    found: dict[str, Incident] = {}
    for one in said:
        before = found.get(one.stream, incidents[one.stream])
        found[one.stream] = evolve(one.event, before, one.at or now) or before
    return found


def _besides(item: Heard, bond: Bond) -> TicketRef | None:
    """The ticket that it is about, where that is not the bond's own by now."""
    own = item.ticket is None or (bond.ref is not None and item.ticket.id == bond.ref.id)
    return None if own else item.ticket


def _known_state(bond: Bond, of: TicketRef | None) -> str | None:
    """The shadow of a state; None of a ticket that goes on as another, or was let go."""
    if of is None:
        return bond.raw_state
    further = bond.further_of(of.id)
    return None if further is None else further.raw_state


def _overtaken(items: Iterable[Heard], incidents: Mapping[str, Incident], world: World) -> frozenset[str]:
    """States and priorities before one that we know already, told by the feed or set by us: history."""
    stale: set[str] = set()
    tickets: dict[tuple[str, str, str], list[Heard]] = {}
    for item in items:
        if item.kind in ("state", "priority") and not item.moved:
            tickets.setdefault((item.bond, item.ticket_id, item.kind), []).append(item)
    for (bond_id, ticket, _), states in tickets.items():
        incident = incidents.get(states[0].incident)
        bond = None if incident is None else incident.bond(bond_id)
        own = None if ticket else bond
        known = [at for at, one in enumerate(states) if one.change_id in world.heard or _is_set(one, own)]
        if known:
            stale.update(one.change_id for one in states[: known[-1] + 1])
    return frozenset(stale)


def _is_set(item: Heard, bond: Bond | None) -> bool:
    """Whether it is what we set last, where its answer told nothing to know it by."""
    if bond is None or not item.by_our_account:
        return False
    if item.kind == "priority":
        return bond.wrote_priority in item.priorities
    return item.means == bond.wrote != ""


def _is_own_doing(item: Heard, bond: Bond, world: World) -> bool:
    """Whether a state is the one that a request of ours asks for, of which we do not know how it ended."""
    return item.by_our_account and any(
        row.bond == bond.id
        and row.kind == "transition"
        and row.state in UNFINISHED
        and row.tries
        and orjson.loads(row.payload)["to"] == item.means
        for row in world.sendings.values()
    )


def _about(item: Heard, bond: Bond) -> dict[str, Any]:
    return {"bond": bond.id, "vendor": bond.vendor, "change_id": item.change_id, "author": item.author}


def _comment(item: Heard, bond: Bond, of: TicketRef | None) -> SupplierSaid:
    return SupplierSaid(
        **_about(item, bond),
        body=item.body,
        public=item.public,
        perhaps_ours=item.by_our_account,
        quiet=item.quiet,
        of=of,
    )


def _update(item: Heard, bond: Bond, before: str, of: TicketRef | None) -> SupplierUpdated:
    return SupplierUpdated(
        **_about(item, bond),
        before=before,
        raw_state=item.raw_state,
        ball=item.ball,
        fixed=item.fixed,
        closed=item.closed,
        moved=item.moved,
        version=item.version,
        of=of,
    )


def _file(item: Heard, bond: Bond, of: TicketRef | None) -> SupplierFile:
    return SupplierFile(
        **_about(item, bond),
        name=safe_name(item.body),
        size=item.size,
        place=item.place,
        public=item.public,
        perhaps_ours=item.by_our_account,
        quiet=item.quiet,
        of=of,
    )


_TOLD: Final[dict[str, Callable[[Heard, Bond, TicketRef | None], Event]]] = {
    "comment": _comment,
    "file": _file,
}
_NEWS: Final[Mapping[str, Callable[[Listening, Heard, Bond, TicketRef | None, datetime], list[Event]]]] = {
    "comment": Listening.told,
    "file": Listening.told,
    "state": Listening.state,
    "priority": Listening.priority,
    "link": Listening.link,
}
