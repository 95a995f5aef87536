"""`muster import`: incidents out of a file into the register. Good lines go in, others are told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Annotated, Final
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError

from register.core import NotFound, Refused
from register.taking_in import FIELDS, Line, NotOurs, csv_rows, json_lines
from register.text import one_line
from register.topics.importing import ImportIncident
from tui.cli.answer import Answer
from tui.cli.here import Here, here
from tui.cli.progress import bar
from tui.cli.trouble import FOUND_FAULTS, WrongUse, in_words

_AT_ONCE: Final = 200
"""Incidents of one transaction."""
_TOLD: Final = 20
"""Faulty lines that are told in full."""
Asked = tuple[int, ImportIncident]


@dataclass(slots=True)
class _Tally:
    added: int = 0
    known: int = 0
    faults: list[dict[str, object]] = field(default_factory=list)

    def fault(self, line: int, why: str) -> None:
        self.faults.append({"line": line, "why": one_line(why)})


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON Lines of `muster export`, or CSV")],
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=FIELD", help="which field a CSV column is", show_default=False),
    ] = None,
    source: Annotated[
        str,
        typer.Option(metavar="NAME", help="what a CSV file's system is called (otherwise the file's name)"),
    ] = "",
    zone: Annotated[str, typer.Option(metavar="ZONE", help="of CSV times that name none")] = "UTC",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would come of it")] = False,
) -> Answer:
    """Take incidents in from a file: the same file twice adds nothing."""
    columns = _columns(map_ or ())
    try:
        read_in = ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise WrongUse(f"--zone {zone!r} is no time zone: write one like Europe/Oslo.", "zone") from None
    tally = _Tally()
    try:
        with file.open("rb") as opened, here() as at, bar("Importing") as progress:
            of, lines = _read(opened, file, source, columns, read_in)
            _refuse_own(of, at)
            size = max(1, file.stat().st_size)
            for some in _batches(_asked(of, lines, tally)):
                _do(at, some, tally, dry_run=dry_run)
                with suppress(OSError, ValueError):
                    progress(opened.tell(), size)
    except FileNotFoundError:
        raise NotFound(f"There is no file {file}. Nothing was done: name another.", "file") from None
    except OSError as error:
        raise WrongUse(f"{file} cannot be read ({error.strerror}). Nothing was done.", "file") from error
    except NotOurs as error:
        raise WrongUse(f"{file}: {error} Nothing was done.", "file") from error
    return _answer(tally, dry_run=dry_run)


def _refuse_own(source: str, at: Here) -> None:
    if source == at.store.register_id:
        raise NotOurs("It was exported from this very register: all of it is here.")


def _columns(mapped: Sequence[str]) -> dict[str, str]:
    found = {}
    for one in mapped:
        column, equals, name = one.rpartition("=")
        if not equals or name not in FIELDS:
            raise WrongUse(
                f"--map {one!r}: write COLUMN=FIELD. Fields: {', '.join(FIELDS)}. Nothing was done.", "map"
            )
        found[column] = name
    return found


def _read(
    opened: IO[bytes], file: Path, source: str, columns: dict[str, str], zone: ZoneInfo
) -> tuple[str, Iterator[Line]]:
    if file.suffix.casefold() == ".csv" or columns:
        return source or file.stem, csv_rows(opened, columns, zone)
    return json_lines(opened)


def _asked(source: str, lines: Iterator[Line], tally: _Tally) -> Iterator[Asked]:
    for line in lines:
        if line.fields is None:
            tally.fault(line.at, line.fault)
            continue
        try:
            yield line.at, ImportIncident.model_validate({**line.fields, "source": source})
        except ValidationError as error:
            tally.fault(line.at, in_words(error))


def _batches(asked: Iterator[Asked]) -> Iterator[list[Asked]]:
    some: list[Asked] = []
    for one in asked:
        some.append(one)
        if len(some) == _AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def _do(at: Here, some: Sequence[Asked], tally: _Tally, *, dry_run: bool) -> None:
    """All of a batch in one transaction; where one is refused, each by itself, so that the others go in."""
    if dry_run:
        known = at.store.known_commands([command.command_id for _, command in some])
        tally.known += len(known)
        tally.added += len(some) - len(known)
        return
    desk = at.desk()
    try:
        receipts = desk.do_all([(at.who, command) for _, command in some])
    except Refused:
        if at.who.role < ImportIncident.role:
            raise
        receipts = []
        for line, command in some:
            try:
                receipts.append(desk.do(at.who, command))
            except Refused as refused:
                tally.fault(line, refused.sentence)
    tally.known += sum(receipt.replayed for receipt in receipts)
    tally.added += sum(not receipt.replayed for receipt in receipts)


def _answer(tally: _Tally, *, dry_run: bool) -> Answer:
    data = {"added": tally.added, "known": tally.known, "faults": tally.faults, "dry_run": dry_run}
    would = "would be added" if dry_run else "added"
    lines = [f"{tally.added:,} incidents {would}, {tally.known:,} were here already."]
    lines += [f"Line {one['line']}: {one['why']}" for one in tally.faults[:_TOLD]]
    more = len(tally.faults) - _TOLD
    if tally.faults:
        lines.append(
            (f"{more:,} more such lines. " if more > 0 else "")
            + "What stands in these lines is not in the register: mend them and import the file again."
        )
    return Answer(data, lines, FOUND_FAULTS if tally.faults else 0)
