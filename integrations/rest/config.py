"""What vendors.toml says of a system that is described there alone: `connector = "rest"`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from integrations.connector import Cap, Idempotency, Lagging, Lookup, Native, NoLookup, NoNative, Strong
from integrations.mapping import Fielded, Priorities, States, wrong
from integrations.markup.formats import TextFormat
from integrations.rest.names import ALWAYS, NEEDS, OPERATIONS, TAKES
from integrations.rest.steps import Header, Step, Steps, Template
from integrations.rest.templates import compiled
from register.text import Name
from register.toml_file import near

_SENT: Final = ("create", "comment", "attach")
"""What must be there once, and whose lost answer is looked up."""


class SignIn(BaseModel, frozen=True, extra="forbid"):
    """How the credential goes with each request. It stands in the keyring alone."""

    kind: Annotated[
        Literal["basic", "bearer", "token", "header", "query", "none"],
        Field(description='"basic" (name:password), "bearer", "token", "header", "query" or "none"'),
    ] = "bearer"
    name: Annotated[str, Field(description="of the header, or of the part of the query")] = ""
    prefix: Annotated[str, Field(description='header: what stands before the credential, as "GenieKey "')] = (
        ""
    )

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.kind in ("header", "query") and not self.name:
            raise wrong("name", "is missing: how is the header, or the part of the query, called", self)
        return self


class LookUp(BaseModel, frozen=True, extra="forbid"):
    """How far an empty `find` may be believed."""

    kind: Annotated[
        Literal["strong", "lagging", "none"],
        Field(description='"strong" at once, "lagging" late, "none" never'),
    ] = "none"
    settle_seconds: Annotated[
        int,
        Field(
            strict=True, ge=1, le=3_600, description="how long they may still be at work after a lost answer"
        ),
    ] = 60
    delay_seconds: Annotated[
        int, Field(strict=True, ge=0, le=86_400, description="lagging: how late its index is")
    ] = 60


class Key(BaseModel, frozen=True, extra="forbid"):
    """A key that the supplier itself honours, so that sending twice makes one."""

    header: Annotated[Header, Field(description="the header that carries it with `create`")]
    minutes: Annotated[int, Field(strict=True, ge=1, le=100_000, description="how long they know it")]


class Webhook(BaseModel, frozen=True, extra="forbid"):
    """How the system's webhooks are proved; the secret stands in the keyring."""

    scheme: Annotated[
        Literal["hex", "base64_of_stamped", "standard", "secret"],
        Field(description='"hex" (HMAC-SHA256 of the body), "base64_of_stamped", "standard" or "secret"'),
    ]
    header: Annotated[str, AfterValidator(str.lower), Field(description="the header of the proof")] = ""
    prefix: Annotated[str, Field(description="hex: what stands before it")] = "sha256="
    stamp: Annotated[
        str, AfterValidator(str.lower), Field(description="base64_of_stamped: header of the time")
    ] = ""


def _steps_described(says: str) -> Any:
    return Field(description=f"{says}: one [[…]] for each request, in their order")


