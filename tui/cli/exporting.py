"""Taking incidents out as a file: `muster export`."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Annotated, Final, Literal

import typer
from sqlalchemy import Connection, select

from register.backup import part_of
from register.core import NotFound, Refused, Role
from register.filter.meaning import wants_texts
from register.plain import one_line
from register.store import tables as t
from register.store.filtering import seen_numbers
from register.store.folding import timelines_of
from register.store.reading import incident_of
from register.store.sight import sight_of
from register.topics.exporting import RecordExport
from tui.cli.answer import Answer
from tui.cli.export_forms import FORMS
from tui.cli.filters import meaning_of, take_in
from tui.cli.here import Here, here
from tui.cli.progress import bar
from tui.cli.trouble import WrongUse
from tui.streams import forget

_AT_ONCE: Final = 100
"""Incidents that are in memory together."""


class Format(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"
    MD = "md"


def export(
    as_json: bool,
    filter_: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILTER", help="which ones, as `muster list` takes it", show_default=False),
    ] = None,
    format_: Annotated[
        Format, typer.Option("--format", help="JSON Lines with timelines, CSV, or a report in Markdown")
    ] = Format.JSONL,
    to: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="where to; without it to standard output", show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="those that are over, too")] = False,
    force: Annotated[bool, typer.Option("--force", help="take the place of a file that is there")] = False,
) -> Answer:
    """Take incidents out as a file: those that you may see; that you did is put on record."""
    if as_json and to is None:
        raise WrongUse("--json tells of a file that was written: name it with --to. Nothing was done.", "to")
    path = None if to is None else to.expanduser().absolute()
    asked = one_line(" ".join(filter_ or ()))
    with here() as at:
        _refuse_before(at, path, force)
        if path is None:
            with TemporaryFile() as part:
                try:
                    count = _written(at, part, format_.value, asked, everything)
                except OSError as error:
                    raise WrongUse(_unwritable("A temporary file", error), "to") from error
                part.seek(0)
                _copied(part)
            return Answer(None, silent=True)
        try:
            with part_of(path) as name:
                with name.open("wb") as part:
                    count = _written(at, part, format_.value, asked, everything)
                _put(name, path, force=force)
        except OSError as error:
            raise WrongUse(_unwritable(str(path), error), "to") from error
    return Answer(
        {"file": str(path), "format": format_.value, "incidents": count, "filter": asked},
        [
            f"{path} is written, readable by you alone. Incidents: {count:,}. This is on record.",
            "Restricted incidents that you may not see are not in it."
            if at.who.role < Role.ADMIN
            else "Restricted incidents are in it, too: keep it as you keep the register.",
        ],
    )


def _refuse_before(at: Here, path: Path | None, force: bool) -> None:
    """Say no before anything is read."""
    if at.who.role < Role.RESPONDER:
        raise Refused(
            f"This takes the role {Role.RESPONDER.word}; you are {at.who.role.word}. Nothing was done."
        )
    if path is None:
        return
    if path.is_dir():
        raise Refused(f"{path} is a folder. Nothing was written: name a file in it.", "to")
    if not path.parent.is_dir():
        raise NotFound(f"There is no folder {path.parent}. Nothing was written: make it first.", "to")
    if at.store.path is not None and path.exists() and path.samefile(at.store.path):
        raise Refused(f"{path} is the register itself. Nothing was written: name another file.", "to")
    if not force and (path.exists() or path.is_symlink()):
        raise _is_there(path)


def _unwritable(what: str, error: OSError) -> str:
    return f"{what} cannot be written ({error.strerror}). Nothing was exported: say another place with --to."


def _is_there(path: Path) -> Refused:
    return Refused(
        f"{path} is there already. Nothing was written: name another file, or say --force.", "force"
    )


def _put(name: Path, path: Path, *, force: bool) -> None:
    """Give a file that is whole its name; without force, only where nothing has it."""
    if force:
        os.replace(name, path)
        return
    try:
        os.link(name, path)
    except FileExistsError as error:
        raise _is_there(path) from error
    except OSError:  # a file system without hard links
        if os.path.lexists(path):
            raise
        os.replace(name, path)


def _written(
    at: Here, part: IO[bytes], format_: Literal["jsonl", "csv", "md"], asked: str, everything: bool
) -> int:
    """Write all of it, then put it on record: nothing is handed over of which the register does not know."""
    now = datetime.now(UTC)
    meaning = meaning_of(at, [asked] if asked else [], now)
    if wants_texts(meaning):
        take_in(at.store)
    with bar("Exporting") as progress, at.store.read() as connection:
        numbers = seen_numbers(connection, meaning, sight_of(connection, at.who), everything=everything)
        part.write(FORMS[format_].heading(at, now, len(numbers), asked).encode())
        for first in range(0, len(numbers), _AT_ONCE):
            some = numbers[first : first + _AT_ONCE]
            _write_some(at, connection, part, format_, some)
            progress(first + len(some), len(numbers))
    part.flush()
    os.fsync(part.fileno())
    at.plain_desk().do(at.who, RecordExport(format=format_, count=len(numbers), filter=asked))
    return len(numbers)


def _write_some(at: Here, connection: Connection, part: IO[bytes], format_: str, numbers: list[int]) -> None:
    body = FORMS[format_].body
    rows = connection.execute(select(t.incident.c.n, t.incident.c.doc).where(t.incident.c.n.in_(numbers)))
    found = {n: incident_of(doc, n) for n, doc in rows.all()}
    timelines = timelines_of(connection, [one.number for one in found.values()])
    for n in numbers:
        one = found[n]
        part.write(body(at, one, timelines.get(one.number, [])).encode())


def _copied(part: IO[bytes]) -> None:
    try:
        sys.stdout.flush()
        shutil.copyfileobj(part, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise  # whoever reads has enough
    except OSError as error:
        forget()
        raise WrongUse(
            f"Standard output took only a part of it ({error.strerror}). It is on record all the same:"
            " say another place with --to.",
            "to",
        ) from error
