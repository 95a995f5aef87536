"""Pages: one of us is told now, wherever they are, by what matrix.toml says that they can be reached by.

A page is a row of the outbox in a lane of its own. It is for one person, for a reason that may end, and until
a time: it is looked at once more when it is sent, and never sent late. Where it went, and where it failed, is
on record. To page for another reason, have the reason's event ask for a `SendPage`, and say in `no_more` what
ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import singledispatch
from typing import Annotated, Any, ClassVar, Final, Literal

import orjson
from pydantic import BaseModel, Field

from register.core import (
    Command,
    Decision,
    Event,
    PersonId,
    Role,
    Said,
    SendingFacts,
    World,
    decide,
    effects,
    evolve,
    refuse_unless,
)
from register.effect import Effect, Settle
from register.incident import LIVE_BONDS, CallWhy, Incident, PageState
from register.text import Text
from register.topics.calling import PAGED_WITHIN, CallDue
from register.topics.engagement import derived_id

LANE: Final = "pages"


_REASONS: Final[dict[str, type[About]]] = {}


class About(BaseModel, frozen=True):
    """Why somebody is paged; each reason is a class. What to say is looked up when it is sent."""

    reason: str

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        _REASONS[cls.model_fields["reason"].default] = cls

    def told(self) -> dict[str, Any]:
        """What a page's events keep of it: fields of `PageEvent`."""
        return {name: value for name, value in self if name in PageEvent.model_fields}


class AboutCall(About):
    """They are asked to call a supplier."""

    reason: Literal["call"] = "call"
    bond: str
    vendor: str
    why: CallWhy
    level: int = 1
    since: datetime | None = None
    clock: str = ""


@dataclass(frozen=True, slots=True)
class SendPage(Effect):
    """A new row in the lane of pages. about: an `About`, as JSON; after `expires_at` it is not sent."""

    row_id: str
    incident: str
    person: PersonId
    about: str
    expires_at: datetime


class Tried(BaseModel, frozen=True):
    """What became of a page by one channel of somebody's. why: of a failure, as a half-sentence."""

    channel: str
    ok: bool
    why: str = ""


# What the worker learns


class OfPage(Command):
    role: ClassVar[Role] = Role.ENGINE
    on_incident: ClassVar[bool] = False

    row_id: Annotated[str, Field(description="the page, as `muster outbox list` shows it")]
    tries: int  # which try this is about: word of an older one is no news
    tried: tuple[Tried, ...] = ()


class ConfirmPage(OfPage):
    """Something that they can be reached by took it: the last one of `tried`."""


class MissPage(OfPage):
    """Nothing took it so far: it is tried again at `next_at`, unless nothing will help any more."""

    why: Text = ""
    next_at: datetime | None = None


class CancelPage(OfPage):
    """There is no reason for it any more, or something holds it up (held): it is not sent."""

    why: Text
    held: bool = False


class PageEvent(Event):
    kind: ClassVar[str] = "_page"

    row_id: str
    person: PersonId
    bond: str = ""
    vendor: str = ""
    why: CallWhy | None = None  # they are asked to call
    level: int | None = None  # this and what follows: for which reason of that kind, where it is told
    since: datetime | None = None
    clock: str = ""
    run: str = ""  # of an escalation: the page is of a step of it
    place: tuple[int, int, int] | None = None  # this and what follows: of which firing
    cycle: int | None = None


class Notified(PageEvent):
    """The last one of `tried` took it. Whether it was read, nobody knows."""

    kind: ClassVar[str] = "notified"

    tried: tuple[Tried, ...]


class NotifyFailed(PageEvent):
    """Nothing took it. next_at: when it is tried again; None: not any more, and `because` tells why."""

    kind: ClassVar[str] = "notify_failed"

    tried: tuple[Tried, ...] = ()
    because: str = ""
    next_at: datetime | None = None


class PageCancelled(PageEvent):
    """It is not sent: there is no reason any more, or a person says so."""

    kind: ClassVar[str] = "page_cancelled"

    because: str
    held: bool = False


class PagedAgain(PageEvent):
    """On a person's word it is tried now. until: as a new page, for the old one is over."""

    kind: ClassVar[str] = "paged_again"

    about: str = "{}"
    until: datetime | None = None


def no_more(incident: Incident | None, about: About, person: PersonId = "") -> str:
    """Why this person need not be paged any more, as a half-sentence; empty where they are."""
    if incident is None or not incident.is_open:
        return "the incident is over"
    if incident.silence is not None:
        return f"it is silenced until {incident.silence.until:%Y-%m-%d %H:%M} UTC"
    return needless(about, incident, person)


@singledispatch
def needless(about: About, incident: Incident, person: PersonId) -> str:
    """The same of an open incident; each reason ends in its own way."""
    raise TypeError(f"nothing ends {type(about).__name__}")


@needless.register
def _(about: AboutCall, incident: Incident, person: PersonId) -> str:
    bond = incident.bond(about.bond)
    if bond is None or bond.state not in LIVE_BONDS:
        return f"{about.vendor} is not engaged any more"
    if bond.call is None:
        return f"{about.vendor} has answered, or was called"
    if not bond.call.is_for(about.why, about.level, about.since, about.clock):
        return "there is a newer reason to call them"
    return ""


