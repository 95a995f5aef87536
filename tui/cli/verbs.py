"""The register's verbs as commands: a command's fields become its arguments and options.

Nothing here knows a verb. What a person must say in words stands in the order of the fields; what is
chosen, may be left out, or is a time is an option. Required words may be given as options too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

import register.topics  # noqa: F401 - fills the registry
from register.core import VERBS, Command, NotFound
from register.desk import Receipt
from register.store import RegisterAway
from register.store.vendors import sending_facts
from register.text import clip, one_line
from register.watch import is_soon
from tui.cli import bulk, dry_run, words
from tui.cli.answer import Answer
from tui.cli.here import Here, here
from tui.cli.spool import NO_SPOOL, kept, number_meant
from tui.cli.supplier_health import waits_of
from tui.cli.telling import incident_data, line_of
from tui.cli.trouble import WrongUse
from tui.forms import Asked, Kind, asked_of

_NO_SPOOL: Final = "_no_spool"
_NO_SPOOL_OPTION: Final = inspect.Parameter(
    _NO_SPOOL, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, NO_SPOOL]
)
_DRY: Final = "_dry_run"
_DRY_OPTION: Final = inspect.Parameter(
    _DRY, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=dry_run.Wanted
)
Found = tuple[str, str, Callable[..., Answer]]
_SHORTEST_ID: Final = 4
_TOLD: Final = {"target": ("NUMBER", "the incident: INC-7, or 7"), "row_id": ("SENDING", "")}


def commands_of(verbs: Mapping[str, type[Command]] = VERBS) -> Iterator[Found]:
    """Yield group, name and function of every verb."""
    for command in verbs.values():
        yield command.group, command.word(), command_of(command)


def command_of(command: type[Command]) -> Callable[..., Answer]:
    """Return a function with the signature that the command's fields ask for."""
    fields = asked_of(command, {"row_id": None})
    in_words = _in_words(fields)

    def called(**given: Any) -> Answer:
        if command.in_bulk and _is_bulk(given):
            return bulk.carry_out(command)
        values = {name: given[name] for name in _names(command)}
        keeps = command.keeps and not given.get(_NO_SPOOL)
        dry = bool(given.get(_DRY))
        return carry_out(command, values, fields, _sorted_out(in_words, given), keeps=keeps, dry=dry)

    called.__signature__ = inspect.Signature(_parameters(command, fields))  # type: ignore[attr-defined]  # PEP 362's own
    called.__doc__ = command.help()
    called.__name__ = command.verb
    return called


def _names(command: type[Command]) -> list[str]:
    """Return the fields that name what the verb is about."""
    return [name for name in _TOLD if name in command.model_fields]


def _is_bulk(given: Mapping[str, Any]) -> bool:
    """Whether a single - is all that was said."""
    return [value for value in given.values() if value is not None] == ["-"]


def _in_words(fields: Sequence[Asked]) -> list[Asked]:
    """Return what stands in its place, a word each; where several names may, nothing else does."""
    several = any(field.several for field in fields)
    return [] if several else [field for field in fields if _is_words(field)]


def _is_words(field: Asked) -> bool:
    return field.required and field.kind in (Kind.LINE, Kind.TEXT)


def _parameters(command: type[Command], fields: Sequence[Asked]) -> list[inspect.Parameter]:
    named = [_argument(name, *_about(command, name), required=True) for name in _names(command)]
    in_words = _in_words(fields)
    said = [_argument(f"_{at}", field.name.upper(), field.help) for at, field in enumerate(in_words)]
    said += [_arguments(field) for field in fields if field.several]
    spool = [_NO_SPOOL_OPTION] if command.keeps else []
    dry = [_DRY_OPTION] if command.sends else []
    options = [_option(field, placed=field in in_words) for field in fields if not field.several]
    return [*named, *said, *options, *spool, *dry]


def _about(command: type[Command], name: str) -> tuple[str, str]:
    metavar, told = _TOLD[name]
    return metavar, told or command.model_fields[name].description or ""


def _argument(name: str, metavar: str, told: str, *, required: bool = False) -> inspect.Parameter:
    kind: Any = str if required else str | None
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if required else None,
        annotation=Annotated[kind, typer.Argument(metavar=metavar, help=told, show_default=False)],
    )


def _arguments(field: Asked) -> inspect.Parameter:
    """Return the argument that takes any number of names."""
    metavar = field.name.upper().removesuffix("S")
    argument = typer.Argument(metavar=metavar, help=field.help, show_default=False)
    return inspect.Parameter(
        field.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[list[str] | None, argument],
    )


def _option(field: Asked, *, placed: bool) -> inspect.Parameter:
    """Return an option. What was not said stays None: the command has its own default."""
    kind: Any = bool if field.kind is Kind.FLAG else list[str] if field.many else str
    if field.kind is Kind.CHOICE:
        make: Any = StrEnum  # mypy takes a call of it for a class of its own
        kind = make(field.name, {word: word for word in field.options})
    told = field.help or field.label
    if field.required:
        told += " (the same as in its place)" if placed else " (needed)"
    elif field.kind in (Kind.MOMENT, Kind.PERIOD):
        told += ": +2h, 30m, 16:30, tomorrow, 2030-05-01T16:30+02:00"
    elif field.kind is Kind.EARLIER:
        told += ": 2h (ago), 16:30 (the last one), yesterday, 2030-05-01T16:30+02:00"
    if field.default not in (None, "", False, ()):
        told += f" [otherwise {field.default}]"
    dashed = _dashed(field)
    decl = f"{dashed}/--no-{dashed[2:]}" if field.kind is Kind.FLAG and field.default else dashed
    option = typer.Option(decl, help=told, show_default=False, case_sensitive=False)
    return inspect.Parameter(
        field.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option]
    )


