"""One supplier, as a block of vendors.toml describes it: the typed value and its rules."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Protocol
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, Field, InstanceOf, StringConstraints

from integrations.addresses import web_address
from integrations.connector import Connector, Hooks, Info
from integrations.oauth.config import OAuth2
from integrations.systems import SYSTEMS
from register.adoption import BY_HAND
from register.contact import Contact, whom
from register.leaving import MOST_BYTES, USUAL, May, Receives, fault_in
from register.length import Period
from register.merging import OWNERS, Owner, Shared
from register.text import Name, Slug, Words, one_line
from register.topics.files import MAX_BYTES
from register.translation import NO_TABLES, Translation

if TYPE_CHECKING:
    from integrations.http import Http
    from integrations.signer import Signer


def _pattern(text: str) -> str:
    fault = fault_in(text)
    if fault is not None:
        raise ValueError(fault)
    return text


WARNED_BEFORE: Final = 14
"""Days before a credential ends from which on it is told: time enough to ask a supplier for another one."""


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise ValueError("is no day: write it like 2027-01-31") from None


def _zone(name: str) -> str:
    if name and name not in available_timezones():
        close = difflib.get_close_matches(name, available_timezones(), n=1)
        raise ValueError(f"is no time zone: did you mean {close[0]}?" if close else "is no time zone")
    return name


_Seconds = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Block(BaseModel, extra="forbid", frozen=True):
    """The keys that every [vendor.NAME] has, whatever its system."""

    connector: Annotated[str, Field(description="the kind of its ticketing system")]
    title: Annotated[Name, Field(description="what people call it")]
    url: Annotated[
        str, AfterValidator(web_address), Field(description="where its system answers, or its portal")
    ] = ""
    environment: Annotated[
        Literal["production", "test"],
        Field(description='"production", where people act on what arrives, or "test"'),
    ]
    phone: Annotated[
        str,
        AfterValidator(one_line),
        StringConstraints(max_length=80),
        Field(description="whom to call when nothing else helps"),
    ] = ""
    contacts: Annotated[
        tuple[Contact, ...], Field(description="its own escalation: whom to call at which level")
    ] = ()
    p1: Annotated[
        Literal["ticket", "ticket+call"],
        Field(description='"ticket+call" where it wants to be called as well when it is a P1'),
    ] = "ticket"
    auth: Annotated[
        Literal["keyring", "oauth2", "none"],
        Field(
            description='where its credential is: "keyring"; "oauth2" where tokens are given out for it; or'
            ' "none" on this machine alone'
        ),
    ] = "keyring"
    oauth2: Annotated[
        OAuth2 | None, Field(description='how tokens are got, with auth = "oauth2": a table of its own')
    ] = None
    expires: Annotated[
        str,
        AfterValidator(_day),
        Field(description="on which day its credential ends, as 2027-01-31; it is warned of before"),
    ] = ""
    services: Annotated[tuple[Name, ...], Field(description="the services of ours that it looks after")] = ()
    poll_seconds: Annotated[
        _Seconds,
        Field(ge=1, le=3_600, description="how often it is asked for news while something goes on there"),
    ] = 15.0
    requests_a_minute: Annotated[
        int | None,
        Field(strict=True, ge=1, le=10_000, description="how many requests it may get from us in a minute"),
    ] = None
    deadline_seconds: Annotated[
        _Seconds, Field(ge=1, le=300, description="how long one request may take in all")
    ] = 30.0
    max_in_flight: Annotated[
        int, Field(strict=True, ge=1, le=16, description="how many requests it may get at once")
    ] = 1
    closes_after: Annotated[
        Period | None,
        Field(description="how long a ticket may wait for us before they close it, as 5d"),
    ] = None
    on_resolved: Annotated[
        Literal["propose", "resume", "resolve"],
        Field(
            description='what its "fixed" does: "propose" waits for a person, "resume" accepts it and goes on'
            ' with ours, "resolve" accepts it and resolves ours'
        ),
    ] = "propose"
    owner: Annotated[
        dict[Shared, Owner],
        Field(
            description='whose word holds where both changed a field of a ticket: "ours", "theirs", or'
            ' "conflict" to ask a person; usual: state = "theirs", priority = "ours"'
        ),
    ] = {}
    zone: Annotated[
        str,
        AfterValidator(_zone),
        Field(description="time zone of its own times, as Europe/Oslo, where they name none"),
    ] = ""
    may_receive: Annotated[
        tuple[May, ...],
        Field(
            description="what it may receive besides the words that are written for it: title, timeline,"
            " files, forwards, mails, phones, hashes, restricted"
        ),
    ] = tuple(kind for kind in May if kind in USUAL)
    redact: Annotated[
        tuple[Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_pattern)], ...],
        Field(max_length=50, description="regular expressions of what is taken out of every text for it"),
    ] = ()
    max_attachment: Annotated[
        int, Field(strict=True, ge=0, le=MAX_BYTES, description="bytes that a file for it may have")
    ] = MOST_BYTES
    upload: Annotated[
        str,
        AfterValidator(one_line),
        StringConstraints(max_length=200),
        Field(description="where files go that are larger: an address, or whom to ask"),
    ] = ""
    entitlement: Annotated[
        dict[Name, dict[Name, Name]],
        Field(description="by service of ours, * for all: what a ticket says besides, as contract or asset"),
    ] = {}
    entitlement_required: Annotated[
        tuple[Name, ...], Field(description="which of these must be there before it is engaged")
    ] = ()
    entitlement_secret: Annotated[
        tuple[Slug, ...],
        Field(description="what it asks for besides that is secret, as support_pin: kept in the keyring"),
    ] = ()


class ByHand(BaseModel, extra="forbid", frozen=True):
    """What a supplier has besides, where a person speaks to it: `connector = "manual"`."""

    how: Annotated[
        Words | None, Field(description="what to know before: which menu, which customer number")
    ] = None


class Vendor(Block, frozen=True):
    """One supplier, as vendors.toml describes it. `config` is of its connector's own model."""

    name: Slug
    config: InstanceOf[BaseModel]

    @property
    def production(self) -> bool:
        """Whether people at the supplier act on what we send."""
        return self.environment == "production"

    @property
    def by_hand(self) -> bool:
        """Whether no system of theirs is spoken to: a person hands over what is prepared."""
        return self.connector == BY_HAND

    @property
    def receives(self) -> Receives:
        """What it may receive."""
        return Receives(
            frozenset(self.may_receive),
            self.redact,
            self.max_attachment,
            self.upload,
            self.entitlement,
            self.entitlement_required,
            self.entitlement_secret,
        )

    @property
    def owners(self) -> Mapping[Shared, Owner]:
        """Whose word holds where both changed a field of a ticket."""
        return {**OWNERS, **self.owner}

    @property
    def translation(self) -> Translation:
        """Its tables, by which our words become theirs."""
        found: Translation = getattr(self.config, "translation", NO_TABLES)
        return found

    @property
    def fields(self) -> Mapping[str, str]:
        """What of an entitlement has a field of its own in their system: our name → theirs."""
        found: Mapping[str, str] = getattr(self.config, "fields", {})
        return found

    @property
    def info(self) -> Info:
        """What its system is like; KeyError where there is none to speak to."""
        return info_of(system(self.connector), self.config)

    @property
    def system_title(self) -> str:
        """By what it is spoken to, for a person."""
        if self.by_hand:
            return "portal, by hand" if self.url else "by phone"
        return self.info.title

    @property
    def asks(self) -> tuple[str, ...]:
        """What `muster vendors login` asks for."""
        return self.oauth2.asks if self.oauth2 is not None else ("credential",)

    @property
    def needs_secret(self) -> bool:
        """Whether nothing can be sent there without a credential of ours."""
        return self.auth != "none" and not self.by_hand

    def ending(self, today: date, stored: str = "") -> str:
        """That its credential ends within a fortnight, or has ended, in words; else empty.

        stored: the day by whoever stored it; that in vendors.toml counts where there is none.
        """
        ends = stored or self.expires
        if not ends:
            return ""
        left = (date.fromisoformat(ends) - today).days
        if left > WARNED_BEFORE:
            return ""
        if left < 0:
            return f"its credential ended on {ends}"
        when = "today" if left == 0 else f"in {left} day{'s' * (left > 1)}"
        return f"its credential ends on {ends}, {when}"

    @property
    def to_call(self) -> tuple[Contact, ...]:
        """Whom to call there, by level."""
        return whom(self.title, self.phone, self.contacts)