def about_of(payload: str) -> About:
    """Why somebody is paged, of a row's payload; ValueError where that was emptied."""
    found = orjson.loads(payload)
    if not isinstance(found, dict) or found.get("reason", "call") not in _REASONS:
        raise ValueError("it is for no reason that is known here")
    return _REASONS[found.get("reason", "call")].model_validate(found)


def _named(row: SendingFacts) -> dict[str, Any]:
    told: dict[str, Any] = {"row_id": row.row_id, "person": row.person}
    try:
        about = about_of(row.payload)
    except ValueError:  # it is settled all the same
        return told
    return told | about.told()


def _page(command: OfPage, world: World) -> SendingFacts | None:
    """The page that a word of the worker's is about; None where it is no news."""
    row = world.sendings.get(command.row_id)
    news = row is not None and row.lane == LANE and row.state == "sending" and row.tries == command.tries
    return row if news else None


@decide.register
def _(command: ConfirmPage, incident: Any, world: World) -> Decision:
    row = _page(command, world)
    return () if row is None else (Said(row.incident, Notified(**_named(row), tried=command.tried)),)


@decide.register
def _(command: MissPage, incident: Any, world: World) -> Decision:
    row = _page(command, world)
    if row is None:
        return ()
    failed = NotifyFailed(**_named(row), tried=command.tried, because=command.why, next_at=command.next_at)
    return (Said(row.incident, failed),)


@decide.register
def _(command: CancelPage, incident: Any, world: World) -> Decision:
    row = _page(command, world)
    return (
        ()
        if row is None
        else (Said(row.incident, PageCancelled(**_named(row), because=command.why, held=command.held)),)
    )


# What a person decides at the outbox


def retried(command_id: str, row: SendingFacts, world: World) -> Decision:
    """Try a page now; one that is over becomes a new one, where its reason lasts."""
    try:
        because = no_more(world.incidents.get(row.incident), about_of(row.payload), row.person)
    except ValueError:
        because = "what it was about was taken out"
    refuse_unless(
        not because,
        f"Nobody needs that page any more: {because}. Nothing was done; `muster outbox drop` takes it away.",
    )
    until = world.now + PAGED_WITHIN if row.state == "dead" else None
    return (Said(row.incident, PagedAgain(**_named(row), about=row.payload, until=until)),)


def dropped(row: SendingFacts, reason: str) -> Decision:
    """Give a page up."""
    because = reason or "a person says that it is not needed"
    return (Said(row.incident, PageCancelled(**_named(row), because=because)),)


# Folds


def _stands(incident: Incident, event: PageEvent, page: PageState | None) -> Incident:
    """Note on the card that asks for the call how far its page has come, unless it asks for another one."""
    bond = incident.bond(event.bond)
    if bond is None or bond.call is None:
        return incident
    level = bond.call.level if event.level is None else event.level
    if not bond.call.is_for(event.why, level, event.since, event.clock):
        return incident
    return incident.with_bond(bond.but(call=bond.call.model_copy(update={"page": page})))


@evolve.register
def _(event: Notified, incident: Incident, at: datetime) -> Incident:
    return _stands(incident, event, PageState.DELIVERED)


@evolve.register
def _(event: NotifyFailed, incident: Incident, at: datetime) -> Incident:
    return _stands(incident, event, PageState.FAILED)


@evolve.register
def _(event: PageCancelled, incident: Incident, at: datetime) -> Incident:
    return _stands(incident, event, None)


@evolve.register
def _(event: PagedAgain, incident: Incident, at: datetime) -> Incident:
    return _stands(incident, event, PageState.ASKED)


# What else is written


@effects.register
def _(event: CallDue, stream: str, command_id: str) -> tuple[Effect, ...]:
    if event.page_until is None:
        return ()
    about = AboutCall(
        bond=event.bond,
        vendor=event.vendor,
        why=event.why,
        level=event.level,
        since=event.since,
        clock=event.clock,
    )
    row_id = derived_id(command_id, f"page {event.bond} {event.why} {event.clock}")
    return (SendPage(row_id, stream, event.asks, about.model_dump_json(), event.page_until),)


@effects.register
def _(event: Notified, stream: str, command_id: str) -> tuple[Effect, ...]:
    return (Settle(event.row_id, "done", f"by {event.tried[-1].channel}" if event.tried else ""),)


@effects.register
def _(event: NotifyFailed, stream: str, command_id: str) -> tuple[Effect, ...]:
    state = "dead" if event.next_at is None else "waiting"
    return (Settle(event.row_id, state, went_wrong(event.tried, event.because), event.next_at),)


@effects.register
def _(event: PageCancelled, stream: str, command_id: str) -> tuple[Effect, ...]:
    return (Settle(event.row_id, "cancelled", event.because),)


@effects.register
def _(event: PagedAgain, stream: str, command_id: str) -> tuple[Effect, ...]:
    if event.until is None:
        return (Settle(event.row_id, "queued", "a person asked not to wait"),)
    again = SendPage(command_id, stream, event.person, event.about, event.until)
    return (Settle(event.row_id, "ignored", "sent anew on a person's word"), again)


def went_wrong(tried: tuple[Tried, ...], because: str = "") -> str:
    """What went wrong, channel by channel, for a person."""
    return "; ".join(filter(None, (because, *(f"{one.channel}: {one.why}" for one in tried if not one.ok))))
