"""How the practice supplier misbehaves, on purpose, the way real ones have been seen to.

A mood says which operations it strikes (`on`), how many times (`times`, None: until another is set) and
what comes of one. Moods are settable from any thread; several may wait, the first that fits is taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Lock
from typing import Any, ClassVar, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from starlette.responses import HTMLResponse, JSONResponse, Response

from integrations.practice.call import App, Call, Late, Receive, Scope, Send
from integrations.practice.feeds import (
    ClockSkew,
    DelayedIndex,
    Duplicated,
    ExpiredToken,
    Reordered,
    Replayed,
)
from integrations.practice.mood import CONFIG, Mood, On, operation_of
from integrations.practice.odd_answers import Drip, HugeAnswer, Redirect, WrongCharset
from integrations.practice.people import AnswersFirst, Meanwhile, MergedAway, TypedAsUs

__all__ = [
    "MOODS",
    "AnswerHtml",
    "AnswersFirst",
    "Calm",
    "ClockSkew",
    "CommitThenDrop",
    "DelayedIndex",
    "Drip",
    "DropBeforeCommit",
    "Duplicated",
    "ExpiredToken",
    "Hang",
    "HugeAnswer",
    "LateCommit",
    "Meanwhile",
    "MergedAway",
    "Misbehaving",
    "Mood",
    "Moods",
    "RateLimit",
    "Redirect",
    "Refuse500",
    "Reordered",
    "Replayed",
    "Slow",
    "TruncatedJson",
    "TypedAsUs",
    "WrongCharset",
    "operation_of",
    "retry_after_header",
]

Form = Literal["seconds", "date", "iso", "none"]
_PAGE: Final = "<!doctype html><title>Practice Desk</title><h1>We will be back soon</h1>"


@dataclass(frozen=True, config=CONFIG)
class Calm(Mood):
    """Everything works."""

    name: ClassVar[str] = "calm"


@dataclass(frozen=True, config=CONFIG)
class CommitThenDrop(Mood):
    """Does what was asked, then the line is cut before the answer."""

    name: ClassVar[str] = "commit_then_drop"
    times: int | None = 1
    on: On = "writes"

    async def do(self, call: Call) -> None:
        await call.commit()
        await call.cut()


@dataclass(frozen=True, config=CONFIG)
class DropBeforeCommit(Mood):
    """The line is cut before anything is done."""

    name: ClassVar[str] = "drop_before_commit"
    times: int | None = 1
    on: On = "writes"

    async def do(self, call: Call) -> None:
        await call.cut()


@dataclass(frozen=True, config=CONFIG)
class LateCommit(Mood):
    """The line is cut at once; what was asked is done `seconds` later."""

    name: ClassVar[str] = "late_commit"
    seconds: float = 1.0
    times: int | None = Field(default=1, kw_only=True)
    on: On = Field(default="writes", kw_only=True)

    async def do(self, call: Call) -> None:
        call.commit_later(self.seconds)
        await call.cut()


@dataclass(frozen=True, config=CONFIG)
class Refuse500(Mood):
    """Answers a server error, having done what was asked (`commits`) or not."""

    name: ClassVar[str] = "refuse_500"
    status: int = 500
    commits: bool = False

    async def do(self, call: Call) -> None:
        if self.commits:
            await call.commit()
        await call.reply(JSONResponse({"errors": {"server": "something broke"}}, self.status))


@dataclass(frozen=True, config=CONFIG)
class AnswerHtml(Mood):
    """Answers 200 with a page for people, as a proxy or a login wall does."""

    name: ClassVar[str] = "answer_html"
    commits: bool = False
    status: int = 200

    async def do(self, call: Call) -> None:
        if self.commits:
            await call.commit()
        await call.reply(HTMLResponse(_PAGE, self.status))


@dataclass(frozen=True, config=CONFIG)
class RateLimit(Mood):
    """Answers 429; Retry-After in `seconds`, as an HTTP date, as ISO 8601, or not at all."""

    name: ClassVar[str] = "rate_limit"
    retry_after: float = 30.0
    form: Form = "seconds"

    async def do(self, call: Call) -> None:
        header = retry_after_header(timedelta(seconds=self.retry_after), self.form, datetime.now(UTC))
        await call.reply(JSONResponse({"errors": {"rate": "too many requests"}}, 429, header))


@dataclass(frozen=True, config=CONFIG)
class Hang(Mood):
    """Never answers; `commits` says whether it did what was asked."""

    name: ClassVar[str] = "hang"
    commits: bool = False

    async def do(self, call: Call) -> None:
        if self.commits:
            await call.commit()
        await call.until_gone()


@dataclass(frozen=True, config=CONFIG)
class Slow(Mood):
    """Answers rightly, `seconds` late, and does what was asked only then."""

    name: ClassVar[str] = "slow"
    seconds: float = 1.0

    async def do(self, call: Call) -> None:
        await asyncio.sleep(self.seconds)
        await call.answer()


@dataclass(frozen=True, config=CONFIG)
class TruncatedJson(Mood):
    """Does what was asked; of the answer only the first half comes, as a whole, well-formed response."""

    name: ClassVar[str] = "truncated_json"

    async def do(self, call: Call) -> None:
        status, body = await call.commit()
        await call.reply(Response(body[: len(body) // 2], status, media_type="application/json"))


MOODS: Final[Mapping[str, type[Mood]]] = {
    mood.name: mood
    for mood in (
        Calm,
        CommitThenDrop,
        DropBeforeCommit,
        LateCommit,
        Refuse500,
        AnswerHtml,
        RateLimit,
        Hang,
        Slow,
        TruncatedJson,
        WrongCharset,
        HugeAnswer,
        Drip,
        Redirect,
        DelayedIndex,
        ExpiredToken,
        ClockSkew,
        Duplicated,
        Reordered,
        Replayed,
        AnswersFirst,
        TypedAsUs,
        MergedAway,
        Meanwhile,
    )
}


def retry_after_header(wait: timedelta, form: Form, now: datetime) -> dict[str, str]:
    """The header in one of the forms seen in the field; none for "none"."""
    then = now + wait
    forms = {
        "seconds": str(int(wait.total_seconds())),
        "date": format_datetime(then, usegmt=True),
        "iso": then.isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    return {"Retry-After": forms[form]} if form in forms else {}


class Moods:
    """The moods that wait to strike."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: list[tuple[Mood, int | None]] = []

    def set(self, *moods: Mood) -> None:
        """Put these in the place of whatever was set; with none, or Calm, everything works."""
        with self._lock:
            self._waiting = [(mood, mood.times) for mood in moods if not isinstance(mood, Calm)]

    def set_from(self, asked: object) -> None:
        """Like `set`, from JSON: one `{"mood": NAME, …its fields}` or a list of them. ValueError with why."""
        self.set(*[_mood_from(one) for one in (asked if isinstance(asked, list) else [asked])])

    def current(self) -> Mood:
        """The mood that comes first."""
        with self._lock:
            return self._waiting[0][0] if self._waiting else Calm()

    def describe(self) -> list[dict[str, Any]]:
        """What waits, with the times that are left."""
        with self._lock:
            return [{"mood": mood.name, **asdict(mood), "times": left} for mood, left in self._waiting]

    def take(self, operation: str) -> Mood:
        """The mood for one request, counted as used."""
        with self._lock:
            for place, (mood, left) in enumerate(self._waiting):
                if operation and mood.fits(operation):
                    if left is not None:
                        self._waiting[place : place + 1] = [(mood, left - 1)] if left > 1 else []
                    return mood
        return Calm()


def _mood_from(asked: object) -> Mood:
    if not isinstance(asked, Mapping) or asked.get("mood") not in MOODS:
        raise ValueError(f'say {{"mood": NAME}} with one of {", ".join(MOODS)}')
    fields = {key: value for key, value in asked.items() if key != "mood"}
    try:
        mood: Mood = TypeAdapter(MOODS[asked["mood"]]).validate_python(fields)
    except ValidationError as error:
        what = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False)
        )
        raise ValueError(what) from None
    return mood


class Misbehaving:
    """The supplier behind its moods (ASGI)."""

    def __init__(self, app: App, moods: Moods) -> None:
        self._app = app
        self._moods = moods
        self._late = Late()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        mood = (
            self._moods.take(operation_of(scope["method"], scope["path"]))
            if scope["type"] == "http"
            else None
        )
        if mood is None or isinstance(mood, Calm):
            await self._app(scope, receive, send)
            return
        call = Call(self._app, scope, receive, send, self._late)
        await call.read()
        await mood.do(call)
