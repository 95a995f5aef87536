"""A form out of a Command: what is asked, what is made of the answers, what a mistake is called."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import Any, Final, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel, ValidationError
from pydantic.fields import FieldInfo

from register.core import Earlier, Many, Several
from register.text import Text, Words
from tui.typed_time import earlier, moment

NOT_ASKED: Final = frozenset({"command_id", "target"})
_LONG: Final = (*get_args(Text)[1:], *get_args(Words)[1:])


class Kind(StrEnum):
    """What a field looks like on the screen."""

    LINE = "line"
    TEXT = "text"
    CHOICE = "choice"
    FLAG = "flag"
    MOMENT = "moment"
    PERIOD = "period"
    EARLIER = "earlier"  # a moment that lies behind


@dataclass(frozen=True, slots=True)
class Asked:
    """One field of a form. `options` are the words of a choice, as the register writes them."""

    name: str
    label: str
    help: str
    kind: Kind
    required: bool
    default: Any = None
    options: tuple[str, ...] = ()
    several: bool = False  # names that stand in their places one by one, where that can be
    many: bool = False  # texts, of which an option takes one each time it is said


def asked_of(command: type[BaseModel], only: Mapping[str, Any] | None = None) -> tuple[Asked, ...]:
    """Return the fields a person fills in; those that `only` already answers are left out."""
    return tuple(
        _asked(name, field)
        for name, field in command.model_fields.items()
        if name not in NOT_ASKED and name not in (only or {})
    )


def _asked(name: str, field: FieldInfo) -> Asked:
    kind, options = _kind(field)
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    if isinstance(default, Enum):
        default = str(default.value)
    return Asked(
        name=name,
        label=(field.title or name.strip("_").replace("_", " ")).capitalize(),
        help=field.description or "",
        kind=kind,
        required=field.is_required(),
        default=default,
        options=options,
        several=any(isinstance(part, Several) for part in field.metadata),
        many=any(isinstance(part, Many) for part in field.metadata),
    )


def _kind(field: FieldInfo) -> tuple[Kind, tuple[str, ...]]:
    kind = _bare(field.annotation)
    if any(isinstance(part, Earlier) for part in field.metadata):
        return Kind.EARLIER, ()
    if kind is AwareDatetime:
        return Kind.MOMENT, ()
    if isinstance(kind, type):
        if issubclass(kind, Enum):
            return Kind.CHOICE, tuple(str(member.value) for member in kind)
        for of, told in ((bool, Kind.FLAG), (datetime, Kind.MOMENT), (timedelta, Kind.PERIOD)):
            if issubclass(kind, of):
                return told, ()
    return (Kind.TEXT if any(part in _LONG for part in _metadata(field)) else Kind.LINE), ()


def _bare(annotation: Any) -> Any:
    """Return the type inside `… | None` and Annotated."""
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [arg for arg in get_args(annotation) if arg is not type(None)]
        return _bare(inner[0]) if len(inner) == 1 else annotation
    if hasattr(annotation, "__metadata__"):
        return _bare(get_args(annotation)[0])
    return annotation


def _metadata(field: FieldInfo) -> list[Any]:
    found = list(field.metadata)
    pending = [field.annotation]
    while pending:
        part = pending.pop()
        found.extend(getattr(part, "__metadata__", ()))
        pending.extend(get_args(part))
    return found


# From what was typed to values

_PERIOD: Final = re.compile(r"(?:(\d+)\s*d)?\s*(?:(\d+)\s*h)?\s*(?:(\d+)\s*m?)?", re.ASCII)


def period(text: str) -> timedelta | None:
    """Return `2d`, `1h30`, `45m` or plain minutes as a length of time; None when it is none of them."""
    found = _PERIOD.fullmatch(text.strip())
    if not text.strip() or found is None:
        return None
    try:
        days, hours, minutes = (int(part or 0) for part in found.groups())
        return timedelta(days=days, hours=hours, minutes=minutes)
    except (ValueError, OverflowError):  # more digits than a number or a length of time can have
        return None


_READ: Final[Mapping[Kind, Callable[[str, datetime], datetime | timedelta | None]]] = {
    Kind.MOMENT: moment,
    Kind.EARLIER: earlier,
    Kind.PERIOD: lambda text, now: period(text),
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """A field and the sentence that belongs under it; field "" is the form as a whole."""

    field: str
    why: str


def build(
    command: type[BaseModel], given: Mapping[str, Any], answers: Mapping[str, Any], now: datetime
) -> BaseModel | tuple[Mistake, ...]:
    """Return the command that was filled in, or what is wrong with it, field by field."""
    values: dict[str, Any] = dict(given)
    mistakes: list[Mistake] = []
    fields = asked_of(command, given)
    for field in fields:
        answer = answers.get(field.name)
        if answer is None or (answer == "" and not field.required):
            continue
        if field.kind in _READ:
            read = _READ[field.kind](answer, now)
            if read is None:
                mistakes.append(Mistake(field.name, f"{field.label} is not a time: {_example(field.kind)}"))
                continue
            answer = read
        values[field.name] = answer
    if mistakes:
        return tuple(mistakes)
    try:
        return command.model_validate(values)
    except ValidationError as error:
        return _mistakes(error, fields)


AS_TIMES: Final[Mapping[Kind, str]] = {
    Kind.MOMENT: "+2h, 16:30, tomorrow",
    Kind.EARLIER: "2h (ago), 16:30, yesterday",
    Kind.PERIOD: "45m, 1h30, 2d",
}
"""How a time may be written, in short."""


def _example(kind: Kind) -> str:
    if kind is Kind.PERIOD:
        return "write 45m, 1h30 or 2d."
    if kind is Kind.EARLIER:
        return "write 2h for two hours ago, 16:30, yesterday or 2030-05-01 16:30."
    return "write +2h, 16:30, tomorrow or 2030-05-01 16:30."


_SAID: Final[Mapping[str, str]] = {
    "missing": "is needed",
    "enum": "is needed: choose one",
    "string_type": "is needed",
    "timezone_aware": "needs a zone",
}


def _mistakes(error: ValidationError, fields: tuple[Asked, ...]) -> tuple[Mistake, ...]:
    labels = {field.name: field.label for field in fields}
    told = []
    for found in error.errors(include_url=False, include_input=False):
        name = str(found["loc"][0]) if found["loc"] else ""
        context = found.get("ctx", {})
        if found["type"] == "value_error":
            said = str(context.get("error", found["msg"]))
        elif found["type"] == "string_too_short":
            least = context.get("min_length", 1)
            said = "is needed" if least == 1 else f"is too short: {least} characters at least"
        elif found["type"] == "string_too_long":
            said = f"is too long: {context.get('max_length')} characters at most"
        else:
            said = _SAID.get(found["type"], f"is not accepted: {found['msg'][:1].lower()}{found['msg'][1:]}")
        sentence = f"{labels.get(name, '')} {said}".strip()
        told.append(Mistake(name if name in labels else "", sentence[:1].upper() + sentence[1:] + "."))
    return tuple(told)