class RestConfig(Fielded):
    """The keys of a [vendor.NAME] block of a system that is described there."""

    sign_in: Annotated[SignIn, Field(description="how the credential goes along")] = SignIn()
    states: States
    priorities: Priorities = Field(default_factory=dict, description="our priority, 1 to 5 → theirs")
    state_codes: dict[Name, Name | int] = Field(
        default_factory=dict, description="their state → what stands for it in their API, where it is another"
    )
    priority_codes: dict[Name, Name | int] = Field(
        default_factory=dict, description="their priority → what stands for it in their API"
    )
    format: Annotated[
        TextFormat, Field(description="what its texts are read as: text, html, markdown, …")
    ] = TextFormat.TEXT
    internal_comments: Annotated[
        bool, Field(description="true if `comment` can write what only they see")
    ] = False
    link: Annotated[Template, Field(description="the address of a ticket for people; it sees id and key")] = (
        ""
    )
    time_format: Annotated[
        str, Field(description="how `{{ since }}` is written: strftime, or epoch or epoch_ms")
    ] = "%Y-%m-%dT%H:%M:%SZ"
    time_zone: Annotated[str, Field(description="the zone in which it is written")] = "UTC"
    read_format: Annotated[
        str, Field(description="how they write times, by strptime; empty where it is ISO 8601 or an epoch")
    ] = ""
    lookup: Annotated[LookUp, Field(description="how far an empty find may be believed")] = LookUp()
    idempotency: Annotated[Key | None, Field(description="a key of ours that they honour")] = None
    webhook: Annotated[Webhook | None, Field(description="how webhooks are proved")] = None
    overlap_seconds: Annotated[
        int,
        Field(strict=True, ge=0, le=3_600, description="how far back each poll looks, for what came late"),
    ] = 120
    headers: dict[Header, Template] = Field(
        default_factory=dict, description="further headers of every request"
    )
    me: Annotated[Steps, _steps_described("who we are there; gives account")] = ()
    create: Annotated[Steps, _steps_described("a ticket is made; gives id")]
    get: Annotated[Steps, _steps_described("a ticket is read; gives title, state, updated")]
    find: Annotated[Steps, _steps_described("tickets with our reference; the last one has rows")] = ()
    comment: Annotated[Steps, _steps_described("words go on a ticket; may give id")] = ()
    transition: Annotated[Steps, _steps_described("a ticket gets another state")] = ()
    priority: Annotated[Steps, _steps_described("a ticket gets another priority")] = ()
    attach: Annotated[Steps, _steps_described("a file goes on a ticket; may give id")] = ()
    changes: Annotated[Steps, _steps_described("tickets changed since a time; the last one has rows")] = ()
    history: Annotated[Steps, _steps_described("what happened on one ticket; each one tells something")] = ()

    @model_validator(mode="after")
    def _operations_fit(self) -> Self:
        for operation in OPERATIONS:
            steps: Steps = getattr(self, operation)
            _known_names(operation, steps)
            if steps:
                self._fits(operation, steps)
        if not self.create or not self.get:
            lacks = "get" if self.create else "create"
            raise wrong(lacks, "has no request: write [[vendor.NAME." + lacks + "]]", self)
        pairs = (("comment", "history"), ("changes", "history"), ("attach", "history"))
        for one, needed in pairs:
            if getattr(self, one) and not getattr(self, needed):
                raise wrong(one, f"needs `{needed}`: by it what was written is found again", self)
        if self.lookup.kind != "none" and not self.find:
            raise wrong("lookup", "needs `find`: say how a ticket of ours is found", self)
        if self.lookup.kind == "strong" and self.sign_in.kind != "none" and not self.me:
            raise wrong(
                "lookup", "needs `me`: finding nothing proves nothing to who may be nobody there", self
            )
        if self.lookup.kind == "none" and self.idempotency is None:
            raise wrong(
                "lookup", "is none, and there is no `idempotency`: a lost answer could never be settled", self
            )
        if self.changes and not self.me:
            raise wrong("changes", "need `me`: whose words are ours, and is silence silence", self)
        return self

    @model_validator(mode="after")
    def _private_is_said(self) -> Self:
        if (
            self.internal_comments
            and self.comment
            and not any(one.mentions("public") for one in self.comment)
        ):
            raise wrong(
                "internal_comments",
                "is true, and no template of `comment` takes public: what only they may see would be for all",
                self,
            )
        return self

    def _fits(self, operation: str, steps: Steps) -> None:
        """What an operation must give, and that only its last write is one that counts."""
        last = steps[-1]
        lacks = [name for name in NEEDS[operation] if name not in last.gives]
        if lacks:
            raise wrong(
                operation, f"gives no {', '.join(lacks)} with its last request: add it to `gives`", last
            )
        if operation in ("find", "changes") and last.rows is None:
            raise wrong(operation, "has no `rows` in its last request: JMESPath to the list", last)
        if operation == "history" and not any(step.tells for step in steps):
            raise wrong(operation, "tells nothing: write [[…history.tells]]", last)
        counting = [place for place, step in enumerate(steps) if not (step.reads or step.repeatable)]
        if operation in _SENT and len(counting) > 1:
            raise wrong(
                operation,
                "makes twice what cannot be made twice: only one request may count, and those before it say"
                " repeatable = true where nobody sees what they leave",
                steps[counting[0]],
            )
        writes = [place for place, step in enumerate(steps) if not step.reads]
        if operation in _SENT and counting and counting[0] != writes[-1]:
            raise wrong(operation, "goes on writing after the request that counts: put that one last", last)
        if operation not in (*_SENT, "transition", "priority") and writes:
            raise wrong(operation, "only reads: write method GET", last)

    @property
    def caps(self) -> Cap:
        """What can be done there: what there are requests for."""
        found = Cap.CREATE
        for told, cap in (
            (self.comment, Cap.COMMENT_PUBLIC),
            (self.comment and self.internal_comments, Cap.COMMENT_PRIVATE),
            (self.transition, Cap.SET_STATE | Cap.WITHDRAW),
            (self.priority, Cap.SET_PRIORITY),
            (self.attach, Cap.ATTACH),
            (self.changes, Cap.POLL),
            (self.webhook, Cap.WEBHOOK),
            ("version" in self.get[-1].gives and self._checks_version, Cap.ETAG),
        ):
            if told:
                found |= cap
        return found

    @property
    def _checks_version(self) -> bool:
        return any(step.mentions("version") for step in self.transition)

    @property
    def looks_up(self) -> Lookup:
        settle = timedelta(seconds=self.lookup.settle_seconds)
        if self.lookup.kind == "strong":
            return Strong(settle)
        if self.lookup.kind == "lagging":
            return Lagging(timedelta(seconds=self.lookup.delay_seconds), settle)
        return NoLookup()

    @property
    def honours(self) -> Idempotency:
        return Native(timedelta(minutes=self.idempotency.minutes)) if self.idempotency else NoNative()

    @property
    def note_goes_along(self) -> bool:
        """Whether the state takes its note with it, in one request."""
        return any(step.mentions("note") for step in self.transition)