class Wired(Connector, Protocol):
    """A connector with the client that it speaks through; when done, `await connector.http.aclose()`."""

    http: Http


class System(Protocol):
    """What the class of a kind of system has besides the contract's methods: see `integrations.systems`."""

    info: Info

    def __call__(self, http: Http, config: Any) -> Wired: ...

    def headers(self, config: Any, secret: str) -> Mapping[str, str]: ...

    def signer(self, config: Any, secret: str) -> Signer | None:
        """What signs each request; only of those whose secret is in no header, so that `headers` is empty."""
        ...

    def base(self, config: Any) -> str:
        """What the client is made for; only of those that are spoken to by other means than HTTP."""
        ...

    def hooks(self, config: Any, secrets: Sequence[str]) -> Hooks:
        """What proves its webhooks; only of those that have Cap.WEBHOOK. secrets: that count now."""
        ...


def system(kind: str) -> System:
    """The class of a kind of ticketing system, imported now; KeyError when there is none of that name.

    PluginBroken where a connector of others is called so, and cannot be used.
    """
    if kind not in SYSTEMS:
        from integrations.plugged import plugged

        return plugged(kind)
    module, _, name = SYSTEMS[kind].partition(":")
    found: System = getattr(importlib.import_module(module), name)
    return found


def signer_of(kind: System, config: Any, secret: str) -> Signer | None:
    """What signs each request there; None where the credential itself goes with it."""
    made: Callable[[Any, str], Signer | None] | None = getattr(kind, "signer", None)
    return None if made is None else made(config, secret)


def info_of(kind: System, config: Any) -> Info:
    """What a supplier's system is like: as its kind is, or as its own block says, where that says it."""
    informed: Callable[[Any], Info] | None = getattr(kind, "informed", None)
    return kind.info if informed is None else informed(config)