def _dashed(field: Asked) -> str:
    """Return what an option is called; `for_` is no word that Python leaves to others."""
    return f"--{field.name.strip('_').replace('_', '-')}"


def _sorted_out(in_words: Sequence[Asked], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return all fields by name: words in their places go to those that no option has filled."""
    values = {
        name: value for name, value in given.items() if not name.startswith("_") and value not in (None, [])
    }
    placed = [given[f"_{at}"] for at in range(len(in_words)) if given[f"_{at}"] is not None]
    open_ = [field.name for field in in_words if field.name not in values]
    if len(placed) > len(open_):
        raise WrongUse(
            f"{clip(one_line(placed[-1]), 40)!r} is one word too many: was it said as an option too? "
            "Text of several words stands in quotes."
        )
    return values | dict(zip(open_, placed, strict=False))


def carry_out(
    command: type[Command],
    about: Mapping[str, str],
    fields: Sequence[Asked],
    said: Mapping[str, Any],
    *,
    keeps: bool = False,
    dry: bool = False,
) -> Answer:
    """Do what was asked; return what came of it.

    keeps: into the spool, when the register is away. dry: show what would go to a supplier, and do nothing.
    """
    values: dict[str, Any] = {}
    if "target" in about:
        values["target"] = words.target(about["target"])
    missing = [field for field in fields if field.required and field.name not in said]
    if missing:
        _say_missing(missing, _in_words(fields))
    for field in fields:
        if field.name in said:
            values[field.name] = _read(field, said[field.name])
    asked = command.model_validate(values | ({"row_id": about["row_id"]} if "row_id" in about else {}))
    try:
        return _done(command, asked, about, values.get("target", ""), dry=dry)
    except RegisterAway as away:
        if not keeps:
            raise
        return kept(asked, away)


def _done(
    command: type[Command], asked: Command, about: Mapping[str, str], target: str, *, dry: bool
) -> Answer:
    with here() as at:
        if target:
            asked = asked.model_copy(update={"target": number_meant(at, target)})
        if "row_id" in about:
            asked = asked.model_copy(update={"row_id": _whole_id(at, about["row_id"])})
        needs_vendors = "vendor" in command.model_fields and command.model_fields["vendor"].is_required()
        desk = at.desk(with_vendors=needs_vendors)
        if dry:
            return dry_run.shown(desk.would(at.who, asked), at)
        receipt = desk.do(at.who, asked)
        wakes = None if receipt.incident is None else receipt.incident.wakes_at
        if is_soon(wakes, datetime.now(UTC)) or any(hasattr(one.event, "bond") for one in receipt.events):
            at.wake_worker()
        return _answer(at, receipt)


def _say_missing(missing: Sequence[Asked], in_words: Sequence[Asked]) -> None:
    names = [field.name.upper() if field in in_words else _dashed(field) for field in missing]
    raise WrongUse(
        f"Missing: {', '.join(names)} ({'; '.join(_hint(field) for field in missing)}). Nothing was done.",
        missing[0].name.strip("_"),
    )


def _hint(field: Asked) -> str:
    return f"{field.help}: {', '.join(field.options)}" if field.options else field.help


def _read(field: Asked, typed: Any) -> Any:
    if field.kind is Kind.MOMENT:
        return words.when(typed, datetime.now(UTC), field.name)
    if field.kind is Kind.EARLIER:
        return words.before(typed, datetime.now(UTC), field.name)
    if field.many:
        return tuple(words.text(one, field.name) for one in typed)
    if field.kind in (Kind.LINE, Kind.TEXT):
        return words.text(typed, field.name)
    if field.kind is Kind.CHOICE:
        return str(typed.value)
    return typed


def _whole_id(at: Here, typed: str) -> str:
    beginning = typed.strip().upper()
    found = sending_facts(at.store, beginning) if len(beginning) >= _SHORTEST_ID else None
    if found is None:
        raise NotFound(
            f"No sending begins with {clip(one_line(typed), 40)!r}, or several do: `muster outbox list`"
            " shows them.",
            "row_id",
        )
    return found.row_id


def _answer(at: Here, receipt: Receipt) -> Answer:
    incident = receipt.incident
    data: dict[str, Any] = {} if incident is None else incident_data(at, incident, bonds=True)
    data |= {"command_id": receipt.events[0].command_id if receipt.events else None}
    remarks = [*receipt.remarks, *waits_of(at.store, receipt)]
    data |= {"remarks": remarks}
    lines = (["Done."] if not receipt.remarks else []) if incident is None else line_of(at, incident)
    return Answer(data, [*lines, *remarks])