def _known_names(operation: str, steps: Steps) -> None:
    """Every name in a template is one that is there: our own, or an earlier step's."""
    known: dict[str, frozenset[str] | None] = dict.fromkeys((*ALWAYS, *TAKES[operation]))
    for place, step in enumerate(steps):
        for where, text, path in step.templates:
            if where == ("expects",) and operation != "find":
                continue
            for name, asked in sorted(compiled(text, path=path).names):
                says = _strange(name, asked, known)
                if says:
                    at = text.find(name) + 1
                    raise _at((operation, place, *where), f"{says} (character {at} of {text!r})", step)
        if step.name is not None:
            known[step.name] = None if step.rows is not None else frozenset(step.gives)


def _strange(name: str, asked: str, known: dict[str, frozenset[str] | None]) -> str:
    if name not in known:
        return f"takes {name}, which is not there{near(name, known, '.')} There are {', '.join(known)}"
    gives = known[name]
    if gives is not None and asked and asked not in gives:
        return f"takes {asked} of {name}, which gives {', '.join(gives) or 'nothing'}"
    return ""


def _at(place: tuple[str | int, ...], says: str, given: Step) -> ValidationError:
    """A fault at one key of one step, so that its line is told."""
    fault = InitErrorDetails(
        type=PydanticCustomError("mapping", "{says}", {"says": says}), loc=place, input=given
    )
    return ValidationError.from_exception_data("mapping", [fault])
